# The counter of a hot item is never too high, also while a commit that has taken of
# it waits for a synchronous standby: such a transaction is in the WAL and will be
# there after a crash, but no snapshot shows it.
#
# Whoever counted the item anew by what can be seen would sell its units once more;
# each case first shows that such a count would be wrong.  Then something happens:
# other backends are killed, so that the server forgets all counters; the waiting
# session or the server ends; the item is cooled, settled, sold out; another one
# becomes hot.  What was acknowledged or is in the WAL is there once, and no more is
# sold than there was.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Crash;
use Hot;
use Session;
use Shop;

# Who wants to wait for the standby that never comes says so.
my $node = Hot::server('hot_commit', 'restart_after_crash = on', q{synchronous_standby_names = 'nobody'},
    'synchronous_commit = local', 'wal_level = replica', 'max_wal_senders = 2');
my $shops = 0;

# A shop with so many units of item 1, which is hot, and a second item.
sub shop
{
    my ($units) = @_;
    my $shop = Shop->new($node, 'hot_commit_' . ++$shops, { 1 => $units, 2 => 10 })->attached;

    Hot::heat($shop, [1]);
    return $shop;
}

# A purchase whose commit waits for the standby; the session, the call, the process.
sub waiting
{
    my ($shop, $quantity) = @_;
    my $session = Session->new($node, $shop->{database}, 'patient');
    my $call = $shop->buy(1, $quantity);
    my $who = q{FROM pg_stat_activity WHERE application_name = 'patient' AND wait_event = 'SyncRep'};

    $session->run('SET synchronous_commit = on');
    $session->call($call->{call});
    $node->poll_query_until('postgres', "SELECT count(*) = 1 $who") or die 'no commit waits for the standby';
    return ($session, $call, $node->safe_psql('postgres', "SELECT pid $who"));
}

# The order of a call that was not answered, as if it had been.
sub as_told
{
    my ($shop, $call) = @_;
    my $order = $shop->query("SELECT id FROM shop.orders WHERE user_id = '$call->{user}'");
    return { %$call, state => $order ? '00000' : 'lost', answer => $order };
}

# ---------------------------------------------------------------- the counters are lost

# SIGKILL for a backend, and until the server is back.
sub kill_backend
{
    my ($pid) = @_;
    Hot::crash($node, sub { kill 'KILL', $pid });
}

# For one that has nothing to do with it: the server restarts, all counters are gone.
sub kill_another
{
    my $other = Session->new($node, 'postgres');

    kill_backend($other->value('pg_backend_pid()'));
    $other->quit;
}

my %fault = (
    'another backend is killed'       => sub { kill_another() },
    'the waiting backend is killed'   => sub { kill_backend($_[0]) },
    'the waiting backend is terminated' => sub { $node->safe_psql('postgres', "SELECT pg_terminate_backend($_[0])") },
    'the server is killed'            => sub { Crash::kill_server($node); Crash::start($node) },
    'the server is stopped, immediate' => sub { $node->stop('immediate'); $node->start },
    'the server is stopped, fast'     => sub { $node->stop('fast'); $node->start });

for my $name (sort keys %fault)
{
    my $shop = shop(10);
    my @history = map { Hot::bought($shop, $shop->buy(1, 1)) } 1 .. 3;
    my ($session, $call, $pid) = waiting($shop, 4);

    is(Hot::counter($shop, 1), 'hot 3 4', "$name: four units are in flight");
    is(Hot::visible($shop, 1), '7', "$name: who counts what can be seen counts them as there");
    $fault{$name}->($pid);
    is($session->await, undef, "$name: the answer is lost");
    $session->quit;
    is(Hot::visible($shop, 1), '3', "$name: the order is there");
    push @history, as_told($shop, $call), Hot::sell_out($shop, 1);
    is($shop->sold, '10', "$name: what is left is sold, and no more");
    is_deeply([ Hot::audit($shop, \@history) ], [], "$name: nothing is wrong");
}

# ---------------------------------------------------------------- while it waits

