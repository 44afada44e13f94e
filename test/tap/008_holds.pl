# Concurrent holds, limits and keys: each limit is kept, each hold ends once.
#
# The purchases and holds of one user, from 32 sessions, never exceed the limit.  A retry
# with a key, while the first try is in progress, gets the answer of the first try, or
# does the work if that is rolled back.  When many sessions confirm, release and expire
# the same holds, each hold ends once.  No buyer is refused because of overdue holds.

use strict;
use warnings FATAL => 'all';

use JSON::PP;
use List::Util qw(shuffle sum);
use PostgreSQL::Test::Utils;
use Test::More;

use Crowd;
use Session;
use Shop;
use Waiting;

use constant LIMIT => 10;

my $node = Shop::server('holds');
my $shops = 0;

srand($ENV{SEED} || 1);

# A shop with a purchase limit on each of two items.
sub limited_shop
{
    my $shop = Shop->new($node, 'holds_' . ++$shops, { 1 => 1000, 2 => 1000 });
    $shop->query('ALTER TABLE shop.items ADD purchase_limit int', 'UPDATE shop.items SET purchase_limit = ' . LIMIT);
    return $shop;
}

# A race in a shop; the calls that were sent.
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

# ---------------------------------------------------------------- limits

my $user = Shop::new_user();

# The units that the user has bought, and perhaps held, of each item.
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

# The test finds that a function that reads and then sells exceeds the limit.
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
    cmp_ok(had($shop), '>', LIMIT, 'a limit that is read without a lock: exceeded');
}

# The calls of one session: purchases and holds of both items, single and in carts.
sub calls
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
    my @history = race($shop, [ map { [ calls() ] } 1 .. 32 ],
        settings => ["SET default_transaction_isolation = '$level'"], retry => qr/^40001$/);
    is(join(' ', sort keys %{ { map { $_->{state} => 1 } @history } }), '00000 IV010', "$level: bought, or refused for the limit");
    is(had($shop, 1), LIMIT . ' ' . LIMIT, "$level: exactly the limit");
    is($shop->query('SELECT sum(stock) FROM shop.items'), 2000 - 2 * LIMIT, "$level: the same units have left the stock");
    is($shop->verify, '', "$level: verify finds nothing");

    # returned units may be bought again, and no more
    $shop->query(q{UPDATE items_stock.reservations SET expires_at = now() WHERE status = 'held'},
        'SELECT items_stock.expire_reservations()',
        'SELECT items_stock.refund_order(id) FROM shop.orders');
    @history = race($shop, [ map { [ calls() ] } 1 .. 32 ],
        settings => ["SET default_transaction_isolation = '$level'"], retry => qr/^40001$/);
    $shop->query('DELETE FROM shop.orders AS o WHERE EXISTS (SELECT FROM items_stock.movements AS m
        WHERE m.order_id = o.id AND m.kind = \'refund\')');
    is(had($shop, 1), LIMIT . ' ' . LIMIT, "$level: after all is returned, exactly the limit again");
}

# An overdue hold does not count, even if it has not been expired.
{
    my $shop = limited_shop()->attached;
    my $item = Shop::item_id(1);
    $shop->query("SELECT shop.reserve_stock('$user', '$item', " . LIMIT . ')',
        q{UPDATE items_stock.reservations SET expires_at = now()});
    my @history = race($shop, [ map { [ { call => "shop.buy_item('$user', '$item')" } ] } 1 .. 32 ], retry => qr/^IV014$/);
    is(states(@history), '00000: 10, IV010: 22', 'an overdue hold does not count against the limit');
    is($shop->verify, '', 'verify finds nothing');
}

# While another transaction expires the hold, the buyer is told `busy`, not that the limit is exceeded.
for my $end ('COMMIT', 'ROLLBACK')
{
    my $shop = limited_shop()->attached;
    my $item = Shop::item_id(1);
    my ($expirer, $buyer) = map { Session->new($node, $shop->{database}) } 1, 2;
    my $buy = "shop.buy_item('$user', '$item') IS NOT NULL";

    $shop->query("SELECT shop.reserve_stock('$user', '$item', " . LIMIT . ')',
        q{UPDATE items_stock.reservations SET expires_at = now()});
    $expirer->run('BEGIN');
    is($expirer->value('items_stock.expire_reservations()'), '1', "$end: a hold is being expired");
    is_deeply($buyer->ask($buy), [ 'IV014', 'busy' ], "$end: until that ends, a buyer is told busy");
    $expirer->run($end);
    $expirer->value('1');
    is($buyer->value($buy), 'true', "$end: afterwards the buyer buys");
    $_->quit for $expirer, $buyer;
}

# ---------------------------------------------------------------- keys

# Make a call in a transaction, and 20 retries that wait for its end; its answer, and those of the retries.
sub retried
{
    my ($shop, $call, $end) = @_;
    my $first = Session->new($node, $shop->{database});
    my @retries = map { Session->new($node, $shop->{database}, 'crowd') } 1 .. 20;

    $first->run('BEGIN');
    my $told = $first->value($call);
    $_->call($call) for @retries;
    Waiting::for_locks($shop, 20);
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

    is_deeply($answers, { "00000 $there" => 20 }, "reserve_stock, $end: every retry gets the one hold");
    is($told eq $there ? 'COMMIT' : 'ROLLBACK', $end, "reserve_stock, $end: the first try made it, if that was committed");
    is($shop->query('SELECT stock FROM shop.items'), '97', "reserve_stock, $end: the units are held once");

    my $order = $shop->query("SELECT shop.buy_item('$user', '$item', 10)");
    ($told, $answers) =
      retried($shop, "items_stock.refund_order('$order', 4, idempotency_key => 'key')", $end);
    is($told, '4', "refund_order, $end: the first try");
    is_deeply($answers, { '00000 4' => 20 }, "refund_order, $end: every retry gets the same answer");
    is($shop->query('SELECT stock FROM shop.items'), '91', "refund_order, $end: the units are refunded once");

    # without a key each call is another refund, until all is refunded
    my @history = race($shop, [ map { [ { call => "items_stock.refund_order('$order', 2)" } ] } 1 .. 20 ]);
    is(states(@history), '00000: 3, IV008: 17', "refund_order, $end: without a key, until all is refunded");
    is(join(' ', sort { $a <=> $b } map { $_->{answer} } grep { $_->{state} eq '00000' } @history),
        '6 8 10', "refund_order, $end: without a key, each adds to the last");
    is($shop->verify, '', "keys, $end: verify finds nothing");
}

