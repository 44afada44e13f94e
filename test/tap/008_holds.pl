# Holds, limits and keys, fought over.
#
# One user's purchases and holds, from 32 sessions, never go beyond the limit; a
# key that is retried while its first try is under way is answered with what that
# one did, or does it if that one is rolled back; however many confirm, release
# and expire the same holds, each ends once; and nobody is refused for holds that
# are overdue.

use strict;
use warnings FATAL => 'all';

use JSON::PP;
use List::Util qw(shuffle sum);
use PostgreSQL::Test::Utils;
use Test::More;

use Crowd;
use Session;
use Shop;

use constant LIMIT => 10;

my $node = Shop::server('holds');
my $shops = 0;

srand($ENV{SEED} || 1);

# A shop in which one user may have only so many of each of two items.
sub limited_shop
{
    my $shop = Shop->new($node, 'holds_' . ++$shops, { 1 => 1000, 2 => 1000 });
    $shop->query('ALTER TABLE shop.items ADD purchase_limit int', 'UPDATE shop.items SET purchase_limit = ' . LIMIT);
    return $shop;
}

# A race in a shop; what was sent.
sub race
{
    my ($shop, $lists, %option) = @_;
    my $crowd = Crowd->new($node, $shop->{database}, scalar @$lists, @{ $option{settings} || [] });
    my @history = $crowd->race($lists, %option);

    $crowd->quit;
    return @history;
}

# The states of calls, counted: "00000: 3, IV001: 2".
sub states
{
    my %count;
    $count{ $_->{state} }++ for @_;
    return join ', ', map { "$_: $count{$_}" } sort keys %count;
}

sub verify
{
    my ($shop) = @_;
    return $shop->query(q{SELECT * FROM inventory.verify('shop.items')});
}

# ---------------------------------------------------------------- limits

my $user = Shop::new_user();

# What the user has of each item, bought and held.
sub had
{
    my ($shop, $holds) = @_;
    return $shop->query(<<"END");
SELECT string_agg(total::text, ' ' ORDER BY item_id) FROM (
    SELECT item_id, sum(quantity) AS total FROM (
        SELECT item_id, quantity FROM shop.orders
        @{[ $holds ? q{UNION ALL SELECT item_id, quantity FROM items_stock.reservations WHERE status = 'held'} : '' ]}
    ) AS u GROUP BY item_id) AS t
END
}

# The harness can tell: a function that looks and then sells goes beyond the limit.
{
    my $shop = limited_shop();
    $shop->query(<<'END');
CREATE FUNCTION shop.buy_item(user_id uuid, item_id uuid, quantity int DEFAULT 1) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    seen int := (SELECT coalesce(sum(o.quantity), 0) FROM shop.orders AS o
                 WHERE o.user_id = buy_item.user_id AND o.item_id = buy_item.item_id);
    order_id uuid;
BEGIN
    IF seen + quantity > (SELECT purchase_limit FROM shop.items WHERE id = buy_item.item_id) THEN
        RAISE 'purchase_limit_exceeded' USING ERRCODE = 'IV010';
    END IF;
    PERFORM pg_advisory_xact_lock_shared(2);
    INSERT INTO shop.orders (user_id, item_id, quantity)
        VALUES (buy_item.user_id, buy_item.item_id, buy_item.quantity) RETURNING id INTO order_id;
    RETURN order_id;
END $$;
END
    race($shop, [ map { [ { call => "shop.buy_item('$user', '" . Shop::item_id(1) . "')" } ] } 1 .. 32 ], thinking => 1);
    cmp_ok(had($shop), '>', LIMIT, 'a limit that is looked at first: gone beyond');
}

# What one session tries: purchases and holds of both items, alone and in carts.
sub wishes
{
    my ($one, $two) = map { Shop::item_id($_) } 1, 2;
    my @lines = map { encode_json($_) } [ { item_id => $one }, { item_id => $two } ], [ { item_id => $two }, { item_id => $one } ];
    my @calls = (
        (map { ("shop.buy_item('$user', '$_')", "shop.reserve_stock('$user', '$_')") } $one, $two),
        (map { ("(SELECT count(*) FROM shop.buy_cart('$user', '$_'))", "shop.reserve_cart('$user', '$_')") } @lines));
    return map { { call => $_ } } shuffle @calls;
}

