/*
 * table_mark.c
 *		What identifies a table, for the ledger that is kept of it.
 *
 * A table that was dropped and made again has another OID.  The same OID means the same table
 * only in one database of one system: pg_upgrade keeps OIDs, and so does CREATE DATABASE.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(inventory_table_mark);

/* table_mark(relation): the text "system/database/OID"; null for null. */
Datum
inventory_table_mark(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(
		psprintf(UINT64_FORMAT "/%u/%u", GetSystemIdentifier(), MyDatabaseId, PG_GETARG_OID(0))));
}
