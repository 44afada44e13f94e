# NOTIFY inventory sends one event when an item runs out or is back, and no other.
#
# A session listens.  After each step the events that have arrived are compared with
# those that are expected.  The test then sends a notification of its own: when it
# arrives, all events before it have.

use strict;
use warnings FATAL => 'all';

use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

use Session;
use Shop;

use constant CROWD => 20;

my $node = Shop::server('notify');
my $shop = Shop->new($node, 'notify', { 1 => 3, 2 => 5, 3 => CROWD / 2 });
my $odd = q{a "b" \\ 'c'};

# The second item has a safety stock.  A second store has a key that JSON must quote.
$shop->query('ALTER TABLE shop.items ADD stock_floor int', "UPDATE shop.items SET stock_floor = 2 WHERE stock = 5");
$shop->attached;
$shop->query('CREATE SCHEMA odd', 'CREATE TABLE odd.things (id text PRIMARY KEY, stock int)',
    "INSERT INTO odd.things VALUES (\$_\$$odd\$_\$, 1)", q{SELECT inventory.attach('odd.things', store_name => 'the "odd" one')});

my ($one, $two, $three) = map { Shop::item_id($_) } 1 .. 3;
my $user = Shop::new_user();
my $seller = Session->new($node, 'notify');
my $listener = Session->new($node, 'notify');

$seller->run('SET inventory.notify = on');
$listener->listen('inventory');

my $signals = 0;

# The payloads received since the last call, in order.
sub events
{
    my $signal = 'signal ' . ++$signals;

    # notifications are delivered in commit order
    $node->safe_psql('notify', "NOTIFY inventory, '$signal'");
    return $listener->heard($signal);
}

# Make the calls, and compare the events with the expected ones: item, event, perhaps store.
sub calls_notify
{
    my ($name, $calls, @expected) = @_;

    $seller->value($_) for @$calls;
    notified($name, @expected);
}

sub notified
{
    my ($name, @expected) = @_;
    my @events = map { decode_json($_) } events();
    is_deeply(\@events, [ map { { store => $_->[2] || 'shop.items', item => $_->[0], event => $_->[1] } } @expected ], $name);
}

sub buy
{
    my ($item, $quantity) = @_;
    return "shop.buy_item('$user', '$item', $quantity)";
}

# A cart of items and quantities, for one of the functions.
sub cart
{
    my ($function, %lines) = @_;
    my $json = encode_json([ map { { item_id => $_, quantity => $lines{$_} } } sort keys %lines ]);
    return $function eq 'reserve_cart' ? "shop.reserve_cart('$user', '$json')" : "(SELECT count(*) FROM shop.$function('$user', '$json'))";
}

calls_notify('a sale of some units: no event', [ buy($one, 1), buy($two, 1) ]);
calls_notify('a sale of the last units', [ buy($one, 2) ], [ $one, 'out_of_stock' ]);
calls_notify('a sale down to the floor', [ buy($two, 2) ], [ $two, 'at_floor' ]);
calls_notify('deliveries: one event for each item', [ map { "items_stock.restock_item('$_', 3)" } $one, $one, $two ],
    [ $one, 'back_in_stock' ], [ $two, 'back_in_stock' ]);

is($seller->ask(buy($one, 7))->[0], 'IV001', 'a refusal');
notified('a refusal: no event');

