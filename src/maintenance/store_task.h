/*
 * store_task.h
 *		What the worker does for one store in a round.
 */
#ifndef INV_STORE_TASK_H
#define INV_STORE_TASK_H

#include "utils/timestamp.h"

/* A store as the worker knows it between its transactions. */
typedef struct InvStoreTask
{
	char *store_name;
	Oid items;
	Oid owner;
	int errors;				/* rounds in a row that ended in an error */
	int rounds_to_rest;		/* rounds in which the store is left alone */
	TimestampTz expiry;		/* where to continue with overdue holds */
	TimestampTz settled_at; /* when its hot items were last settled; 0: settle again */
	bool has_hot;			/* there were hot items then */
} InvStoreTask;

/* What a round has found, over all stores. */
typedef struct InvRoundResult
{
	bool has_holds;		/* there are open holds, or a store rests after an error */
	bool more_overdue;	/* there may be more holds to give back */
	bool more_to_prune; /* there may be more rows to prune */
	bool has_hot;		/* there are hot items, or items may become hot by themselves */
} InvRoundResult;

extern void inv_serve_store(InvStoreTask *task, bool prune, InvRoundResult *result);

#endif /* INV_STORE_TASK_H */
