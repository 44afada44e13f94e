/*
 * dependency.c
 *		What a store was read from, as the server's invalidation messages name it.
 *
 * A message names a relation by its OID, and a row of another catalog by a hash.  A
 * store that none of its dependencies ties to a message is as good as before, so what
 * other roles create, alter and drop costs it nothing.
 *
 * Takes no lock but that on pg_depend.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_type.h"
#include "rewrite/rewriteSupport.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "base/array.h"
#include "store/dependency.h"

/* The syscache whose messages name objects of a kind; -1 for relations, which have their own. */
int
inv_dependency_syscache(InvDependencyKind kind)
{
	static const int syscaches[] = {
		[INV_DEPENDENCY_RELATION] = -1,
		[INV_DEPENDENCY_SCHEMA] = NAMESPACEOID,
		[INV_DEPENDENCY_FUNCTION] = PROCOID,
		[INV_DEPENDENCY_OPERATOR] = OPEROID,
		[INV_DEPENDENCY_TYPE] = TYPEOID,
		[INV_DEPENDENCY_ROLE] = AUTHOID,
		[INV_DEPENDENCY_MEMBERSHIP] = AUTHMEMROLEMEM,
	};

	StaticAssertStmt(lengthof(syscaches) == INV_DEPENDENCY_KIND_COUNT, "every kind has a syscache");
	Assert(kind >= 0 && kind < INV_DEPENDENCY_KIND_COUNT);
	return syscaches[kind];
}

/* The bits of a value in the filter: a session with thousands of stores looks at each message. */
static uint64
filter_bits(uint32 value)
{
	return value == INV_ANY_VALUE ? PG_UINT64_MAX : UINT64CONST(1) << (value % 64);
}

/* Does a message of this value, or of INV_ANY_VALUE, name one of them? */
bool
inv_depends(const InvDependencies *dependencies, InvDependencyKind kind, uint32 value)
{
	if ((dependencies->filter[kind] & filter_bits(value)) == 0)
		return false;
	for (int i = 0; i < dependencies->count; i++)
	{
		const InvDependency *one = &dependencies->list[i];

		if (one->kind == kind &&
			(one->value == value || one->value == INV_ANY_VALUE || value == INV_ANY_VALUE))
			return true;
	}
	return false;
}

/* Add an object.  InvalidOid stands for every object of the kind. */
void
inv_depend(InvDependencies *dependencies, InvDependencyKind kind, Oid oid)
{
	uint32 value = INV_ANY_VALUE;

	Assert(kind != INV_DEPENDENCY_MEMBERSHIP || !OidIsValid(oid));
	if (OidIsValid(oid))
		value = kind == INV_DEPENDENCY_RELATION
					? oid
					: GetSysCacheHashValue1(inv_dependency_syscache(kind), ObjectIdGetDatum(oid));
	for (int i = 0; i < dependencies->count; i++)
		if (dependencies->list[i].kind == kind && dependencies->list[i].value == value)
			return;
	dependencies->list = inv_make_room(dependencies->list, dependencies->count, &dependencies->room,
									   sizeof(InvDependency), CurrentMemoryContext);
	dependencies->filter[kind] |= filter_bits(value);
	dependencies->list[dependencies->count].kind = kind;
	dependencies->list[dependencies->count++].value = value;
}

/* Add an object that an expression uses, and the schema that is part of its name. */
static void
depend_on_object(InvDependencies *dependencies, Oid class, Oid oid)
{
	ObjectAddress address;

	switch (class)
	{
		case RelationRelationId:
			inv_depend(dependencies, INV_DEPENDENCY_RELATION, oid);
			break;
		case ProcedureRelationId:
			inv_depend(dependencies, INV_DEPENDENCY_FUNCTION, oid);
			break;
		case OperatorRelationId:
			inv_depend(dependencies, INV_DEPENDENCY_OPERATOR, oid);
			inv_depend(dependencies, INV_DEPENDENCY_FUNCTION, get_opcode(oid));
			break;
		case TypeRelationId:
			inv_depend(dependencies, INV_DEPENDENCY_TYPE, oid);
			break;
		case CollationRelationId:
			break;
		default:
			/* a schema, which is added with what is in it */
			return;
	}
	ObjectAddressSet(address, class, oid);
	inv_depend(dependencies, INV_DEPENDENCY_SCHEMA, get_object_namespace(&address));
}

/*
 * Add a view and all that its query uses: the server has recorded it, as what the view's
 * rule depends on, except for objects that cannot be altered.
 */
void
inv_depend_on_view(InvDependencies *dependencies, Oid view)
{
	Oid rule = get_rewrite_oid(view, ViewSelectRuleName, true);
	Relation catalog = table_open(DependRelationId, AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple tuple;

	inv_depend(dependencies, INV_DEPENDENCY_RELATION, view);
	ScanKeyInit(&keys[0], Anum_pg_depend_classid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(RewriteRelationId));
	ScanKeyInit(&keys[1], Anum_pg_depend_objid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(rule));
	scan = systable_beginscan(catalog, DependDependerIndexId, true, NULL, 2, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend form = (Form_pg_depend) GETSTRUCT(tuple);

		depend_on_object(dependencies, form->refclassid, form->refobjid);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
}
