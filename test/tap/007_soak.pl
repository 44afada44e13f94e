# A random mix of all functions in many sessions leaves every unit explained.
#
# 24 sessions buy, hold, change, extend, confirm, release, expire, refund, restock,
# adjust, count and write to the table directly, with keys and without, in transactions
# that are committed, rolled back, and rolled back to a savepoint, while the worker runs.
# There must be no deadlock and no error that is not a refusal.  At the end every unit
# must be explained twice: by the answers of the clients, and by the ledger.  The same
# check must find damage in a copy.

use strict;
use warnings FATAL => 'all';

use JSON::PP;
use List::Util qw(sum0 max);
use PostgreSQL::Test::Utils;
use Test::More;

use Crowd;
use Shop;

use constant SESSIONS => 24;
use constant CALLS    => 150;    # of each session
use constant ITEMS    => 12;
use constant STOCK    => 60;
use constant LIMIT    => 40;

my $node = Shop::server('soak', "shared_preload_libraries = 'inventory'",
    'deadlock_timeout = 100ms', 'log_error_verbosity = verbose');
my $shop = Shop->new($node, 'soak', { map { $_ => STOCK } 1 .. ITEMS });

srand($ENV{SEED} || 1);

# The third item has a safety stock, the fourth takes backorders, the fifth and sixth are limited.
my @items = map { Shop::item_id($_) } 1 .. ITEMS;
$shop->query(
    'ALTER TABLE shop.items ADD stock_floor int NOT NULL DEFAULT 0, ADD purchase_limit int',
    "UPDATE shop.items SET stock_floor = 20 WHERE id = '$items[2]'",
    "UPDATE shop.items SET stock_floor = -30 WHERE id = '$items[3]'",
    'UPDATE shop.items SET purchase_limit = ' . LIMIT . " WHERE id IN ('$items[4]', '$items[5]')");
$shop->attached;
$shop->query(<<'END');
CREATE FUNCTION shop.write(item uuid, delta int) RETURNS int LANGUAGE sql AS
    'UPDATE shop.items SET stock = stock + delta WHERE id = item RETURNING delta'
END

# ---------------------------------------------------------------- calls

my @users = map { Shop::new_user() } 1 .. 8;
my (%owner, @holds, @orders, @keyed);    # known holds with their users, orders, calls with keys
my $keys = 0;

sub any
{
    return $_[ rand @_ ];
}

# The lines of a cart; an item may occur twice.
sub lines
{
    return encode_json([ map { { item_id => any(@items), quantity => 1 + int rand 4 } } 1 .. 1 + rand 4 ]);
}

sub ttl
{
    return any("'1 ms'", "'20 ms'", "'1 h'", 'NULL');
}

# The expression of a function that returns rows.
sub rows
{
    return "(SELECT jsonb_agg(l) FROM $_[0] l)";
}

# What a session can do, and how often.  Each makes a call, with %s where a key may be.
my @kinds = (
    [ 6, \&buy_item ],
    [ 3, \&try_buy_item ],
    [ 4, sub { cart('buy_cart') } ],
    [ 4, sub { cart('try_buy_cart') } ],
    [ 5, sub { hold(sub { sprintf "shop.reserve_stock('%s', '%s', %d, %s%%s)", $_[0], any(@items), 1 + rand 4, ttl() }) } ],
    [ 3, sub { hold(sub { sprintf "shop.reserve_cart('%s', '%s', %s%%s)", $_[0], lines(), ttl() }) } ],
    [ 3, sub { hold(sub { sprintf "shop.try_reserve_cart('%s', '%s', %s%%s)", $_[0], lines(), ttl() }) } ],
    [ 5, sub { on_hold(sub { sprintf "shop.change_reservation('%s', '%s', %d)", $_[0], any(@items), rand 6 }) } ],
    [ 3, sub { on_hold(sub { sprintf "shop.extend_reservation('%s', %s)", $_[0], ttl() }) } ],
    [ 5, sub { on_hold(sub { rows("shop.confirm_reservation('$_[0]')") }, 'confirm') } ],
    [ 4, sub { on_hold(sub { "shop.release_reservation('$_[0]')" }) } ],
    [ 2, sub { return { call => sprintf('items_stock.expire_reservations(%d)', 1 + rand 20), kind => 'expire' } } ],
    [ 5, \&refund ],
    [ 3, sub { put('restock', 1 + int rand 20, q{items_stock.restock_item('%s', %d%%s)}) } ],
    [ 2, sub { put('adjust', any(-10 .. -1, 1 .. 10), q{items_stock.adjust_stock('%s', %d, 'soak'%%s)}) } ],
    [ 1, sub { put('count', 20 + int rand 40, q{items_stock.count_stock('%s', %d, 3%%s)}) } ],
    [ 3, sub { put('write', any(-10 .. -1, 1 .. 10), q{shop.write('%s', %d)}) } ]);
