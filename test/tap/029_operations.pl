# The statements of doc/operations.md, on servers that have the problems of which it speaks.
#
# The statements are read from the page, with the names of the test's shop in place of
# its examples.

use strict;
use warnings FATAL => 'all';

use FindBin;
use PostgreSQL::Test::Utils;
use Test::More;

use Session;
use Shop;

my $item = Shop::item_id(1);
my $page = slurp_file("$FindBin::RealBin/../../doc/operations.md");
my $node = Shop::server('operations', q{shared_preload_libraries = 'inventory'}, 'inventory.max_workers = 0',
    'max_prepared_transactions = 4');
my $shop = Shop->new($node, 'operations', { 1 => 20, 2 => 20 })->attached;

# The statements of a section of the page, one for each semicolon that ends a line.
sub statements
{
    my ($section) = @_;
    my ($text) = $page =~ /^## \Q$section\E\n(.*?)(?=^## |\z)/ms or die "no section $section";
    my @statements = map { /(.*?);\n/gs } $text =~ /^```sql\n(.*?)^```\n/msg;

    for (@statements)
    {
        s/\bproducts_stock\b/items_stock/g;
        s/'(?:public\.)?products'/'shop.items'/g;
        s/\b42\b/'$item'/g;
    }
    return @statements;
}

# A purchase, as an expression.
sub buy
{
    my ($quantity) = @_;
    return "shop.buy_item('" . Shop::new_user() . "', '$item', $quantity)";
}

# The problems that the first statement of the page shows.
my ($verify) = statements('The stock looks wrong');

sub problems
{
    return $shop->query("SELECT string_agg(problem, ' ' ORDER BY problem COLLATE \"C\") FROM ($verify) AS v");
}

# ---------------------------------------------------------------- the stock looks wrong

{
    my (undef, $levels, $movements, $repair, $count) = statements('The stock looks wrong');

    is(problems(), '', 'stock: nothing is wrong at first');
    $shop->query('ALTER TABLE shop.items DISABLE TRIGGER ALL', "UPDATE shop.items SET stock = 17 WHERE id = '$item'");
    is(problems(), 'guard_disabled stock_differs_from_movements',
        'stock: a write behind disabled triggers is shown');
    is($shop->query("SELECT string_agg(problem || ' ' || repaired, ', ' ORDER BY problem) FROM ($repair) AS r"),
        'guard_disabled true, stock_differs_from_movements true', 'stock: repair enables the guard, and books the difference');
    is(problems(), '', 'stock: then ledger and stock agree');
    $shop->query($count);
    is(problems(), '', 'stock: a count is booked');
    is($shop->query("SELECT on_hand FROM ($levels) AS l"), '16', 'stock: levels has the count');
    like($shop->query($movements), qr/counted by hand/, 'stock: movements have the count');
    is($shop->query("SELECT stock FROM shop.items WHERE id = '$item'"), '16', 'stock: the column has the count');
}

# ---------------------------------------------------------------- holds do not expire

{
    my ($overdue, $expire) = statements('Holds do not expire');

    $shop->query("SELECT shop.reserve_stock('" . Shop::new_user() . "', '$item', 5, '1 h')",
        "UPDATE items_stock.reservations SET expires_at = now() - interval '1 s' WHERE status = 'held'");
    is($shop->query("SELECT count(*) FROM ($overdue) AS o"), '1', 'holds: the overdue line is shown');
    is($shop->query($expire), '1', 'holds: it is given back by hand');
    is($shop->query("SELECT count(*) FROM ($overdue) AS o"), '0', 'holds: none is overdue any more');
}

# ---------------------------------------------------------------- the worker is not running

{
    my ($state, $timeouts) = statements('The worker is not running');

    is($shop->query("SELECT worker_state FROM ($state) AS s"), 'off', 'worker: it is turned off');
    $node->append_conf('postgresql.conf', 'inventory.max_workers = 2');
    $node->reload;
    $shop->query("SELECT inventory.heat('shop.items', '$item')", 'SELECT ' . buy(1));
    ok($node->poll_query_until('operations', "SELECT bool_and(worker_state = 'running' AND worker_last_run IS NOT NULL) FROM ($state) AS s"),
        'worker: with inventory.max_workers = 2 it runs');
    is($shop->query($timeouts), '', 'worker: no store was given up');
}

# ---------------------------------------------------------------- an item is stuck hot

{
    my ($holders, $prepared, $cool) = statements('An item is stuck hot');
    my $forgotten = Session->new($node, 'operations', 'forgotten');

    my $pid = $forgotten->ask('pg_backend_pid()')->[1];

    $forgotten->run('BEGIN');
    $forgotten->ask(buy(2));
    is($shop->query("SELECT pid, held, session FROM ($holders) AS h"), "$pid|2|idle in transaction",
        'hot: the transaction that keeps the item hot is shown');
    isnt($node->psql('operations', "SET inventory.hot_lock_timeout = '100ms'; $cool"), 0, 'hot: the item cannot cool');
    $shop->query("SELECT pg_terminate_backend($pid)");
    is($shop->query($cool), '1', 'hot: it cools after the session was ended');
    $shop->query('BEGIN', 'SELECT ' . buy(1), q{PREPARE TRANSACTION 'forgotten'});
    like($shop->query($prepared), qr/^forgotten\|/, 'hot: prepared transactions are shown');
    $shop->query(q{ROLLBACK PREPARED 'forgotten'});
}

# ---------------------------------------------------------------- statistics are empty

{
    my ($calls) = statements('Statistics are empty');

    like($shop->query($calls), qr/^shop\.items\|buy_item\|\d+$/m, 'statistics: calls are counted');
    $shop->query('SELECT inventory.reset_stats()');
    is($shop->query("SELECT count(calls) FROM ($calls) AS c WHERE calls > 0 AND operation = 'buy_item'"), '0',
        'statistics: none after a reset');
}

# ---------------------------------------------------------------- a transaction holds units for long

{
    my ($hot, $waiting) = statements('A transaction holds units for long');
    my $slow = Session->new($node, 'operations', 'slow');
    my $buyer = Session->new($node, 'operations', 'buyer');

    my $pid = $slow->ask('pg_backend_pid()')->[1];

    $slow->run('BEGIN');
    $slow->ask(buy(1));
    $buyer->call(buy(1));
    ok($node->poll_query_until('operations', "SELECT array_agg(ARRAY[pid, waiting]) = '{{$pid,1}}' FROM ($waiting) AS w WHERE state = 'idle in transaction'"),
        'long: the session that a buyer waits for is shown');
    $slow->run('COMMIT');
    is($buyer->await->[0], '00000', 'long: then the buyer buys');
    $shop->query('BEGIN', 'SELECT ' . buy(1), q{PREPARE TRANSACTION 'lost'});
    $buyer->call(buy(1));
    ok($node->poll_query_until('operations', "SELECT array_agg(ARRAY[pid, waiting]) = '{{0,1}}' FROM ($waiting) AS w"),
        'long: a prepared transaction is shown as process 0');
    $shop->query(q{ROLLBACK PREPARED 'lost'});
    is($buyer->await->[0], '00000', 'long: then the buyer buys');
    $shop->query("SELECT inventory.heat('shop.items', '$item')");
    $slow->run('BEGIN');
    $slow->ask(buy(3));
    is($shop->query("SELECT hot_items, hot_held, hot_holders FROM ($hot) AS h"), "1|3|{$pid}",
        'long: units in flight of hot items are shown');
    $slow->run('ROLLBACK');
    $_->quit for $slow, $buyer;
}

is(problems(), '', 'nothing is wrong at the end');
$node->stop;
done_testing();