# Nobody gets its units, and nobody is told that there are none, as long as it could still be undone.
{
    my $shop = shop(1);
    my ($session, $call, $pid) = waiting($shop, 1);
    my $other = Session->new($node, $shop->{database}, 'other');
    my $sale = $shop->buy(1, 1);

    $other->call($sale->{call});
    $node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'other' AND wait_event_type = 'Lock'})
      or die 'the other buyer does not wait';
    is(Hot::visible($shop, 1), '1', 'the last unit: can still be seen');
    pass('the last unit: another buyer waits for the end of the first, as for a lock');
    $node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
    is($session->await->[0], '00000', 'the last unit: bought');
    @$sale{qw(state answer)} = @{ $other->await };
    is($sale->{state}, 'IV001', 'the last unit: and then it is gone');
    is_deeply([ Hot::audit($shop, [ as_told($shop, $call), $sale ]) ], [], 'the last unit: nothing is wrong');
    $_->quit for $session, $other;
}

# Settling leaves out what is in flight, cooling waits for it and gives up; heating another item changes nothing.
{
    my $shop = shop(10);
    my ($session, $call, $pid) = waiting($shop, 4);
    my $owner = Session->new($node, $shop->{database});

    $owner->run(q{SET inventory.hot_lock_timeout = '100ms'});
    is($owner->value(q{inventory.settle('shop.items')}), '0', 'settle: leaves it alone');
    is($owner->ask(q{inventory.cool('shop.items')})->[0], 'IV014', 'cool: gives up');
    is(Hot::counter($shop, 1), 'hot 6 4', 'cool: the counter is as before');
    Hot::heat($shop, [2]);
    is(Hot::counter($shop, 1), 'hot 6 4', 'another item is heated: the counter is as before');
    is($owner->value(q{(SELECT count(*) FROM inventory.verify('shop.items'))}), '0', 'verify: nothing is wrong');
    my @history = Hot::sell_out($shop, 2);
    push @history, map { Hot::bought($shop, $shop->buy(1, 1)) } 1 .. 6;
    is(Hot::counter($shop, 1), 'hot 0 4', 'all but what is in flight is sold');
    # what the engine settles now is of epochs that are closed
    $owner->value(q{inventory.settle('shop.items')});
    is(Hot::counter($shop, 1), 'hot 0 4', 'settled: the counter is as before');
    is($owner->ask(q{items_stock.adjust_stock('} . Shop::item_id(1) . q{', -1, 'lost')})->[0], 'IV014', 'an operator who takes waits, and gives up');
    kill_another();
    is($session->await, undef, 'then the counters are lost');
    push @history, as_told($shop, $call), Hot::sell_out($shop, 1);
    is($shop->sold, '20', 'and nothing more is sold');
    is_deeply([ Hot::audit($shop, \@history) ], [], 'nothing is wrong');
    is($shop->query(q{SELECT inventory.cool('shop.items')}), '2', 'both are cooled');
    is_deeply([ $shop->audit(\@history) ], [], 'nothing is wrong then');
    $_->quit for $session, $owner;
}

# What is put in counts only when it can be seen: a delivery whose commit waits is not sold before.
{
    my $shop = shop(1);
    my $owner = Session->new($node, $shop->{database}, 'patient');
    my @history = Hot::sell_out($shop, 1);

    $owner->run('SET synchronous_commit = on');
    $owner->call(q{items_stock.restock_item('} . Shop::item_id(1) . q{', 5)});
    $node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'patient' AND wait_event = 'SyncRep'});
    is(Hot::counter($shop, 1), 'hot 0 0', 'a delivery that waits: nobody sees it');
    push @history, Hot::sell_out($shop, 1);
    is($shop->sold, '1', 'a delivery that waits: nobody buys of it');
    kill_another();
    $owner->await;
    $owner->quit;
    is(Hot::visible($shop, 1), '5', 'a delivery that waits: there after the crash');
    Hot::sell_out($shop, 1);
    is($shop->sold, '6', 'a delivery that waits: and sold, once');
    is_deeply([ Hot::problems($shop) ], [], 'a delivery that waits: nothing is wrong');
}

done_testing();
