# A store works after dump and restore.
#
# It is dumped in the custom and the plain format, by a superuser and by the shop's
# owner, as a whole and as schema and data separately, and with a renamed column and triggers.  The
# restored database has the binding, the guard, the ledger, the keys and the grants.  The
# same checks must find a restore without the ledger.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Shop;

my $node = Shop::server('dump');
my $item = Shop::item_id(1);
my $user = Shop::new_user();
my $directory = PostgreSQL::Test::Utils::tempdir();
my $restored = 0;

# The owner of the shop and the application that sells are ordinary roles.
$node->safe_psql('postgres', 'CREATE ROLE shopkeeper LOGIN; CREATE ROLE web LOGIN');

# Run statements as a role; the output and the errors.
sub as
{
    my ($role, $database, @statements) = @_;
    my ($status, $out, $error) = $node->psql($database, join(";\n", @statements),
        extra_params => [ '-U', $role ], on_error_stop => 1);
    return $out . $error;
}

# A shop of the shopkeeper, with a sale that had a key and a direct change; the order.
sub open_shop
{
    my ($database) = @_;
    my $call = "shop.buy_item(user_id => '$user', item_id => '$item', quantity => 2, idempotency_key => 'past')";

    $node->safe_psql('postgres', "CREATE DATABASE $database OWNER shopkeeper");
    $node->safe_psql($database, 'CREATE EXTENSION inventory');
    is(as('shopkeeper', $database, <<"END", q{SELECT FROM inventory.attach('shop.items', 'shop.orders', order_units => 'line.quantity')}),
SET client_min_messages = warning;
CREATE SCHEMA shop;
CREATE TABLE shop.items (id uuid PRIMARY KEY, stock int NOT NULL);
CREATE TABLE shop.orders (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), user_id uuid NOT NULL,
    item_id uuid NOT NULL REFERENCES shop.items, quantity int NOT NULL);
INSERT INTO shop.items VALUES ('$item', 10)
END
        '', "$database: the owner attaches");
    is(as('shopkeeper', $database, q{SELECT FROM inventory.grant_api('shop.items', 'web', 'buyer')}),
        '', "$database: the application may buy");
    my $order = as('web', $database, "SELECT $call");
    like($order, qr/^[-0-9a-f]{36}$/, "$database: a sale");
    is(as('shopkeeper', $database, 'UPDATE shop.items SET stock = stock + 2'), '', "$database: a direct change");
    is(as('shopkeeper', $database, 'UPDATE shop.orders SET quantity = 5', 'UPDATE shop.orders SET quantity = 2'),
        '', "$database: changes of an order line");
    return $order;
}

# Create an empty database; its name.
sub empty
{
    my ($owner) = @_;
    my $database = 'restored_' . ++$restored;
    $node->safe_psql('postgres', "CREATE DATABASE $database OWNER $owner");
    return $database;
}

# Check what a store must do after a restore.
sub works
{
    my ($name, $database, $order) = @_;
    my $buy = "shop.buy_item(user_id => '$user', item_id => '$item'";
    my $verify = q{SELECT * FROM inventory.verify('shop.items')};

    is(as('shopkeeper', $database, $verify), '', "$name: the ledger is correct");
    is(as('web', $database, "SELECT $buy, quantity => 2, idempotency_key => 'past')"),
        $order, "$name: an old key is remembered");
    like(as('web', $database, "SELECT $buy)"), qr/^[-0-9a-f]{36}$/, "$name: the application buys");
    is(as('shopkeeper', $database, 'SELECT available FROM items_stock.levels'), '9', "$name: one unit is gone");
    like(as('web', $database, "SELECT $buy, quantity => 10)"), qr/out_of_stock/, "$name: it cannot buy more than there is");
    like(as('web', $database, 'SELECT * FROM shop.orders'), qr/permission denied/, "$name: it cannot read the tables");
    like(as('web', $database, "SELECT items_stock.restock_item('$item', 1)"),
        qr/permission denied/, "$name: it cannot call operator functions");
    as('shopkeeper', $database, 'UPDATE shop.items SET ' . stock_column($database) . ' = 20');
    is( as('shopkeeper', $database, 'SELECT delta FROM items_stock.movements ORDER BY movement_id DESC LIMIT 1'),
        '11', "$name: the guard books a direct change");
    as('shopkeeper', $database, "DELETE FROM shop.orders WHERE id = '$order'");
    is( as('shopkeeper', $database, "SELECT string_agg(operation, ' ' ORDER BY change_id) FROM items_stock.order_changes WHERE order_id = '$order'"),
        'UPDATE UPDATE DELETE', "$name: the guard on orders records a change");
    is(as('shopkeeper', $database, "SELECT items_stock.refund_order('$order')"), '2', "$name: what was sold is refunded");
    is(as('shopkeeper', $database, $verify), '', "$name: the ledger is still correct");
}

