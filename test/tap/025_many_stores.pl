# Tests of many stores in one server: attach does not take longer with each store, what
# shared memory has of stores that go is given back, and a server with too little room
# for statistics says so in its log and sells on.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Session;
use Shop;

my $node = Shop::server('many_stores', q{shared_preload_libraries = 'inventory'},
    'inventory.max_stats_entries = 100', 'max_locks_per_transaction = 256');

# A database with the extension, and a procedure that attaches store number i to it.
sub database
{
    my ($name) = @_;
    $node->safe_psql('postgres', "CREATE DATABASE $name");
    $node->safe_psql($name, <<'SQL');
CREATE EXTENSION inventory;
CREATE PROCEDURE add_store(i int) LANGUAGE plpgsql SET client_min_messages = warning AS $$
BEGIN
    EXECUTE format('CREATE SCHEMA s%1$s;
        CREATE TABLE s%1$s.items (id int PRIMARY KEY, stock int NOT NULL);
        CREATE TABLE s%1$s.orders (id bigserial PRIMARY KEY, user_id text, item_id int, quantity int);
        INSERT INTO s%1$s.items VALUES (1, 1000000)', i);
    PERFORM inventory.attach(format('s%s.items', i)::regclass, format('s%s.orders', i)::regclass,
        ledger_schema => format('s%s_books', i)::name);
END
$$;
-- what attaching a store reads, in buffers
CREATE FUNCTION cost_of_store(i int) RETURNS bigint LANGUAGE plpgsql SET client_min_messages = warning AS $$
DECLARE
    plan json;
BEGIN
    CALL add_store(i);
    EXECUTE format('SELECT inventory.detach(%L)', format('s%s.items', i));
    EXECUTE format('EXPLAIN (ANALYZE, BUFFERS, FORMAT json) SELECT inventory.attach(%L, %L, ledger_schema => %L)',
        format('s%s.items', i), format('s%s.orders', i), format('s%s_books', i)) INTO plan;
    RETURN (plan->0->'Plan'->>'Shared Hit Blocks')::bigint + (plan->0->'Plan'->>'Shared Read Blocks')::bigint;
END
$$;
SQL
}

# The rows of the statistics of a database, by store and operation.
sub counted
{
    my ($name) = @_;
    return $node->safe_psql($name,
        q{SELECT store_name, operation, calls FROM inventory.stats WHERE operation = 'buy_item' ORDER BY 1});
}

# Buy an item from a store.
sub buy
{
    my ($name, $store) = @_;
    return $node->safe_psql($name, "SELECT s$store.buy_item('ann', 1)");
}

# attach, with few stores and with many
database('one');
my $begun = time;
$node->safe_psql('one', "DO \$\$ BEGIN FOR i IN 1 .. 10 LOOP CALL add_store(i); COMMIT; END LOOP; END \$\$");
$node->safe_psql('one', 'VACUUM ANALYZE pg_catalog.pg_proc, pg_catalog.pg_depend, pg_catalog.pg_class');
$node->safe_psql('one', 'SELECT cost_of_store(1001)');
my $few = $node->safe_psql('one', 'SELECT cost_of_store(1002)');
$node->safe_psql('one', "DO \$\$ BEGIN FOR i IN 11 .. 130 LOOP CALL add_store(i); COMMIT; END LOOP; END \$\$");
$node->safe_psql('one', 'VACUUM ANALYZE pg_catalog.pg_proc, pg_catalog.pg_depend, pg_catalog.pg_class');
$node->safe_psql('one', 'SELECT cost_of_store(1003)');
my $many = $node->safe_psql('one', 'SELECT cost_of_store(1004)');
cmp_ok($many, '<', $few * 1.3, "attach reads $few buffers with 12 stores, and no more with 134 ($many)");

# each attach has used an entry, and there is room for 100
like(buy('one', 130), qr/^\d+$/, 'without room for statistics, an item is sold');
unlike(counted('one'), qr/s130/, '... and not counted');
my $log = slurp_file($node->logfile);
my @complaints = $log =~ /LOG:  no room for the statistics/g;
ok(@complaints >= 1 && @complaints <= 1 + (time - $begun) / 10, '... which the log says, at most every ten seconds');

# a database goes
database('two');
$node->safe_psql('two', 'CALL add_store(1)');
$node->safe_psql('postgres', 'DROP DATABASE one');
ok( $node->poll_query_until('two', "SELECT s1.buy_item('ann', 1) IS NOT NULL AND EXISTS (SELECT FROM inventory.stats WHERE operation = 'buy_item')"),
    'a database is dropped: its entries are given back');

# stores go, in one way and another
# (those of the worker come when it looks)
my $entries = q{SELECT items::regclass, operation FROM inventory.stats_entries() WHERE operation NOT IN ('', 'expiry', 'worker', 'worker_timeout') ORDER BY 1, 2};
$node->safe_psql('two', 'SELECT inventory.reset_stats()');
$node->safe_psql('two', "CALL add_store($_)") for 2 .. 7;
buy('two', $_) for 1 .. 7;
is(counted('two'), join("\n", map { "s$_.items|buy_item|1" } 1 .. 7), 'each store is counted');
my $before = $node->safe_psql('two', $entries);
$node->safe_psql('two', q{BEGIN; SELECT inventory.detach('s1.items'); ROLLBACK});
is($node->safe_psql('two', $entries), $before, 'detach is rolled back: the counters stay');
$node->safe_psql('two', q{BEGIN; SAVEPOINT s; SELECT inventory.detach('s1.items'); ROLLBACK TO s; COMMIT});
is($node->safe_psql('two', $entries), $before, '... to a savepoint: the counters stay');
$node->safe_psql('two', 'BEGIN; CALL add_store(9); SELECT s9.available_stock(1); ROLLBACK');
$node->safe_psql('two', 'BEGIN; SAVEPOINT s; CALL add_store(9); SELECT s9.available_stock(1); ROLLBACK TO s; COMMIT');
is($node->safe_psql('two', $entries), $before, 'attach is rolled back: it leaves no counters');
$node->safe_psql('two', q{BEGIN; SELECT inventory.detach('s7.items'); CALL add_store(9);
    SELECT inventory.attach('s7.items', 's7.orders', ledger_schema => 's7_books'); ROLLBACK});
is($node->safe_psql('two', $entries), $before, '... after a detach: the counters of before stay');
$node->safe_psql('two', q{SELECT inventory.detach('s1.items')});
$node->safe_psql('two', 'DROP TABLE s2.items CASCADE');
$node->safe_psql('two', 'DROP TABLE s3.orders CASCADE');
$node->safe_psql('two', 'DROP TABLE s4_books.movements CASCADE');
$node->safe_psql('two', 'DROP SCHEMA s5 CASCADE');
is( $node->safe_psql('two', 'SELECT DISTINCT items::regclass FROM inventory.stats_entries() ORDER BY 1'),
    "s6.items\ns7.items", 'detach, DROP TABLE and DROP SCHEMA give the entries of their stores back');
$node->safe_psql('two', q{SELECT inventory.attach('s1.items', 's1.orders', ledger_schema => 's1_books')});
buy('two', 1);
like(counted('two'), qr/^s1.items\|buy_item\|1$/m, 'attached again, a store begins at 0');
$node->safe_psql('two', 'DROP EXTENSION inventory CASCADE; CREATE EXTENSION inventory');
is($node->safe_psql('two', $entries), '', 'DROP EXTENSION gives all entries of the database back');

# overdue holds, as the worker last saw them: here those that it could not give back
my $overdue = q{SELECT DISTINCT overdue_holds FROM inventory.stats WHERE store_name = 's8.items'};
$node->safe_psql('two', 'CALL add_store(8)');
$node->safe_psql('two', $overdue);
ok($node->poll_query_until('two', "SELECT ($overdue) = 0"), 'reading the statistics starts the worker, which sees no overdue holds');
my $holder = Session->new($node, 'two');
is($holder->value(q{s8.reserve_stock('ann', 1, 2, '3 seconds') IS NOT NULL}), 'true', 'a hold, which is locked before it is overdue');
$holder->run('BEGIN', 'SELECT FROM s8_books.reservations FOR UPDATE');
ok($node->poll_query_until('two', "SELECT ($overdue) = 1"), '... and then one');
$holder->run('ROLLBACK');
ok($node->poll_query_until('two', "SELECT ($overdue) = 0"), '... until it is given back');
$node->append_conf('postgresql.conf', 'max_worker_processes = 0');
$node->restart;
is($node->safe_psql('two', $overdue), '', 'without a worker the number is not known');

$node->stop;
done_testing();
