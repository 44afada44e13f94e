/*
 * table_mark.c
 *		Which table a ledger is of.
 *
 * A table that was dropped and made again has another OID.  The same OID means the same table
 * only in one database of one system: pg_upgrade keeps OIDs, and so does CREATE DATABASE.
 * The mark is in a comment, which is dumped and restored, moves with the ledger, and is its
 * owner's.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/xlog.h"
#include "catalog/pg_class.h"
#include "commands/comment.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(inventory_table_mark);
PG_FUNCTION_INFO_V1(inventory_mark_ledger);

static char *
make_mark(Oid table)
{
	return psprintf(UINT64_FORMAT "/%u/%u", GetSystemIdentifier(), MyDatabaseId, table);
}

/* table_mark(relation): the text "system/database/OID"; null for null. */
Datum
inventory_table_mark(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(make_mark(PG_GETARG_OID(0))));
}

/*
 * mark_ledger(movements, items): note in the comment on the column item_id of movements which
 * table they are of.  Nothing is written, nor locked, if that is noted already.  It is not the
 * command COMMENT, which could fire event triggers of others with the rights of the extension.
 */
Datum
inventory_mark_ledger(PG_FUNCTION_ARGS)
{
	Oid movements = PG_ARGISNULL(0) ? InvalidOid : PG_GETARG_OID(0);
	Relation rel;
	AttrNumber item;
	char *comment, *old;

	if (PG_ARGISNULL(1) || (rel = try_relation_open(movements, AccessShareLock)) == NULL)
		PG_RETURN_VOID();
	if (!has_privs_of_role(GetUserId(), rel->rd_rel->relowner))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, RelationGetRelationName(rel));
	item = get_attnum(movements, "item_id");
	comment = psprintf("Key of the item. Its table (system/database/OID): %s",
					   make_mark(PG_GETARG_OID(1)));
	old = item == InvalidAttrNumber ? comment : GetComment(movements, RelationRelationId, item);
	if (old == NULL || strcmp(old, comment) != 0)
	{
		LockRelationOid(movements, ShareUpdateExclusiveLock);
		CreateComments(movements, RelationRelationId, item, comment);
	}
	relation_close(rel, NoLock);
	PG_RETURN_VOID();
}
