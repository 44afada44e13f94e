/*
 * redis.c
 *		The part of the Redis protocol that a script call needs.
 */
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <stdio.h>

#include "client.h"

int
redis_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		die("the path of the socket is too long: %s", path);
	strcpy(address.sun_path, path);
	if (fd < 0 || connect(fd, (struct sockaddr *) &address, sizeof(address)) != 0)
		die("cannot connect to %s: %m", path);
	return fd;
}

/* Send blank-separated words as one command. */
void
redis_send(int fd, char *words)
{
	char arguments[VALUE_SIZE], command[VALUE_SIZE + 32];
	int count = 0, length = 0;

	for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
	{
		length += snprintf(arguments + length, sizeof(arguments) - length, "$%zu\r\n%s\r\n",
						   strlen(word), word);
		if (length >= (int) sizeof(arguments))
			die("a command for Redis is too long");
		count++;
	}
	length = snprintf(command, sizeof(command), "*%d\r\n%s", count, arguments);
	if (write(fd, command, length) != length)
		die("cannot write to Redis: %m");
}

/* Read a one-line answer, which arrives in one piece.  False if it is the integer 0. */
bool
redis_receive(int fd, char *answer, int size)
{
	ssize_t length = read(fd, answer, size - 1);

	if (length < 3 || answer[length - 1] != '\n')
		die("no answer from Redis");
	answer[length - 2] = '\0';
	if (answer[0] != ':')
		die("unexpected answer from Redis: %s", answer);
	return strcmp(answer, ":0") != 0;
}
