/*
 * layout.c
 *		What another version of the library leaves in shared memory: the number of a layout
 *		that this one does not know.
 *
 * It is compiled by the test that loads it.
 */
#include "postgres.h"

#include "fmgr.h"
#include "storage/dsm_registry.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(make_other_layout);

static void
fill(void *segment)
{
	*(uint32 *) segment = 999;
}

Datum
make_other_layout(PG_FUNCTION_ARGS)
{
	bool found;

	(void) fcinfo;
	(void) GetNamedDSMSegment("inventory layout", sizeof(uint32), fill, &found);
	PG_RETURN_BOOL(!found);
}
