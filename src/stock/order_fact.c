/*
 * order_fact.c
 *		What an error says of an order.
 */
#include "postgres.h"

#include "base/datum.h"
#include "base/fact.h"
#include "store/binding.h"
#include "store/ledger_schema.h"
#include "stock/order_fact.h"

char *
inv_order_text(InvStore *store, Datum order)
{
	return inv_datum_text(store->order_type, order);
}

/* The facts about an order: of its row, or without orders of its movements. */
InvFacts *
inv_order_facts(InvStore *store, Datum order)
{
	InvFacts *facts = OidIsValid(store->orders)
						  ? inv_facts(store->orders, store->order_id.key)
						  : inv_facts(store->ledger[INV_LEDGER_MOVEMENTS], "order_id");

	facts->name = inv_order_text(store, order);
	inv_fact_text(facts, "order_id", facts->name);
	return facts;
}
