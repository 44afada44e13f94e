/*
 * store_task.h
 *		What the worker does for one store in a round.
 */
#ifndef INV_STORE_TASK_H
#define INV_STORE_TASK_H

#include "stock/expiry.h"

/* A store as the worker knows it between its transactions. */
typedef struct InvStoreTask
{
	char *store_name;
	Oid items;
	Oid owner;
	InvExpiryPosition expiry; /* where to continue with overdue holds */
	int64 expire_at;		  /* after lines that could not be given back, by base/clock.h; or 0 */
	int uncounted;			  /* rounds since overdue lines were counted */
	int64 settled_at; /* when its hot items were last settled, by base/clock.h; 0: settle again */
	bool has_hot;	  /* there were hot items then */
	bool left_out;	  /* of the last round, because its owner's time was over */
} InvStoreTask;

/* What a round has found, over all stores. */
typedef struct InvRoundResult
{
	bool has_work;		/* there are open holds or hot items, or a store rests after an error */
	long work_in_ms;	/* how long that can wait for another round */
	bool more_overdue;	/* there may be more holds to give back */
	bool more_to_prune; /* there may be more rows to prune */
	bool more_stores;	/* stores were left out */
	bool has_hot;		/* there are hot items, or items may become hot by themselves */
} InvRoundResult;

#define INV_ROUND_MS 1000 /* from one round to the next */

extern void inv_serve_store(InvStoreTask *task, bool prune, InvRoundResult *result);
extern void inv_served_store_ends_worker(void);

#endif /* INV_STORE_TASK_H */
