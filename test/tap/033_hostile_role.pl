# What a role that may create tables does to the rest of the server: nothing.
#
# It may create schemas in a database, and so stores of its own there; it has no rights
# on anything of other roles.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Session;
use Shop;

my $item = Shop::item_id(1);
my $node = Shop::server('hostile', q{shared_preload_libraries = 'inventory'}, 'restart_after_crash = off');
my $shop = Shop->new($node, 'honest', { 1 => 100 })->attached;

$node->safe_psql('postgres', 'CREATE ROLE mallory LOGIN');

# ---------------------------------------------------------------- a catalog that is none
#
# The worker looks into each database when the server starts.

my %catalogs = (
    view => 'CREATE VIEW inventory.store AS SELECT * FROM columns',
    table => 'CREATE TABLE inventory.store (store_name int, items text, orders text, movements text, '
        . 'direct_writes int, has_sellable text, max_ttl int, settings int)',
    sequence => 'CREATE SEQUENCE inventory.store',
);

for my $kind (sort keys %catalogs)
{
    $node->safe_psql('postgres', "CREATE DATABASE no_extension_$kind OWNER mallory");
    $node->safe_psql("no_extension_$kind", "SET ROLE mallory; CREATE SCHEMA inventory;"
        . " CREATE TABLE columns (store_name text, items regclass, orders regclass, movements regclass, user_claim text,"
        . " direct_writes text, has_sellable boolean, max_ttl interval, settings text[]); $catalogs{$kind};"
        . ($kind eq 'table' ? q{INSERT INTO inventory.store VALUES (1, 'x', 'x', 'x', 1, 'x', 1, 1)} : ''));
}
$node->restart;
ok( $node->poll_query_until('postgres',
        q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type IN ('inventory launcher')}),
    'all databases were visited');
$node->safe_psql('postgres', 'SELECT pg_sleep(1)');
my $log = slurp_file($node->logfile);
unlike($log, qr/terminated by signal/, 'no process crashed');
is($shop->query("SELECT shop.buy_item('" . Shop::new_user() . "', '$item') IS NOT NULL"), 't', 'shops sell');

# ---------------------------------------------------------------- ids of items with the same hashes
#
# Who names items can compute two texts that hash_bytes_extended() maps to the same values with
# both of two seeds that are known.  One of the items is hot.

my @twins = map { "convert_from('\\x$_', 'LATIN1')" }
    qw(4a6f6d5351355068556632304b5ebd10d8cf3d749baaaec1 39344852434a414f39323e306430303435e75473f7eca3a4);
$node->safe_psql('postgres', "CREATE DATABASE twins TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C' OWNER mallory");
$node->safe_psql('twins', 'CREATE EXTENSION inventory');
$node->safe_psql('twins', <<"SQL");
SET ROLE mallory;
CREATE SCHEMA m;
CREATE TABLE m.items (id text PRIMARY KEY, stock int);
CREATE TABLE m.orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id text, item_id text, quantity int);
INSERT INTO m.items VALUES ($twins[0], 100), ($twins[1], 1);
SELECT inventory.attach('m.items', 'm.orders', ledger_schema => 'm');
SELECT inventory.heat('m.items', $twins[0]);
BEGIN;
SELECT m.buy_item('u', $twins[0]);
ROLLBACK;
SQL
is($node->safe_psql('twins', "SELECT string_agg((hashtextextended($twins[0], seed) = hashtextextended($twins[1], seed))::text, ' ') FROM generate_series(0, 1) AS seed"),
    'true true', 'two ids have the same hashes');
is($node->safe_psql('twins', 'SELECT count(*) FROM inventory.hot_entries()'), '1', 'one of them has a counter');
is($node->safe_psql('twins', "SET ROLE mallory; SELECT status FROM m.try_buy_item('u', $twins[1], 5)"), 'out_of_stock', 'the other is not sold by it');

