/*
 * store_error.h
 *		Errors about stores as a whole.
 */
#ifndef INV_STORE_ERROR_H
#define INV_STORE_ERROR_H

#include "base/error.h"

extern void inv_report_untracked(const char *item);
extern void inv_report_order_kept(const char *relation, const char *order);
extern void inv_report_order_rows(const char *relation, uint64 wanted, uint64 got);
extern void inv_report_ambiguous_store(const char *store_name, Oid user);
extern void inv_report_broken_store(const char *store_name, Oid items, const char *detail);
extern void inv_report_kept_rows(const char *store_name, const char *table);
extern void inv_report_rounding_column(const char *relation, const char *column);
extern void inv_report_duplicate_store(const char *store_name, const char *items);
extern void inv_report_unfit_row(const char *store_name, const char *detail);
extern void inv_report_owners(const char *store_name, Oid items, const char *before,
							  const char *detail);
extern void inv_report_surplus_trigger(const char *store_name, const char *trigger,
									   const char *relation);
extern void inv_report_foreign_reference(const char *store_name, const char *relation,
										 const char *referencing, Oid role, Oid owner);
extern void inv_report_foreign_engine(const char *store_name, const char *relation,
									  const char *what, const char *hint);
extern void inv_report_order_not_unique(const char *relation, const char *order, uint64 rows);
extern void inv_report_prepare_store(void);
extern void inv_report_not_followed(void);
extern void inv_report_worth_differs(const InvFacts *facts, int64 sold, int64 worth);
extern void inv_report_early_refund(const InvFacts *facts);
extern void inv_warn_row_without_table(const char *store_name);
extern void inv_log_worker_timeout(const char *store_name, int timeout);
extern void inv_report_hot_stores_full(int limit);
extern void inv_report_not_verified(const char *store_name, const ErrorData *error);
extern void inv_log_many_databases(int limit);
extern void inv_log_no_worker_slot(void);
extern void inv_report_not_first(const char *store_name);
extern void inv_report_no_function(Oid function);
extern void inv_report_row_expression(int code, const char *argument, const char *detail);
extern void inv_report_no_result_type(void);
extern void inv_report_not_generated(Oid function, const char *detail);

#define inv_error_untracked(...) INV_RAISE(inv_report_untracked(__VA_ARGS__))
#define inv_error_order_kept(...) INV_RAISE(inv_report_order_kept(__VA_ARGS__))
#define inv_error_order_rows(...) INV_RAISE(inv_report_order_rows(__VA_ARGS__))
#define inv_error_ambiguous_store(...) INV_RAISE(inv_report_ambiguous_store(__VA_ARGS__))
#define inv_error_broken_store(...) INV_RAISE(inv_report_broken_store(__VA_ARGS__))
#define inv_error_kept_rows(...) INV_RAISE(inv_report_kept_rows(__VA_ARGS__))
#define inv_error_rounding_column(...) INV_RAISE(inv_report_rounding_column(__VA_ARGS__))
#define inv_error_unfit_row(...) INV_RAISE(inv_report_unfit_row(__VA_ARGS__))
#define inv_error_owners(...) INV_RAISE(inv_report_owners(__VA_ARGS__))
#define inv_error_surplus_trigger(...) INV_RAISE(inv_report_surplus_trigger(__VA_ARGS__))
#define inv_error_foreign_reference(...) INV_RAISE(inv_report_foreign_reference(__VA_ARGS__))
#define inv_error_foreign_engine(...) INV_RAISE(inv_report_foreign_engine(__VA_ARGS__))
#define inv_error_order_not_unique(...) INV_RAISE(inv_report_order_not_unique(__VA_ARGS__))
#define inv_error_prepare_store() INV_RAISE(inv_report_prepare_store())
#define inv_error_not_followed() INV_RAISE(inv_report_not_followed())
#define inv_error_early_refund(...) INV_RAISE(inv_report_early_refund(__VA_ARGS__))
#define inv_error_worth_differs(...) INV_RAISE(inv_report_worth_differs(__VA_ARGS__))
#define inv_error_hot_stores_full(...) INV_RAISE(inv_report_hot_stores_full(__VA_ARGS__))
#define inv_error_not_first(...) INV_RAISE(inv_report_not_first(__VA_ARGS__))
#define inv_error_no_result_type() INV_RAISE(inv_report_no_result_type())
#define inv_error_row_expression(...) INV_RAISE(inv_report_row_expression(__VA_ARGS__))
#define inv_error_no_function(...) INV_RAISE(inv_report_no_function(__VA_ARGS__))
#define inv_error_not_generated(...) INV_RAISE(inv_report_not_generated(__VA_ARGS__))

#endif /* INV_STORE_ERROR_H */
