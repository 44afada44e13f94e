/*
 * faults.c
 *		Faults for a server, in a library that its processes preload.
 *
 * Each function here replaces one of the C library.  It does the same as that one
 * unless a number in a file, which the test shares with all processes, says that it
 * must fail.  Faults.pm writes the numbers while the server runs.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

/* The numbers, in the order of Faults.pm. */
typedef struct Control
{
	volatile int32_t process;	  /* whose allocations are counted */
	volatile int32_t allocations; /* which one fails: 1 is the next, 0 none */
	volatile int32_t full;		  /* where there is no room: 1 WAL, 2 tables */
	volatile int32_t refused;	  /* how many writes failed for lack of room */
	volatile int32_t pages;		  /* WAL pages until their reader is killed; 0: never */
	volatile int32_t shift;		  /* seconds that the clock is ahead */
} Control;

static Control nothing;
static Control *control = &nothing;

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

__attribute__((constructor)) static void
find_control(void)
{
	const char *path = getenv("FAULTS_CONTROL");
	int file = path ? open(path, O_RDWR) : -1;
	void *page;

	if (file < 0)
		return;
	page = mmap(NULL, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (page != MAP_FAILED)
		control = page;
	close(file);
}

/* ---- memory ---- */

/* Must this allocation fail? */
static int
out_of_memory(void)
{
	if (control->allocations == 0 || control->process != getpid())
		return 0;
	if (--control->allocations > 0)
		return 0;
	errno = ENOMEM;
	return 1;
}

void *
malloc(size_t size)
{
	return out_of_memory() ? NULL : __libc_malloc(size);
}

void *
calloc(size_t count, size_t size)
{
	return out_of_memory() ? NULL : __libc_calloc(count, size);
}

void *
realloc(void *memory, size_t size)
{
	return out_of_memory() ? NULL : __libc_realloc(memory, size);
}

/* ---- disk ---- */

/* Is an open file below a directory? */
static int
is_below(int file, const char *directory)
{
	char link[64], path[4096];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
	length = readlink(link, path, sizeof(path) - 1);
	if (length < 0)
		return 0;
	path[length] = '\0';
	return strstr(path, directory) != NULL;
}

/* Must this write fail?  Tables may be written, but not extended. */
static int
no_room(int file, int64_t end)
{
	if (control->full == 0)
		return 0;
	if (control->full == 1 ? !is_below(file, "/pg_wal/")
						   : !is_below(file, "/base/") || end <= lseek(file, 0, SEEK_END))
		return 0;
	control->refused++;
	errno = ENOSPC;
	return 1;
}

static int64_t
total(const struct iovec *parts, int count)
{
	int64_t sum = 0;

	for (int i = 0; i < count; i++)
		sum += parts[i].iov_len;
	return sum;
}

/* The function of the C library. */
#define NEXT(type, name) ((type) dlsym(RTLD_NEXT, name))

typedef ssize_t (*Pwrite)(int, const void *, size_t, off64_t);
typedef ssize_t (*Pwritev)(int, const struct iovec *, int, off64_t);
typedef ssize_t (*Pread)(int, void *, size_t, off64_t);
typedef int (*Fallocate)(int, off64_t, off64_t);
typedef int (*Gettimeofday)(struct timeval *, void *);

ssize_t
pwrite64(int file, const void *data, size_t size, off64_t offset)
{
	if (no_room(file, offset + size))
		return -1;
	return NEXT(Pwrite, "pwrite64")(file, data, size, offset);
}

ssize_t
pwrite(int file, const void *data, size_t size, off_t offset)
{
	return pwrite64(file, data, size, offset);
}

ssize_t
pwritev64(int file, const struct iovec *parts, int count, off64_t offset)
{
	if (no_room(file, offset + total(parts, count)))
		return -1;
	return NEXT(Pwritev, "pwritev64")(file, parts, count, offset);
}

ssize_t
pwritev(int file, const struct iovec *parts, int count, off_t offset)
{
	return pwritev64(file, parts, count, offset);
}

int
posix_fallocate64(int file, off64_t offset, off64_t size)
{
	/* it returns the error and does not set errno */
	if (no_room(file, offset + size))
		return ENOSPC;
	return NEXT(Fallocate, "posix_fallocate64")(file, offset, size);
}

int
posix_fallocate(int file, off_t offset, off_t size)
{
	return posix_fallocate64(file, offset, size);
}

/* ---- recovery ---- */

ssize_t
pread64(int file, void *data, size_t size, off64_t offset)
{
	if (control->pages > 0 && is_below(file, "/pg_wal/") && --control->pages == 0)
		kill(getpid(), SIGKILL);
	return NEXT(Pread, "pread64")(file, data, size, offset);
}

ssize_t
pread(int file, void *data, size_t size, off_t offset)
{
	return pread64(file, data, size, offset);
}

/* ---- time ---- */

int
gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	int result = NEXT(Gettimeofday, "gettimeofday")(now, zone);

	now->tv_sec += control->shift;
	return result;
}