my @ways = map { ($_->[1]) x $_->[0] } @kinds;

sub buy_item
{
    my ($user, $item, $quantity) = (any(@users), any(@items), 1 + int rand 4);
    return { call => "shop.buy_item('$user', '$item', $quantity\%s)", kind => 'buy', user => $user,
        lines => [ [ $item, $quantity ] ] };
}

# A cart of one line, as its answer is.
sub try_buy_item
{
    my $user = any(@users);
    my $arguments = sprintf "'%s', '%s', %d", $user, any(@items), 1 + rand 4;
    return { call => rows("shop.try_buy_item($arguments\%s)"), kind => 'cart', user => $user };
}

sub cart
{
    my ($function) = @_;
    my $user = any(@users);
    return { call => rows("shop.$function('$user', '" . lines() . q{'%s)}), kind => 'cart', user => $user };
}

sub hold
{
    my ($make) = @_;
    my $user = any(@users);
    return { call => $make->($user), kind => 'hold', user => $user };
}

# A call for a hold, mostly a recent one; without a hold, a purchase.
sub on_hold
{
    my ($make, $kind) = @_;
    return buy_item() unless @holds;
    my $id = $holds[ rand() < 0.7 && @holds > 20 ? @holds - 1 - rand 20 : rand @holds ];
    return { call => $make->($id), kind => $kind || 'move', user => $owner{$id} };
}

sub refund
{
    return buy_item() unless @orders;
    my $order = any(@orders);
    my $quantity = rand() < 0.3 ? undef : 1 + int rand 2;
    my $lost = defined $quantity && rand() < 0.3;
    return {
        call => sprintf("items_stock.refund_order('%s', %s, %s, 'soak'%%s)",
            $order, $quantity || 'NULL', $lost ? 'false' : 'true'),
        kind     => 'refund',
        order    => $order,
        quantity => $quantity,
        lost     => $lost
    };
}

sub put
{
    my ($kind, $delta, $call) = @_;
    # a stock-take may find less than the safety stock
    my $item = any($kind eq 'count' ? grep({ $_ ne $items[2] } @items) : @items);
    return { call => sprintf($call, $item, $delta), kind => $kind, item => $item, delta => $delta };
}

# The next call of a session: sometimes with a key, sometimes a repetition of one with a key.
sub next_call
{
    my $call = any(@ways)->();

    if (@keyed && rand() < 0.05)
    {
        $call = { %{ any(@keyed) } };
    }
    elsif ($call->{call} =~ /%s/)
    {
        $call->{key} = 'key ' . ++$keys if rand() < 0.3;
        $call->{call} = sprintf $call->{call}, $call->{key} ? ", idempotency_key => '$call->{key}'" : '';
        push @keyed, {%$call} if $call->{key};
    }
    in_transaction($call);
    return $call;
}

# Put some calls into a transaction.
sub in_transaction
{
    my ($call) = @_;
    my $how = rand;

    delete @$call{qw(before after undone)};
    if ($how < 0.08)
    {
        @$call{qw(before after undone)} = ( ['BEGIN'], ['ROLLBACK'], 1);
    }
    elsif ($how < 0.18)
    {
        my $other = any(@ways)->()->{call};
        $other =~ s/%s//;
        @$call{qw(before after)} = ([ 'BEGIN', 'SAVEPOINT s', "SELECT $other", 'ROLLBACK TO s' ], ['COMMIT']);
    }
    elsif ($how < 0.26)
    {
        @$call{qw(before after)} =
          ([ 'BEGIN ISOLATION LEVEL REPEATABLE READ', 'SELECT count(*) FROM shop.items' ], ['COMMIT']);
    }
}

# ---------------------------------------------------------------- answers

# The orders of an answer: [order, item, quantity].
sub bought
{
    my ($call) = @_;
    return [ $call->{answer}, @{ $call->{lines}[0] } ] if $call->{kind} eq 'buy';
    return () unless $call->{kind} =~ /^(?:cart|confirm)$/;
    return map { [ @$_{qw(order_id item_id quantity)} ] } grep { $_->{status} eq 'ok' } @{ decode_json($call->{answer}) };
}

# The reservation in an answer, if it was made.
sub held
{
    my ($call) = @_;
    # a refused try_reserve_cart returns items
    return $call->{kind} eq 'hold' && $call->{answer} =~ /^(?:\(ok,)?([-0-9a-f]{36})/ ? $1 : ();
}

sub happened
{
    return $_[0]{state} eq '00000' && !$_[0]{undone};
}

# Remember new orders and holds for later calls.
sub remember
{
    my (undef, $call) = @_;

    return unless happened($call);
    push @orders, map { $_->[0] } bought($call);
    for my $id (grep { !$owner{$_} } held($call))
    {
        $owner{$id} = $call->{user};
        push @holds, $id;
    }
}

# The calls that were acknowledged, each key once, and the problems.
sub acknowledged
{
    my (%seen, @once);

    for my $call (grep { happened($_) } @_)
    {
        (my $answer = $call->{answer}) =~ s/"replayed": (?:true|false)//g;
        # a hold that has ended is not held again: a repeated key is told so
        next if $call->{key} && $seen{ $call->{key} } && $answer =~ /^\(reservation_expired,/;
        push @once, $call unless $call->{key} && $seen{ $call->{key} };
        $seen{ $call->{key} }{$answer} = 1 if $call->{key};
    }
    return (\@once, map { "one key, two answers: $_" } grep { keys %{ $seen{$_} } > 1 } sort keys %seen);
}

# ---------------------------------------------------------------- the check

# The problems in a database after calls that were acknowledged.  Nothing may be in progress.
sub wrong
{
    my ($database, @history) = @_;
    my $there = bless { %$shop, database => $database }, 'Shop';
    my ($told, @problems) = acknowledged(@history);

    return (@problems, wrong_orders($there, $told), wrong_stock($there, $told), wrong_ledger($there));
}

# The orders must be those that were acknowledged.
sub wrong_orders
{
    my ($there, $told) = @_;
    my %rows = $there->pairs(q{SELECT id, concat_ws(' ', user_id, item_id, quantity) FROM shop.orders});
    my %expected = map { my $call = $_; map { $_->[0] => "$call->{user} $_->[1] $_->[2]" } bought($call) } @$told;

    return ((map { "order $_ was acknowledged and is not there" } grep { !defined $rows{$_} } sort keys %expected),
        (map { "order $_ was never acknowledged" } grep { !defined $expected{$_} } sort keys %rows),
        (map { "order $_ is $rows{$_}, not $expected{$_}" }
            grep { defined $rows{$_} && $rows{$_} ne $expected{$_} } sort keys %expected));
}

# The stock of each item must be the result of the clients' calls.  Only the corrections of
# stock-takes are taken from the ledger.
sub wrong_stock
{
    my ($there, $told) = @_;
    my %stock = map { $_ => STOCK } @items;
    my (%order, %refunded, @problems);

    for my $call (@$told)
    {
        $stock{ $call->{item} } += $call->{delta} if $call->{kind} =~ /^(?:restock|adjust|write)$/;
        for my $line (bought($call))
        {
            next if $order{ $line->[0] };    # of a repeated confirmation
            $order{ $line->[0] } = [ $call->{user}, @$line ];
            $stock{ $line->[1] } -= $line->[2];
        }
    }
    for my $call (grep { $_->{kind} eq 'refund' } @$told)
    {
        my $item = $order{ $call->{order} }[2];
        $refunded{ $call->{order} } = max($refunded{ $call->{order} } || 0, $call->{answer});
        $stock{$item} -= $call->{quantity} if $call->{lost};
    }
    $stock{ $order{$_}[2] } += $refunded{$_} for keys %refunded;
    push @problems, map { "more of order $_ is refunded than was bought" } grep { $refunded{$_} > $order{$_}[3] } sort keys %refunded;

    my %actual = $there->pairs(<<'END');
SELECT i.id, concat_ws(' ', i.stock - i.stock_floor,
    i.stock + coalesce((SELECT sum(r.quantity) FROM items_stock.reservations AS r WHERE r.item_id = i.id AND r.status = 'held'), 0)
    - coalesce((SELECT sum(m.delta) FROM items_stock.movements AS m WHERE m.item_id = i.id AND m.kind = 'count'), 0))
FROM shop.items AS i
END
    for my $item (@items)
    {
        my ($above, $explained) = split / /, $actual{$item};
        push @problems, "item $item is " . -$above . ' below its floor' if $above < 0;
        push @problems, "item $item has $explained, the calls explain $stock{$item}" if $explained != $stock{$item};
    }
    return (@problems, wrong_limits($there, \%order, \%refunded));
}

# No user may have more of a limited item than allowed.
sub wrong_limits
{
    my ($there, $order, $refunded) = @_;
    my %has = $there->pairs(q{SELECT user_id || ' ' || item_id, sum(quantity) FROM items_stock.reservations
        WHERE status = 'held' GROUP BY user_id, item_id});

    $has{"$order->{$_}[0] $order->{$_}[2]"} += $order->{$_}[3] - ($refunded->{$_} || 0) for keys %$order;
    return map { "user and item $_: $has{$_} of " . LIMIT }
      grep { /(?:$items[4]|$items[5])$/ && $has{$_} > LIMIT } sort keys %has;
}

# The ledger must explain every unit: what came in is in stock, held, or sold and not refunded.
sub wrong_ledger
{
    my ($there) = @_;
    my @different = split /\n/, $there->query(<<'END');
SELECT format('item %s: %s came in, %s in stock, %s held, %s sold, %s refunded', i.id, m.came, i.stock, r.held, o.sold, m.refunded)
FROM shop.items AS i
CROSS JOIN LATERAL (
    SELECT coalesce(sum(m.delta) FILTER (WHERE m.kind IN ('opening', 'restock', 'adjustment', 'count', 'direct', 'write_off')), 0) AS came,
           coalesce(sum(m.delta) FILTER (WHERE m.kind = 'refund'), 0) AS refunded
    FROM items_stock.movements AS m WHERE m.item_id = i.id) AS m
CROSS JOIN LATERAL (
    SELECT coalesce(sum(r.quantity), 0) AS held FROM items_stock.reservations AS r WHERE r.item_id = i.id AND r.status = 'held') AS r
CROSS JOIN LATERAL (SELECT coalesce(sum(o.quantity), 0) AS sold FROM shop.orders AS o WHERE o.item_id = i.id) AS o
WHERE m.came <> i.stock + r.held + o.sold - m.refunded
END
    return (@different, $there->audit_ledger);
}

# ---------------------------------------------------------------- the soak

my $crowd = Crowd->new($node, 'soak', SESSIONS);
my @history = $crowd->race([ map { [ (\&next_call) x CALLS ] } 1 .. SESSIONS ], retry => qr/^40001$/, watch => \&remember);
$crowd->quit;

# Expire all overdue holds, so that nothing is left to do.
1 while $shop->query('SELECT items_stock.expire_reservations()') > 0;

is(@history, SESSIONS * CALLS, 'every call was answered');
my %states;
$states{ $_->{state} }++ for @history;
note(join ', ', map { "$_: $states{$_}" } sort keys %states);
my @unexpected = grep { $_->{state} !~ /^(?:00000|IV001|IV005|IV006|IV007|IV008|IV010|IV014)$/ } @history;
is_deeply([ map { "$_->{state} $_->{answer}: $_->{call}" } @unexpected ], [], 'no error but refusals');

# The log also has errors of the worker and of calls that were rolled back.
my $log = slurp_file($node->logfile);
my %errors = map { $_ => 1 } $log =~ /(?:ERROR|FATAL|PANIC):  (\w{5}):/g;
delete @errors{qw(40001 IV001 IV005 IV006 IV007 IV008 IV010 IV014)};
is_deeply([ sort keys %errors ], [], 'no other error in the log');
unlike($log, qr/deadlock detected|TRAP:|was terminated by signal/, 'no deadlock and no crash in the log');

my @problems = wrong('soak', @history);
is_deeply(\@problems, [], 'every unit is explained') or note(map { "$_\n" } @problems);

# Each kind of call has succeeded often enough to prove something.
for my $kind (qw(buy cart hold move confirm refund restock adjust count write))
{
    cmp_ok((grep { $_->{kind} eq $kind && happened($_) } @history), '>=', 20, "$kind: done often enough");
}
for my $status (qw(held confirmed released expired))
{
    cmp_ok($shop->query("SELECT count(*) FROM items_stock.reservations WHERE status = '$status'"), '>', 0, "some holds are $status");
}

# ---------------------------------------------------------------- the check finds damage

my %damage = (
    'a movement is lost' => q{DELETE FROM items_stock.movements WHERE movement_id =
        (SELECT max(movement_id) FROM items_stock.movements WHERE kind = 'sale')},
    'an order is lost' => q{DELETE FROM shop.orders WHERE id = (SELECT id FROM shop.orders ORDER BY created_at LIMIT 1)},
    'an order too many' => q{INSERT INTO shop.orders (user_id, item_id, quantity)
        SELECT user_id, item_id, quantity FROM shop.orders LIMIT 1},
    'a hold is lost' => q{DELETE FROM items_stock.reservations WHERE reservation_id =
        (SELECT reservation_id FROM items_stock.reservations WHERE status = 'held' LIMIT 1)},
    'a unit too many, with its movement' => "UPDATE shop.items SET stock = stock + 1 WHERE id = '$items[0]'",
    'a unit too many, without' => "ALTER TABLE shop.items DISABLE TRIGGER inventory_guard;
        UPDATE shop.items SET stock = stock + 1 WHERE id = '$items[0]';
        ALTER TABLE shop.items ENABLE ALWAYS TRIGGER inventory_guard");

for my $name (sort keys %damage)
{
    $node->safe_psql('postgres', 'CREATE DATABASE damaged TEMPLATE soak');
    $node->safe_psql('damaged', $damage{$name});
    my @found = wrong('damaged', @history);
    cmp_ok(@found, '>', @problems, "$name: found");
    note($_) for @found;
    $node->safe_psql('postgres', 'DROP DATABASE damaged');
}

done_testing();
