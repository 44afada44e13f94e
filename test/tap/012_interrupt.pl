# A call that is interrupted, at whatever step, has done nothing, and can be repeated.
#
# Each function is stopped where it waits for a key, a reservation, an order, a
# limit or an item, or where a trigger lets it wait in the middle of its writes or
# of its commit.  There it is cancelled, runs into statement_timeout or
# lock_timeout, or its session is terminated; or the session is left idle after
# the call, and the server or the client ends it.  Every table is then what it
# was, and the same call with the same key succeeds.  A shop that sells in two
# transactions must be caught by the same harness.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Crash;
use Session;
use Shop;

my $node = Shop::server('interrupt');
my $shop = Shop->new($node, 'interrupt', { 1 => 1000, 2 => 1000 });
my ($one, $two) = map { Shop::item_id($_) } 1, 2;
my $user = Shop::new_user();
my $keys = 0;
my $victim;  # the session that is interrupted
my %call;    # its call

$shop->query('ALTER TABLE shop.items ADD purchase_limit int DEFAULT 1000');
$shop->attached;

# ---------------------------------------------------------------- steps

my $keeper = Session->new($node, 'interrupt', 'keeper');
my $eye = Session->new($node, 'interrupt', 'eye');

# Every table has a trigger that waits at a gate of its own.
my %gate = (
    'shop.items'               => 'BEFORE UPDATE',
    'shop.orders'              => 'AFTER INSERT',
    'items_stock.movements'    => 'BEFORE INSERT',
    'items_stock.reservations' => 'BEFORE INSERT OR UPDATE',
    'items_stock.requests'     => 'BEFORE INSERT');
$shop->query(<<'END');
CREATE FUNCTION shop.pause() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext(TG_ARGV[0]));
    RETURN NEW;
END $$
END
$shop->query(map { "CREATE TRIGGER pause $gate{$_} ON $_ FOR EACH ROW EXECUTE FUNCTION shop.pause('$_')" } keys %gate);
$shop->query("CREATE CONSTRAINT TRIGGER late AFTER INSERT ON $_ DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION shop.pause('commit')") for 'items_stock.movements';

# All there is.
$shop->query(<<'END');
CREATE FUNCTION shop.state() RETURNS text LANGUAGE sql AS $$
    SELECT md5(concat_ws(' ', (SELECT json_agg(t ORDER BY t.id) FROM shop.items AS t),
        (SELECT json_agg(t ORDER BY t.id) FROM shop.orders AS t),
        (SELECT json_agg(t ORDER BY t.movement_id) FROM items_stock.movements AS t),
        (SELECT json_agg(t ORDER BY t.reservation_id, t.item_id) FROM items_stock.reservations AS t),
        (SELECT json_agg(t ORDER BY t.key) FROM items_stock.requests AS t),
        (SELECT json_agg(t) FROM inventory.verify('shop.items') AS t)))
$$
END

# What the keeper does so that a call has to wait.
my %step = (
    key         => sub { "$call{call} IS NULL" },
    limit       => sub { "shop.buy_item('$user', '$one') IS NULL" },
    item        => sub { "(SELECT count(*) FROM (SELECT FROM shop.items FOR UPDATE) AS i)" },
    order       => sub { "(SELECT count(*) FROM (SELECT FROM shop.orders FOR UPDATE) AS o)" },
    reservation => sub { "(SELECT count(*) FROM (SELECT FROM items_stock.reservations FOR UPDATE) AS r)" },
    map { my $gate = $_; $gate => sub { "pg_advisory_xact_lock(hashtext('$gate'))" } } keys %gate, 'commit');

# ---------------------------------------------------------------- interruptions

# Let the server do something to the victim.
sub signal
{
    my ($function) = @_;
    $eye->value("(SELECT $function(pid) FROM pg_stat_activity WHERE application_name = 'victim')");
}

# What a session sets before its call, what is done to it while it waits, and how the call ends.
my %interruption = (
    'cancelled'         => [ '', sub { signal('pg_cancel_backend') }, '57014' ],
    'statement_timeout' => [ q{SET statement_timeout = '50ms'}, sub { }, '57014' ],
    'lock_timeout'      => [ q{SET lock_timeout = '50ms'}, sub { }, '55P03' ],
    'terminated'        => [ '', sub { signal('pg_terminate_backend') }, 'lost' ]);

# Wait until so many victims are like that.
sub victims
{
    my ($number, $condition) = @_;
    Crash::wait_until(sub {
        $eye->value("(SELECT count(*) FROM pg_stat_activity WHERE application_name = 'victim' AND $condition)") == $number
    });
}

# Is everything as it was?
sub unchanged
{
    my ($before) = @_;
    return $eye->value('shop.state()') eq $before;
}

# Stop a call at a step in one way; what is wrong afterwards.
sub interrupted
{
    my ($make, $step, $how) = @_;
    my ($setting, $interrupt, $expected) = @{ $interruption{$how} };
    my @problems;

    $victim = Session->new($node, 'interrupt', 'victim') unless $victim && $victim->alive;
    %call = %{ $make->(++$keys) };
    my $before = $eye->value('shop.state()');
    $keeper->run('BEGIN');
    $keeper->value($step{$step}->());
    $victim->run(@{ $call{before} || [] }, $setting || ());
    $victim->call($call{call});
    if ($setting eq '')
    {
        victims(1, q{wait_event_type = 'Lock'});
        $interrupt->();
    }
    my $answer = $victim->await || ['lost'];
    push @problems, "$how: @$answer" if $answer->[0] ne $expected;
    $keeper->run('ROLLBACK');
    $keeper->value('1');
    victims(0, q{state <> 'idle'});
    push @problems, "$how: something is left" if !unchanged($before);

    # again, twice: in the same session, if there is one
    if ($expected eq 'lost')
    {
        $victim->quit;
        $victim = Session->new($node, 'interrupt', 'victim');
    }
    $victim->run('RESET ALL');
    my @again = map { $victim->ask($call{call}) } 1, 2;
    push @problems, "$how, repeated: @{$again[0]}" if $again[0][0] ne '00000';
    push @problems, "$how, repeated: @{$again[0]}, and then @{$again[1]}" if "@{$again[0]}" ne "@{$again[1]}";
    push @problems, "$how, repeated: nothing came of it" if unchanged($before);
    return @problems;
}

