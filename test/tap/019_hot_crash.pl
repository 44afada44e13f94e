# A session that is killed at any step on a hot item leaves exact stock and counters.
#
# A debugger lets a backend run to a place in the code and kills it there, so that the
# server restarts and all counters are lost.  Afterwards the work is there if its commit
# record is in the WAL, and otherwise not; units and counters are exact, and the item is
# sold out exactly.  The places are in taking, giving, committing, rolling back,
# publishing, settling and cooling.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Crash;
use Debugger;
use Hot;
use Session;
use Shop;

my $unusable = Debugger::unusable();
plan skip_all => $unusable if $unusable;

my $node = Hot::server('hot_crash', 'restart_after_crash = on');
my $shops = 0;

# What the session does, by name: statements before the call, the call, by how many units it
# changes the available stock, and statements after the call.
my $item = Shop::item_id(1);
my %act = (
    buy => sub { ([], $_[0]->buy(1, 4)->{call}, -4) },
    # the work in the savepoint is rolled back
    savepoint => sub { ([ 'BEGIN', 'SAVEPOINT s', "SELECT $_[0]{sale}", 'ROLLBACK TO s' ], $_[0]->buy(1, 4)->{call}, -4, 'COMMIT') },
    'undo savepoint' => sub { ([ 'BEGIN', "SELECT $_[0]{sale}", 'SAVEPOINT s', 'SELECT ' . $_[0]->buy(1, 4)->{call}, 'ROLLBACK TO s' ], '1', -1, 'COMMIT') },
    'roll back' => sub { ([ 'BEGIN', "SELECT $_[0]{sale}", 'ROLLBACK' ], '1', 0) },
    cart => sub { ([], $_[0]->buy_cart([ [ 1, 4 ], [ 2, 1 ] ], 'buy_cart')->{call}, -4) },
    hold => sub { ([], "shop.reserve_stock('$_[0]{user}', '$item', 4)", -4) },
    release => sub { ([], "shop.release_reservation('$_[0]{hold}')", 3) },
    refund => sub { ([], "items_stock.refund_order('$_[0]{order}')", 2) },
    restock => sub { ([], "items_stock.restock_item('$item', 5)", 5) },
    adjust => sub { ([], "items_stock.adjust_stock('$item', -5, 'lost')", -5) },
    direct => sub { ([], 'shop.direct() IS NULL', -5) },
    settle => sub { ([], q{inventory.settle('shop.items')}, 0) },
    cool => sub { ([], q{inventory.cool('shop.items')}, 0) },
    heat => sub { ([], "inventory.heat('shop.items', '" . Shop::item_id(2) . "')", 0) });
$act{'first touch'} = $act{buy};

# A direct write, as an expression.
my $direct = <<"END";
CREATE FUNCTION shop.direct() RETURNS void LANGUAGE sql AS 'UPDATE shop.items SET stock = stock - 5 WHERE id = ''$item'''
END

# The steps of a commit: is the work in the WAL when the session is killed there, and the place.
my %done = (
    'before the commit record'      => [ 0, 'XactLogCommitRecord' ],
    'on disk, before it is visible' => [ 1, 'ProcArrayEndTransaction' ],
    'visible, before the counter is changed' => [ 1, 'counter_at_xact_end if event == XACT_EVENT_COMMIT' ],
    'after the counter is changed' => [ 1, 'AtEOXact_Inval' ]);

