# When the clock jumps, each hold ends once, and too early by no more than the jump.
#
# A hold that was expired while the clock was ahead stays expired; one that no session
# expired is held again when the clock is corrected.  Sessions confirm, release, expire
# and buy while the clock jumps at every answer; the worker runs, too.  The same auditor
# must find that a shop sells a unit twice that computes holds from the clock.

use strict;
use warnings FATAL => 'all';

use List::Util 'shuffle';
use PostgreSQL::Test::Utils;
use Test::More;

use Crowd;
use Faults;
use Session;
use Shop;
use Waiting;

use constant MINUTE => 60;
use constant HOUR   => 3600;

my $faults = Faults->new;
my $node = Shop::server('clock');
my $user = Shop::new_user();
my $item = Shop::item_id(1);
my $shops = 0;

srand($ENV{SEED} || 1);

# Set the clock of the server a number of seconds ahead.
sub clock
{
    my ($seconds) = @_;
    $faults->set(shift => $seconds);
}

# A shop with a number of units of one item.
sub shop
{
    my ($units, $server) = @_;
    clock(0);
    return Shop->new($server || $node, 'clock_' . ++$shops, { 1 => $units });
}

sub hold
{
    my ($shop, $quantity, $ttl) = @_;
    return $shop->query("SELECT shop.reserve_stock('$user', '$item', $quantity, '$ttl')");
}

# The outcome of a call: its value, or the SQLSTATE of the error.
sub outcome
{
    my ($shop, $call) = @_;
    return Session::outcome($shop->{node}, $shop->{database}, $call);
}

# Expressions: confirm a hold, read its state, buy units.
sub confirm { return "(SELECT status FROM shop.confirm_reservation('$_[0]'))" }
sub status  { return "(SELECT status FROM shop.get_reservation('$_[0]'))" }
sub buy     { return "shop.buy_item('$user', '$item', $_[0]) IS NOT NULL" }

# The auditor finds that a shop that reads the clock each time sells a held unit, and then the hold.
{
    my $shop = shop(1);
    $shop->query(<<'END');
CREATE TABLE shop.holds (item_id uuid, expires_at timestamptz);
CREATE FUNCTION shop.sell(wanted uuid, from_hold boolean) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(*) FROM shop.holds WHERE expires_at > now()) = from_hold::int THEN
        INSERT INTO shop.orders (user_id, item_id) VALUES (gen_random_uuid(), wanted);
        UPDATE shop.items SET stock = stock - 1 WHERE id = wanted;
        RETURN true;
    END IF;
    RETURN false;
END $$;
END
    $shop->query("INSERT INTO shop.holds VALUES ('$item', now() + interval '10 min')");
    is(outcome($shop, "shop.sell('$item', false)"), 'false', 'computed from the clock: the unit is held');
    clock(11 * MINUTE);
    is(outcome($shop, "shop.sell('$item', false)"), 'true', 'computed from the clock: it is sold when the hold is overdue');
    clock(0);
    is(outcome($shop, "shop.sell('$item', true)"), 'true', 'computed from the clock: it is sold again when the hold is not overdue');
    my %left = $shop->pairs('SELECT id, stock FROM shop.items');
    ok((grep { /oversold/ } $shop->audit_stock(\%left)) > 0, 'computed from the clock: reported as overselling');
}

# ---------------------------------------------------------------- forward, and back

{
    my $shop = shop(10)->attached;
    my ($short, $long) = (hold($shop, 4, '10 min'), hold($shop, 3, '2 h'));

    is(outcome($shop, buy(4)), 'IV001', 'before: the units are held');
    clock(11 * MINUTE);
    is(outcome($shop, status($short)), 'expired', 'forward: the short hold is expired');
    is(outcome($shop, confirm($short)), 'IV005', 'forward: it cannot be confirmed');
    is(outcome($shop, "shop.extend_reservation('$short')"), 'IV005', 'forward: it cannot be extended');
    is(outcome($shop, buy(7)), 'true', 'forward: its units are sold');
    is(outcome($shop, buy(1)), 'IV001', 'forward: the units of the long hold are not');
    is(outcome($shop, confirm($long)), 'ok', 'forward: the long hold is confirmed');
    clock(0);
    is(outcome($shop, status($short)), 'expired', 'back: the short hold stays expired');
    is(outcome($shop, confirm($short)), 'IV005', 'back: it cannot be confirmed');
    is(outcome($shop, "shop.release_reservation('$short')"), 'false', 'back: it is not released again');
    is($shop->query('SELECT stock, sum(quantity) FROM shop.items, shop.orders GROUP BY stock'), '0|10', 'back: all units are sold once');
    is($shop->verify, '', 'forward and back: verify finds nothing');
}

