# One key, one order, whatever happens to the client.
#
# 20 sessions use one key at once; keys are used by different users and with
# different arguments; clients are cut off while they wait, and after the commit
# before they could read the answer, and try again.  A store without keys must be
# caught selling twice by the same harness.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Crowd;
use Session;
use Shop;

use constant SESSIONS => 20;

my $node = Shop::server('idempotency');
my $shops = 0;

# A shop with ten units of one item.
sub shop
{
    return Shop->new($node, 'keys_' . ++$shops, { 1 => 10 });
}

# Each session makes one of the calls; their history.
sub at_once
{
    my ($shop, @calls) = @_;
    my $crowd = Crowd->new($node, $shop->{database}, scalar @calls);
    my @history = $crowd->race([ map { [$_] } @calls ]);

    $crowd->quit;
    return @history;
}

# The same call, for every session.
sub copies
{
    my ($call) = @_;
    return map { +{%$call} } 1 .. SESSIONS;
}

# How many orders there are.
sub orders
{
    return $_[0]->query('SELECT count(*) FROM shop.orders');
}

# The harness can tell: without keys the repetition is another order.
{
    my $shop = shop()->hand_written;
    my @history = at_once($shop, copies({ %{ $shop->buy(1, 1) }, key => 'again' }));
    my @problems = $shop->audit(\@history, qr/^P0001$/);
    ok((grep { /one key, two answers/ } @problems) > 0, 'a store without keys: reported as selling twice');
}

# One key at once, for one item and for a cart.
for my $kind ('item', 'cart')
{
    my $shop = shop()->attached;
    my $call = $kind eq 'item' ? $shop->buy(1, 2, 'once') : $shop->buy_cart([ [ 1, 2 ] ], 'buy_cart', 'once');
    my @history = at_once($shop, copies($call));
    is((grep { Shop::bought($_) } @history), SESSIONS, "one key, $kind: everybody has an answer");
    is_deeply([ $shop->audit(\@history) ], [], "one key, $kind: the same answer, nothing is wrong");
    is(orders($shop), 1, "one key, $kind: one order");
}

# Different keys, and one key of different users, are different purchases: as many as units.
for my $kind ('different keys', 'different users')
{
    my $shop = shop()->attached;
    my @calls = map { $shop->buy(1, 1, $kind eq 'different keys' ? "key $_" : 'key') } 1 .. SESSIONS;
    my @history = at_once($shop, @calls);
    is_deeply([ $shop->audit(\@history) ], [], "$kind: nothing is wrong");
    is(orders($shop), 10, "$kind: as many orders as units");
}

# One key with two meanings: whoever comes first defines it.
{
    my $shop = shop()->attached;
    my $one = $shop->buy(1, 1, 'ambiguous');
    my $two = { %$one, lines => [ [ $one->{lines}[0][0], 2 ] ] };
    $two->{call} =~ s/idempotency_key/quantity => 2, idempotency_key/;
    my @history = at_once($shop, (copies($one))[ 1 .. SESSIONS / 2 ], (copies($two))[ 1 .. SESSIONS / 2 ]);
    my @bought = grep { Shop::bought($_) } @history;
    my %refusals = map { $_->{state} => 1 } grep { !Shop::bought($_) } @history;
    is(@bought, SESSIONS / 2, 'one key, two meanings: one of them is bought');
    is(join(' ', keys %refusals), 'IV009', 'one key, two meanings: the other is refused');
    is_deeply([ $shop->audit(\@bought) ], [], 'one key, two meanings: nothing is wrong');
}

# Wait until a session waits for a lock.
sub wait_for_lock
{
    my ($shop, $pid) = @_;
    $node->poll_query_until($shop->{database},
        "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $pid")
      or die "session $pid does not wait";
}

# A client is cut off while it waits for the item; another, with the same key, waits for it.
{
    my $shop = shop()->attached;
    my $call = $shop->buy(1, 1, 'cut off');
    my ($holder, $first, $second) = map { Session->new($node, $shop->{database}, $_) } qw(holder first second);
    my ($first_pid, $second_pid) = map { $_->value('pg_backend_pid()') } $first, $second;

    $holder->run('BEGIN', 'SELECT id FROM shop.items FOR UPDATE');
    $holder->value('1');
    $first->call($call->{call});
    wait_for_lock($shop, $first_pid);
    $second->call($call->{call});
    wait_for_lock($shop, $second_pid);

    $node->safe_psql('postgres', "SELECT pg_terminate_backend($first_pid)");
    is($first->await, undef, 'cut off while waiting: no answer');
    $holder->run('COMMIT');
    my ($state, $order) = @{ $second->await };
    is($state, '00000', 'cut off while waiting: the second with the key buys');

    my ($again, $same) = @{ Session->new($node, $shop->{database})->ask($call->{call}) };
    is($same, $order, 'cut off while waiting: the repetition gets the same order');
    is_deeply([ $shop->audit([ { %$call, state => $state, answer => $order } ]) ],
        [], 'cut off while waiting: nothing is wrong');
    $_->quit for $holder, $first, $second;
}

# A client is cut off after the commit, before it has read the answer.
{
    my $shop = shop()->attached;
    my $call = $shop->buy(1, 1, 'unread');
    my $client = Session->new($node, $shop->{database});

    $client->call($call->{call});
    $node->poll_query_until($shop->{database}, 'SELECT count(*) = 1 FROM shop.orders') or die 'no order';
    $client->quit;
    my ($state, $order) = @{ Session->new($node, $shop->{database})->ask($call->{call}) };
    is_deeply([ $shop->audit([ { %$call, state => $state, answer => $order } ]) ],
        [], 'answer lost: the repetition is told of the order that is there');
    is(orders($shop), 1, 'answer lost: one order');
}

done_testing();
