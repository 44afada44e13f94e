-- ---------------------------------------------------------------- engine
--
-- What the generated functions call.  Everybody may execute them, because a
-- function that is not its owner's could not be dumped or restored; each checks
-- first that the current user has the rights of the tables' owner.  Ids come as
-- "any"; the last argument is a null of the result's type.

CREATE FUNCTION inventory.guard() RETURNS pg_catalog.trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'inventory_guard';
COMMENT ON FUNCTION inventory.guard() IS 'Trigger on the items of a store: books or refuses what changes stock outside the engine.';

CREATE FUNCTION inventory.binding() RETURNS pg_catalog.trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'inventory_binding';
COMMENT ON FUNCTION inventory.binding() IS 'Disabled trigger on items and orders whose column list remembers the bound columns through renames. Arguments: the store''s name, then the role of each column.';

CREATE FUNCTION inventory.open_ledger(store_name pg_catalog.text) RETURNS pg_catalog.int8
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_open_ledger';
COMMENT ON FUNCTION inventory.open_ledger(pg_catalog.text) IS 'Books an opening for each tracked item without movements, and what an older ledger does not explain; returns the number of movements.';

CREATE FUNCTION inventory.verify(items pg_catalog.regclass, item "any" DEFAULT NULL,
								 OUT item_id pg_catalog.text, OUT problem pg_catalog.text,
								 OUT expected pg_catalog.int8, OUT actual pg_catalog.int8)
	RETURNS SETOF record
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_verify';
COMMENT ON FUNCTION inventory.verify(pg_catalog.regclass, "any") IS 'Invariants of a store that do not hold: none is what you want to see. Arguments: items, the table; item, one key, or null for all. Problems: stock_differs_from_movements, untracked_item_has_balance, movements_of_unknown_item, guard_missing, guard_disabled, guard_not_always_enabled; expected is the sum of the movements, actual the stock, in units.';

CREATE FUNCTION inventory.buy_item(store_name pg_catalog.text, user_id "any", item_id "any",
								   quantity pg_catalog.int8, idempotency_key pg_catalog.text,
								   order_data pg_catalog.jsonb, witness pg_catalog.anyelement)
	RETURNS pg_catalog.anyelement
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_buy_item';
COMMENT ON FUNCTION inventory.buy_item(pg_catalog.text, "any", "any", pg_catalog.int8, pg_catalog.text, pg_catalog.jsonb, pg_catalog.anyelement) IS 'Engine of the generated buy_item.';

CREATE FUNCTION inventory.buy_cart(store_name pg_catalog.text, user_id "any",
								   lines pg_catalog.jsonb, idempotency_key pg_catalog.text,
								   order_data pg_catalog.jsonb, witness pg_catalog.anyelement)
	RETURNS SETOF pg_catalog.anyelement
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_buy_cart';
COMMENT ON FUNCTION inventory.buy_cart(pg_catalog.text, "any", pg_catalog.jsonb, pg_catalog.text, pg_catalog.jsonb, pg_catalog.anyelement) IS 'Engine of the generated buy_cart.';

CREATE FUNCTION inventory.try_buy_cart(store_name pg_catalog.text, user_id "any",
									   lines pg_catalog.jsonb, idempotency_key pg_catalog.text,
									   order_data pg_catalog.jsonb,
									   witness pg_catalog.anyelement)
	RETURNS SETOF pg_catalog.anyelement
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_try_buy_cart';
COMMENT ON FUNCTION inventory.try_buy_cart(pg_catalog.text, "any", pg_catalog.jsonb, pg_catalog.text, pg_catalog.jsonb, pg_catalog.anyelement) IS 'Engine of the generated try_buy_cart.';

CREATE FUNCTION inventory.available_stock(store_name pg_catalog.text, item_id "any",
										  witness pg_catalog.anyelement)
	RETURNS pg_catalog.anyelement
	LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'inventory_available_stock';
COMMENT ON FUNCTION inventory.available_stock(pg_catalog.text, "any", pg_catalog.anyelement) IS 'Engine of the generated available_stock.';

CREATE FUNCTION inventory.restock_item(store_name pg_catalog.text, item_id "any",
									   quantity pg_catalog.int8, reason pg_catalog.text,
									   idempotency_key pg_catalog.text,
									   witness pg_catalog.anyelement)
	RETURNS pg_catalog.anyelement
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_restock_item';
COMMENT ON FUNCTION inventory.restock_item(pg_catalog.text, "any", pg_catalog.int8, pg_catalog.text, pg_catalog.text, pg_catalog.anyelement) IS 'Engine of the generated restock_item.';

CREATE FUNCTION inventory.adjust_stock(store_name pg_catalog.text, item_id "any",
									   delta pg_catalog.int8, reason pg_catalog.text,
									   expected pg_catalog.int8, kind pg_catalog.text,
									   idempotency_key pg_catalog.text,
									   witness pg_catalog.anyelement)
	RETURNS pg_catalog.anyelement
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_adjust_stock';
COMMENT ON FUNCTION inventory.adjust_stock(pg_catalog.text, "any", pg_catalog.int8, pg_catalog.text, pg_catalog.int8, pg_catalog.text, pg_catalog.text, pg_catalog.anyelement) IS 'Engine of the generated adjust_stock.';

CREATE FUNCTION inventory.count_stock(store_name pg_catalog.text, item_id "any",
									  counted pg_catalog.int8, unshipped pg_catalog.int8,
									  counted_at pg_catalog.timestamptz, reason pg_catalog.text,
									  idempotency_key pg_catalog.text,
									  witness pg_catalog.anyelement)
	RETURNS pg_catalog.anyelement
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_count_stock';
COMMENT ON FUNCTION inventory.count_stock(pg_catalog.text, "any", pg_catalog.int8, pg_catalog.int8, pg_catalog.timestamptz, pg_catalog.text, pg_catalog.text, pg_catalog.anyelement) IS 'Engine of the generated count_stock.';

