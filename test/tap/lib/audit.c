/*
 * audit.c
 *		An auditor: logs which tables statements write and read.
 *
 * It sees what pgaudit sees, by the same hook, and is compiled by the test that
 * loads it.
 */
#include "postgres.h"

#include "executor/executor.h"
#include "fmgr.h"
#include "nodes/parsenodes.h"
#include "utils/lsyscache.h"

PG_MODULE_MAGIC;

void _PG_init(void);

static ExecutorCheckPerms_hook_type next_hook;

static void
record(Oid relid, AclMode mode)
{
	static const struct
	{
		AclMode mode;
		const char *word;
	} words[] = { { ACL_INSERT, "INSERT" }, { ACL_UPDATE, "UPDATE" }, { ACL_SELECT, "SELECT" } };

	for (size_t i = 0; i < lengthof(words); i++)
		if (mode & words[i].mode)
			ereport(LOG, errmsg("audit: %s %s", words[i].word, get_rel_name(relid)),
					errhidestmt(true), errhidecontext(true));
}

#if PG_VERSION_NUM >= 160000
static bool
record_tables(List *tables, List *permissions, bool raises)
{
	ListCell *cell;

	foreach (cell, permissions)
	{
		RTEPermissionInfo *table = lfirst(cell);

		record(table->relid, table->requiredPerms);
	}
	return next_hook == NULL || next_hook(tables, permissions, raises);
}
#else
static bool
record_tables(List *tables, bool raises)
{
	ListCell *cell;

	foreach (cell, tables)
	{
		RangeTblEntry *table = lfirst(cell);

		if (table->rtekind == RTE_RELATION)
			record(table->relid, table->requiredPerms);
	}
	return next_hook == NULL || next_hook(tables, raises);
}
#endif

void
_PG_init(void)
{
	next_hook = ExecutorCheckPerms_hook;
	ExecutorCheckPerms_hook = record_tables;
}
