# A purchase whose COMMIT was sent but not answered is there once, or not at all.
#
# A commit that waits for a synchronous standby is on disk, but not visible.  At that time
# sessions and servers are killed, clients disconnect, and they retry with their key.  The
# same auditor must find that a store without keys sells twice.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Crash;
use Session;
use Shop;
use Waiting;

my $node = Shop::server('commit', @Crash::WAITING_COMMITS);
my $shops = 0;

# A shop with a number of units of one item.
sub shop
{
    return Shop->new($node, 'commit_' . ++$shops, { 1 => $_[0] });
}

# A session whose commits wait for the standby.
sub patient
{
    my ($shop) = @_;
    my $session = Session->new($node, $shop->{database}, 'patient');
    $session->run('SET synchronous_commit = on');
    return $session;
}

# Make a call whose commit waits when its session is lost in some way, and repeat it; the call
# with the second answer.
sub lost_and_repeated
{
    my ($shop, $call, $way) = @_;
    my $first = patient($shop);

    $first->call($call->{call});
    $way->(Waiting::for_commit($node));
    is($first->await, undef, 'the answer is lost');
    $first->quit;
    return $shop->told($call);
}

my %ways = Crash::ways($node);

# The auditor finds that without a key the retry is another order.
{
    my $shop = shop(2)->hand_written;
    my $call = $shop->buy(1, 1);
    my $again = lost_and_repeated($shop, $call, $ways{'session killed'});
    is(scalar(grep { /was never acknowledged/ } $shop->audit([$again])), 1, 'store without keys: reported as selling twice');
}

for my $name (sort keys %ways)
{
    my $shop = shop(1)->attached;
    my $again = lost_and_repeated($shop, $shop->buy(1, 1, 'key'), $ways{$name});
    my $other = $shop->told($shop->buy(1, 1));
    is($again->{state}, '00000', "$name while the commit waits: the order is there");
    is($other->{state}, 'IV001', "$name while the commit waits: the unit is sold");
    is_deeply([ $shop->audit([ $again, $other ]) ], [], "$name while the commit waits: it is counted once");
}

# While a commit waits, no other session sees it or gets its unit, with the key or without.
{
    my $shop = shop(2)->attached;
    my $call = $shop->buy(1, 1, 'in flight');
    my ($first, $retry, $other) = (patient($shop), map { Session->new($node, $shop->{database}) } 1, 2);

    $first->call($call->{call});
    my $pid = Waiting::for_commit($node);
    is($shop->query('SELECT stock FROM shop.items'), '2', 'in flight: other sessions do not see it');
    $retry->call($call->{call});
    Waiting::for_locks($shop, 1);
    pass('in flight: a retry waits for it');
    my $rest = $shop->buy(1, 2);
    $other->call($rest->{call});
    Waiting::for_locks($shop, 2);
    $node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
    my @told = map { $_->await } $first, $retry, $other;
    is($told[0][0], '00000', 'in flight: the wait is cancelled, and the order is committed');
    is_deeply($told[1], $told[0], 'in flight: the retry gets the same answer');
    is($told[2][0], 'IV001', 'in flight: a buyer of more than the rest is refused');
    is_deeply([ $shop->audit([ { %$call, state => $told[0][0], answer => $told[0][1] }, { %$rest, state => $told[2][0] } ]) ],
        [], 'in flight: no problems');
    $_->quit for $first, $retry, $other;
}

# A session stopped waiting for the standby.  A retry is not told of an order that only this
# server has, but waits itself.
for my $call (qw(buy_item buy_cart))
{
    my $shop = shop(1)->attached;
    my $item = Shop::item_id(1);
    my $lines = $call eq 'buy_item' ? "'$item', 1" : qq{'[{"item_id": "$item"}]'};
    my $sale = "shop.$call('" . Shop::new_user() . "', $lines, 'twice')";
    $sale = "(SELECT status FROM $sale)" if $call eq 'buy_cart';
    my ($first, $retry) = map { patient($shop) } 1, 2;

    $first->call($sale);
    $node->safe_psql('postgres', 'SELECT pg_terminate_backend(' . Waiting::for_commit($node) . ')');
    is($first->await, undef, "$call repeated: the first answer is lost");
    $first->quit;
    $retry->call($sale);
    my $pid = Waiting::for_commit($node);
    pass("$call repeated: the answer waits for the standby");
    $node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
    is($retry->await->[0], '00000', "$call repeated: then the retry is answered");
    is($shop->query('SELECT count(*) FROM shop.orders'), '1', "$call repeated: there is one order");
    $retry->quit;
}

# The client disconnects after it sent COMMIT; it retries while the commit waits.
{
    my $shop = shop(1)->attached;
    my $call = $shop->buy(1, 1, 'disconnected');
    my ($client, $retry) = (patient($shop), Session->new($node, $shop->{database}));

    $client->run('BEGIN');
    my $told = $client->value($call->{call});
    $client->run('COMMIT');
    Waiting::for_commit($node);
    kill 'KILL', $client->{pid};
    $client->quit;
    $retry->call($call->{call});
    Waiting::for_locks($shop, 1);
    # the commit no longer needs a standby
    $node->safe_psql('postgres', q{ALTER SYSTEM SET synchronous_standby_names = ''});
    $node->reload;
    is_deeply($retry->await, [ '00000', $told ], 'disconnected after COMMIT: the retry gets the order of the first try');
    is_deeply([ $shop->audit([ { %$call, state => '00000', answer => $told } ]) ], [], 'disconnected after COMMIT: one order');
    $retry->quit;
}

# The client disconnects before it sends COMMIT: nothing is bought, and the key is free.
{
    my $shop = shop(1)->attached;
    my $call = $shop->buy(1, 1, 'disconnected');
    my ($client, $retry) = map { Session->new($node, $shop->{database}) } 1, 2;

    $client->run('BEGIN');
    my $told = $client->value($call->{call});
    $retry->call($call->{call});
    Waiting::for_locks($shop, 1);
    kill 'KILL', $client->{pid};
    $client->quit;
    my ($state, $answer) = @{ $retry->await };
    isnt($answer, $told, 'disconnected before COMMIT: the retry makes its own order');
    is_deeply([ $shop->audit([ { %$call, state => $state, answer => $answer } ]) ], [], 'disconnected before COMMIT: one order');
    $retry->quit;
}

done_testing();