# Each: what is done, the step, whether the work is in the WAL then, the place, more commands.
my @cases = (
    [ 'buy', 'after taking, before the movement', 0, 'inv_counter_take', 'finish' ],
    [ 'buy', 'before taking', 0, 'inv_counter_take' ],
    (map { my $act = $_; map { [ $act, $_, @{ $done{$_} } ] } sort keys %done } 'buy', 'restock', 'settle', 'cool'),
    [ 'savepoint', 'before the commit record', 0, 'XactLogCommitRecord' ],
    [ 'savepoint', 'on disk, before it is visible', 1, 'ProcArrayEndTransaction' ],
    [ 'undo savepoint', 'before the units of the savepoint return', 0, 'counter_at_subxact_end if event == SUBXACT_EVENT_ABORT_SUB' ],
    [ 'undo savepoint', 'on disk, before it is visible', 1, 'ProcArrayEndTransaction' ],
    [ 'roll back', 'before the abort record', 0, 'XactLogAbortRecord' ],
    [ 'roll back', 'before the units return', 0, 'counter_at_xact_end if event == XACT_EVENT_ABORT' ],
    [ 'cart', 'after taking, before the rows are written', 0, 'inv_counter_take', 'finish' ],
    [ 'cart', 'on disk, before it is visible', 1, 'ProcArrayEndTransaction' ],
    [ 'hold', 'on disk, before it is visible', 1, 'ProcArrayEndTransaction' ],
    [ 'release', 'after giving, before the movement', 0, 'inv_counter_give', 'finish' ],
    [ 'release', 'on disk, before it is visible', 1, 'ProcArrayEndTransaction' ],
    [ 'refund', 'after giving, before the movement', 0, 'inv_counter_give', 'finish' ],
    [ 'refund', 'on disk, before it is visible', 1, 'ProcArrayEndTransaction' ],
    [ 'adjust', 'on disk, before it is visible', 1, 'ProcArrayEndTransaction' ],
    [ 'direct', 'after taking, before the movement', 0, 'inv_counter_take', 'finish' ],
    [ 'direct', 'on disk, before it is visible', 1, 'ProcArrayEndTransaction' ],
    [ 'settle', 'between its two writes', 0, 'inv_execute if statement == INV_STMT_MARK_SETTLED' ],
    [ 'settle', 'before its first write', 0, 'inv_execute if statement == INV_STMT_CHANGE' ],
    [ 'cool', 'between its two writes', 0, 'inv_execute if statement == INV_STMT_MARK_SETTLED' ],
    [ 'cool', 'before its first write', 0, 'inv_execute if statement == INV_STMT_CHANGE' ],
    [ 'heat', 'before the commit record', 0, 'XactLogCommitRecord' ],
    [ 'heat', 'on disk, before other sessions know', 1, 'ProcArrayEndTransaction' ],
    [ 'first touch', 'counted, before it is published', 0, 'inv_counter_publish' ],
    [ 'first touch', 'published, before the lock is released', 0, 'inv_counter_publish', 'finish' ],
    [ 'first touch', 'while the hot items are read', 0, 'inv_hot_directory_fill' ]);

# ---------------------------------------------------------------- a case

# A shop whose item 1 has 40 units, is hot, and has unsettled movements: 7 units are sold, 3 held.
sub shop
{
    my $shop = Shop->new($node, 'hot_crash_' . ++$shops, { 1 => 40, 2 => 40 })->attached;

    $shop->query($direct);
    Hot::heat($shop, [1]);
    my $first = $shop->told($shop->buy(1, 2));
    $shop->told($shop->buy(1, 1)) for 1 .. 5;
    $shop->{order} = $first->{answer};
    $shop->{user} = Shop::new_user();
    $shop->{hold} = $shop->query("SELECT shop.reserve_stock('$shop->{user}', '$item', 3)");
    $shop->{sale} = $shop->buy(1, 1)->{call};
    return $shop;
}

# Do it in a session that is killed at a place; was it killed there?
sub killed_there
{
    my ($shop, $name, $place, @then) = @_;

    my $victim = Session->new($node, $shop->{database}, 'victim');
    my ($before, $call, undef, @after) = $act{$name}->($shop);
    # the place may be in the library, which must be loaded
    $victim->run(q{LOAD 'inventory'});
    my $debugger = Debugger->new($victim->value('pg_backend_pid()'), $place, @then);
    $victim->run(@$before);
    $victim->call($call, @after);
    my $there = $debugger->killed;
    $victim->quit;
    return $there;
}

# Restart the server with room for so many workers.
sub restart_with_workers
{
    my ($count) = @_;

    $node->append_conf('postgresql.conf', "max_worker_processes = $count");
    $node->restart;
}

for my $case (@cases)
{
    my ($name, $step, $is_done, $place, @then) = @$case;
    my $is_first_touch = $name eq 'first touch';
    restart_with_workers(8) if $is_first_touch;
    my $shop = shop();
    my $change = ($act{$name}->($shop))[2];

    # a worker could publish the counter before the session that is to be killed
    restart_with_workers(0) if $is_first_touch;
    Crash::restart_by($node, sub { ok(killed_there($shop, $name, $place, @then), "$name, $step: killed there") });
    is(Hot::visible($shop, 1), 30 + ($is_done ? $change : 0), "$name, $step: available");
    is_deeply([ Hot::problems($shop) ], [], "$name, $step: rows and ledger agree");
    my $there = Hot::visible($shop, 1);
    my @rest = Hot::sell_out($shop, 1);
    is(scalar(@rest) - 1, $there, "$name, $step: sold out exactly");
    is_deeply([ Hot::problems($shop) ], [], "$name, $step: no problems");
    $shop->query(q{SELECT inventory.settle('shop.items')});
    $shop->query(q{SELECT inventory.cool('shop.items')});
    is($shop->query("SELECT stock FROM shop.items WHERE id = '$item'"), '0', "$name, $step: settled and cooled");
    is_deeply([ Hot::problems($shop) ], [], "$name, $step: no problems after that");
    is($shop->query("SELECT count(*) FROM shop.items i WHERE stock <> (SELECT sum(delta) FROM items_stock.movements m WHERE m.item_id = i.id)"),
        '0', "$name, $step: stock is the sum of the movements");
    $shop->query('DROP SCHEMA shop, items_stock CASCADE');
}

done_testing();
