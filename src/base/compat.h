/*
 * compat.h
 *		Every difference between the supported server versions (15 to 18).
 */
#ifndef INV_COMPAT_H
#define INV_COMPAT_H

#include "access/genam.h"
#include "catalog/pg_proc.h"
#include "storage/proc.h"
#include "utils/acl.h"
#if PG_VERSION_NUM >= 170000
#include "storage/dsm_registry.h"

#endif

#if PG_VERSION_NUM >= 180000
#define INV_NORETURN pg_noreturn
#else
#define INV_NORETURN pg_attribute_noreturn()
#endif

/* May the role execute the function? */
static inline bool
inv_may_execute(Oid function, Oid role)
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(ProcedureRelationId, function, role, ACL_EXECUTE) == ACLCHECK_OK;
#else
	return pg_proc_aclcheck(function, role, ACL_EXECUTE) == ACLCHECK_OK;
#endif
}

/* Begin to look up rows by an index. */
static inline IndexScanDesc
inv_index_beginscan(Relation table, Relation index, Snapshot snapshot, int key_count)
{
#if PG_VERSION_NUM >= 180000
	return index_beginscan(table, index, snapshot, NULL, key_count, 0);
#else
	return index_beginscan(table, index, snapshot, key_count, 0);
#endif
}

/* The number of this process among all that have a PGPROC; below MaxBackends. */
static inline int
inv_process_number(void)
{
#if PG_VERSION_NUM >= 170000
	return MyProcNumber;
#else
	return MyProc->pgprocno;
#endif
}

/* Shared memory by name, made and filled by whoever is first; null where there is none. */
static inline void *
inv_named_segment(const char *name, Size size, void (*fill)(void *segment))
{
#if PG_VERSION_NUM >= 170000
	bool found;

	return GetNamedDSMSegment(name, size, fill, &found);
#else
	return NULL;
#endif
}

#endif /* INV_COMPAT_H */
