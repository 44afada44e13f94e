/*
 * policy_check.c
 *		Do row security policies bind the engine?
 *
 * Takes no lock.  Reads the catalogs as they are now, which can be later than the binding.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "utils/syscache.h"

#include "store/binding.h"
#include "store/ledger_schema.h"
#include "store/policy_check.h"

static bool
forces_policies(Oid table)
{
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
	bool forces = false;

	if (HeapTupleIsValid(tuple))
	{
		Form_pg_class class = (Form_pg_class) GETSTRUCT(tuple);

		forces = class->relrowsecurity && class->relforcerowsecurity;
		ReleaseSysCache(tuple);
	}
	return forces;
}

/*
 * Do policies of one of the store's tables bind its owner, as whom the engine acts?
 */
bool
inv_binding_forces_policies(const InvStore *store)
{
	bool any = forces_policies(store->items) || forces_policies(store->orders);

	for (int i = INV_LEDGER_NONE + 1; !any && i < INV_LEDGER_COUNT; i++)
		any = forces_policies(store->ledger[i]);
	return any;
}
