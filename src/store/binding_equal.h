/*
 * binding_equal.h
 *		Were two stores read from the same binding?
 */
#ifndef INV_BINDING_EQUAL_H
#define INV_BINDING_EQUAL_H

#include "store/binding.h"

extern bool inv_binding_equal(const InvStore *a, const InvStore *b);
extern bool inv_binding_same_lines(const InvStore *a, const InvStore *b);
extern bool inv_binding_same_headers(const InvStore *a, const InvStore *b);

#endif /* INV_BINDING_EQUAL_H */
