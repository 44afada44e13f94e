/*
 * error.h
 *		Every condition that the extension reports.
 *
 * A business refusal carries a stable name as its primary message, which clients
 * switch on, the facts in DETAIL and what to do in HINT.
 *
 * inv_error_X() raises a condition and does not return.  It is a macro around
 * the function inv_report_X(), which describes the condition in error.c, so
 * that the location of the error is the line that raised it.
 */
#ifndef INV_ERROR_H
#define INV_ERROR_H

#include "base/fact.h"

/* How one line of a call ended, as the column status shows it: ok, or the name of a refusal. */
typedef enum InvStatus
{
	INV_STATUS_OK,
	INV_STATUS_ITEM_NOT_FOUND,
	INV_STATUS_PURCHASE_LIMIT_EXCEEDED,
	INV_STATUS_OUT_OF_STOCK,
	INV_STATUS_NOT_TAKEN,
	INV_STATUS_ORDER_NOT_FOUND,
	INV_STATUS_REFUND_EXCEEDS_ORDER,
	INV_STATUS_RESERVATION_EXPIRED,
	INV_STATUS_RESERVATION_RELEASED
} InvStatus;

extern const char *inv_status_name(InvStatus status);

/*
 * The text domain of the errors of this library, which has no translations.  By it they are
 * told from those of others, also after a function has caught and raised them again.
 */
#define INV_ERROR_DOMAIN "inventory"

/* The second statement is for compilers that warn of a switch case without a break. */
#define INV_RAISE(report)                                                                          \
	do                                                                                             \
	{                                                                                              \
		ereport_domain(ERROR, INV_ERROR_DOMAIN, report);                                           \
		pg_unreachable();                                                                          \
	} while (0)

/* ---- business refusals ---- */

extern bool inv_is_refusal(const ErrorData *error);
extern void inv_report_out_of_stock(const InvFacts *facts, const char *detail);
extern void inv_report_below_floor(const InvFacts *facts, const char *detail);
extern void inv_report_item_not_found(const InvFacts *facts, const char *detail);
extern void inv_report_no_item(const InvFacts *facts);
extern void inv_report_order_not_found(const InvFacts *facts);
extern void inv_report_order_deleted(const InvFacts *facts, int64 left);
extern void inv_report_header_not_found(const InvFacts *facts);
extern void inv_report_reservation_not_found(const InvFacts *facts);
extern void inv_report_part_of_cart(const InvFacts *facts);
extern void inv_report_reservation_expired(const InvFacts *facts, const char *when);
extern void inv_report_kept_reservation_ended(const InvFacts *facts, const char *key);
extern void inv_report_reservation_confirmed(const InvFacts *facts);
extern void inv_report_reservation_released(const InvFacts *facts);
extern void inv_report_refund_exceeds(const InvFacts *facts, int64 wanted, int64 refunded,
									  const char *sold);
extern void inv_report_not_sold(const InvFacts *facts);
extern void inv_report_key_mismatch(const InvFacts *facts, const char *operation);
extern void inv_report_already_placed(const InvFacts *facts);
extern void inv_report_purchase_limit(const InvFacts *facts, const char *detail);
extern void inv_report_stock_changed(const InvFacts *facts, int64 expected, int64 actual);
extern void inv_report_not_a_store(const InvFacts *facts);
extern void inv_report_direct_write(const InvFacts *facts, const char *detail, const char *hint);
extern void inv_report_busy(const InvFacts *facts, const char *why);
extern void inv_report_busy_otherwise(const char *detail, const char *hint);

#define inv_error_out_of_stock(...) INV_RAISE(inv_report_out_of_stock(__VA_ARGS__))
#define inv_error_below_floor(...) INV_RAISE(inv_report_below_floor(__VA_ARGS__))
#define inv_error_no_item(...) INV_RAISE(inv_report_no_item(__VA_ARGS__))
#define inv_error_kept_reservation_ended(...)                                                      \
	INV_RAISE(inv_report_kept_reservation_ended(__VA_ARGS__))
#define inv_error_item_not_found(...) INV_RAISE(inv_report_item_not_found(__VA_ARGS__))
#define inv_error_order_not_found(...) INV_RAISE(inv_report_order_not_found(__VA_ARGS__))
#define inv_error_order_deleted(...) INV_RAISE(inv_report_order_deleted(__VA_ARGS__))
#define inv_error_reservation_not_found(...)                                                       \
	INV_RAISE(inv_report_reservation_not_found(__VA_ARGS__))