# ---------------------------------------------------------------- settings of a database
#
# Its owner can set a role for all its sessions; the worker is none of them.

$node->safe_psql('postgres', 'CREATE DATABASE settings OWNER mallory');
$node->safe_psql('settings', 'CREATE EXTENSION inventory');
$node->safe_psql('settings', <<'SQL');
SET ROLE mallory;
CREATE SCHEMA m;
CREATE TABLE m.items (id int PRIMARY KEY, stock int);
INSERT INTO m.items VALUES (1, 10);
SELECT inventory.attach('m.items', ledger_schema => 'm');
SQL
for my $setting (qw(role session_authorization))
{
    $node->safe_psql('settings', "ALTER DATABASE settings SET $setting = mallory");
    $node->restart;
    $node->safe_psql('settings', q{SELECT m.reserve_stock('ann', 1, 1, '1 ms')});
    ok($node->poll_query_until('settings', q{SELECT stock = 10 FROM m.items}), "$setting is set for a database: the worker works");
    $node->safe_psql('settings', "ALTER DATABASE settings RESET $setting");
}
is($shop->query("SELECT shop.buy_item('" . Shop::new_user() . "', '$item') IS NOT NULL"), 't', '... and shops sell');

# Each transaction is to wait for those that write; the worker would stand still before it serves a store.
my $last_run = q{SELECT coalesce(inventory.worker_last_run(), '-infinity')};
$node->safe_psql('postgres', "ALTER DATABASE settings SET default_transaction_$_->[0] = $_->[1]")
    for [ 'isolation', 'serializable' ], [ 'read_only', 'on' ], [ 'deferrable', 'on' ];
$node->restart;
{
    local $ENV{PGOPTIONS} = '-c default_transaction_deferrable=off -c default_transaction_read_only=off';
    my $writer = Session->new($node, 'settings');
    $writer->run('BEGIN');
    $writer->value('SELECT count(*) FROM m.items');
    $node->safe_psql('settings', q{SELECT m.reserve_stock('ann', 1, 1, '1 ms')});
    # twice, because it may be in a round that began before
    for my $round (1, 2)
    {
        my $since = $node->safe_psql('settings', $last_run);
        ok($node->poll_query_until('settings', "$last_run > '$since'"), "transactions wait for others: the worker does not, in round $round");
    }
    $writer->quit;
    $node->safe_psql('postgres', "ALTER DATABASE settings RESET default_transaction_$_") for qw(isolation read_only deferrable);
}

SKIP:
{
    skip 'no transaction_timeout before PostgreSQL 17', 1
        if $node->safe_psql('settings', q{SELECT count(*) FROM pg_settings WHERE name = 'transaction_timeout'}) eq '0';
    local $ENV{PGOPTIONS} = '-c transaction_timeout=0';
    $node->safe_psql('settings', q{CREATE FUNCTION m.slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(2); RETURN NEW; END';
        ALTER FUNCTION m.slow() OWNER TO mallory;
        CREATE TRIGGER slow BEFORE UPDATE ON m.reservations FOR EACH ROW EXECUTE FUNCTION m.slow();
        ALTER DATABASE settings SET transaction_timeout = '1s'});
    $node->restart;
    $node->safe_psql('settings', q{SELECT m.reserve_stock('ann', 1, 1, '1 ms')});
    ok($node->poll_query_until('settings', q{SELECT stock = 10 FROM m.items}), 'transaction_timeout is set for a database: the worker works');
    $node->safe_psql('settings', 'ALTER DATABASE settings RESET transaction_timeout');
}

# ---------------------------------------------------------------- shared memory

