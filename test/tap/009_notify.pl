# NOTIFY inventory: one event per line that is crossed, and silence otherwise.
#
# One session listens.  After each step the events that have come are compared with
# those that had to; a step that must be silent is followed by a signal of the
# test's own, so that silence is seen and not waited for.

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

# The second item has a safety stock.  A second store has keys that JSON must quote.
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

# What has come since the last time: payloads, in order.
sub events
{
    my $signal = 'signal ' . ++$signals;

    # what was committed before is delivered before
    $node->safe_psql('notify', "NOTIFY inventory, '$signal'");
    return $listener->heard($signal);
}

# Make the calls, and compare the events with what is expected: pairs of item and event.
sub crosses
{
    my ($name, $calls, @expected) = @_;

    $seller->value($_) for @$calls;
    says($name, @expected);
}

sub says
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

# A cart of items and quantities, through one of the functions.
sub cart
{
    my ($function, %lines) = @_;
    my $json = encode_json([ map { { item_id => $_, quantity => $lines{$_} } } sort keys %lines ]);
    return $function eq 'reserve_cart' ? "shop.reserve_cart('$user', '$json')" : "(SELECT count(*) FROM shop.$function('$user', '$json'))";
}

crosses('a sale that crosses no line', [ buy($one, 1), buy($two, 1) ]);
crosses('the last unit', [ buy($one, 2) ], [ $one, 'out_of_stock' ]);
crosses('the floor', [ buy($two, 2) ], [ $two, 'at_floor' ]);
crosses('back, and more', [ map { "items_stock.restock_item('$_', 3)" } $one, $one, $two ],
    [ $one, 'back_in_stock' ], [ $two, 'back_in_stock' ]);

# A refusal crosses nothing.
is($seller->ask(buy($one, 7))->[0], 'IV001', 'a refusal');
says('is silent');

# Every door to the stock.
crosses('a cart', [ cart('buy_cart', $one => 6, $two => 1) ], [ $one, 'out_of_stock' ]);
crosses('an adjustment', [ "items_stock.adjust_stock('$one', 2, 'found')" ], [ $one, 'back_in_stock' ]);
crosses('a stock-take', [ "items_stock.count_stock('$one', 0)" ], [ $one, 'out_of_stock' ]);
crosses('another', [ "items_stock.count_stock('$one', 2)" ], [ $one, 'back_in_stock' ]);
crosses('a hold', [ "set_config('my.hold', shop.reserve_stock('$user', '$one', 2)::text, false)" ], [ $one, 'out_of_stock' ]);
crosses('its release', [ "shop.release_reservation(current_setting('my.hold')::uuid)" ], [ $one, 'back_in_stock' ]);
crosses('a hold of a cart', [ "set_config('my.hold', " . cart('reserve_cart', $one => 1, $two => 1) . '::text, false)' ]);
crosses('its change', [ "shop.change_reservation(current_setting('my.hold')::uuid, '$one', 2)" ], [ $one, 'out_of_stock' ]);
crosses('its confirmation', [ "(SELECT count(*) FROM shop.confirm_reservation(current_setting('my.hold')::uuid))" ]);
crosses('a refund', [ "items_stock.refund_order((SELECT id FROM shop.orders WHERE item_id = '$one' ORDER BY created_at DESC LIMIT 1))" ],
    [ $one, 'back_in_stock' ]);
$shop->query("SELECT items_stock.adjust_stock('$one', 1 - stock, 'for the next') FROM shop.items WHERE id = '$one' AND stock <> 1");
crosses('another hold', [ "shop.reserve_stock('$user', '$one')" ], [ $one, 'out_of_stock' ]);
$shop->query(q{UPDATE items_stock.reservations SET expires_at = now() WHERE status = 'held'});
crosses('its expiry', [ 'items_stock.expire_reservations()' ], [ $one, 'back_in_stock' ]);
for my $strategy (qw(pessimistic optimistic))
{
    $seller->run("SET inventory.strategy = '$strategy'");
    crosses("$strategy", [ buy($one, 1) ], [ $one, 'out_of_stock' ]);
    crosses("$strategy, back", [ "items_stock.restock_item('$one', 1)" ], [ $one, 'back_in_stock' ]);
}
$seller->run('RESET inventory.strategy');

# An admin page writes to the table itself.
$seller->run("UPDATE shop.items SET stock = 0 WHERE id = '$one'");
crosses('a direct write', ['1'], [ $one, 'out_of_stock' ]);
$seller->run("UPDATE shop.items SET stock = 4 WHERE id = '$one'");
crosses('another', ['1'], [ $one, 'back_in_stock' ]);

# Keys and names that JSON has to quote.
crosses('odd names', [ "odd.buy_item('u', \$_\$$odd\$_\$)" ], [ $odd, 'out_of_stock', 'the "odd" one' ]);

# What is rolled back has crossed nothing.
$seller->run('BEGIN');
crosses('before a rollback', [ buy($one, 4) ]);
$seller->run('ROLLBACK');
$seller->value('1');
says('a rollback');
$seller->run('BEGIN', 'SAVEPOINT s');
crosses('before a rollback to a savepoint', [ buy($one, 4) ]);
$seller->run('ROLLBACK TO s', 'COMMIT');
$seller->value('1');
says('a rollback to a savepoint');

# Off, as it is by default.
{
    my $quiet = Session->new($node, 'notify');
    $quiet->value(buy($one, 4));
    is($quiet->value("current_setting('inventory.notify')"), 'off', 'it is off by default');
    $quiet->value("items_stock.restock_item('$one', 4)");
    says('off');
    $quiet->quit;
}

# A crowd sells out once.
{
    my @crowd = map { Session->new($node, 'notify') } 1 .. CROWD;
    for my $session (@crowd)
    {
        $session->run('SET inventory.notify = on');
        $session->call("shop.buy_item('" . Shop::new_user() . "', '$three')");
    }
    my @sold = grep { $_->await->[0] eq '00000' } @crowd;
    is(@sold, CROWD / 2, 'a crowd sells out');
    says('which is said once', [ $three, 'out_of_stock' ]);
    $_->quit for @crowd;
}

is($shop->query(q{SELECT * FROM inventory.verify('shop.items')}), '', 'verify finds nothing');
$_->quit for $seller, $listener;
done_testing();
