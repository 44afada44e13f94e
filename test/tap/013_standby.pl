# Stock, holds and keys are the same on a standby, after a restart and after a promotion.
#
# A standby refuses every function that writes, with 25006 before it does anything, and
# answers those that read.  Prepared purchases and holds survive a crash of the primary
# and the promotion of the standby, keep their units and keys until they end, and are then
# counted once.  The same auditor must find half a sale of a shop that writes its order
# only after the promotion.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Crash;
use Session;
use Shop;
use Waiting;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', "max_prepared_transactions = 10\nshared_preload_libraries = 'inventory'\n");
$primary->start;
$primary->backup('base');

my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

my $shop = Shop->new($primary, 'shop', { 1 => 10, 2 => 1, 3 => 1, 4 => 10 })->attached;
my @item = map { Shop::item_id($_) } 0 .. 4;
my $user = Shop::new_user();

# All purchases with their answers, for the auditor.
my @history;

# Make a purchase; the order, or the SQLSTATE of the error.
sub bought
{
    my ($call) = @_;
    push @history, $shop->told({%$call});
    return $history[-1]{state} eq '00000' ? $history[-1]{answer} : $history[-1]{state};
}

# Run a call and PREPARE its transaction; the answer.
sub prepare
{
    my ($name, $call) = @_;
    my $session = Session->new($primary, 'shop');

    $session->run('BEGIN');
    my $answer = $session->value(ref $call ? $call->{call} : $call);
    $session->run("PREPARE TRANSACTION '$name'");
    $session->value('1');
    $session->quit;
    return $answer;
}

# ---------------------------------------------------------------- before

my $keyed = $shop->buy(1, 2, 'before');
my $order = bought($keyed);
my $hold = $shop->query("SELECT shop.reserve_stock('$user', '$item[4]', 3, '1 h')");
my $overdue = $shop->query("SELECT shop.reserve_stock('$user', '$item[4]', 4, '1 ms')");
$primary->poll_query_until('shop', 'SELECT stock = 7 FROM shop.items WHERE id = \'' . $item[4] . q{'})
  or die 'the worker did not expire the hold';

# the last units, prepared: one purchase will be committed, the other rolled back
my %prepared = map { $_ => $shop->buy({ commit => 2, rollback => 3 }->{$_}, 1, "prepared") } qw(commit rollback);
my %told = map { $_ => prepare($_, $prepared{$_}) } sort keys %prepared;
my $held = prepare('hold', "shop.reserve_stock('$user', '$item[1]', 4, '1 h', 'held')");
is($primary->safe_psql('postgres', 'SELECT count(*) FROM pg_prepared_xacts'), '3', 'purchases and a hold are prepared');

# ---------------------------------------------------------------- on the standby

# The outcome of a call on the standby.
sub on_standby
{
    my ($call) = @_;
    return Session::outcome($standby, 'shop', $call);
}

$primary->wait_for_catchup($standby);
my $cart = qq{'[{"item_id": "$item[1]"}]'};
for my $call (
    "shop.buy_item('$user', '$item[1]')",
    # calls that would be refused, or answered as a retry
    "shop.buy_item('$user', '$item[1]', 0)", $keyed->{call},
    "(SELECT status FROM shop.buy_cart('$user', $cart))", "(SELECT status FROM shop.try_buy_cart('$user', $cart))",
    "(SELECT status FROM shop.try_buy_item('$user', '$item[1]'))",
    "shop.reserve_stock('$user', '$item[1]')", "shop.reserve_cart('$user', $cart)",
    "(SELECT status FROM shop.try_reserve_cart('$user', $cart))",
    "shop.change_reservation('$hold', '$item[1]', 1)", "shop.extend_reservation('$hold')",
    "(SELECT status FROM shop.confirm_reservation('$hold'))", "shop.release_reservation('$hold')",
    "items_stock.refund_order('$order')", "items_stock.restock_item('$item[1]', 1)",
    "items_stock.adjust_stock('$item[1]', 1, 'x')", "items_stock.count_stock('$item[1]', 1)",
    'items_stock.expire_reservations()', q{items_stock.prune('1 day')}, 'items_stock.close_ledger(now())')
{
    my ($name) = $call =~ /\b(?:shop|items_stock)\.(\w+)/;
    is(on_standby($call), '25006', "on a standby: $name is refused");
}
is(on_standby("shop.available_stock('$item[1]')"), '8', 'on a standby: what is available');
is(on_standby("(SELECT available FROM items_stock.levels WHERE item_id = '$item[4]')"), '7', 'on a standby: the levels');
is(on_standby("(SELECT status || quantity FROM shop.get_reservation('$hold'))"), 'held3', 'on a standby: a reservation');
is(on_standby(q{(SELECT count(*) FROM inventory.verify('shop.items'))}), '0', 'on a standby: verify');
is($standby->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'inventory worker'}),
    '0', 'on a standby: no worker');