# ---------------------------------------------------------------- one end for each hold

use constant HOLDS => 200;

# The problems with the ends of holds in a shop that had $units units; all holds must have ended.
sub ends
{
    my ($shop, $history, $units) = @_;
    my @problems = $shop->audit_holds;
    my %count = $shop->pairs('SELECT status, count(*) FROM items_stock.reservations GROUP BY status');
    my $sold = $shop->query('SELECT coalesce(sum(quantity), 0) FROM shop.orders');
    my $stock = $shop->query('SELECT stock FROM shop.items');
    my %released;
    my %confirmed;

    push @problems, "$stock in stock and $sold sold of $units" if $stock + $sold != $units;
    for my $call (grep { $_->{state} eq '00000' } @$history)
    {
        $released{ $call->{hold} }++ if $call->{move} eq 'release' && $call->{answer} eq 'true';
        $confirmed{ $call->{hold} }{ $call->{answer} } = 1 if $call->{move} eq 'confirm';
        $count{expired} -= $call->{answer} if $call->{move} eq 'expire';
    }
    push @problems, map { "hold $_ was released $released{$_} times" } grep { $released{$_} > 1 } sort keys %released;
    push @problems, map { "hold $_ was confirmed with different orders" } grep { keys %{ $confirmed{$_} } > 1 } sort keys %confirmed;
    push @problems, "$count{held} holds have not ended" if $count{held};
    push @problems, 'the number of released holds differs from the answers' if keys %released != ($count{released} || 0);
    push @problems, 'the number of confirmed holds differs from the answers' if keys %confirmed != ($count{confirmed} || 0);
    push @problems, "$count{expired} more holds expired than the answers say" if $count{expired};
    return (@problems, map { "verify: $_" } split /\n/, $shop->verify);
}

# A call that ends a hold.
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

    # a third is overdue, a third will be during the race, a third will not
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
    # expire those that have not ended
    $shop->query(q{UPDATE items_stock.reservations SET expires_at = now() WHERE status = 'held'});
    my $rest = $shop->query('SELECT items_stock.expire_reservations()');
    push @history, { state => '00000', answer => $rest, move => 'expire' };
    is_deeply([ ends($shop, \@history, 1000) ], [], 'confirm, release and expire: each hold ends once');
    is($shop->query('SELECT count(DISTINCT status) FROM items_stock.reservations'), '3', 'confirm, release and expire: each occurs');

    # The check finds a hold that was released twice.
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
    ok((grep { /^hold $released is released/ } @problems) == 1, 'a hold that is released twice: reported');
    ok((grep { /in stock and/ } @problems) == 1, 'a hold that is released twice: its units are reported');
}

# ---------------------------------------------------------------- overdue holds

# All units are in overdue holds.  Buyers get them while other sessions expire the holds.
for my $level ('read committed', 'repeatable read')
{
    my $shop = Shop->new($node, 'holds_' . ++$shops, { 1 => 300 })->attached;
    my $item = Shop::item_id(1);
    my $users = join ', ', map { "('" . Shop::new_user() . "'::uuid)" } 1 .. 300;

    $shop->query("SELECT count(shop.reserve_stock(u.id, '$item')) FROM (VALUES $users) AS u (id)",
        q{UPDATE items_stock.reservations SET expires_at = now()});
    is($shop->query('SELECT stock FROM shop.items'), '0', "$level: all units are held");
    my $buyers = [ map { [ map { $shop->buy(1, 1 + int rand 3) } 1 .. 18 ] } 1 .. 8 ];
    my $wanted = sum(map { $_->{lines}[0][1] } map { @$_ } @$buyers);
    my @history = race(
        $shop,
        [ @$buyers, map { [ map { { call => 'items_stock.expire_reservations(2)', expirer => 1, lines => [] } } 1 .. 30 ] } 1, 2 ],
        settings => ["SET default_transaction_isolation = '$level'"],
        retry => qr/^(?:IV014|40001)$/);

    cmp_ok($wanted, '<=', 300, "$level: there is enough for all buyers");
    is(states(@history), '00000: ' . @history, "$level: every buyer buys");
    is($shop->query('SELECT sum(quantity) FROM shop.orders'), $wanted, "$level: exactly that is sold");
    my $expired = $shop->query(q{SELECT count(*) FROM items_stock.reservations WHERE status = 'expired'});
    is($shop->query('SELECT stock FROM shop.items'), $expired - $wanted, "$level: the rest is in stock or still held");
    is($shop->query(q{SELECT count(*) || ' ' || count(DISTINCT reservation_id) FROM items_stock.movements WHERE kind = 'expiry'}),
        "$expired $expired", "$level: each hold expired once");
    is($shop->query('SELECT available FROM items_stock.levels'), 300 - $wanted, "$level: the rest is available");
    is($shop->verify, '', "$level: verify finds nothing");
}

done_testing();
