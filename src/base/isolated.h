/*
 * isolated.h
 *		Work in a subtransaction of its own.
 */
#ifndef INV_ISOLATED_H
#define INV_ISOLATED_H

#include "utils/elog.h"

typedef void (*InvWork)(void *arg);
typedef bool (*InvUndoableWork)(void *arg);

extern void inv_run_undoable(InvUndoableWork work, void *arg);
extern ErrorData *inv_run_isolated(InvWork work, void *arg, bool keep);

#endif /* INV_ISOLATED_H */
