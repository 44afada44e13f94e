/*
 * pending.c
 *		Order lines and headers that other code has changed, until the ledger follows them.
 *
 * The triggers after each row add what has changed to a list of this session; a trigger at the
 * end of the statement, or of the transaction, takes the list and applies it at once
 * (commands/follow.c).  The list tells which lines to look at and what they were before: what
 * they are worth is read when it is applied.
 *
 * A change goes with the subtransaction that made it.  One that a subtransaction has applied is
 * kept while an abort of that subtransaction alone would undo what was applied.
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "lib/ilist.h"
#include "utils/datum.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "base/array.h"
#include "base/error.h"
#include "base/guc.h"
#include "base/store_error.h"
#include "store/binding.h"
#include "stock/pending.h"

/* A header that is gone, or has another key: lines that were deleted after it are judged by it. */
typedef struct OldHeader
{
	slist_node newest_first; /* in old_headers */
	slist_node same_hash;	 /* in its bucket, which has the newest first, too */
	uint64 layout;			 /* of the store */
	uint32 hash;
	Datum key;
	Datum row;
	int nesting;
} OldHeader;

typedef struct OldHeaderBucket
{
	uint32 hash; /* the key */
	slist_head headers;
} OldHeaderBucket;

static MemoryContext pending_context = NULL; /* in TopTransactionContext, or null */
static InvPending *pending = NULL;			 /* in pending_context */
static int pending_count = 0;
static int pending_room = 0;
static int applied_count = 0; /* of these, what is applied and kept */
static int due_count = 0;	  /* what is to be applied before the end of the transaction */
static slist_head old_headers = SLIST_STATIC_INIT(old_headers);
static HTAB *old_header_buckets = NULL; /* in pending_context, or null */

/* The levels of (sub)transactions of statements that are running, and of calls of the engine. */
static List *statements = NIL; /* in pending_context */
static List *calls = NIL;	   /* in pending_context */
static bool hurried = false;   /* what waits is applied at the end of the statement */

static MemoryContext
enter_pending_context(void)
{
	if (pending_context && pending_count == 0 && slist_is_empty(&old_headers) &&
		statements == NIL && calls == NIL)
	{
		MemoryContextReset(pending_context);
		pending = NULL;
		pending_room = 0;
		old_header_buckets = NULL;
	}
	if (pending_context == NULL)
		pending_context = AllocSetContextCreate(TopTransactionContext, "inventory pending",
												ALLOCSET_DEFAULT_SIZES);
	return MemoryContextSwitchTo(pending_context);
}

static Datum
copy_datum(Oid type, Datum value)
{
	int16 length;
	bool byval;

	get_typlenbyval(type, &length, &byval);
	return datumCopy(value, byval, length);
}

static Datum
copy_row(Datum row)
{
	return row == (Datum) 0 ? row : datumCopy(row, false, -1);
}

/* Copy what a change points to into the current memory context. */
static void
copy_change(InvStore *store, InvPending *change)
{
	change->key = copy_datum(
		change->kind == INV_PENDING_HEADER ? store->header_type : store->order_type, change->key);
	if (change->old.exists)
		inv_order_row_copy(store, &change->old);
	change->old_row = copy_row(change->old_row);
	if (change->has_header)
		change->header = copy_datum(store->header_type, change->header);
}

/* What a change keeps of a store fits it as long as this is the same. */
static uint64
layout_of(InvStore *store, InvPendingKind kind)
{
	return kind == INV_PENDING_HEADER ? store->header_layout : store->line_layout;
}

/*
 * Count a change in, or out.  The counts tell where nothing has to be looked for, so that a transaction
 * with many changes does not read all of them at the end of each statement and savepoint.
 */
static void
count_change(const InvPending *change, int by)
{
	if (change->applied > 0)
		applied_count += by;
	else if (!change->at_commit)
		due_count += by;
	Assert(applied_count >= 0 && due_count >= 0);
}

/* Add a change; what it points to is copied.  What a call of the engine causes, it applies. */
void
inv_pending_add(InvStore *store, const InvPending *change)
{
	MemoryContext old = enter_pending_context();
	InvPending *new;

	pending = inv_make_room(pending, pending_count, &pending_room, sizeof(InvPending),
							CurrentMemoryContext);
	new = &pending[pending_count];
	*new = *change;
	copy_change(store, new);
	new->items = store->items;
	new->layout = layout_of(store, change->kind);
	new->at_commit = inv_follow_at == INV_FOLLOW_AT_COMMIT &&calls == NIL;
	new->nesting = GetCurrentTransactionNestLevel();
	new->applied = 0;
	count_change(new, 1);
	pending_count++;
	MemoryContextSwitchTo(old);
}

/* ---- headers that are gone ---- */

