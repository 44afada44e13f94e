/*
 * query_letter.h
 *		The letters that stand for types in the statements of query_text.c.
 */
#ifndef INV_QUERY_LETTER_H
#define INV_QUERY_LETTER_H

#include "store/binding.h"

extern Oid inv_letter_type(const InvStore *store, char letter);

#endif /* INV_QUERY_LETTER_H */
