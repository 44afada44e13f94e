/*
 * isolated.h
 *		Work in a subtransaction of its own.
 */
#ifndef INV_ISOLATED_H
#define INV_ISOLATED_H

#include "utils/elog.h"

/* Work that says whether its changes are kept. */
typedef bool (*InvWork)(void *arg);

extern ErrorData *inv_run_isolated(InvWork work, void *arg);

#endif /* INV_ISOLATED_H */
