# The clock jumps forward or back: a hold has one end, and none comes before its time
# by more than the jump.
#
# A hold that was given back while the clock was ahead stays given back; one that
# nobody came for lives again when the clock is put right.  Sessions confirm,
# release, expire and buy while the clock jumps at every answer; the worker lives
# through it too.  A shop that computes what is held from the clock must be caught
# selling the same unit twice.

use strict;
use warnings FATAL => 'all';

use List::Util 'shuffle';
use PostgreSQL::Test::Utils;
use Test::More;

use Crowd;
use Faults;
use Session;
use Shop;

use constant MINUTE => 60;
use constant HOUR   => 3600;

my $faults = Faults->new;
my $node = Shop::server('clock');
my $user = Shop::new_user();
my $item = Shop::item_id(1);
my $shops = 0;

srand($ENV{SEED} || 1);

# The clock of the server is so many seconds ahead.
sub clock
{
    my ($seconds) = @_;
    $faults->set(shift => $seconds);
}

# A shop with so many units of one item.
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

# How a call ends: its value, or its SQLSTATE.
sub ends
{
    my ($shop, $call) = @_;
    my $session = Session->new($shop->{node}, $shop->{database});
    my ($state, $answer) = @{ $session->ask($call) };

    $session->quit;
    return $state eq '00000' ? $answer : $state;
}

# What becomes of a hold, and whether a number of units can be had.
sub confirm { return "(SELECT status FROM shop.confirm_reservation('$_[0]'))" }
sub status  { return "(SELECT status FROM shop.get_reservation('$_[0]'))" }
sub buy     { return "shop.buy_item('$user', '$item', $_[0]) IS NOT NULL" }

sub verify
{
    my ($shop, $name) = @_;
    is($shop->verify, '', "$name: verify finds nothing");
}

# The harness can tell: who asks the clock each time sells a unit that is held, and then the hold.
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
    is(ends($shop, "shop.sell('$item', false)"), 'false', 'computed from the clock: the unit is held');
    clock(11 * MINUTE);
    is(ends($shop, "shop.sell('$item', false)"), 'true', 'computed from the clock: it is sold when the hold is overdue');
    clock(0);
    is(ends($shop, "shop.sell('$item', true)"), 'true', 'computed from the clock: and once more when it is not');
    my %left = $shop->pairs('SELECT id, stock FROM shop.items');
    ok((grep { /oversold/ } $shop->audit_stock(\%left)) > 0, 'computed from the clock: reported as overselling');
}

# ---------------------------------------------------------------- forward, and back

{
    my $shop = shop(10)->attached;
    my ($short, $long) = (hold($shop, 4, '10 min'), hold($shop, 3, '2 h'));

    is(ends($shop, buy(4)), 'IV001', 'before: the units are held');
    clock(11 * MINUTE);
    is(ends($shop, status($short)), 'expired', 'forward: the short hold is overdue');
    is(ends($shop, confirm($short)), 'IV005', 'forward: it cannot be confirmed');
    is(ends($shop, "shop.extend_reservation('$short')"), 'IV005', 'forward: nor extended');
    is(ends($shop, buy(7)), 'true', 'forward: its units can be had');
    is(ends($shop, buy(1)), 'IV001', 'forward: those of the long hold cannot');
    is(ends($shop, confirm($long)), 'ok', 'forward: it has its time');
    clock(0);
    is(ends($shop, status($short)), 'expired', 'back: what was given back stays so');
    is(ends($shop, confirm($short)), 'IV005', 'back: it cannot be confirmed');
    is(ends($shop, "shop.release_reservation('$short')"), 'false', 'back: nor given back again');
    is($shop->query('SELECT stock, sum(quantity) FROM shop.items, shop.orders GROUP BY stock'), '0|10', 'back: all is sold, once');
    verify($shop, 'forward and back');
}

# Nobody came while it was overdue: with the clock put right it lives, and ends once.
{
    my $shop = shop(10)->attached;
    my $hold = hold($shop, 10, '10 min');

    clock(11 * MINUTE);
    is(ends($shop, confirm($hold)), 'IV005', 'nobody came: overdue');
    clock(0);
    is(ends($shop, status($hold)), 'held', 'nobody came: it lives again');
    is(ends($shop, buy(1)), 'IV001', 'nobody came: and has its units');
    is(ends($shop, confirm($hold)), 'ok', 'nobody came: it is confirmed');
    clock(11 * MINUTE);
    is(ends($shop, 'items_stock.expire_reservations()'), '0', 'nobody came: and will not expire');
    is(ends($shop, "shop.release_reservation('$hold')"), 'IV006', 'nobody came: nor be given back');
    verify($shop, 'nobody came');
}

# ---------------------------------------------------------------- back, and forward