for my $level ('read committed', 'repeatable read', 'serializable')
{
    my $shop = limited_shop()->attached;
    my @history = race($shop, [ map { [ wishes() ] } 1 .. 32 ],
        settings => ["SET default_transaction_isolation = '$level'"], retry => qr/^40001$/);
    is(join(' ', sort keys %{ { map { $_->{state} => 1 } @history } }), '00000 IV010', "$level: bought, or beyond the limit");
    is(had($shop, 1), LIMIT . ' ' . LIMIT, "$level: exactly the limit");
    is($shop->query('SELECT sum(stock) FROM shop.items'), 2000 - 2 * LIMIT, "$level: what is had has left the stock");
    is(verify($shop), '', "$level: verify finds nothing");

    # given back, it may be had again, and no more
    $shop->query(q{UPDATE items_stock.reservations SET expires_at = now() WHERE status = 'held'},
        'SELECT items_stock.expire_reservations()',
        'SELECT items_stock.refund_order(id) FROM shop.orders');
    @history = race($shop, [ map { [ wishes() ] } 1 .. 32 ],
        settings => ["SET default_transaction_isolation = '$level'"], retry => qr/^40001$/);
    $shop->query('DELETE FROM shop.orders AS o WHERE EXISTS (SELECT FROM items_stock.movements AS m
        WHERE m.order_id = o.id AND m.kind = \'refund\')');
    is(had($shop, 1), LIMIT . ' ' . LIMIT, "$level: given back, it may be had again, exactly");
}

# A hold that is overdue counts no longer, even where nobody has given it back.
{
    my $shop = limited_shop()->attached;
    my $item = Shop::item_id(1);
    $shop->query("SELECT shop.reserve_stock('$user', '$item', " . LIMIT . ')',
        q{UPDATE items_stock.reservations SET expires_at = now()});
    my @history = race($shop, [ map { [ { call => "shop.buy_item('$user', '$item')" } ] } 1 .. 32 ], retry => qr/^IV014$/);
    is(states(@history), '00000: 10, IV010: 22', 'an overdue hold does not count for the limit');
    is(verify($shop), '', 'verify finds nothing');
}

# While somebody else is giving it back, nobody knows: that is not the same as beyond the limit.
for my $end ('COMMIT', 'ROLLBACK')
{
    my $shop = limited_shop()->attached;
    my $item = Shop::item_id(1);
    my ($expirer, $buyer) = map { Session->new($node, $shop->{database}) } 1, 2;
    my $buy = "shop.buy_item('$user', '$item') IS NOT NULL";

    $shop->query("SELECT shop.reserve_stock('$user', '$item', " . LIMIT . ')',
        q{UPDATE items_stock.reservations SET expires_at = now()});
    $expirer->run('BEGIN');
    is($expirer->value('items_stock.expire_reservations()'), '1', "$end: an expirer is at it");
    is_deeply($buyer->ask($buy), [ 'IV014', 'busy' ], "$end: until it is done, the limit is busy");
    $expirer->run($end);
    $expirer->value('1');
    is($buyer->value($buy), 'true', "$end: afterwards it is free");
    $_->quit for $expirer, $buyer;
}

# ---------------------------------------------------------------- keys

# A call whose first try is under way, and 20 retries of it that wait for the end of that.
sub retried
{
    my ($shop, $call, $end) = @_;
    my $first = Session->new($node, $shop->{database});
    my @retries = map { Session->new($node, $shop->{database}, 'crowd') } 1 .. 20;

    $first->run('BEGIN');
    my $told = $first->value($call);
    $_->call($call) for @retries;
    $node->poll_query_until($shop->{database},
        q{SELECT count(*) = 20 FROM pg_stat_activity WHERE application_name = 'crowd' AND wait_event_type = 'Lock'})
      or die 'the retries do not wait';
    $first->run($end);
    my %answers;
    $answers{"@$_"}++ for map { $_->await } @retries;
    $_->quit for $first, @retries;
    return ($told, \%answers);
}

