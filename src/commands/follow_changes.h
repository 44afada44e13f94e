/*
 * follow_changes.h
 *		Which order lines a list of changes concerns, and what they were before.
 */
#ifndef INV_FOLLOW_CHANGES_H
#define INV_FOLLOW_CHANGES_H

#include "store/binding.h"
#include "stock/follow_line.h"
#include "stock/pending.h"

/* The changes of a store that are applied. */
typedef struct InvChanges
{
	InvStore *store;
	InvPending *list;
	int count;
	InvPending **headers; /* the first of each header, in the order of their keys */
	int header_count;
	InvFollowed *lines; /* in key order, each once */
	int line_count;
} InvChanges;

extern void inv_changes_lock_headers(InvChanges *changes);
extern void inv_changes_read_lines(InvChanges *changes);

#endif /* INV_FOLLOW_CHANGES_H */