# No session expired it while it was overdue: with the clock corrected it is held, and ends once.
{
    my $shop = shop(10)->attached;
    my $hold = hold($shop, 10, '10 min');

    clock(11 * MINUTE);
    is(outcome($shop, confirm($hold)), 'IV005', 'not expired in time: overdue');
    clock(0);
    is(outcome($shop, status($hold)), 'held', 'not expired in time: held again');
    is(outcome($shop, buy(1)), 'IV001', 'not expired in time: it has its units');
    is(outcome($shop, confirm($hold)), 'ok', 'not expired in time: it is confirmed');
    clock(11 * MINUTE);
    is(outcome($shop, 'items_stock.expire_reservations()'), '0', 'not expired in time: it does not expire');
    is(outcome($shop, "shop.release_reservation('$hold')"), 'IV006', 'not expired in time: it is not released');
    is($shop->verify, '', 'not expired in time: verify finds nothing');
}

# ---------------------------------------------------------------- back, and forward

{
    my $shop = shop(10)->attached;
    my $hold = hold($shop, 6, '10 min');
    my $until = "(SELECT expires_at FROM shop.get_reservation('$hold'))";
    my $before = outcome($shop, $until);

    clock(-HOUR);
    is(outcome($shop, 'items_stock.expire_reservations()'), '0', 'back: nothing expires');
    is(outcome($shop, buy(5)), 'IV001', 'back: the hold has its units');
    is(outcome($shop, "shop.extend_reservation('$hold', '20 min')"), $before, 'back: an extension does not shorten it');
    is(outcome($shop, "shop.extend_reservation('$hold', '2 days')"), '22023', 'back: it cannot be extended beyond max_ttl');
    is(outcome($shop, "items_stock.count_stock('$item', 10)"), '4', 'back: a stock-take');
    my $early = hold($shop, 4, '10 min');
    is(outcome($shop, status($early)), 'held', 'back: a new hold');
    is(outcome($shop, "items_stock.close_ledger(now()) IS NOT NULL"), 'true', 'back: the ledger is closed');
    is(outcome($shop, q{items_stock.prune('0') IS NOT NULL}), 'true', 'back: the store is pruned');
    clock(0);
    is(outcome($shop, confirm($early)), 'IV005', 'corrected: the new hold is overdue');
    is(outcome($shop, buy(4)), 'true', 'corrected: its units are sold');
    is(outcome($shop, status($hold)), 'held', 'corrected: the first is held');
    is(outcome($shop, "shop.release_reservation('$hold')"), 'true', 'corrected: it is released');
    is($shop->query('SELECT stock FROM shop.items'), '6', 'corrected: its units have returned once');
    is($shop->verify, '', 'back and forward: verify finds nothing');
}

# ---------------------------------------------------------------- in many sessions

# The problems with the ends of holds: their movements, and what the clients were told.
sub wrong_ends
{
    my ($shop, @history) = @_;
    my @problems = $shop->audit_holds;
    my %status = $shop->pairs('SELECT reservation_id, status FROM items_stock.reservations');
    my %told;

    for my $call (grep { $_->{state} eq '00000' } @history)
    {
        $told{ $call->{hold} }{"confirmed $call->{answer}"} = 1 if $call->{move} eq 'confirm';
        $told{ $call->{hold} }{released}++ if $call->{move} eq 'release' && $call->{answer} eq 'true';
    }
    for my $hold (sort keys %told)
    {
        my @ends = sort keys %{ $told{$hold} };
        push @problems, "hold $hold is $status{$hold}, the answers say @ends" if @ends != 1 || $ends[0] !~ /^$status{$hold}/;
        push @problems, "hold $hold was released more than once" if ($told{$hold}{released} || 0) > 1;
    }
    return (@problems, split /\n/, $shop->verify);
}