# The name of the stock column, quoted.
sub stock_column
{
    return $node->safe_psql($_[0], "SELECT quote_ident(column_name) FROM information_schema.columns
        WHERE table_schema = 'shop' AND table_name = 'items' AND data_type = 'integer'");
}

# Dump with options; the file.
sub dump_to
{
    my ($database, @options) = @_;
    my $file = "$directory/dump_" . ++$restored;
    $node->command_ok([ 'pg_dump', '-f', $file, @options, $database ], "pg_dump @options");
    return $file;
}

# Restore with psql or pg_restore.
sub restore
{
    my ($database, $file, @options) = @_;
    my @command =
      slurp_file($file) =~ /^PGDMP/
      ? ('pg_restore', '--exit-on-error', '-d', $database, @options, $file)
      : ('psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-d', $database, @options, '-f', $file);
    $node->command_ok(\@command, "$command[0] @options");
}

my $order = open_shop('source');

# A superuser dumps all.
for my $format ('custom', 'plain')
{
    my $target = empty('postgres');
    restore($target, dump_to('source', "--format=$format"));
    works("superuser, $format", $target, $order);
}

# Schema and data separately.  pg_dump enables triggers as ordinary ones afterwards; verify reports it.
{
    my $target = empty('postgres');
    restore($target, dump_to('source', '--schema-only'));
    restore($target, dump_to('source', '--data-only', '--disable-triggers'));
    is( as('shopkeeper', $target, q{SELECT problem FROM inventory.verify('shop.items')}),
        "guard_not_always_enabled\norders_guard_not_always_enabled", 'schema and data separately: verify reports the state of the guard');
    is(as('shopkeeper', $target, q{SELECT FROM inventory.refresh('shop.items')}), '', 'schema and data separately: refresh');
    works('schema and data separately', $target, $order);
}

# The owner dumps and restores.  Only a superuser can create the extension, and has done so.
for my $format ('custom', 'plain')
{
    my $target = empty('shopkeeper');
    $node->safe_psql($target, 'CREATE EXTENSION inventory');
    restore($target, dump_to('source', "--format=$format", '-U', 'shopkeeper', '--no-comments'), '-U', 'shopkeeper');
    works("owner, $format", $target, $order);
}

# Headers, and the function that makes the rows of orders.
$node->safe_psql('postgres', 'CREATE DATABASE headed OWNER shopkeeper');
$node->safe_psql('headed', 'CREATE EXTENSION inventory');
is(as('shopkeeper', 'headed', <<'END'), '', 'headed: the owner attaches');
SET client_min_messages = warning;
CREATE SCHEMA shop;
CREATE TABLE shop.items (id int PRIMARY KEY, stock int NOT NULL, price int NOT NULL);
CREATE TABLE shop.orders (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, user_id int NOT NULL, total int NOT NULL, note text);
CREATE TABLE shop.lines (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, order_id int NOT NULL REFERENCES shop.orders,
    item_id int NOT NULL REFERENCES shop.items, quantity int NOT NULL, price int NOT NULL);
INSERT INTO shop.items VALUES (1, 10, 5);
SELECT FROM inventory.attach('shop.items', 'shop.lines', order_header => 'shop.orders', header_columns => '{note}',
    order_values => '{"price": "price"}', header_values => '{"total": "sum(price * quantity)"}');
ALTER TABLE shop.lines RENAME price TO unit_price;
ALTER TABLE shop.orders RENAME total TO grand_total;
END
for my $owner ('postgres', 'shopkeeper')
{
    my $target = empty($owner);
    $node->safe_psql($target, 'CREATE EXTENSION inventory') if $owner ne 'postgres';
    my @role = $owner eq 'postgres' ? () : ('-U', $owner);
    restore($target, dump_to('headed', @role, $owner eq 'postgres' ? () : '--no-comments'), @role);
    my $buy = q{SELECT shop.buy_item(1, 1, 2, order_data => '{"header": {"note": "x"}}')};
    like(as('shopkeeper', $target, $buy), qr/^\d+$/, "headed, $owner: a sale");
    is(as('shopkeeper', $target, q{SELECT FROM inventory.refresh('shop.items')}), '', "headed, $owner: refresh");
    like(as('shopkeeper', $target, $buy), qr/^\d+$/, "headed, $owner: another sale");
    is(as('shopkeeper', $target, 'SELECT DISTINCT o.grand_total, o.note, l.unit_price FROM shop.orders AS o JOIN shop.lines AS l ON l.order_id = o.id'),
        '10|x|5', "headed, $owner: prices are the shop's");
    is(as('shopkeeper', $target, q{SELECT FROM inventory.detach('shop.items')},
            q{SELECT count(*) FROM pg_proc WHERE proname = 'prepare_order'}), '0', "headed, $owner: detach");
}

# A column and the triggers that bind the store were renamed before the dump.
{
    my $past = open_shop('renamed');
    is(as('shopkeeper', 'renamed', 'ALTER TABLE shop.items RENAME stock TO "on the shelf"',
            'ALTER TRIGGER inventory_binding ON shop.items RENAME TO "the columns"',
            'ALTER TRIGGER inventory_guard ON shop.items RENAME TO "the guard"',
            'ALTER TRIGGER inventory_orders_guard ON shop.orders RENAME TO "the other guard"'), '', 'a column and triggers are renamed');
    my $target = empty('postgres');
    restore($target, dump_to('renamed', '--format=custom'));
    is(stock_column($target), '"on the shelf"', 'renamed column: restored with its new name');
    works('renamed column', $target, $past);
}

# The checks find a missing ledger.
{
    my $target = empty('postgres');
    restore($target, dump_to('source', '--format=custom', '--exclude-table-data=items_stock.movements'));
    isnt(as('shopkeeper', $target, q{SELECT * FROM inventory.verify('shop.items')}), '', 'restore without the ledger: reported');
}

# A table that is not in the dump, or cannot be restored: the other stores are restored.
{
    $node->safe_psql('postgres', 'CREATE DATABASE several');
    $node->safe_psql('several', 'CREATE EXTENSION inventory');
    $node->safe_psql('several', "CREATE SCHEMA $_; CREATE TABLE $_.items (id int PRIMARY KEY, stock int); INSERT INTO $_.items VALUES (1, 5);
        SELECT inventory.attach('$_.items', ledger_schema => '$_')") for qw(first second third);
    my $file = dump_to('several', '--format=custom', '--exclude-table=second.items');
    my $target = 'restored_' . ++$restored;
    $node->safe_psql('postgres', "CREATE DATABASE $target");
    my ($out, $messages) = run_command([ 'pg_restore', '--verbose', '-d', $node->connstr($target), $file ]);
    like($messages, qr/WARNING:  store "second.items" is left out: one of its tables does not exist/, 'without a table: a warning');
    is($node->safe_psql($target, 'SELECT items, movements FROM inventory.store ORDER BY 1'),
        "first.items|first.movements\nthird.items|third.movements", '... and the other stores are there');
    $node->safe_psql($target, q{SELECT third.buy_item('u', 1, 2)});
    is($node->safe_psql($target, 'SELECT stock FROM third.items'), '3', '... and sell');
}

done_testing();
