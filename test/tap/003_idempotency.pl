# Calls with the same idempotency key make one order, whatever happens to the client.
#
# 20 sessions use one key at the same time; different users and different arguments use
# the same key; clients are disconnected while they wait, or after the commit before they
# read the answer, and retry.  The same test must find that a store without keys sells
# twice.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Crowd;
use Session;
use Shop;
use Waiting;

use constant SESSIONS => 20;

my $node = Shop::server('idempotency');
my $shops = 0;

# A shop with ten units of one item.
sub shop
{
    return Shop->new($node, 'keys_' . ++$shops, { 1 => 10 });
}

# Make the calls at the same time, each in its own session; the calls with their answers.
sub at_once
{
    my ($shop, @calls) = @_;
    my $crowd = Crowd->new($node, $shop->{database}, scalar @calls);
    my @history = $crowd->race([ map { [$_] } @calls ]);

    $crowd->quit;
    return @history;
}

# A copy of the call for every session.
sub copies
{
    my ($call) = @_;
    return map { +{%$call} } 1 .. SESSIONS;
}

# The number of orders.
sub orders
{
    return $_[0]->query('SELECT count(*) FROM shop.orders');
}

# The test finds that without keys a retry is another order.
{
    my $shop = shop()->hand_written;
    my @history = at_once($shop, copies({ %{ $shop->buy(1, 1) }, key => 'again' }));
    my @problems = $shop->audit(\@history, qr/^P0001$/);
    ok((grep { /one key, two answers/ } @problems) > 0, 'store without keys: reported as selling twice');
}

# One key in all sessions, for an item and for a cart.
for my $kind ('item', 'cart')
{
    my $shop = shop()->attached;
    my $call = $kind eq 'item' ? $shop->buy(1, 2, 'once') : $shop->buy_cart([ [ 1, 2 ] ], 'buy_cart', 'once');
    my @history = at_once($shop, copies($call));
    is((grep { Shop::bought($_) } @history), SESSIONS, "one key, $kind: every session has an answer");
    is_deeply([ $shop->audit(\@history) ], [], "one key, $kind: the same answer, no problems");
    is(orders($shop), 1, "one key, $kind: one order");
}

# Different keys, and one key of different users, are different purchases.
for my $kind ('different keys', 'different users')
{
    my $shop = shop()->attached;
    my @calls = map { $shop->buy(1, 1, $kind eq 'different keys' ? "key $_" : 'key') } 1 .. SESSIONS;
    my @history = at_once($shop, @calls);
    is_deeply([ $shop->audit(\@history) ], [], "$kind: no problems");
    is(orders($shop), 10, "$kind: as many orders as units");
}

# One key with two sets of arguments: the first call determines them.
{
    my $shop = shop()->attached;
    my $one = $shop->buy(1, 1, 'ambiguous');
    my $two = { %$one, lines => [ [ $one->{lines}[0][0], 2 ] ] };
    $two->{call} =~ s/idempotency_key/quantity => 2, idempotency_key/;
    my @history = at_once($shop, (copies($one))[ 1 .. SESSIONS / 2 ], (copies($two))[ 1 .. SESSIONS / 2 ]);
    my @bought = grep { Shop::bought($_) } @history;
    my %refusals = map { $_->{state} => 1 } grep { !Shop::bought($_) } @history;
    is(@bought, SESSIONS / 2, 'one key, two sets of arguments: one is bought');
    is(join(' ', keys %refusals), 'IV009', 'one key, two sets of arguments: the other is refused');
    is_deeply([ $shop->audit(\@bought) ], [], 'one key, two sets of arguments: no problems');
}

# A client is disconnected while it waits for the item; another waits for the same key.
{
    my $shop = shop()->attached;
    my $call = $shop->buy(1, 1, 'disconnected');
    my ($holder, $first, $second) = map { Session->new($node, $shop->{database}, $_) } qw(holder first second);
    my $first_pid = $first->value('pg_backend_pid()');

    $holder->run('BEGIN', 'SELECT id FROM shop.items FOR UPDATE');
    $holder->value('1');
    $first->call($call->{call});
    Waiting::for_locks($shop, 1);
    $second->call($call->{call});
    Waiting::for_locks($shop, 2);

    $node->safe_psql('postgres', "SELECT pg_terminate_backend($first_pid)");
    is($first->await, undef, 'disconnected while waiting: no answer');
    $holder->run('COMMIT');
    my ($state, $order) = @{ $second->await };
    is($state, '00000', 'disconnected while waiting: the second call with the key buys');

    is(Session::outcome($node, $shop->{database}, $call->{call}), $order, 'disconnected while waiting: a retry gets the same order');
    is_deeply([ $shop->audit([ { %$call, state => $state, answer => $order } ]) ],
        [], 'disconnected while waiting: no problems');
    $_->quit for $holder, $first, $second;
}

# A client is disconnected after the commit, before it has read the answer.
{
    my $shop = shop()->attached;
    my $call = $shop->buy(1, 1, 'unread');
    my $client = Session->new($node, $shop->{database});

    $client->call($call->{call});
    $node->poll_query_until($shop->{database}, 'SELECT count(*) = 1 FROM shop.orders') or die 'no order';
    $client->quit;
    is_deeply([ $shop->audit([ $shop->told($call) ]) ], [], 'answer lost: a retry gets the order that is there');
    is(orders($shop), 1, 'answer lost: one order');
}

done_testing();
