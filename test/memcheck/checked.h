/*
 * checked.h
 *		Included first in a build for memcheck: memory that the extension
 *		allocates counts as undefined until it is written.
 *
 * The server was not built for valgrind.  Memory that it allocates again would
 * otherwise still count as written, and a read before the first write would not
 * be reported.  Freed memory is not marked, because the server stores its own data
 * there.
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