# ---------------------------------------------------------------- crash, restart

Crash::kill_server($primary);
Crash::start($primary);
is($shop->query("SELECT shop.available_stock('$item[1]')"), '8', 'after a crash: prepared units are not available');
is(bought($keyed), $order, 'after a crash: a key still has its answer');
{
    my $session = Session->new($primary, 'shop');
    $session->run(q{SET lock_timeout = '50ms'});
    is($session->ask($prepared{commit}{call})->[0], '55P03', 'after a crash: a prepared purchase keeps its key');
    is($session->ask("shop.buy_item('$user', '$item[2]')")->[0], '55P03', 'after a crash: a prepared purchase keeps its unit');
    $session->quit;
}

# ---------------------------------------------------------------- promotion

# The auditor finds half a sale: the stock reaches the standby, the order does not.
{
    my $other = Shop->new($primary, 'other', { 1 => 10 });
    my $call = $other->buy(1, 1);
    $other->query('UPDATE shop.items SET stock = stock - 1');
    $primary->wait_for_catchup($standby);
    $other->{node} = $standby;
    is_deeply([ $other->audit([ { %$call, state => 'lost' } ]) ], ['item 1: 0 sold, 1 taken from stock'],
        'a sale in two transactions: reported as half');
}

$primary->wait_for_catchup($standby);
Crash::kill_server($primary);
$standby->promote;
$standby->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()');
$shop->{node} = $standby;

is(bought($keyed), $order, 'promoted: a key still has its answer');
is($shop->query('SELECT count(*) FROM pg_prepared_xacts'), '3', 'promoted: prepared transactions are there');
{
    my ($same, $other) = map { Session->new($standby, 'shop') } 1, 2;

    $same->call($prepared{commit}{call});
    $other->call($prepared{rollback}{call});
    Waiting::for_locks($shop, 2);
    $shop->query(q{COMMIT PREPARED 'commit'});
    $shop->query(q{ROLLBACK PREPARED 'rollback'});
    my ($first, $second) = map { $_->await } $same, $other;
    is_deeply($first, [ '00000', $told{commit} ], 'promoted, committed: a retry gets the prepared order');
    is($second->[0], '00000', 'promoted, rolled back: a retry buys');
    isnt($second->[1], $told{rollback}, 'promoted, rolled back: another order');
    push @history, { %{ $prepared{commit} }, state => '00000', answer => $first->[1] },
      { %{ $prepared{rollback} }, state => $second->[0], answer => $second->[1] };
    $_->quit for $same, $other;
}
is(bought($shop->buy($_, 1)), 'IV001', 'promoted: the last unit is sold') for 2, 3;
$shop->query(q{COMMIT PREPARED 'hold'});
is($shop->query("SELECT shop.reserve_stock('$user', '$item[1]', 4, '1 h', 'held')"), $held, 'promoted: the prepared hold keeps its key');
is($shop->query("SELECT status FROM shop.get_reservation('$held')"), 'held', 'promoted: the prepared hold is held');
is($shop->query("SELECT stock FROM shop.items WHERE id = '$item[1]'"), '4', 'promoted: its units are held once');
is($shop->query("SELECT shop.release_reservation('$held')"), 't', 'promoted: it is released');
is($shop->query("SELECT status FROM shop.get_reservation('$overdue')"), 'expired', 'promoted: an expired hold stays expired');

is(bought($shop->buy(1, 9)), 'IV001', 'promoted: no more is sold than there is');
like(bought($shop->buy(1, 8)), qr/^[-0-9a-f]{36}$/, 'promoted: all units are sold');
is($shop->query("SELECT shop.release_reservation('$hold')"), 't', 'promoted: a hold from before is released');
is($shop->query("SELECT shop.reserve_stock('$user', '$item[4]', 10, '1 ms') IS NOT NULL"), 't', 'promoted: its units are held again');
ok($standby->poll_query_until('shop', "SELECT stock = 10 FROM shop.items WHERE id = '$item[4]'"), 'promoted: a worker expires that hold');
is_deeply([ $shop->audit(\@history) ], [], 'promoted: no problems');
$standby->restart;
is_deeply([ $shop->audit(\@history) ], [], 'restarted: no problems');

done_testing();
