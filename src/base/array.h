/*
 * array.h
 *		Arrays that grow, and arrays of any size.
 */
#ifndef INV_ARRAY_H
#define INV_ARRAY_H

#include "utils/palloc.h"

/*
 * An array with room for one more element than it has: the same, or a copy that is larger.  A
 * null array gets its memory in the context.  If there is no memory nothing has changed.
 */
static inline void *
inv_make_room(void *array, int count, int *room, Size element, MemoryContext context)
{
	int larger = Max(16, *room * 2);

	if (count < *room)
		return array;
	array = array ? repalloc_huge(array, larger * element)
				  : MemoryContextAlloc(context, larger * element);
	*room = larger;
	return array;
}

/* An array of zeros, also one that is larger than 1 GB. */
static inline void *
inv_zeroed_array(Size count, Size element)
{
	return MemoryContextAllocExtended(CurrentMemoryContext, count * element,
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

#endif /* INV_ARRAY_H */
