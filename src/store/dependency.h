/*
 * dependency.h
 *		What a store was read from, as the server's invalidation messages name it.
 */
#ifndef INV_DEPENDENCY_H
#define INV_DEPENDENCY_H

#include "utils/palloc.h"

typedef enum InvDependencyKind
{
	INV_DEPENDENCY_RELATION,
	INV_DEPENDENCY_SCHEMA,
	INV_DEPENDENCY_FUNCTION,
	INV_DEPENDENCY_OPERATOR,
	INV_DEPENDENCY_TYPE,
	INV_DEPENDENCY_ROLE,
	INV_DEPENDENCY_MEMBERSHIP, /* of roles in roles: the value is always INV_ANY_VALUE */
	INV_DEPENDENCY_KIND_COUNT
} InvDependencyKind;

/* Stands for every object of a kind. */
#define INV_ANY_VALUE 0

/* An object: for relations the OID, for all others the hash of the OID in its syscache. */
typedef struct InvDependency
{
	InvDependencyKind kind;
	uint32 value;
} InvDependency;

/* In the memory context that was current when the first was added. */
typedef struct InvDependencies
{
	InvDependency *list;
	int count;
	int room;
	uint64 filter[INV_DEPENDENCY_KIND_COUNT]; /* bits of the values of each kind */
} InvDependencies;

extern int inv_dependency_syscache(InvDependencyKind kind);
extern void inv_depend(InvDependencies *dependencies, InvDependencyKind kind, Oid oid);
extern void inv_depend_on_view(InvDependencies *dependencies, Oid view);
extern bool inv_depends(const InvDependencies *dependencies, InvDependencyKind kind, uint32 value);

#endif /* INV_DEPENDENCY_H */