# ---------------------------------------------------------------- functions

sub hold
{
    return $eye->value("shop.reserve_cart('$user', '[{\"item_id\": \"$one\"}, {\"item_id\": \"$two\"}]')");
}

# Each makes a call with a key of its own, or one that may be repeated by its nature.
my %function = (
    buy_item => sub { { call => "shop.buy_item('$user', '$one', 2, 'key $_[0]')" } },
    buy_cart => sub {
        { call => "(SELECT string_agg(order_id::text, ' ') FROM shop.buy_cart('$user', '[{\"item_id\": \"$two\"}, {\"item_id\": \"$one\"}]', 'key $_[0]'))" }
    },
    reserve_cart => sub {
        { call => "shop.reserve_cart('$user', '[{\"item_id\": \"$one\"}, {\"item_id\": \"$two\"}]', idempotency_key => 'key $_[0]')" }
    },
    change_reservation  => sub { my $hold = hold(); { call => "shop.change_reservation('$hold', '$one', 3)" } },
    confirm_reservation => sub {
        my $hold = hold();
        { call => "(SELECT string_agg(order_id::text, ' ') FROM shop.confirm_reservation('$hold'))" }
    },
    # the second time it says that there was nothing to do
    release_reservation => sub { my $hold = hold(); { call => "shop.release_reservation('$hold') IS NULL" } },
    refund_order => sub {
        my $order = $eye->value("shop.buy_item('$user', '$one', 2)");
        { call => "items_stock.refund_order('$order', 1, idempotency_key => 'key $_[0]')" }
    },
    restock_item        => sub { { call => "items_stock.restock_item('$one', 5, 'delivery', 'key $_[0]')" } },
    expire_reservations => sub {
        my $hold = hold();
        $eye->run("UPDATE items_stock.reservations SET expires_at = now() WHERE reservation_id = '$hold'");
        { call => 'items_stock.expire_reservations() IS NULL' }
    });

# Where each of them can be stopped.
my ($items, $orders, $movements, $reservations, $requests) =
  qw(shop.items shop.orders items_stock.movements items_stock.reservations items_stock.requests);
my %steps = (
    buy_item            => [ 'key', 'limit', 'item', $items, $orders, $movements, $requests, 'commit' ],
    buy_cart            => [ 'item', $orders, 'commit' ],
    reserve_cart        => [ 'key', 'limit', 'item', $reservations, $movements, $requests, 'commit' ],
    change_reservation  => [ 'reservation', $items, $movements, $reservations ],
    confirm_reservation => [ 'reservation', $orders, $movements, $reservations, 'commit' ],
    release_reservation => [ 'reservation', $items, $movements, $reservations, 'commit' ],
    refund_order        => [ 'key', 'order', $items, $movements, $requests, 'commit' ],
    restock_item        => [ 'item', $movements, $requests ],
    expire_reservations => [ 'item', $reservations, $movements, 'commit' ]);

# The harness can tell: what was done before the interruption is done.
{
    my $two_steps = sub {
        { before => ['UPDATE shop.items SET stock = stock - 1'], call => "shop.buy_item('$user', '$one')" }
    };
    my @problems = interrupted($two_steps, 'shop.orders', 'cancelled');
    ok((grep { /something is left/ } @problems) > 0, 'a sale in two transactions: reported');
    ok((grep { /and then/ } @problems) > 0, 'a sale without a key: reported');
}

for my $name (sort keys %function)
{
    for my $step (@{ $steps{$name} })
    {
        # the server takes no notice of statement_timeout while it commits
        my @ways = grep { $step ne 'commit' || $_ ne 'statement_timeout' } sort keys %interruption;
        is_deeply([ map { interrupted($function{$name}, $step, $_) } @ways ], [], "$name, stopped at $step");
    }
}

# ---------------------------------------------------------------- after the call

$victim->quit;

# The call is done, and its transaction is not: nobody comes to commit it.
my %end = (
    'terminated'                  => sub { signal('pg_terminate_backend') },
    'idle-in-transaction timeout' => sub { $_[0]->run(q{SET idle_in_transaction_session_timeout = '10ms'}) },
    'the client is killed'        => sub { kill 'KILL', $_[0]{pid} });

for my $how (sort keys %end)
{
    my @problems;
    for my $name (sort keys %function)
    {
        $victim = Session->new($node, 'interrupt', 'victim');
        %call = %{ $function{$name}->(++$keys) };
        my $before = $eye->value('shop.state()');
        $victim->run('BEGIN');
        $victim->value($call{call});
        $end{$how}->($victim);
        victims(0, 'true');
        $victim->quit;
        push @problems, "$name: something is left" if !unchanged($before);
        my $again = Session->new($node, 'interrupt', 'again');
        my ($state, $message) = @{ $again->ask($call{call}) };
        push @problems, "$name, repeated: $state $message" if $state ne '00000';
        push @problems, "$name, repeated: nothing came of it" if unchanged($before);
        $again->quit;
    }
    is_deeply(\@problems, [], "idle in transaction, $how: nothing is left");
}

is($shop->query(q{SELECT * FROM inventory.verify('shop.items')}), '', 'verify finds nothing');
$_->quit for $keeper, $eye;

done_testing();