# Every function that changes a stock.
calls_notify('a cart', [ cart('buy_cart', $one => 6, $two => 1) ], [ $one, 'out_of_stock' ]);
calls_notify('an adjustment', [ "items_stock.adjust_stock('$one', 2, 'found')" ], [ $one, 'back_in_stock' ]);
calls_notify('a stock-take that finds none', [ "items_stock.count_stock('$one', 0)" ], [ $one, 'out_of_stock' ]);
calls_notify('a stock-take that finds units', [ "items_stock.count_stock('$one', 2)" ], [ $one, 'back_in_stock' ]);
calls_notify('a hold', [ "set_config('my.hold', shop.reserve_stock('$user', '$one', 2)::text, false)" ], [ $one, 'out_of_stock' ]);
calls_notify('the release of a hold', [ "shop.release_reservation(current_setting('my.hold')::uuid)" ], [ $one, 'back_in_stock' ]);
calls_notify('a hold of a cart: no event', [ "set_config('my.hold', " . cart('reserve_cart', $one => 1, $two => 1) . '::text, false)' ]);
calls_notify('the change of a hold', [ "shop.change_reservation(current_setting('my.hold')::uuid, '$one', 2)" ], [ $one, 'out_of_stock' ]);
calls_notify('the confirmation of a hold: no event', [ "(SELECT count(*) FROM shop.confirm_reservation(current_setting('my.hold')::uuid))" ]);
calls_notify('a refund', [ "items_stock.refund_order((SELECT id FROM shop.orders WHERE item_id = '$one' ORDER BY created_at DESC LIMIT 1))" ],
    [ $one, 'back_in_stock' ]);
$shop->query("SELECT items_stock.adjust_stock('$one', 1 - stock, 'for the next') FROM shop.items WHERE id = '$one' AND stock <> 1");
calls_notify('another hold', [ "shop.reserve_stock('$user', '$one')" ], [ $one, 'out_of_stock' ]);
$shop->query(q{UPDATE items_stock.reservations SET expires_at = now() WHERE status = 'held'});
calls_notify('the expiry of a hold', [ 'items_stock.expire_reservations()' ], [ $one, 'back_in_stock' ]);
for my $strategy (qw(pessimistic optimistic))
{
    $seller->run("SET inventory.strategy = '$strategy'");
    calls_notify("$strategy, a sale", [ buy($one, 1) ], [ $one, 'out_of_stock' ]);
    calls_notify("$strategy, a delivery", [ "items_stock.restock_item('$one', 1)" ], [ $one, 'back_in_stock' ]);
}
$seller->run('RESET inventory.strategy');

# Direct writes to the table.
$seller->run("UPDATE shop.items SET stock = 0 WHERE id = '$one'");
calls_notify('a direct write to 0', ['1'], [ $one, 'out_of_stock' ]);
$seller->run("UPDATE shop.items SET stock = 4 WHERE id = '$one'");
calls_notify('a direct write from 0', ['1'], [ $one, 'back_in_stock' ]);

# A key and a store name that JSON has to quote.
calls_notify('odd names', [ "odd.buy_item('u', \$_\$$odd\$_\$)" ], [ $odd, 'out_of_stock', 'the "odd" one' ]);

# A rollback sends no event.
$seller->run('BEGIN');
calls_notify('before a rollback: no event', [ buy($one, 4) ]);
$seller->run('ROLLBACK');
$seller->value('1');
notified('after a rollback: no event');
$seller->run('BEGIN', 'SAVEPOINT s');
calls_notify('before a rollback to a savepoint: no event', [ buy($one, 4) ]);
$seller->run('ROLLBACK TO s', 'COMMIT');
$seller->value('1');
notified('after a rollback to a savepoint: no event');

# The setting is off by default.
{
    my $quiet = Session->new($node, 'notify');
    $quiet->value(buy($one, 4));
    is($quiet->value("current_setting('inventory.notify')"), 'off', 'it is off by default');
    $quiet->value("items_stock.restock_item('$one', 4)");
    notified('off: no event');
    $quiet->quit;
}

# Many sessions sell out an item: one event.
{
    my @crowd = map { Session->new($node, 'notify') } 1 .. CROWD;
    for my $session (@crowd)
    {
        $session->run('SET inventory.notify = on');
        $session->call("shop.buy_item('" . Shop::new_user() . "', '$three')");
    }
    my @sold = grep { $_->await->[0] eq '00000' } @crowd;
    is(@sold, CROWD / 2, 'many sessions sell out an item');
    notified('sold out by many sessions: one event', [ $three, 'out_of_stock' ]);
    $_->quit for @crowd;
}

is($shop->verify, '', 'verify finds nothing');
$_->quit for $seller, $listener;
done_testing();
