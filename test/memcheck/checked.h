/*
 * checked.h
 *		Included before all else in a build for memcheck: what the extension
 *		allocates is undefined until it is written.
 *
 * The server was not built for valgrind.  A piece of memory that it uses a second
 * time still counts as written, and reading it too early would not be seen.
 * Nothing is done when memory is freed: the server keeps its own notes there.
 */
#ifndef CHECKED_H
#define CHECKED_H

#include "postgres.h"

#include <valgrind/memcheck.h>

static inline void *
checked_palloc(Size size)
{
	void *memory = palloc(size);

	(void) VALGRIND_MAKE_MEM_UNDEFINED(memory, size);
	return memory;
}

static inline void *
checked_alloc(MemoryContext context, Size size)
{
	void *memory = MemoryContextAlloc(context, size);

	(void) VALGRIND_MAKE_MEM_UNDEFINED(memory, size);
	return memory;
}

#define palloc(size) checked_palloc(size)
#define MemoryContextAlloc(context, size) checked_alloc(context, size)

#endif
