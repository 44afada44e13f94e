/*
 * text.c
 *		Texts, random numbers, time, and the exit on errors.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "load.h"

void
text_start(Text *text)
{
	text->length = 0;
	text->data[0] = '\0';
}

void
text_add(Text *text, const char *format, ...)
{
	size_t room = sizeof(text->data) - text->length;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(text->data + text->length, room, format, arguments);
	va_end(arguments);
	text->length += (size_t) length < room ? (size_t) length : room - 1;
}

/* Add a number, or the word for null if it is NONE. */
void
text_add_number(Text *text, int number, const char *null)
{
	if (number == NONE)
		text_add(text, "%s", null);
	else
		text_add(text, "%d", number);
}

/* Add a JSON string; '' is null. */
void
text_add_json(Text *text, const char *string)
{
	if (string[0] == '\0')
	{
		text_add(text, "null");
		return;
	}
	text_add(text, "\"");
	for (; *string != '\0'; string++)
	{
		if (*string == '"' || *string == '\\')
			text_add(text, "\\%c", *string);
		else if ((unsigned char) *string < ' ')
			text_add(text, "\\u%04x", *string);
		else
			text_add(text, "%c", *string);
	}
	text_add(text, "\"");
}

/* ---------------------------------------------------------------- random numbers */

static uint64_t random_state;

void
random_start(uint64_t seed)
{
	random_state = seed;
}

/* splitmix64, which needs no special seed */
static uint64_t
random_bits(void)
{
	uint64_t z = (random_state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

int
random_between(int min, int max)
{
	return min + (int) (random_bits() % (uint64_t) (max - min + 1));
}

bool
chance(int percent)
{
	return random_between(0, 99) < percent;
}

/* ---------------------------------------------------------------- time, end */

int64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

void
die(const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "load: ");
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "\n");
	exit(1);
}
