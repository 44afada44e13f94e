# A ledger goes on with its table, and with a copy of it in another database.
#
# The mark of a ledger says which table it is of.  A dump that is restored, a database that is
# copied by CREATE DATABASE, and an extension that is dropped and created again keep holds and
# keys; a table that is made again has none of them, also where the mark is that of the
# database from which it was restored or copied.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Shop;

my $node = Shop::server('mark');
my $file = PostgreSQL::Test::Utils::tempdir() . '/dump';

my $make = <<'END';
SET client_min_messages = warning;
CREATE TABLE shop.items (id int PRIMARY KEY, stock int NOT NULL);
CREATE TABLE shop.orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id text,
    item_id int REFERENCES shop.items, quantity int NOT NULL);
INSERT INTO shop.items VALUES (1, 1);
END
my $attach = q{SELECT FROM inventory.attach('shop.items', 'shop.orders')};

# Open holds, keys, and units of the item in its ledger.
my $look = q{SELECT concat_ws(' ', (SELECT count(*) FROM items_stock.reservations WHERE status = 'held'),
    (SELECT count(*) FROM items_stock.requests), (SELECT sum(delta) FROM items_stock.movements),
    (SELECT string_agg(problem, ', ') FROM inventory.verify('shop.items')))};

sub run
{
    my ($database, @statements) = @_;
    return $node->safe_psql($database, join(";\n", @statements));
}

# A database in which an item of 10 units has a sale of 2, with a key, and a hold of 5.
sub open_shop
{
    my ($database) = @_;

    run('postgres', "CREATE DATABASE $database");
    run($database, 'CREATE EXTENSION inventory', 'CREATE SCHEMA shop', $make, $attach,
        'UPDATE shop.items SET stock = 10',
        q{SELECT shop.buy_item('ann', 1, 2, 'k'), shop.reserve_stock('ann', 1, 5)});
    is(run($database, $look), '1 1 3', "$database: a sale and a hold");
}

# The store of a database goes on when it is attached again.
sub goes_on
{
    my ($database, $how) = @_;

    run($database, q{SELECT inventory.detach('shop.items')}, 'SET client_min_messages = warning', $attach);
    is(run($database, $look), '1 1 3', "$how: the ledger goes on");
}

# The table is made again, and has no ledger but its own.
sub begins
{
    my ($database, $how) = @_;

    run($database, 'DROP TABLE shop.items, shop.orders CASCADE', $make, $attach);
    is(run($database, $look), '0 0 1', "$how, made again: a new ledger");
    is(run($database, 'SELECT sum(delta) FROM items_stock_1.movements'), '3', "$how: the old one is kept");
    is(run($database, q{SELECT shop.buy_item('ann', 1, 1, 'k')}), '1', "$how: the key is not that of another table");
    run($database, 'DROP SCHEMA items_stock_1 CASCADE');
}

sub restore
{
    my ($database, @options) = @_;

    run('postgres', "CREATE DATABASE $database");
    $node->command_ok([ 'pg_restore', '-e', '-d', $node->connstr($database), @options, $file ], "restore into $database");
}

open_shop('source');
$node->command_ok([ 'pg_dump', '-Fc', '-f', $file, $node->connstr('source') ], 'dump');

# the store comes with the dump
restore('restored');
goes_on('restored', 'restored');
restore('restored_again');
begins('restored_again', 'restored, and never attached');

# without the extension: attached by name
run('source', 'DROP EXTENSION inventory CASCADE');
run('source', 'SET client_min_messages = warning', 'CREATE EXTENSION inventory', $attach);
is(run('source', $look), '1 1 3', 'an extension dropped and created: the ledger goes on');
run('source', 'DROP EXTENSION inventory CASCADE');
$node->command_ok([ 'pg_dump', '-Fc', '-f', $file, $node->connstr('source') ], 'dump without the extension');
restore('bare');
run('bare', 'SET client_min_messages = warning', 'CREATE EXTENSION inventory', $attach);
is(run('bare', $look), '1 1 3', 'restored without the extension: by name');
begins('bare', 'restored without the extension');
run('source', 'SET client_min_messages = warning', 'CREATE EXTENSION inventory', $attach);

# the items alone, in the same database, and all of it
$node->command_ok([ 'pg_dump', '-Fc', '-t', 'shop.items', '-f', "$file.items", $node->connstr('source') ], 'dump of the items');
$node->command_ok([ 'pg_dump', '-Fc', '-f', $file, $node->connstr('source') ], 'dump of all');
run('source', 'SET client_min_messages = warning', 'DROP TABLE shop.items CASCADE');
# its triggers need the store's functions only when they are fired
$node->command_ok([ 'pg_restore', '-e', '-d', $node->connstr('source'), "$file.items" ], 'the items are restored');
run('source', 'SET client_min_messages = warning', q{SELECT inventory.attach('shop.items', 'shop.orders', adopt => true)});
is(run('source', $look), '1 1 3', 'a table restored alone, with adopt: the ledger goes on');
run('source', 'SET client_min_messages = warning', 'DROP SCHEMA shop, items_stock CASCADE', 'DROP EXTENSION inventory CASCADE');
$node->command_ok([ 'pg_restore', '-e', '-d', $node->connstr('source'), $file ], 'all of it is restored in place');
goes_on('source', 'restored in place');

# a copy has the same OIDs
run('postgres', 'CREATE DATABASE copied TEMPLATE source');
is(run('copied', $look), '1 1 3', 'copied: a store');
goes_on('copied', 'copied');
run('postgres', 'CREATE DATABASE copied_again TEMPLATE source');
begins('copied_again', 'copied, and never attached');
run('source', 'DROP EXTENSION inventory CASCADE');
run('postgres', 'CREATE DATABASE copied_bare TEMPLATE source');
run('copied_bare', 'SET client_min_messages = warning', 'DROP TABLE shop.items CASCADE',
    'CREATE TABLE shop.items (id int PRIMARY KEY, stock int NOT NULL)', 'INSERT INTO shop.items VALUES (1, 3)',
    'CREATE EXTENSION inventory', $attach);
is(run('copied_bare', $look), '1 1 3', 'copied without the extension, and made again: by name, as in another database');

$node->stop;
done_testing();
