/*
 * opened_line.h
 *		Order lines that were refunded before the ledger knew them.
 */
#ifndef INV_OPENED_LINE_H
#define INV_OPENED_LINE_H

#include "store/binding.h"

extern void inv_opened_line_init(void);
extern void inv_opened_line_add(InvStore *store, Datum order);
extern bool inv_opened_line_has(InvStore *store, Datum order);

#endif /* INV_OPENED_LINE_H */
