/*
 * error_class.h
 *		What an error says about its cause.
 */
#ifndef INV_ERROR_CLASS_H
#define INV_ERROR_CLASS_H

#include "utils/elog.h"

extern bool inv_error_is_of_row(int sqlstate);
extern bool inv_error_is_of_one_row(int sqlstate);
extern bool inv_is_error_of_store(const ErrorData *error);
extern const char *inv_error_reason(const ErrorData *error);

#endif /* INV_ERROR_CLASS_H */
