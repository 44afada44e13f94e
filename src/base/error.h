/*
 * error.h
 *		Every condition the extension reports, one function each.
 *
 * Business refusals carry a stable name as their primary message, which
 * clients switch on, the facts in DETAIL and the way out in HINT.  Nobody else
 * in this extension chooses an SQLSTATE.
 */
#ifndef INV_ERROR_H
#define INV_ERROR_H

#include "base/compat.h"

/* How one line of a purchase ended.  The names are the statuses of try_ calls. */
typedef enum InvStatus
{
	INV_STATUS_OK,
	INV_STATUS_ITEM_NOT_FOUND,
	INV_STATUS_PURCHASE_LIMIT_EXCEEDED,
	INV_STATUS_OUT_OF_STOCK,
	INV_STATUS_NOT_TAKEN
} InvStatus;

extern const char *inv_status_name(InvStatus status);

/* business refusals, in the order of their codes */
INV_NORETURN extern void inv_error_out_of_stock(const char *detail);
INV_NORETURN extern void inv_error_item_not_found(const char *detail);
INV_NORETURN extern void inv_error_order_not_found(const char *order);
INV_NORETURN extern void inv_error_reservation_not_found(const char *reservation);
INV_NORETURN extern void inv_error_reservation_expired(const char *reservation, const char *when);
INV_NORETURN extern void inv_error_reservation_confirmed(const char *reservation);
INV_NORETURN extern void inv_error_reservation_released(const char *reservation);
INV_NORETURN extern void inv_error_refund_exceeds(const char *order, int64 wanted, int64 refunded,
												  int64 bought);
INV_NORETURN extern void inv_error_key_mismatch(const char *key, const char *operation);
INV_NORETURN extern void inv_error_purchase_limit(const char *detail);
INV_NORETURN extern void inv_error_stock_changed(const char *item, int64 expected, int64 actual);
INV_NORETURN extern void inv_error_not_a_store(const char *what);
INV_NORETURN extern void inv_error_direct_write(const char *detail, const char *hint);
INV_NORETURN extern void inv_error_busy(const char *item, const char *why);

/* arguments */
INV_NORETURN extern void inv_error_null(const char *argument);
INV_NORETURN extern void inv_error_quantity(const char *argument, int64 value);
INV_NORETURN extern void inv_error_value(const char *message, const char *hint);
INV_NORETURN extern void inv_error_overflow(const char *what);
INV_NORETURN extern void inv_error_too_long(const char *argument, int limit);
INV_NORETURN extern void inv_error_too_many_lines(int lines, int limit);
INV_NORETURN extern void inv_error_unknown_column(const char *column, const char *relation);
INV_NORETURN extern void inv_error_column_not_allowed(const char *column, const char *store);

/* the caller */
INV_NORETURN extern void inv_error_not_the_owner(const char *store, Oid owner);
INV_NORETURN extern void inv_error_owners(const char *store, const char *detail);
INV_NORETURN extern void inv_error_foreign_trigger(const char *store, const char *trigger,
												   const char *relation, Oid role, Oid owner);
INV_NORETURN extern void inv_error_no_table(Oid table);
INV_NORETURN extern void inv_error_not_this_user(const char *claim);
INV_NORETURN extern void inv_error_serialization(void);
INV_NORETURN extern void inv_error_prepare(void);
INV_NORETURN extern void inv_error_in_flight(const char *item);
INV_NORETURN extern void inv_error_no_hot_items(const char *message, const char *hint);
INV_NORETURN extern void inv_error_hot_full(int limit);
INV_NORETURN extern void inv_error_no_digest(void);
INV_NORETURN extern void inv_error_no_random(void);

/* the store itself */
INV_NORETURN extern void inv_error_untracked(const char *item);
INV_NORETURN extern void inv_error_broken_store(const char *store, const char *detail);
INV_NORETURN extern void inv_error_order_rows(const char *relation, uint64 wanted, uint64 got);

#endif /* INV_ERROR_H */