#define inv_error_part_of_cart(...) INV_RAISE(inv_report_part_of_cart(__VA_ARGS__))
#define inv_error_reservation_expired(...) INV_RAISE(inv_report_reservation_expired(__VA_ARGS__))
#define inv_error_reservation_confirmed(...)                                                       \
	INV_RAISE(inv_report_reservation_confirmed(__VA_ARGS__))
#define inv_error_reservation_released(...) INV_RAISE(inv_report_reservation_released(__VA_ARGS__))
#define inv_error_refund_exceeds(...) INV_RAISE(inv_report_refund_exceeds(__VA_ARGS__))
#define inv_error_not_sold(...) INV_RAISE(inv_report_not_sold(__VA_ARGS__))
#define inv_error_key_mismatch(...) INV_RAISE(inv_report_key_mismatch(__VA_ARGS__))
#define inv_error_already_placed(...) INV_RAISE(inv_report_already_placed(__VA_ARGS__))
#define inv_error_header_not_found(...) INV_RAISE(inv_report_header_not_found(__VA_ARGS__))
#define inv_error_purchase_limit(...) INV_RAISE(inv_report_purchase_limit(__VA_ARGS__))
#define inv_error_stock_changed(...) INV_RAISE(inv_report_stock_changed(__VA_ARGS__))
#define inv_error_not_a_store(...) INV_RAISE(inv_report_not_a_store(__VA_ARGS__))
#define inv_error_direct_write(...) INV_RAISE(inv_report_direct_write(__VA_ARGS__))
#define inv_error_busy(...) INV_RAISE(inv_report_busy(__VA_ARGS__))
#define inv_error_busy_otherwise(...) INV_RAISE(inv_report_busy_otherwise(__VA_ARGS__))

/* ---- arguments ---- */

extern void inv_report_null(const char *argument);
extern void inv_report_quantity(const char *argument, int64 value);
extern void inv_report_value(const char *message, const char *hint);
extern void inv_report_overflow(const char *what);
extern void inv_report_too_long(const char *argument, int limit);
extern void inv_report_too_many_lines(int lines, int limit);
extern void inv_report_unknown_column(const char *column, const char *relation, const char *meant);
extern void inv_report_column_not_allowed(const char *column, const char *store_name,
										  const char *argument);

#define inv_error_null(...) INV_RAISE(inv_report_null(__VA_ARGS__))
#define inv_error_quantity(...) INV_RAISE(inv_report_quantity(__VA_ARGS__))
#define inv_error_value(...) INV_RAISE(inv_report_value(__VA_ARGS__))
#define inv_error_overflow(...) INV_RAISE(inv_report_overflow(__VA_ARGS__))
#define inv_error_too_long(...) INV_RAISE(inv_report_too_long(__VA_ARGS__))
#define inv_error_too_many_lines(...) INV_RAISE(inv_report_too_many_lines(__VA_ARGS__))
#define inv_error_unknown_column(...) INV_RAISE(inv_report_unknown_column(__VA_ARGS__))
#define inv_error_column_not_allowed(...) INV_RAISE(inv_report_column_not_allowed(__VA_ARGS__))

/* ---- the caller, its transaction and the server ---- */

extern char *inv_call_text(const char *function, Oid items, const char *item);
extern void inv_report_not_the_owner(const char *store_name, Oid items, Oid owner);
extern void inv_report_foreign_trigger(const char *store_name, const char *trigger,
									   const char *relation, Oid role, Oid owner);
extern void inv_report_no_table(Oid table);
extern void inv_report_not_this_user(const char *claim);
extern void inv_report_serialization(void);
extern void inv_report_no_digest(void);
extern void inv_report_no_random(void);

#define inv_error_not_the_owner(...) INV_RAISE(inv_report_not_the_owner(__VA_ARGS__))
#define inv_error_foreign_trigger(...) INV_RAISE(inv_report_foreign_trigger(__VA_ARGS__))
#define inv_error_no_table(...) INV_RAISE(inv_report_no_table(__VA_ARGS__))
#define inv_error_not_this_user(...) INV_RAISE(inv_report_not_this_user(__VA_ARGS__))
#define inv_error_serialization() INV_RAISE(inv_report_serialization())
#define inv_error_no_digest() INV_RAISE(inv_report_no_digest())
#define inv_error_no_random() INV_RAISE(inv_report_no_random())


#endif /* INV_ERROR_H */
