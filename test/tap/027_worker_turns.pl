# Workers are bounded in number, and start without a purchase.
#
# More databases have holds than workers may run: they take turns, and each gets its units
# back.  When the server starts, each database is visited, though no session calls the
# engine; after a crash the first call starts the worker, also one that only reads.  If no
# worker can be started, the statistics and the log say so.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Crash;
use Session;
use Shop;

use constant DATABASES => 6;

my $item = Shop::item_id(1);
my $node = Shop::server('turns', q{shared_preload_libraries = 'inventory'}, 'max_worker_processes = 8',
    'restart_after_crash = on');
my $workers = q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'inventory worker'};
my @shops = map { Shop->new($node, "turn_$_", { 1 => 20 })->attached } 1 .. DATABASES;

# Reserve ten units of a shop.
sub reserve
{
    my ($shop, $ttl) = @_;
    $shop->query("SELECT shop.reserve_stock('" . Shop::new_user() . "', '$item', 10, '$ttl')");
}

# Make the holds of a shop overdue without a call of the engine.
sub make_overdue
{
    my ($shop) = @_;
    $shop->query(q{UPDATE items_stock.reservations SET expires_at = now() - interval '1 s' WHERE status = 'held'});
}

# Is the stock of a shop this number?  Reading it calls no function of the engine.
sub has_stock
{
    my ($shop, $stock) = @_;
    return $shop->query('SELECT stock FROM shop.items') eq $stock;
}

# Wait until it is.
sub await_stock
{
    my ($shop, $stock) = @_;
    return $node->poll_query_until($shop->{database}, "SELECT stock = $stock FROM shop.items");
}

sub await_workers
{
    my ($count) = @_;
    return $node->poll_query_until('postgres', "SELECT ($workers) = $count");
}

sub worker_state
{
    my ($shop) = @_;
    return $shop->query('SELECT DISTINCT worker_state FROM inventory.stats');
}

sub set_max_workers
{
    my ($count) = @_;
    $node->safe_psql('postgres', "ALTER SYSTEM SET inventory.max_workers = $count");
    $node->reload;
    $node->poll_query_until('postgres', "SELECT current_setting('inventory.max_workers') = '$count'") or die 'not reloaded';
}

# Count the workers until a condition is true; the highest number.  One that has just started
# may replace one that has not quite exited.
sub most_workers_until
{
    my ($condition) = @_;
    my $old = "$workers AND backend_start < clock_timestamp() - interval '100 ms'";
    my $most = 0;
    my $deadline = time + $PostgreSQL::Test::Utils::timeout_default;

    do
    {
        my $count = $node->safe_psql('postgres', $old);
        $most = $count if $count > $most;
        die 'the condition did not become true' if time > $deadline;
    } until $condition->();
    return $most;
}

# ---------------------------------------------------------------- turns

# A hold that lasts keeps the worker of a database from exiting; a short one needs it.
{
    reserve($_, '1 h') for @shops;
    reserve($_, '1 s') for @shops;
    my @waiting = @shops;
    my $most = most_workers_until(sub { return !(@waiting = grep { !has_stock($_, 10) } @waiting) });
    is(scalar @waiting, 0, 'turns: the units of each database return');
    cmp_ok($most, '<=', 2, 'turns: at most inventory.max_workers workers run');
    cmp_ok($most, '>', 0, 'turns: workers were seen');
}

# The setting can be changed while the server runs.
{
    set_max_workers(0);
    ok(await_workers(0), 'max_workers = 0: the workers exit');
    reserve($_, '1 s') for @shops;
    is(worker_state($shops[0]), 'off', 'max_workers = 0: worker_state is off');
    is($node->safe_psql('postgres', $workers), '0', 'max_workers = 0: no worker was started');

    set_max_workers(1);
    # the other databases have waited for their turns since their reservations
    $shops[0]->query("SELECT shop.available_stock('$item')");
    my @waiting = @shops;
    my $most = most_workers_until(sub { return !(@waiting = grep { !has_stock($_, 10) } @waiting) });
    is($most, 1, 'max_workers = 1: one worker runs, and serves all databases');
}

# ---------------------------------------------------------------- start

# No session calls the engine after the start of the server.
{
    set_max_workers(0);
    await_workers(0);
    make_overdue($_) for @shops;
    is(scalar(grep { has_stock($_, 10) } @shops), DATABASES, 'start: units are held in each database');
    set_max_workers(2);
    $node->restart;
    ok(await_stock($_, 20), "start: the units of $_->{database} return") for @shops;
}

# After a crash the first call starts the worker, also one that changes nothing.
my @calls = (
    [ 'available_stock', "SELECT shop.available_stock('$item')" ],
    [ 'get_reservation', 'SELECT * FROM shop.get_reservation((SELECT reservation_id FROM items_stock.reservations LIMIT 1))' ],
    [ 'stats', 'SELECT * FROM inventory.stats' ]);

# End a backend so that the server restarts all processes.
sub crash
{
    my ($name) = @_;
    my $backend = Session->new($node, 'postgres');

    my $pid = $backend->value('pg_backend_pid()');

    Crash::restart_by($node, sub { kill 'KILL', $pid });
    is($backend->ask('1'), undef, "$name: the server crashes");
    $backend->quit;
}

my $shop = $shops[0];
for my $call (@calls)
{
    my ($name, $statement) = @$call;

    reserve($shop, '1 h');
    crash($name);
    make_overdue($shop);
    is($node->safe_psql('postgres', $workers), '0', "$name: no worker runs after the crash");
    $shop->query($statement);
    ok(await_stock($shop, 20), "$name: starts the worker");
}
{
    $shop->query("SELECT inventory.heat('shop.items', '$item')");
    crash('settle');
    $shop->query(q{SELECT inventory.settle('shop.items')});
    ok(await_workers(1), 'settle: starts the worker');
}

# ---------------------------------------------------------------- no slot

# The server has no background worker slot.
{
    $node->append_conf('postgresql.conf', "max_worker_processes = 0\nmax_logical_replication_workers = 0");
    $node->restart;
    my $log = -s $node->logfile;
    reserve($_, '1 h') for @shops[ 0, 1, 1 ];
    is(worker_state($shops[1]), 'no slot', 'no slot: worker_state says so');
    my @lines = slurp_file($node->logfile, $log) =~ /LOG:  could not start an inventory worker/g;
    is(scalar @lines, 1, 'no slot: the log says so, once');
}

done_testing();
