/*
 * query_letter.c
 *		The letters that stand for types in the statements of query_text.c.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/lsyscache.h"

#include "store/binding.h"
#include "store/query_letter.h"

/* clang-format off */

/*
 * The types of parameters and of the columns of results.  A letter is a type, and
 * the capital letter is its array.  A type that differs from store to store is read
 * at an offset in InvStore.  A column of a result with a "?" behind its letter can be null.
 */
typedef struct LetterType
{
	Oid type;		/* InvalidOid: the store has it */
	size_t offset;
} LetterType;

#define LETTER(letter)	[(letter) - 'a']

static const LetterType letter_types['z' - 'a' + 1] = {
	LETTER('b') = {.type = BYTEAOID},
	LETTER('c') = {.type = TIDOID},									/* ctid */
	LETTER('e') = {.offset = offsetof(InvStore, order_item.base)},	/* item, in orders */
	LETTER('h') = {.offset = offsetof(InvStore, header_type)},		/* header */
	LETTER('i') = {.offset = offsetof(InvStore, item_id.base)},		/* item */
	LETTER('j') = {.type = JSONBOID},
	LETTER('l') = {.type = BOOLOID},								/* logical */
	LETTER('n') = {.type = INT8OID},								/* number */
	LETTER('o') = {.offset = offsetof(InvStore, order_type)},		/* order */
	LETTER('p') = {.offset = offsetof(InvStore, header_row)},		/* row of headers */
	LETTER('q') = {.type = UUIDOID},								/* reservation */
	LETTER('r') = {.offset = offsetof(InvStore, order_row)},		/* row of orders */
	LETTER('s') = {.offset = offsetof(InvStore, stock.base)},		/* stock */
	LETTER('t') = {.type = TEXTOID},
	LETTER('u') = {.offset = offsetof(InvStore, user_type)},		/* user */
	LETTER('x') = {.type = XIDOID},									/* transaction */
	LETTER('z') = {.type = TIMESTAMPTZOID},
};

/* clang-format on */

/* The type that a letter stands for in a store. */
Oid
inv_letter_type(const InvStore *store, char letter)
{
	char lower = pg_ascii_tolower(letter);
	const LetterType *found = &letter_types[lower - 'a'];
	Oid type;

	Assert(lower >= 'a' && lower <= 'z' && (OidIsValid(found->type) || found->offset > 0));
	type = OidIsValid(found->type) ? found->type
								   : *(const Oid *) ((const char *) store + found->offset);
	return letter == lower ? type : get_array_type(type);
}
