/*
 * note_line.h
 *		Changes of order lines that the ledger is to follow.
 */
#ifndef INV_NOTE_LINE_H
#define INV_NOTE_LINE_H

#include "commands/trigger.h"

#include "store/binding.h"
#include "stock/order_row.h"

extern void inv_note_line(InvStore *store, const TriggerData *trigdata, const InvOrderRow *old,
						  const InvOrderRow *new);

#endif /* INV_NOTE_LINE_H */
