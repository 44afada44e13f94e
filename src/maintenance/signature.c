/*
 * signature.c
 *		What a generated function must look like.
 *
 * Any role can create a function in the language of the extension, with any arguments, and
 * change its properties later.  The engine reads a bigint where a bigint is expected, so a
 * text in its place would be read as one.  A function that differs from what attach(), or
 * node.sql for carts over several databases, generates is refused, also where the difference
 * would do no harm.
 *
 * The types of ids and quantities are those of a store.  They are compared when the store is
 * at hand; until then an id can have any type that can identify something.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "nodes/nodeFuncs.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "base/store_error.h"
#include "maintenance/signature.h"

/*
 * Letters of types: i item, u user, o order, s stock; n bigint, k integer, t text, j jsonb,
 * l boolean, q uuid, v interval, z timestamptz; r a row type, whose columns the engine checks.
 * A capital letter is an array of that type.
 */
#define ITEM                                                                                       \
	{                                                                                              \
		"item_id", 'i'                                                                             \
	}
#define USER                                                                                       \
	{                                                                                              \
		"user_id", 'u'                                                                             \
	}
#define QUANTITY                                                                                   \
	{                                                                                              \
		"quantity", 'n'                                                                            \
	}
#define LINES                                                                                      \
	{                                                                                              \
		"lines", 'j'                                                                               \
	}
#define KEY                                                                                        \
	{                                                                                              \
		"idempotency_key", 't'                                                                     \
	}
#define ORDER_DATA                                                                                 \
	{                                                                                              \
		"order_data", 'j'                                                                          \
	}
#define TTL                                                                                        \
	{                                                                                              \
		"ttl", 'v'                                                                                 \
	}
#define HOLD                                                                                       \
	{                                                                                              \
		"reservation_id", 'q'                                                                      \
	}
#define REASON                                                                                     \
	{                                                                                              \
		"reason", 't'                                                                              \
	}
#define NODES                                                                                      \
	{                                                                                              \
		"nodes", 'K'                                                                               \
	}
#define DATA                                                                                       \
	{                                                                                              \
		"data", 'J'                                                                                \
	}
#define ATTEMPT                                                                                    \
	{                                                                                              \
		"attempt", 'q'                                                                             \
	}

/* name, writes, returns a set, type of the result, takes that type; the arguments */
#define ENGINE_FUNCTIONS(F)                                                                        \
	F(buy_item, true, false, 'o', true, USER, ITEM, QUANTITY, KEY, ORDER_DATA)                     \
	F(try_buy_item, true, false, 'r', true, USER, ITEM, QUANTITY, KEY, ORDER_DATA)                 \
	F(buy_cart, true, true, 'r', true, USER, LINES, KEY, ORDER_DATA)                               \
	F(try_buy_cart, true, true, 'r', true, USER, LINES, KEY, ORDER_DATA)                           \
	F(available_stock, false, false, 's', true, ITEM)                                              \
	F(available_stocks, false, true, 'r', true, { "item_ids", 'I' })                               \
	F(reserve_stock, true, false, 'q', false, USER, ITEM, QUANTITY, TTL, KEY, HOLD)                \
	F(reserve_cart, true, false, 'q', false, USER, LINES, TTL, KEY, HOLD)                          \
	F(try_reserve_cart, true, false, 'r', true, USER, LINES, TTL, KEY, HOLD)                       \
	F(change_reservation, true, false, 'z', false, HOLD, ITEM, QUANTITY, USER)                     \
	F(extend_reservation, true, false, 'z', false, HOLD, TTL, USER)                                \
	F(confirm_reservation, true, true, 'r', true, HOLD, USER, ORDER_DATA)                          \
	F(release_reservation, true, false, 'l', false, HOLD, USER)                                    \
	F(get_reservation, false, true, 'r', true, HOLD)                                               \
	F(my_reservations, false, true, 'r', true, USER)                                               \
	F(refund_order, true, false, 's', true, { "order_id", 'o' }, QUANTITY, { "restock", 'l' },     \
	  REASON, KEY)                                                                                 \
	F(refund_orders, true, true, 'r', true, { "order_ids", 'O' }, { "restock", 'l' }, REASON, KEY) \
	F(change_order, true, false, 's', true, { "order_id", 'o' }, QUANTITY, REASON, KEY)            \
	F(exchange_order, true, true, 'r', true, { "order_id", 'o' }, LINES, REASON, KEY)              \
	F(decide_reservation, true, false, 'z', false, HOLD, USER)                                     \
	F(expire_reservations, true, false, 'n', false, { "max_rows", 'k' })                           \
	F(prune, true, false, 'n', false, { "older_than", 'v' })                                       \
	F(close_ledger, true, false, 'n', false, { "before", 'z' })                                    \
	F(restock_item, true, false, 's', true, ITEM, QUANTITY, REASON, KEY)                           \
	F(adjust_stock, true, false, 's', true, ITEM, { "delta", 'n' }, REASON, { "expected", 'n' },   \
	  { "kind", 't' }, KEY)                                                                        \
	F(count_stock, true, false, 's', true, ITEM, { "counted", 'n' }, { "unshipped", 'n' },         \
	  { "counted_at", 'z' }, REASON, KEY)                                                          \
	F(reserve_part, true, false, INV_TYPE_ANSWER, false, NODES, { "lines", 'J' }, DATA, ATTEMPT,   \
	  USER, { "rehearse", 'l' })                                                                   \
	F(finish_part, true, false, INV_TYPE_ANSWER, false, NODES, DATA, ATTEMPT, { "confirm", 'l' })