$node->safe_psql('postgres', 'CREATE DATABASE crowded');
$node->safe_psql('crowded', <<'SQL');
CREATE EXTENSION inventory;
GRANT CREATE ON DATABASE crowded TO mallory;
SET ROLE mallory;
CREATE SCHEMA m;
CREATE PROCEDURE m.add_store(i int) LANGUAGE plpgsql SET client_min_messages = warning AS $$
BEGIN
    EXECUTE format('CREATE SCHEMA s%1$s; CREATE TABLE s%1$s.items (id int PRIMARY KEY, stock int); INSERT INTO s%1$s.items VALUES (1, 10)', i);
    PERFORM inventory.attach(format('s%s.items', i)::regclass, ledger_schema => format('s%s', i)::name);
    EXECUTE format('SELECT s%s.available_stock(1)', i);
END
$$;
SQL

# What the statistics have of tables that do not exist.
sub entries_of_nothing
{
    return $node->safe_psql('crowded',
        'SELECT count(*) FROM inventory.stats_entries() WHERE NOT EXISTS (SELECT FROM pg_class WHERE oid = items)');
}

my $mallory = 'SET ROLE mallory;';
$node->safe_psql('crowded', "$mallory BEGIN; CALL m.add_store(1); ROLLBACK");
is(entries_of_nothing(), '0', 'an attach that is rolled back leaves nothing in the statistics');
$node->safe_psql('crowded', "$mallory BEGIN; SAVEPOINT s; CALL m.add_store(1); ROLLBACK TO s; COMMIT");
is(entries_of_nothing(), '0', '... nor does one that a savepoint rolls back');

# there are places for 1024 stores of the server; Mallory's, 60 in each of 18 databases, have nothing hot
$node->safe_psql('crowded', "$mallory DO \$\$ BEGIN FOR i IN 1 .. 60 LOOP CALL m.add_store(i); COMMIT; END LOOP; END \$\$");
$node->safe_psql('postgres', join(' ', map { "CREATE DATABASE crowded_$_ TEMPLATE crowded STRATEGY file_copy;" } 1 .. 17));
$node->safe_psql("crowded_$_", "$mallory DO \$\$ BEGIN FOR i IN 1 .. 60 LOOP EXECUTE format('SELECT s%s.available_stock(1)', i); END LOOP; END \$\$")
    for 1 .. 17;
my $late = Shop->new($node, 'late', { 1 => 100 })->attached;
is($late->query("SELECT inventory.heat('shop.items', '$item'::uuid)"), 't', 'a store that comes late gets a hot item');
is($late->query("SELECT shop.buy_item('" . Shop::new_user() . "', '$item') IS NOT NULL"), 't', '... and sells it');
is($late->query('SELECT state FROM inventory.hot_entries()'), 'hot', '... from its counter');
is($node->safe_psql('crowded', "SELECT s$_.buy_item('u', 1) FROM generate_series(1, 10); SELECT stock FROM s$_.items; SELECT inventory.heat('s$_.items', 1)")
        =~ s/^\n+//r, "0\nt", "store $_, which may have lost its place, sells what it has, and can have hot items") for 1, 60;

# an entry for each of 1024 hot items, of tables that are dropped
$node->safe_psql('crowded', "$mallory INSERT INTO s2.items SELECT i, 1 FROM generate_series(2, 1100) AS i;"
    . " SELECT count(*) FROM generate_series(1, 1020) AS i, inventory.heat('s2.items', i)");
$late->query("INSERT INTO shop.items (id, stock) SELECT md5(i::text)::uuid, 5 FROM generate_series(1, 3) AS i");
my $heat = "SELECT count(*) FROM (SELECT inventory.heat('shop.items', md5(i::text)::uuid) FROM generate_series(1, 3) AS i) AS h";
isnt($node->psql('late', $heat), 0, 'no more items can be hot than the server has room for');
$node->safe_psql('crowded', "$mallory DROP TABLE s2.items CASCADE");
is($late->query($heat), '3', 'a table is dropped: other databases have its room at once');

is($_->query("SELECT count(*) FROM inventory.verify('shop.items')"), '0', 'stock, orders and ledger agree') for $shop, $late;

$node->stop;
done_testing();