for my $end ('COMMIT', 'ROLLBACK')
{
    my $shop = Shop->new($node, 'holds_' . ++$shops, { 1 => 100 })->attached;
    my $item = Shop::item_id(1);
    my ($told, $answers) =
      retried($shop, "shop.reserve_stock('$user', '$item', 3, idempotency_key => 'key')", $end);
    my $there = $shop->query('SELECT reservation_id FROM items_stock.reservations');

    is_deeply($answers, { "00000 $there" => 20 }, "reserve_stock, $end: every retry is told of the one hold");
    is($told eq $there ? 'COMMIT' : 'ROLLBACK', $end, "reserve_stock, $end: it is the first try's, if that was committed");
    is($shop->query('SELECT stock FROM shop.items'), '97', "reserve_stock, $end: it is held once");

    my $order = $shop->query("SELECT shop.buy_item('$user', '$item', 10)");
    ($told, $answers) =
      retried($shop, "items_stock.refund_order('$order', 4, idempotency_key => 'key')", $end);
    is($told, '4', "refund_order, $end: the first try");
    is_deeply($answers, { '00000 4' => 20 }, "refund_order, $end: every retry is told the same");
    is($shop->query('SELECT stock FROM shop.items'), '91', "refund_order, $end: it is refunded once");

    # without the key, it is another refund each time, to the end and no further
    my @history = race($shop, [ map { [ { call => "items_stock.refund_order('$order', 2)" } ] } 1 .. 20 ]);
    is(states(@history), '00000: 3, IV008: 17', "refund_order, $end: without the key, until all is refunded");
    is(join(' ', sort { $a <=> $b } map { $_->{answer} } grep { $_->{state} eq '00000' } @history),
        '6 8 10', "refund_order, $end: one after the other");
    is(verify($shop), '', "keys, $end: verify finds nothing");
}

# ---------------------------------------------------------------- one end for each hold

use constant HOLDS => 200;

# What is wrong with the ends of the holds in a shop that began with so many units.
sub ends
{
    my ($shop, $history, $units) = @_;
    my @problems = split /\n/, $shop->query(<<'END');
SELECT format('hold %s is %s, with %s', r.reservation_id, r.status, coalesce(m.kinds, 'nothing'))
FROM items_stock.reservations AS r
LEFT JOIN (SELECT m.reservation_id, string_agg(m.kind || ' ' || m.delta, ', ' ORDER BY m.movement_id) AS kinds
           FROM items_stock.movements AS m GROUP BY m.reservation_id) AS m USING (reservation_id)
LEFT JOIN shop.orders AS o ON o.id = r.order_id AND o.user_id = r.user_id AND o.quantity = r.quantity
WHERE m.kinds IS DISTINCT FROM format('hold -%1$s, ', r.quantity) || CASE r.status
    WHEN 'released' THEN format('release %s', r.quantity)
    WHEN 'expired' THEN format('expiry %s', r.quantity)
    WHEN 'confirmed' THEN format('release %1$s, sale -%1$s', r.quantity) END
OR (r.status = 'confirmed') <> (o.id IS NOT NULL)
END
    my %count = $shop->pairs('SELECT status, count(*) FROM items_stock.reservations GROUP BY status');
    my $sold = $shop->query('SELECT coalesce(sum(quantity), 0) FROM shop.orders');
    my $stock = $shop->query('SELECT stock FROM shop.items');
    my %released;
    my %confirmed;

    push @problems, "$stock on the shelf and $sold sold of $units" if $stock + $sold != $units;
    for my $call (grep { $_->{state} eq '00000' } @$history)
    {
        $released{ $call->{hold} }++ if $call->{move} eq 'release' && $call->{answer} eq 'true';
        $confirmed{ $call->{hold} }{ $call->{answer} } = 1 if $call->{move} eq 'confirm';
        $count{expired} -= $call->{answer} if $call->{move} eq 'expire';
    }
    push @problems, map { "hold $_ was released $released{$_} times" } grep { $released{$_} > 1 } sort keys %released;
    push @problems, map { "hold $_ was confirmed with different orders" } grep { keys %{ $confirmed{$_} } > 1 } sort keys %confirmed;
    push @problems, 'other holds are released than was said' if keys %released != ($count{released} || 0);
    push @problems, 'other holds are confirmed than was said' if keys %confirmed != ($count{confirmed} || 0);
    push @problems, "$count{expired} more expired than was said" if $count{expired};
    return (@problems, map { "verify: $_" } split /\n/, verify($shop));
}

# The call of a session that wants a hold to end.
sub end_hold
{
    my ($hold, $move) = @_;
    my %calls = (
        confirm => "(SELECT order_id FROM shop.confirm_reservation('$hold'))",
        release => "shop.release_reservation('$hold')",
        expire  => 'items_stock.expire_reservations(3)');
    return { call => $calls{$move}, hold => $hold, move => $move };
}

