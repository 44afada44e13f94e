/*
 * binding_equal.c
 *		Were two stores read from the same binding?
 *
 * Compares all that binding_read.c sets.  The statements of equal stores are the same.
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "nodes/nodes.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"

#include "base/settings.h"
#include "store/binding.h"
#include "store/binding_equal.h"
#include "store/condition.h"

static bool
equal_texts(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool
equal_columns(const InvColumn *a, const InvColumn *b)
{
	return a->attnum == b->attnum && a->type == b->type && a->base == b->base &&
		   a->typmod == b->typmod && a->collation == b->collation && a->notnull == b->notnull &&
		   a->filled == b->filled && equal_texts(a->name, b->name) && equal_texts(a->key, b->key) &&
		   equal_texts(a->label, b->label) && a->by_quantity == b->by_quantity;
}

static bool
equal_lists(const InvColumnList *a, const InvColumnList *b)
{
	if (a->settable != b->settable || a->count != b->count)
		return false;
	for (int i = 0; i < a->count; i++)
		if (!equal_columns(&a->columns[i], &b->columns[i]))
			return false;
	return true;
}

static bool
equal_bound_columns(const InvStore *a, const InvStore *b)
{
	return equal_lists(&a->order_columns, &b->order_columns) && a->header_bit == b->header_bit &&
		   equal_lists(&a->header_columns, &b->header_columns) &&
		   equal_columns(&a->item_id, &b->item_id) && equal_columns(&a->stock, &b->stock) &&
		   equal_columns(&a->version, &b->version) &&
		   equal_columns(&a->stock_floor, &b->stock_floor) &&
		   equal_columns(&a->purchase_limit, &b->purchase_limit) &&
		   equal_columns(&a->order_limit, &b->order_limit) &&
		   equal_columns(&a->order_id, &b->order_id) &&
		   equal_columns(&a->order_user, &b->order_user) &&
		   equal_columns(&a->order_item, &b->order_item) &&
		   equal_columns(&a->order_quantity, &b->order_quantity) &&
		   equal_columns(&a->order_header, &b->order_header) &&
		   equal_columns(&a->header_id, &b->header_id) &&
		   equal_columns(&a->header_user, &b->header_user);
}

static bool
equal_tables(const InvStore *a, const InvStore *b)
{
	return a->items == b->items && a->orders == b->orders && a->header == b->header &&
		   a->order_row == b->order_row && a->header_row == b->header_row &&
		   memcmp(a->ledger, b->ledger, sizeof(a->ledger)) == 0 &&
		   a->sellable_view == b->sellable_view && a->owner == b->owner &&
		   equal_texts(a->items_name, b->items_name) &&
		   equal_texts(a->orders_name, b->orders_name) &&
		   equal_texts(a->header_name, b->header_name) &&
		   equal_texts(a->ledger_name, b->ledger_name) && equal_texts(a->path, b->path);
}

static bool
equal_constants(const InvCondition *a, const InvCondition *b)
{
	if (a->constant_count != b->constant_count)
		return false;
	for (int i = 0; i < a->constant_count; i++)
	{
		int16 length;
		bool byval;

		get_typlenbyval(a->constant_types[i], &length, &byval);
		if (a->constant_types[i] != b->constant_types[i] ||
			!datumIsEqual(a->constants[i], b->constants[i], byval, length))
			return false;
	}
	return true;
}

static bool
equal_conditions(const InvCondition *a, const InvCondition *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return equal_texts(a->text, b->text) && a->is_volatile == b->is_volatile &&
		   equal_constants(a, b) && inv_settings_equal(a->settings, b->settings);
}

static bool
equal_worth(const InvWorth *a, const InvWorth *b)
{
	return a->order_units == b->order_units && a->order_final == b->order_final &&
		   bms_equal(a->line_columns, b->line_columns) &&
		   bms_equal(a->header_columns, b->header_columns);
}

bool
inv_binding_equal(const InvStore *a, const InvStore *b)
{
	return equal_texts(a->store_name, b->store_name) && equal_tables(a, b) &&
		   equal_bound_columns(a, b) && a->user_type == b->user_type && a->prepare == b->prepare &&
		   a->has_values == b->has_values && a->order_type == b->order_type &&
		   a->header_type == b->header_type && equal(a->line_types, b->line_types) &&
		   equal(a->header_types, b->header_types) && a->user_collation == b->user_collation &&
		   a->user_ops == b->user_ops && a->forces_policies == b->forces_policies &&
		   equal_conditions(a->sellable, b->sellable) &&
		   inv_settings_equal(a->settings, b->settings) &&
		   equal_texts(a->user_claim, b->user_claim) && a->direct_writes == b->direct_writes &&
		   a->order_writes == b->order_writes && a->has_order_units == b->has_order_units &&
		   equal_worth(&a->worth, &b->worth) && a->refuses_truncate == b->refuses_truncate &&
		   memcmp(&a->max_ttl, &b->max_ttl, sizeof(Interval)) == 0 && a->item_ops == b->item_ops;
}

/* Do ids of lines and rows of orders that were read by one store fit the other? */
bool
inv_binding_same_lines(const InvStore *a, const InvStore *b)
{
	return a->item_id.base == b->item_id.base && a->order_item.base == b->order_item.base &&
		   a->order_type == b->order_type && a->user_type == b->user_type &&
		   a->header_type == b->header_type && equal(a->line_types, b->line_types);
}

/* The same of headers. */
bool
inv_binding_same_headers(const InvStore *a, const InvStore *b)
{
	return a->header_type == b->header_type && a->user_type == b->user_type &&
		   equal(a->header_types, b->header_types);
}
