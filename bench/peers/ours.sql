-- inventory, through its generated functions: with ledger, guard and every check.

-- @setup
SELECT inventory.attach('items', 'orders', ledger_schema => current_schema() || '_ledger');

-- @buy
SELECT buy_item(:user, :item);

-- ten purchases in one statement
-- @ten
SELECT count(buy_item(:user, :item)) FROM generate_series(1, 10);

-- @cart
SELECT status FROM buy_cart(:user, :lines);

-- @key
SELECT buy_item(:user, :item, 1, 'key ' || :next);

-- @status
SELECT status FROM try_buy_item(:user, :item);

-- @reserve
SELECT reserve_stock(:user, :item);

-- @hold
SELECT reserve_stock(:user, :item);
SELECT status FROM confirm_reservation(:last::uuid);

-- @refund
SELECT {schema}_ledger.refund_order(:next);