{
    my $shop = shop(200)->attached;
    my $users = join ', ', map { "('" . Shop::new_user() . "'::uuid)" } 1 .. 100;
    my @holds = split /\n/, $shop->query("SELECT shop.reserve_stock(u.id, '$item', 2, '30 min') FROM (VALUES $users) AS u (id)");
    my %calls = (
        confirm => sub { "(SELECT order_id FROM shop.confirm_reservation('$_[0]'))" },
        release => sub { "shop.release_reservation('$_[0]')" },
        expire  => sub { 'items_stock.expire_reservations(2)' },
        buy     => sub { "shop.buy_item('$user', '$item', 3)" });
    my @moves = sort keys %calls;
    my @lists = map {
        [ map { my $move = $moves[ rand @moves ]; { call => $calls{$move}->($_), hold => $_, move => $move } } shuffle @holds ]
    } 1 .. 12;
    my $crowd = Crowd->new($node, $shop->{database}, 12);
    my @history = $crowd->race(\@lists, watch => sub { clock((0, 29 * MINUTE, 31 * MINUTE, -HOUR)[ rand 4 ]) });
    my %states = map { $_->{state} => 1 } @history;

    $crowd->quit;
    clock(0);
    delete @states{qw(00000 IV001 IV005 IV006 IV007 IV014)};
    is_deeply([ sort keys %states ], [], 'jumping: no other refusal');
    is_deeply([ wrong_ends($shop, @history) ], [], 'jumping: each hold ends once');
    is($shop->query(q{SELECT count(DISTINCT status) > 2 FROM items_stock.reservations}), 't', 'jumping: more than two different states');
    is( $shop->query(q{SELECT stock + (SELECT sum(quantity) FROM shop.orders)
            + (SELECT coalesce(sum(quantity), 0) FROM items_stock.reservations WHERE status = 'held') FROM shop.items}),
        '200', 'jumping: every unit is in stock, sold or held');

    # the check finds an answer that does not fit
    my ($released) = grep { $_->{move} eq 'release' && $_->{answer} eq 'true' } @history;
    my @found = wrong_ends($shop, @history, { %$released, move => 'confirm' });
    is(scalar @found, 1, 'a second end of a hold: reported');
}

# ---------------------------------------------------------------- the worker

{
    my $server = Shop::server('clock_worker', q{shared_preload_libraries = 'inventory'});
    my $shop = shop(10, $server)->attached;
    my ($short, $long) = (hold($shop, 1, '30 min'), hold($shop, 1, '3 h'));

    # Wait until the worker has expired a hold.
    my $expired = sub {
        my ($hold) = @_;
        return $server->poll_query_until($shop->{database},
            "SELECT status = 'expired' FROM items_stock.reservations WHERE reservation_id = '$hold'");
    };
    clock(HOUR);
    ok($expired->($short), 'the worker, forward: the overdue hold is expired');
    is(outcome($shop, status($long)), 'held', 'the worker, forward: the other is held');
    clock(-HOUR);
    ok($expired->(hold($shop, 1, '1 ms')), 'the worker, back: a hold that is overdue by that clock is expired');
    is(outcome($shop, status($long)), 'held', 'the worker, back: the other is held');
    clock(4 * HOUR);
    ok($expired->($long), 'the worker, forward again: the other is expired');
    is($shop->query('SELECT stock FROM shop.items'), '10', 'the worker: all units have returned once');
    is($shop->verify, '', 'the worker: verify finds nothing');
}

# Hot items are settled, and cool, at the same pace after the clock was set back.
{
    my $server = Shop::server('clock_hot', q{shared_preload_libraries = 'inventory'}, 'inventory.hot_mode = auto',
        'inventory.settle_interval = 100ms', 'inventory.hot_idle_timeout = 2s');
    my $shop = shop(10, $server)->attached;

    clock(HOUR);
    $shop->query("SELECT inventory.heat('shop.items', '$item')");
    $shop->query('SELECT ' . $shop->buy(1, 1)->{call});
    ok($server->poll_query_until($shop->{database}, 'SELECT stock = 9 FROM shop.items'), 'hot: the stock column is written');
    my $session = Session->new($server, $shop->{database});
    $session->value($shop->buy(1, 1)->{call});
    clock(0);
    ok($server->poll_query_until($shop->{database}, 'SELECT stock = 8 FROM shop.items'), 'hot, back: the stock column is written');
    $session->value($shop->buy(1, 1)->{call});
    ok($server->poll_query_until($shop->{database}, 'SELECT stock = 7 FROM shop.items'), 'hot, back: and again');
    ok($server->poll_query_until($shop->{database}, 'SELECT NOT hot FROM items_stock.hot'), 'hot, back: the item cools when it is idle');
    # a buyer waits for units in flight for as long as the setting says
    $shop->query("SELECT inventory.heat('shop.items', '$item')");
    my $holder = Session->new($server, $shop->{database});
    $holder->run('BEGIN');
    $holder->value($shop->buy(1, 7)->{call});
    clock(HOUR);
    $session->run(q{SET inventory.hot_lock_timeout = '3s'});
    $session->call($shop->buy(1, 1)->{call});
    Waiting::wait_until(sub { $shop->query(q{SELECT count(*) FROM pg_stat_activity WHERE wait_event_type IN ('Extension', 'Lock') AND backend_type = 'client backend'}) > 0 });
    clock(-HOUR);
    is($session->await->[0], 'IV014', 'hot, back: a buyer who waits gives up in time');
    $holder->run('ROLLBACK');
    $_->quit for $session, $holder;
    clock(0);
    is($shop->verify, '', 'hot: verify finds nothing');
}

done_testing();