{
    my $shop = shop(10)->attached;
    my $hold = hold($shop, 6, '10 min');
    my $until = "(SELECT expires_at FROM shop.get_reservation('$hold'))";
    my $before = ends($shop, $until);

    clock(-HOUR);
    is(ends($shop, 'items_stock.expire_reservations()'), '0', 'back: nothing expires');
    is(ends($shop, buy(5)), 'IV001', 'back: it has its units');
    is(ends($shop, "shop.extend_reservation('$hold', '20 min')"), $before, 'back: extending it makes it no shorter');
    is(ends($shop, "shop.extend_reservation('$hold', '2 days')"), '22023', 'back: nor longer than it may be');
    is(ends($shop, "items_stock.count_stock('$item', 10)"), '4', 'back: a stock-take finds what is there');
    my $early = hold($shop, 4, '10 min');
    is(ends($shop, status($early)), 'held', 'back: a hold by the slow clock');
    is(ends($shop, "items_stock.close_ledger(now()) IS NOT NULL"), 'true', 'back: the ledger is closed');
    is(ends($shop, q{items_stock.prune('0') IS NOT NULL}), 'true', 'back: and pruned');
    clock(0);
    is(ends($shop, confirm($early)), 'IV005', 'put right: the hold by the slow clock is overdue');
    is(ends($shop, buy(4)), 'true', 'put right: its units can be had');
    is(ends($shop, status($hold)), 'held', 'put right: the other is held');
    is(ends($shop, "shop.release_reservation('$hold')"), 'true', 'put right: and given back');
    is($shop->query('SELECT stock FROM shop.items'), '6', 'put right: once');
    verify($shop, 'back and forward');
}

# ---------------------------------------------------------------- in a crowd

# Each hold has one end, its units moved once, and it is the one that was told.
sub wrong_ends
{
    my ($shop, @history) = @_;
    my @problems = split /\n/, $shop->query(<<'END');
SELECT format('hold %s of %s is %s, with %s', r.reservation_id, r.quantity, r.status, m.kinds)
FROM items_stock.reservations AS r
LEFT JOIN (SELECT m.reservation_id, string_agg(m.kind || ' ' || m.delta, ', ' ORDER BY m.movement_id) AS kinds
           FROM items_stock.movements AS m GROUP BY m.reservation_id) AS m USING (reservation_id)
WHERE m.kinds IS DISTINCT FROM format(CASE r.status WHEN 'held' THEN 'hold -%1$s' WHEN 'released' THEN 'hold -%1$s, release %1$s'
    WHEN 'expired' THEN 'hold -%1$s, expiry %1$s' WHEN 'confirmed' THEN 'hold -%1$s, release %1$s, sale -%1$s' END, r.quantity)
OR (r.status = 'confirmed') <> EXISTS (SELECT FROM shop.orders AS o WHERE o.id = r.order_id AND o.quantity = r.quantity)
END
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
        push @problems, "hold $hold is $status{$hold}, and was told to be @ends" if @ends != 1 || $ends[0] !~ /^$status{$hold}/;
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
    is_deeply([ wrong_ends($shop, @history) ], [], 'jumping: each hold has one end');
    is($shop->query(q{SELECT count(DISTINCT status) > 2 FROM items_stock.reservations}), 't', 'jumping: in different ways');
    is( $shop->query(q{SELECT stock + (SELECT sum(quantity) FROM shop.orders)
            + (SELECT coalesce(sum(quantity), 0) FROM items_stock.reservations WHERE status = 'held') FROM shop.items}),
        '200', 'jumping: every unit is on the shelf, sold or held');

    # the check can fail: an answer that does not fit
    my ($released) = grep { $_->{move} eq 'release' && $_->{answer} eq 'true' } @history;
    my @found = wrong_ends($shop, @history, { %$released, move => 'confirm' });
    is(scalar @found, 1, 'a second end would be found');
}

# ---------------------------------------------------------------- the worker

{
    my $server = Shop::server('clock_worker', q{shared_preload_libraries = 'inventory'});
    my $shop = shop(10, $server)->attached;
    my ($short, $long) = (hold($shop, 1, '30 min'), hold($shop, 1, '3 h'));

    # Wait until the worker has given back a hold.
    my $given_back = sub {
        my ($hold) = @_;
        return $server->poll_query_until($shop->{database},
            "SELECT status = 'expired' FROM items_stock.reservations WHERE reservation_id = '$hold'");
    };
    clock(HOUR);
    ok($given_back->($short), 'the worker, forward: what is overdue');
    is(ends($shop, status($long)), 'held', 'the worker, forward: no more than that');
    clock(-HOUR);
    ok($given_back->(hold($shop, 1, '1 ms')), 'the worker, back: what is overdue by the slow clock');
    is(ends($shop, status($long)), 'held', 'the worker, back: no more than that');
    clock(4 * HOUR);
    ok($given_back->($long), 'the worker, forward again: the rest');
    is($shop->query('SELECT stock FROM shop.items'), '10', 'the worker: everything is back, once');
    verify($shop, 'the worker');
}

done_testing();