/* The bucket of a hash; null if there is none and it is not to be made. */
static OldHeaderBucket *
bucket_of_hash(uint32 hash, bool make)
{
	OldHeaderBucket *bucket;
	bool found = false;

	if (old_header_buckets == NULL)
	{
		HASHCTL info = { .keysize = sizeof(uint32),
						 .entrysize = sizeof(OldHeaderBucket),
						 .hcxt = pending_context };

		if (!make)
			return NULL;
		old_header_buckets =
			hash_create("inventory old headers", 64, &info, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	bucket = hash_search(old_header_buckets, &hash, make ? HASH_ENTER : HASH_FIND, &found);
	if (bucket && !found)
		slist_init(&bucket->headers);
	return bucket;
}

static uint32
hash_header(InvStore *store, Datum key)
{
	int16 length;
	bool byval;

	get_typlenbyval(store->header_type, &length, &byval);
	return hash_combine(hash_uint32((uint32) store->header_layout),
						datum_image_hash(key, byval, length));
}

static bool
same_header(InvStore *store, Datum a, Datum b)
{
	int16 length;
	bool byval;

	get_typlenbyval(store->header_type, &length, &byval);
	return datum_image_eq(a, b, byval, length);
}

/* Remember a header that no row has any more. */
void
inv_pending_remember_header(InvStore *store, Datum key, Datum row)
{
	MemoryContext old = enter_pending_context();
	OldHeader *header = palloc(sizeof(OldHeader));

	header->layout = store->header_layout;
	header->hash = hash_header(store, key);
	header->key = copy_datum(store->header_type, key);
	header->row = copy_row(row);
	header->nesting = GetCurrentTransactionNestLevel();
	slist_push_head(&bucket_of_hash(header->hash, true)->headers, &header->same_hash);
	slist_push_head(&old_headers, &header->newest_first);
	MemoryContextSwitchTo(old);
}

/* Find the row of a header that is gone, as it last was; false if none is remembered. */
bool
inv_pending_old_header(InvStore *store, Datum key, Datum *row)
{
	OldHeaderBucket *bucket = bucket_of_hash(hash_header(store, key), false);
	slist_iter iter;

	if (bucket == NULL)
		return false;
	slist_foreach(iter, &bucket->headers)
	{
		OldHeader *header = slist_container(OldHeader, same_hash, iter.cur);

		if (header->layout != store->header_layout || !same_header(store, header->key, key))
			continue;
		*row = header->row;
		return true;
	}
	return false;
}

/* Forget the headers that a subtransaction has remembered. */
static void
forget_headers_of(int nesting)
{
	while (!slist_is_empty(&old_headers))
	{
		OldHeader *header = slist_head_element(OldHeader, newest_first, &old_headers);

		if (header->nesting < nesting)
			break;
		slist_pop_head_node(&old_headers);
		slist_pop_head_node(&bucket_of_hash(header->hash, false)->headers);
	}
}

/* Make them those of the subtransaction around it. */
static void
raise_headers_of(int nesting)
{
	slist_iter iter;

	slist_foreach(iter, &old_headers)
	{
		OldHeader *header = slist_container(OldHeader, newest_first, iter.cur);

		if (header->nesting < nesting)
			break;
		header->nesting = nesting - 1;
	}
}

/* ---- applying ---- */

/* Does a change undo itself wherever what has applied it is undone? */
static bool
is_done(const InvPending *change)
{
	return change->applied > 0 && change->nesting >= change->applied;
}

/* Forget what cannot be needed again. */
static void
forget_applied(void)
{
	int kept = 0;

	if (applied_count == 0)
		return;
	for (int i = 0; i < pending_count; i++)
		if (is_done(&pending[i]))
			count_change(&pending[i], -1);
		else
			pending[kept++] = pending[i];
	pending_count = kept;
}

/*
 * Take the changes of a store that are to be applied now, in their order.  Those that wait for
 * the end of the transaction are taken only there.
 */
InvPending *
inv_pending_take(InvStore *store, bool at_commit, int *count)
{
	InvPending *taken =
		MemoryContextAllocHuge(CurrentMemoryContext, sizeof(InvPending) * Max(pending_count, 1));

	*count = 0;
	for (int i = 0; i < pending_count; i++)
	{
		InvPending *change = &pending[i];

		if (change->applied > 0 || change->items != store->items ||
			(change->at_commit && !at_commit))
			continue;
		/* nothing keeps a table from being altered whose trigger is missing */
		if (change->layout != layout_of(store, change->kind))
			inv_error_not_followed();
		taken[*count] = *change;
		copy_change(store, &taken[(*count)++]);
		count_change(change, -1);
		change->applied = GetCurrentTransactionNestLevel();
		count_change(change, 1);
	}
	forget_applied();
	return taken;
}

/* Is there a change of a store that is to be applied? */
bool
inv_pending_has(Oid items, bool at_commit)
{
	for (int i = 0; (at_commit || due_count > 0) && i < pending_count; i++)
		if (pending[i].applied == 0 && pending[i].items == items &&
			(at_commit || !pending[i].at_commit))
			return true;
	return false;
}

/* The items of a store of which changes are to be applied now; InvalidOid if there is none. */
Oid
inv_pending_store(void)
{
	for (int i = 0; due_count > 0 && i < pending_count; i++)
		if (pending[i].applied == 0 && !pending[i].at_commit)
			return pending[i].items;
	return InvalidOid;
}

/* The last change, or null. */
const InvPending *
inv_pending_last(void)
{
	return pending_count > 0 ? &pending[pending_count - 1] : NULL;
}

/* ---- statements and calls ---- */

/*
 * A statement whose trigger at its end applies what it changes.  Where the end fires more than
 * once, as it can for cascades of foreign keys, what comes later waits for the end of the
 * transaction at most.
 */
void
inv_statement_begins(void)
{
	MemoryContext old = enter_pending_context();

	statements = lappend_int(statements, GetCurrentTransactionNestLevel());
	MemoryContextSwitchTo(old);
}

/* True: what waits for the end of the transaction is to be applied at that of the statement. */
bool
inv_statement_ends(void)
{
	bool was_hurried = hurried;

	statements = list_truncate(statements, Max(list_length(statements) - 1, 0));
	hurried = hurried && statements != NIL;
	return was_hurried;
}

/* The deferred trigger is fired in a statement: constraints are immediate. */
void
inv_statement_hurries(void)
{
	hurried = true;
}

bool
inv_in_statement(void)
{
	return statements != NIL;
}

/* A call of the engine writes lines, and has not booked them yet. */
void
inv_pending_hold(void)
{
	MemoryContext old = enter_pending_context();

	calls = lappend_int(calls, GetCurrentTransactionNestLevel());
	MemoryContextSwitchTo(old);
}

void
inv_pending_release(void)
{
	Assert(calls != NIL);
	calls = list_truncate(calls, list_length(calls) - 1);
}

bool
inv_pending_is_held(void)
{
	return calls != NIL;
}

/* ---- transactions ---- */

/* The end of a list of levels that a subtransaction has added. */
static List *
cut_levels(List *levels, int nesting)
{
	while (levels != NIL && llast_int(levels) >= nesting)
		levels = list_truncate(levels, list_length(levels) - 1);
	return levels;
}

/* What a subtransaction has added is the end of the list: levels never fall along it. */
static void
undo_subtransaction(int nesting)
{
	while (pending_count > 0 && pending[pending_count - 1].nesting >= nesting)
		count_change(&pending[--pending_count], -1);
	for (int i = 0; applied_count > 0 && i < pending_count; i++)
	{
		if (pending[i].applied < nesting)
			continue;
		count_change(&pending[i], -1);
		pending[i].applied = 0;
		count_change(&pending[i], 1);
	}
	forget_headers_of(nesting);
	statements = cut_levels(statements, nesting);
	calls = cut_levels(calls, nesting);
	hurried = hurried && statements != NIL;
}

/* What a subtransaction has done becomes that of the one around it. */
static void
merge_subtransaction(int nesting)
{
	for (int i = pending_count; i > 0 && pending[i - 1].nesting >= nesting; i--)
		pending[i - 1].nesting = nesting - 1;
	for (int i = 0; applied_count > 0 && i < pending_count; i++)
		pending[i].applied = Min(pending[i].applied, nesting - 1);
	forget_applied();
	raise_headers_of(nesting);
}

static void
pending_at_subxact_end(SubXactEvent event, SubTransactionId self pg_attribute_unused(),
					   SubTransactionId parent pg_attribute_unused(),
					   void *arg pg_attribute_unused())
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		undo_subtransaction(GetCurrentTransactionNestLevel());
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
		merge_subtransaction(GetCurrentTransactionNestLevel());
}

/* Triggers have applied all changes, unless one is missing. */
static void
check_nothing_pending(void)
{
	for (int i = 0; i < pending_count; i++)
		if (pending[i].applied == 0)
			inv_error_not_followed();
}

static void
pending_at_xact_end(XactEvent event, void *arg pg_attribute_unused())
{
	if (event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE)
		check_nothing_pending();
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE)
		return;
	/* the context goes with the transaction's */
	pending_context = NULL;
	pending = NULL;
	pending_count = pending_room = applied_count = due_count = 0;
	slist_init(&old_headers);
	old_header_buckets = NULL;
	statements = calls = NIL;
	hurried = false;
}

void
inv_pending_init(void)
{
	RegisterXactCallback(pending_at_xact_end, NULL);
	RegisterSubXactCallback(pending_at_subxact_end, NULL);
}
