/*
 * table_gone.c
 *		Whether a table that shared memory knows still exists.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/syscache.h"

#include "base/table_gone.h"

/*
 * Was a table dropped, for all sessions?  Of a table of another database only the
 * database is looked at.  A table that another transaction is making or dropping is
 * locked, and counts as there.
 */
bool
inv_table_is_gone(Oid database, Oid table)
{
	bool gone;

	if (database != MyDatabaseId)
		return !SearchSysCacheExists1(DATABASEOID, ObjectIdGetDatum(database));
	if (!ConditionalLockRelationOid(table, AccessShareLock))
		return false;
	gone = !SearchSysCacheExists1(RELOID, ObjectIdGetDatum(table));
	UnlockRelationOid(table, AccessShareLock);
	return gone;
}
