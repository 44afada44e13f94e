/*
 * hot_error.h
 *		Errors about hot items.
 */
#ifndef INV_HOT_ERROR_H
#define INV_HOT_ERROR_H

#include "base/error.h"

extern void inv_report_prepare(void);
extern void inv_report_in_flight(const char *item);
extern void inv_report_no_hot_items(const char *message, const char *hint);
extern void inv_report_cannot_be_hot(const char *item, const char *why);
extern void inv_report_kept_cold(const char *item, Oid items);
extern void inv_report_above_check(const char *item, int64 most);
extern void inv_report_hot_full(int limit);

#define inv_error_prepare() INV_RAISE(inv_report_prepare())
#define inv_error_in_flight(...) INV_RAISE(inv_report_in_flight(__VA_ARGS__))
#define inv_error_no_hot_items(...) INV_RAISE(inv_report_no_hot_items(__VA_ARGS__))
#define inv_error_cannot_be_hot(...) INV_RAISE(inv_report_cannot_be_hot(__VA_ARGS__))
#define inv_error_kept_cold(...) INV_RAISE(inv_report_kept_cold(__VA_ARGS__))
#define inv_error_above_check(...) INV_RAISE(inv_report_above_check(__VA_ARGS__))
#define inv_error_hot_full(...) INV_RAISE(inv_report_hot_full(__VA_ARGS__))

#endif /* INV_HOT_ERROR_H */
