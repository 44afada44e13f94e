/*
 * isolated.c
 *		Work in a subtransaction of its own.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/resowner.h"

#include "base/isolated.h"

/*
 * Do some work in a subtransaction.  Its changes are kept, or rolled back if the work returns
 * false, which releases their locks at once.  An error rolls them back, and is returned, in the
 * current memory context.
 */
ErrorData *
inv_run_isolated(InvWork work, void *arg)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		if (work(arg))
			ReleaseCurrentSubTransaction();
		else
			RollbackAndReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return error;
}