#define DECLARE_FUNCTION(name, ...) extern PGDLLEXPORT Datum inventory_##name(PG_FUNCTION_ARGS);
#define FUNCTION_ENTRY(name, writes, set, result, takes, ...)                                      \
	{ #name, inventory_##name, writes, set, result, takes, { __VA_ARGS__ } },

ENGINE_FUNCTIONS(DECLARE_FUNCTION)

static const InvEngineFunction engine_functions[] = { ENGINE_FUNCTIONS(FUNCTION_ENTRY) };

/* The function of the engine with this name, or null. */
const InvEngineFunction *
inv_find_engine_function(const char *name, size_t length)
{
	for (size_t i = 0; i < lengthof(engine_functions); i++)
		if (strlen(engine_functions[i].name) == length &&
			memcmp(engine_functions[i].name, name, length) == 0)
			return &engine_functions[i];
	return NULL;
}

static int
count_parameters(const InvEngineFunction *engine)
{
	int count = 0;

	while (count < INV_MAX_PARAMETERS && engine->parameters[count].name)
		count++;
	return count;
}

/* ---- types ---- */

/* The type that a letter stands for in any store; InvalidOid if stores differ. */
static Oid
fixed_type(char letter)
{
	switch (letter)
	{
		case 'n':
			return INT8OID;
		case 'k':
			return INT4OID;
		case 't':
		case INV_TYPE_ANSWER:
			return TEXTOID;
		case 'j':
			return JSONBOID;
		case 'l':
			return BOOLOID;
		case 'q':
			return UUIDOID;
		case 'v':
			return INTERVALOID;
		case 'z':
			return TIMESTAMPTZOID;
		default:
			return InvalidOid;
	}
}

/* The type that a letter stands for in a store. */
static Oid
type_in_store(const InvStore *store, char letter)
{
	switch (letter)
	{
		case 'i':
			return store->item_id.base;
		case 'u':
			return store->user_type;
		case 'o':
			return store->order_type;
		case 's':
			return store->stock.base;
		default:
			return fixed_type(letter);
	}
}

/* Can a letter stand for this type in some store? */
static bool
type_is_possible(char letter, Oid type)
{
	if (letter == pg_ascii_toupper(letter))
		return OidIsValid(get_element_type(type)) &&
			   type_is_possible(pg_ascii_tolower(letter), get_element_type(type));
	if (OidIsValid(fixed_type(letter)))
		return type == fixed_type(letter);
	if (letter == 'r')
		return get_typtype(type) == TYPTYPE_COMPOSITE;
	return type == INT2OID || type == INT4OID || type == INT8OID ||
		   (letter != 's' && (type == UUIDOID || type == TEXTOID));
}

/* ---- checks ---- */

/* Raise unless what is required is true. */
static void
require(bool good, Oid function, const char *detail)
{
	if (!good)
		inv_error_not_generated(function, detail);
}

/* Raise if a function can be called in a way that the engine does not expect. */
static void
check_properties(const InvEngineFunction *engine, Form_pg_proc proc)
{
	require(proc->prokind == PROKIND_FUNCTION, proc->oid, "It must be a plain function.");
	require(proc->prorettype != TRIGGEROID && proc->prorettype != EVENT_TRIGGEROID, proc->oid,
			"It cannot be a trigger function.");
	require(!proc->proisstrict, proc->oid, "It must be CALLED ON NULL INPUT.");
	/* a plain EXPLAIN executes a STABLE function */
	require(proc->provolatile == PROVOLATILE_VOLATILE ||
				(!engine->writes && proc->provolatile == PROVOLATILE_STABLE),
			proc->oid, engine->writes ? "It must be VOLATILE." : "It cannot be IMMUTABLE.");
	require(proc->proparallel == PROPARALLEL_UNSAFE ||
				(!engine->writes && proc->proparallel == PROPARALLEL_RESTRICTED),
			proc->oid,
			engine->writes ? "It must be PARALLEL UNSAFE." : "It cannot be PARALLEL SAFE.");
	require(proc->proretset == engine->returns_set, proc->oid,
			engine->returns_set ? "It must return a set." : "It cannot return a set.");
}

/* Raise unless the arguments are all IN, with the names of the engine after a common prefix. */
static void
check_arguments(const InvEngineFunction *engine, HeapTuple tuple)
{
	Form_pg_proc proc = (Form_pg_proc) GETSTRUCT(tuple);
	int count = count_parameters(engine);
	Oid *types;
	char **names;
	char *modes;
	int found = get_func_arg_info(tuple, &types, &names, &modes);
	size_t prefix = 0;

	require(found == count && proc->pronargs == count && modes == NULL &&
				!OidIsValid(proc->provariadic),
			proc->oid,
			psprintf("It must have %d arguments, without OUT, INOUT, VARIADIC or TABLE.", count));
	require(names != NULL, proc->oid, "Its arguments must have names.");
	for (int i = 0; i < count; i++)
	{
		const InvParameter *parameter = &engine->parameters[i];
		size_t length = strlen(names[i]);
		size_t wanted = strlen(parameter->name);

		if (i == 0 && length > wanted)
			prefix = length - wanted;
		require(length == prefix + wanted && strcmp(names[i] + prefix, parameter->name) == 0 &&
					memcmp(names[i], names[0], prefix) == 0,
				proc->oid, psprintf("The name of argument %d must be %s.", i + 1, parameter->name));
		require(type_is_possible(parameter->type, types[i]), proc->oid,
				psprintf("Argument %s cannot be of type %s.", names[i], format_type_be(types[i])));
	}
}

/*
 * Raise unless a function looks as one that is generated for some store: the part of the
 * check that the row of pg_proc decides.
 */
void
inv_check_signature(const InvEngineFunction *engine, HeapTuple tuple)
{
	Form_pg_proc proc = (Form_pg_proc) GETSTRUCT(tuple);

	check_properties(engine, proc);
	check_arguments(engine, tuple);
	require(type_is_possible(engine->result, proc->prorettype), proc->oid,
			psprintf("It cannot return type %s.", format_type_be(proc->prorettype)));
}

/* An argument has no smallint, because an integer literal could not be passed to it. */
static Oid
argument_type(const InvStore *store, char letter)
{
	Oid type = type_in_store(store, pg_ascii_tolower(letter));

	if (type == INT2OID)
		type = INT4OID;
	return letter == pg_ascii_toupper(letter) ? get_array_type(type) : type;
}

/*
 * Raise unless a function that looks right has the types of this store.  They are read from
 * its call, because the function can be dropped while the store is locked.
 */
void
inv_check_signature_of_store(const InvEngineFunction *engine, const FuncExpr *call,
							 const InvStore *store)
{
	for (int i = 0; i < count_parameters(engine); i++)
	{
		Oid wanted = argument_type(store, engine->parameters[i].type);
		/* the first argument is the name of the store */
		Oid type = exprType(list_nth(call->args, i + 1));

		if (type != wanted)
			inv_error_broken_store(store->store_name, store->items,
								   psprintf("The caller passes %s as %s, the store has %s.",
											format_type_be(type), engine->parameters[i].name,
											format_type_be(wanted)));
	}
	if (engine->result != 'r' && call->funcresulttype != type_in_store(store, engine->result))
		inv_error_broken_store(store->store_name, store->items,
							   psprintf("The caller expects %s, the store has %s.",
										format_type_be(call->funcresulttype),
										format_type_be(type_in_store(store, engine->result))));
}