{
    my $shop = Shop->new($node, 'holds_' . ++$shops, { 1 => 1000 })->attached;
    my $item = Shop::item_id(1);
    my $users = join ', ', map { "('" . Shop::new_user() . "'::uuid, " . (1 + int rand 3) . ')' } 1 .. HOLDS;
    my @holds = split /\n/, $shop->query("SELECT shop.reserve_stock(u.id, '$item', u.n) FROM (VALUES $users) AS u (id, n)");

    # a third is overdue, a third will be in the middle of it, and a third has time
    $shop->query(<<'END');
UPDATE items_stock.reservations AS r SET expires_at = CASE n.n % 3
    WHEN 0 THEN now() WHEN 1 THEN clock_timestamp() + n.n * interval '10 ms' ELSE r.expires_at END
FROM (SELECT reservation_id, row_number() OVER () AS n FROM items_stock.reservations) AS n
WHERE n.reservation_id = r.reservation_id
END
    my @history = race($shop,
        [ map { [ map { end_hold($_, (qw(confirm release expire))[ rand 3 ]) } shuffle @holds ] } 1 .. 16 ]);
    my %states = map { $_->{state} => 1 } @history;

    delete @states{qw(00000 IV005 IV006 IV007)};
    is_deeply([ sort keys %states ], [], 'confirm, release and expire: no other refusal');
    # whatever was not yet due goes now
    $shop->query(q{UPDATE items_stock.reservations SET expires_at = now() WHERE status = 'held'});
    my $rest = $shop->query('SELECT items_stock.expire_reservations()');
    push @history, { state => '00000', answer => $rest, move => 'expire' };
    is_deeply([ ends($shop, \@history, 1000) ], [], 'confirm, release and expire: each hold ends once');
    is($shop->query('SELECT count(DISTINCT status) FROM items_stock.reservations'), '3', 'each in some way');

    # The check can fail: a unit given back twice, and a hold that ended in two ways.
    my $released = $shop->query(q{SELECT reservation_id FROM items_stock.reservations WHERE status = 'released' LIMIT 1});
    $shop->query(<<"END");
BEGIN;
INSERT INTO items_stock.movements (item_id, delta, kind, reservation_id, actor, created_at)
    SELECT item_id, delta, kind, reservation_id, actor, created_at FROM items_stock.movements
    WHERE reservation_id = '$released' AND kind = 'release';
ALTER TABLE shop.items DISABLE TRIGGER inventory_guard;
UPDATE shop.items SET stock = stock + (SELECT quantity FROM items_stock.reservations WHERE reservation_id = '$released');
ALTER TABLE shop.items ENABLE ALWAYS TRIGGER inventory_guard;
COMMIT
END
    my @problems = ends($shop, \@history, 1000);
    ok((grep { /^hold $released is released/ } @problems) == 1, 'a hold that ended twice would be found');
    ok((grep { /on the shelf and/ } @problems) == 1, 'and so would its units');
}

# ---------------------------------------------------------------- overdue holds

# Everything is held and overdue.  Who wants no more than there is gets it, while others expire.
for my $level ('read committed', 'repeatable read')
{
    my $shop = Shop->new($node, 'holds_' . ++$shops, { 1 => 300 })->attached;
    my $item = Shop::item_id(1);
    my $users = join ', ', map { "('" . Shop::new_user() . "'::uuid)" } 1 .. 300;

    $shop->query("SELECT count(shop.reserve_stock(u.id, '$item')) FROM (VALUES $users) AS u (id)",
        q{UPDATE items_stock.reservations SET expires_at = now()});
    is($shop->query('SELECT stock FROM shop.items'), '0', "$level: all is held");
    my $buyers = [ map { [ map { $shop->buy(1, 1 + int rand 3) } 1 .. 18 ] } 1 .. 8 ];
    my $wanted = sum(map { $_->{lines}[0][1] } map { @$_ } @$buyers);
    my @history = race(
        $shop,
        [ @$buyers, map { [ map { { call => 'items_stock.expire_reservations(2)', expirer => 1, lines => [] } } 1 .. 30 ] } 1, 2 ],
        settings => ["SET default_transaction_isolation = '$level'"],
        retry => qr/^(?:IV014|40001)$/);

    cmp_ok($wanted, '<=', 300, "$level: there is enough for everybody");
    is(states(@history), '00000: ' . @history, "$level: everybody gets it");
    is($shop->query('SELECT sum(quantity) FROM shop.orders'), $wanted, "$level: that is what is sold");
    my $expired = $shop->query(q{SELECT count(*) FROM items_stock.reservations WHERE status = 'expired'});
    is($shop->query('SELECT stock FROM shop.items'), $expired - $wanted, "$level: the rest is on the shelf, or still held");
    is($shop->query(q{SELECT count(*) || ' ' || count(DISTINCT reservation_id) FROM items_stock.movements WHERE kind = 'expiry'}),
        "$expired $expired", "$level: each hold expired once");
    is($shop->query('SELECT available FROM items_stock.levels'), 300 - $wanted, "$level: what can be sold");
    is(verify($shop), '', "$level: verify finds nothing");
}

done_testing();
