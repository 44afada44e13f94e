# The counter of a hot item is never too high, also while a commit waits for a standby.
#
# A transaction that waits for a synchronous standby is in the WAL and will be there after
# a crash, but no snapshot shows it.  Counting the item again by a snapshot would sell its
# units twice; each case first shows that such a count would be wrong.  Then other backends
# are killed, so that all counters are lost; the waiting session or the server ends; the
# item is cooled, settled, sold out; another item becomes hot.  What was acknowledged or is
# in the WAL must be there once, and no more may be sold than there was.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Crash;
use Hot;
use Session;
use Shop;
use Waiting;

my $node = Hot::server('hot_commit', @Crash::WAITING_COMMITS);
my $shops = 0;

# A shop with a number of units of item 1, which is hot, and a second item.
sub shop
{
    my ($units) = @_;
    my $shop = Shop->new($node, 'hot_commit_' . ++$shops, { 1 => $units, 2 => 10 })->attached;

    Hot::heat($shop, [1]);
    return $shop;
}

# A purchase whose commit waits for the standby; its session, call and pid.
sub waiting
{
    my ($shop, $quantity) = @_;
    my $session = Session->new($node, $shop->{database}, 'patient');
    my $call = $shop->buy(1, $quantity);

    $session->run('SET synchronous_commit = on');
    $session->call($call->{call});
    return ($session, $call, Waiting::for_commit($node));
}

# A call that was not answered, as if it had been: with its order, if there is one.
sub as_told
{
    my ($shop, $call) = @_;
    my $order = $shop->query("SELECT id FROM shop.orders WHERE user_id = '$call->{user}'");
    return { %$call, state => $order ? '00000' : 'lost', answer => $order };
}

# ---------------------------------------------------------------- the counters are lost

# Kill another session: the server restarts, and all counters are lost.
sub kill_another
{
    my $other = Session->new($node, 'postgres');
    my $pid = $other->value('pg_backend_pid()');

    Crash::restart_by($node, sub { kill 'KILL', $pid });
    $other->quit;
}

my %ways = (Crash::ways($node), 'another session killed' => \&kill_another);
for my $name (sort keys %ways)
{
    my $shop = shop(10);
    my @history = map { $shop->told($shop->buy(1, 1)) } 1 .. 3;
    my ($session, $call, $pid) = waiting($shop, 4);

    is(Hot::counter($shop, 1), 'hot 3 4', "$name: four units are in flight");
    is(Hot::visible($shop, 1), '7', "$name: a snapshot counts them as available");
    $ways{$name}->($pid);
    is($session->await, undef, "$name: the answer is lost");
    $session->quit;
    is(Hot::visible($shop, 1), '3', "$name: the order is there");
    push @history, as_told($shop, $call), Hot::sell_out($shop, 1);
    is($shop->sold, '10', "$name: the rest is sold, and no more");
    is_deeply([ Hot::audit($shop, \@history) ], [], "$name: no problems");
}

# ---------------------------------------------------------------- while the commit waits

# As long as it may be undone, no other buyer gets its units or is told that there are none.
{
    my $shop = shop(1);
    my ($session, $call, $pid) = waiting($shop, 1);
    my $other = Session->new($node, $shop->{database}, 'other');
    my $sale = $shop->buy(1, 1);

    $other->call($sale->{call});
    Waiting::for_locks($shop, 1);
    is(Hot::visible($shop, 1), '1', 'the last unit: still visible');
    pass('the last unit: another buyer waits for the end of the first');
    $node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
    is($session->await->[0], '00000', 'the last unit: bought');
    @$sale{qw(state answer)} = @{ $other->await };
    is($sale->{state}, 'IV001', 'the last unit: the other buyer is refused');
    is_deeply([ Hot::audit($shop, [ as_told($shop, $call), $sale ]) ], [], 'the last unit: no problems');
    $_->quit for $session, $other;
}

# Settling leaves out units in flight, cooling waits for them until its timeout, heating another item changes nothing.
{
    my $shop = shop(10);
    my ($session, $call, $pid) = waiting($shop, 4);
    my $owner = Session->new($node, $shop->{database});

    $owner->run(q{SET inventory.hot_lock_timeout = '100ms'});
    is($owner->value(q{inventory.settle('shop.items')}), '0', 'settle: no row is written');
    is($owner->ask(q{inventory.cool('shop.items')})->[0], 'IV014', 'cool: busy');
    is(Hot::counter($shop, 1), 'hot 6 4', 'cool: the counter is as before');
    Hot::heat($shop, [2]);
    is(Hot::counter($shop, 1), 'hot 6 4', 'another item is heated: the counter is as before');
    is($owner->value(q{(SELECT count(*) FROM inventory.verify('shop.items'))}), '0', 'verify finds nothing');
    my @history = Hot::sell_out($shop, 2);
    push @history, map { $shop->told($shop->buy(1, 1)) } 1 .. 6;
    is(Hot::counter($shop, 1), 'hot 0 4', 'all units but those in flight are sold');
    # this settles only closed epochs
    $owner->value(q{inventory.settle('shop.items')});
    is(Hot::counter($shop, 1), 'hot 0 4', 'settled: the counter is as before');
    is($owner->ask(q{items_stock.adjust_stock('} . Shop::item_id(1) . q{', -1, 'lost')})->[0], 'IV014', 'an operator who takes units waits: busy');
    kill_another();
    is($session->await, undef, 'another session killed: the counters are lost');
    push @history, as_told($shop, $call), Hot::sell_out($shop, 1);
    is($shop->sold, '20', 'another session killed: no more is sold');
    is_deeply([ Hot::audit($shop, \@history) ], [], 'another session killed: no problems');
    is($shop->query(q{SELECT inventory.cool('shop.items')}), '2', 'both items are cooled');
    is_deeply([ $shop->audit(\@history) ], [], 'cooled: no problems');
    $_->quit for $session, $owner;
}

# A delivery is not sold before its commit is visible.
{
    my $shop = shop(1);
    my $owner = Session->new($node, $shop->{database}, 'patient');
    my @history = Hot::sell_out($shop, 1);

    $owner->run('SET synchronous_commit = on');
    $owner->call(q{items_stock.restock_item('} . Shop::item_id(1) . q{', 5)});
    Waiting::for_commit($node);
    is(Hot::counter($shop, 1), 'hot 0 0', 'a delivery that waits: not in the counter');
    push @history, Hot::sell_out($shop, 1);
    is($shop->sold, '1', 'a delivery that waits: no unit is sold');
    kill_another();
    $owner->await;
    $owner->quit;
    is(Hot::visible($shop, 1), '5', 'a delivery that waits: there after the crash');
    Hot::sell_out($shop, 1);
    is($shop->sold, '6', 'a delivery that waits: sold once after the crash');
    is_deeply([ Hot::problems($shop) ], [], 'a delivery that waits: no problems');
}

done_testing();
