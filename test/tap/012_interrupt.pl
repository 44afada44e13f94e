# A call that is interrupted at any step leaves nothing, and can be repeated.
#
# Each function is stopped where it waits for a key, a reservation, an order, a limit or an
# item, or where a trigger makes it wait between its writes or in its commit.  There it is
# cancelled, runs into statement_timeout or lock_timeout, or its session is terminated; or
# the session is left idle after the call, and the server or the client ends it.  Every
# table is then as before, and the same call with the same key succeeds.  The same test
# must find that a shop leaves something that sells in two transactions.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Interrupt;
use Session;
use Shop;

my $node = Shop::server('interrupt');
my $shop = Shop->new($node, 'interrupt', { 1 => 1000, 2 => 1000 });
my ($one, $two) = map { Shop::item_id($_) } 1, 2;
my $user = Shop::new_user();
my $keys = 0;
my %call;    # the call that is interrupted

$shop->query('ALTER TABLE shop.items ADD purchase_limit int DEFAULT 1000');
$shop->attached;
$shop->add_state;

# ---------------------------------------------------------------- steps

my %gates = (
    'shop.items'               => 'BEFORE UPDATE',
    'shop.orders'              => 'AFTER INSERT',
    'items_stock.movements'    => 'BEFORE INSERT',
    'items_stock.reservations' => 'BEFORE INSERT OR UPDATE',
    'items_stock.requests'     => 'BEFORE INSERT');
Interrupt::add_gates($shop, %gates);
my $interrupt = Interrupt->new($shop, '50ms');
my $observer = $interrupt->{observer};

# What the keeper does so that the call has to wait at a step.
my %step = (
    key         => sub { "$call{call} IS NULL" },
    limit       => sub { "shop.buy_item('$user', '$one') IS NULL" },
    item        => sub { "(SELECT count(*) FROM (SELECT FROM shop.items FOR UPDATE) AS i)" },
    order       => sub { "(SELECT count(*) FROM (SELECT FROM shop.orders FOR UPDATE) AS o)" },
    reservation => sub { "(SELECT count(*) FROM (SELECT FROM items_stock.reservations FOR UPDATE) AS r)" },
    map { my $gate = $_; $gate => sub { Interrupt::gate($gate) } } keys %gates, 'commit');

# Interrupt a call at a step in one way, and repeat it; the problems.
sub interrupted
{
    my ($make, $step, $how) = @_;

    %call = %{ $make->(++$keys) };
    my $before = $observer->value('shop.state()');
    my @problems = $interrupt->stop($how, %call, held => [ $step{$step}->() ]);
    push @problems, "$how: something is left" if $observer->value('shop.state()') ne $before;

    my @again = map { $interrupt->{victim}->ask($call{call}) } 1, 2;
    push @problems, "$how, repeated: @{$again[0]}" if $again[0][0] ne '00000';
    push @problems, "$how, repeated: @{$again[0]}, and then @{$again[1]}" if "@{$again[0]}" ne "@{$again[1]}";
    push @problems, "$how, repeated: nothing has changed" if $observer->value('shop.state()') eq $before;
    return @problems;
}

# ---------------------------------------------------------------- functions

sub hold
{
    return $observer->value("shop.reserve_cart('$user', '[{\"item_id\": \"$one\"}, {\"item_id\": \"$two\"}]')");
}

# Each makes a call that may be repeated, by a new key or by its nature.
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
    # the second call returns false, so only whether there is an answer is compared
    release_reservation => sub { my $hold = hold(); { call => "shop.release_reservation('$hold') IS NULL" } },
    refund_order => sub {
        my $order = $observer->value("shop.buy_item('$user', '$one', 2)");
        { call => "items_stock.refund_order('$order', 1, idempotency_key => 'key $_[0]')" }
    },
    restock_item        => sub { { call => "items_stock.restock_item('$one', 5, 'delivery', 'key $_[0]')" } },
    expire_reservations => sub {
        my $hold = hold();
        $observer->run("UPDATE items_stock.reservations SET expires_at = now() WHERE reservation_id = '$hold'");
        { call => 'items_stock.expire_reservations() IS NULL' }
    });

# The steps at which each can be stopped.
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

# The test finds what is left, and a call that is not the same twice.
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
        my @ways = Interrupt::ways(commit => $step eq 'commit');
        is_deeply([ map { interrupted($function{$name}, $step, $_) } @ways ], [], "$name, stopped at $step");
    }
}

# ---------------------------------------------------------------- idle after the call

for my $how (Interrupt::idle_ways())
{
    my @problems;
    for my $name (sort keys %function)
    {
        %call = %{ $function{$name}->(++$keys) };
        my $before = $observer->value('shop.state()');
        $interrupt->leave_idle($how, [ $call{call} ]);
        push @problems, "$name: something is left" if $observer->value('shop.state()') ne $before;
        my ($state, $message) = @{ Session::ask_once($node, 'interrupt', $call{call}) };
        push @problems, "$name, repeated: $state $message" if $state ne '00000';
        push @problems, "$name, repeated: nothing has changed" if $observer->value('shop.state()') eq $before;
    }
    is_deeply(\@problems, [], "idle in transaction, $how: nothing is left");
}

is($shop->verify, '', 'verify finds nothing');
$interrupt->quit;

done_testing();
