# Hot items are exact when their table is full, and when databases are copied and dropped.
#
# If the table of hot items is full, heat fails, and items that were hot before a restart
# with less room are sold from their rows.  64 sessions make the first touch of an item at
# the same time.  After a crash a million unsettled movements are counted.  A database that
# is copied while an item is hot has a counter of its own; dropped ones free their entries.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Crash;
use Crowd;
use Hot;
use Session;
use Shop;
use Waiting;

use constant MANY => 1_000_000;

my $node = Hot::server('hot_room', 'inventory.max_hot_items = 2');
my @item = map { Shop::item_id($_) } 0 .. 6;

# Heat an item; the outcome.
sub heated
{
    my ($shop, $number) = @_;
    return Session::outcome($node, $shop->{database}, "inventory.heat('shop.items', '$item[$number]')");
}

# ---------------------------------------------------------------- full

{
    my $shop = Shop->new($node, 'hot_full', { map { $_ => 10 } 1 .. 5 })->attached;
    my @history;

    is(join(' ', map { heated($shop, $_) } 1 .. 2), 'true true', 'two items are hot');
    Hot::publish($shop, 1, 2);
    is(heated($shop, 3), '53400', 'a third cannot be heated');
    is(heated($shop, 1), 'false', 'one that is hot is not heated again');
    push @history, map { $shop->told($shop->buy($_, 2)) } 1 .. 5;
    is(join(' ', map { Hot::counter($shop, $_) } 1 .. 3), 'hot 8 0 hot 8 0 none', 'the third is sold from its row');
    is($shop->query("SELECT inventory.cool('shop.items', '$item[1]')"), '1', 'one item is cooled');
    is(heated($shop, 3), 'true', 'then there is room');
    Hot::publish($shop, 3);
    # two more restarts: with room for five, and with room for one
    $node->adjust_conf('postgresql.conf', 'inventory.max_hot_items', '5');
    $node->restart;
    is(join(' ', map { heated($shop, $_) } 1, 4, 5), 'true true true', 'with more room: five items are hot');
    push @history, map { $shop->told($shop->buy($_, 3)) } 1 .. 5;
    is($shop->query(q{SELECT count(*) FROM inventory.hot_entries() WHERE state = 'hot'}), '5', 'with more room: all have a counter');
    $node->adjust_conf('postgresql.conf', 'inventory.max_hot_items', '1');
    $node->restart;
    is($shop->query('SELECT string_agg(available::text, chr(32) ORDER BY item_id) FROM items_stock.levels'), '5 5 5 5 5', 'with less room: all units are available');
    my $cart = $shop->buy_cart([ map { [ $_, 1 ] } 1 .. 5 ], 'buy_cart');
    push @history, $shop->told($cart);
    is($history[-1]{state}, '00000', 'with less room: a cart of all items is bought');
    push @history, map { Hot::sell_out($shop, $_) } 1 .. 5;
    is($shop->sold, '50', 'with less room: all units are sold, and no more');
    is($shop->query('SELECT count(*) FROM items_stock.hot WHERE hot'), '1', 'with less room: one item stays hot, the others are cold');
    is_deeply([ Hot::audit($shop, \@history) ], [], 'with less room: no problems');
    $shop->query(q{SELECT inventory.cool('shop.items')});
    is_deeply([ $shop->audit(\@history) ], [], 'cooled: no problems');
    $node->adjust_conf('postgresql.conf', 'inventory.max_hot_items', '8');
    $node->restart;
    $shop->query(q{SELECT inventory.cool('shop.items')});
}

# Heats count before anybody buys, and before they are committed; rolled back, they make room.
{
    my $shop = Shop->new($node, 'hot_counted', { map { $_ => 10 } 1 .. 12 })->attached;
    my $in_use = $shop->query('SELECT count(*) FROM inventory.hot_entries()');
    my ($one, $two) = map { Session->new($node, $shop->{database}) } 1 .. 2;
    my $heat = sub {
        my ($session, @numbers) = @_;
        my @answers = map { $session->ask("inventory.heat('shop.items', '" . Shop::item_id($_) . q{')}) } @numbers;
        return join ' ', map { $_->[0] eq '00000' ? $_->[1] : $_->[0] } @answers;
    };

    is($in_use, '0', 'the table is empty');
    $one->run('BEGIN');
    is($heat->($one, 1 .. 7), join(' ', ('true') x 7), 'seven are heated in one transaction');
    $one->run('SAVEPOINT s');
    is($heat->($one, 8), 'true', 'eight');
    is($heat->($two, 10), '53400', 'another transaction has no room, at once');
    is($heat->($one, 9), '53400', 'nor has the transaction itself');
    $one->run('ROLLBACK TO s');
    is($heat->($two, 10), 'true', 'what a savepoint gives back is room');
    is($heat->($two, 11), '53400', 'for one');
    $one->run('SAVEPOINT t');
    $one->run('RELEASE t');
    $one->run('COMMIT');
    is($shop->query(q{SELECT count(*) FROM inventory.hot_entries()}), '8', 'all have entries before anybody buys');
    is($shop->query(q{SELECT max(hot_items) FROM inventory.stats}), '8', 'stats counts them');
    is($heat->($two, 1, 12), 'false 53400', 'hot already, and no more room');
    Hot::publish($shop, 1 .. 12);
    is($shop->query('SELECT count(*) FROM items_stock.hot WHERE hot'), '8', 'each that was heated stays hot');
    # in one transaction
    $one->run('BEGIN');
    is($one->ask("inventory.cool('shop.items', '" . Shop::item_id(1) . q{')})->[1], '1', 'one is cooled');
    is($heat->($one, 1), '53400', 'its entry is free after the commit');
    $one->run('ROLLBACK');
    is($shop->query(q{SELECT inventory.cool('shop.items')}), '8', 'all are cooled');
    $one->run('BEGIN');
    is($heat->($one, 1 .. 8), join(' ', ('true') x 8), 'then there is room again');
    $one->run('ROLLBACK');
    is($shop->query(q{SELECT count(*) FROM inventory.hot_entries()}), '0', 'rolled back');
    is($heat->($two, 2 .. 9), join(' ', ('true') x 8), 'as much room as before');
    $shop->query(q{SELECT inventory.cool('shop.items')});
    is_deeply([ Hot::problems($shop) ], [], 'nothing is wrong');
    $_->quit for $one, $two;
}

# ---------------------------------------------------------------- many first touches

for my $stock (64, 40)
{
    my $shop = Shop->new($node, "hot_first_$stock", { 1 => $stock + 10 })->attached;
    my @history;

    Hot::heat($shop, [1]);
    push @history, map { $shop->told($shop->buy(1, 1)) } 1 .. 10;
    Crash::kill_server($node);
    Crash::start($node);
    my $crowd = Crowd->new($node, $shop->{database}, 64);
    push @history, $crowd->race([ map { [ $shop->buy(1, 1) ] } 1 .. 64 ]);
    $crowd->quit;
    is($shop->sold, $stock + 10, "64 sessions, $stock units: all units are sold, and no more") if $stock < 64;
    is($shop->sold, 74, "64 sessions, $stock units: every session has one") if $stock == 64;
    is_deeply([ Hot::audit($shop, \@history) ], [], "64 sessions, $stock units: no problems");
    $shop->query(q{SELECT inventory.cool('shop.items')});
}

# ---------------------------------------------------------------- a million movements

{
    my $shop = Shop->new($node, 'hot_many', { 1 => 10 })->attached;

    Hot::heat($shop, [1]);
    $shop->query('SELECT ' . $shop->buy(1, 1)->{call});
    # as the engine would write them; their sum is 0, and one more adds 3 units
    $shop->query(<<"END");
INSERT INTO items_stock.movements (item_id, delta, kind, actor, created_at, epoch)
SELECT item_id, CASE n % 2 WHEN 0 THEN 1 ELSE -1 END, CASE n % 2 WHEN 0 THEN 'restock' ELSE 'write_off' END, actor, now(), epoch
FROM items_stock.movements, generate_series(1, ${\ MANY}) AS n WHERE epoch IS NOT NULL
END
    $shop->query("INSERT INTO items_stock.movements (item_id, delta, kind, actor, created_at, epoch)
        SELECT item_id, 3, 'restock', actor, now(), epoch FROM items_stock.movements WHERE kind = 'sale'");
    Crash::kill_server($node);
    Crash::start($node);
    is(Hot::visible($shop, 1), '12', 'a million movements: visible');
    is($shop->told($shop->buy(1, 1))->{state}, '00000', 'a million movements: the first sale');
    is(Hot::counter($shop, 1), 'hot 11 0', 'a million movements: counted');
    $shop->query(q{SELECT inventory.settle('shop.items')});
    is($shop->query('SELECT stock FROM shop.items'), '11', 'a million movements: settled');
    is(scalar(Hot::sell_out($shop, 1)) - 1, 11, 'a million movements: sold out exactly');
    is_deeply([ Hot::problems($shop) ], [], 'a million movements: no problems');
    $shop->query(q{SELECT inventory.cool('shop.items')});
}

# ---------------------------------------------------------------- databases

{
    my $shop = Shop->new($node, 'hot_original', { 1 => 10, 2 => 10 })->attached;
    my $copy = bless { %$shop, database => 'hot_copy' }, 'Shop';

    Hot::heat($shop, [1]);
    $shop->query('SELECT ' . $shop->buy(1, 3)->{call});
    # the worker exits for it
    Waiting::wait_until(sub { $node->psql('postgres', 'CREATE DATABASE hot_copy TEMPLATE hot_original') == 0 });
    is(Hot::visible($copy, 1), '7', 'the copy: the sales of the original are visible');
    $copy->query('SELECT ' . $copy->buy(1, 2)->{call});
    is(Hot::counter($copy, 1), 'hot 5 0', 'the copy: a counter of its own');
    is(Hot::counter($shop, 1), 'hot 7 0', 'the original: its counter is as before');
    is(scalar(Hot::sell_out($shop, 1)) - 1, 7, 'the original: sold out exactly');
    is(scalar(Hot::sell_out($copy, 1)) - 1, 5, 'the copy: sold out exactly');
    is_deeply([ Hot::problems($shop), Hot::problems($copy) ], [], 'both: no problems');

    # dropped, and created again with the same name
    $node->safe_psql('postgres', 'DROP DATABASE hot_copy WITH (FORCE)');
    Waiting::wait_until(sub { $node->psql('postgres', 'CREATE DATABASE hot_copy TEMPLATE hot_original') == 0 });
    is($copy->told($copy->buy(1, 1))->{state}, 'IV001', 'created again: nothing of the old counter');
    $copy->query("SELECT items_stock.restock_item('$item[1]', 4)");
    is(Hot::counter($copy, 1), 'hot 4 0', 'created again: a counter of its own');
    $node->safe_psql('postgres', 'DROP DATABASE hot_copy WITH (FORCE)');
    $shop->query(q{SELECT inventory.cool('shop.items')});
}

# Tables and databases that are dropped free the entries of their hot items.
{
    my $shop = Shop->new($node, 'hot_rooms', { map { $_ => 10 } 1 .. 6 })->attached;
    my $other = Shop->new($node, 'hot_dropped', { map { $_ => 10 } 1 .. 6 })->attached;

    $node->adjust_conf('postgresql.conf', 'inventory.max_hot_items', '6');
    $node->restart;
    Hot::heat($other, [ 1 .. 3 ]);
    $shop->query('CREATE SCHEMA more; CREATE TABLE more.goods (id int PRIMARY KEY, stock int); INSERT INTO more.goods VALUES (1, 1), (2, 1), (3, 1);'
          . q{SELECT inventory.attach('more.goods'); SELECT count(*) FROM generate_series(1, 3) AS n WHERE inventory.heat('more.goods', n)});
    $shop->query(q{SELECT more.buy_item('u', n) FROM generate_series(1, 3) AS n});
    is(heated($shop, 1), '53400', 'full of items of others');
    $shop->query('DROP SCHEMA more CASCADE');
    is(join(' ', map { heated($shop, $_) } 1 .. 3), 'true true true', 'a table is dropped: room for three');
    Hot::publish($shop, 1 .. 3);
    is(heated($shop, 4), '53400', 'a table is dropped: no more than three');
    $node->safe_psql('postgres', 'DROP DATABASE hot_dropped WITH (FORCE)');
    is(join(' ', map { heated($shop, $_) } 4 .. 6), 'true true true', 'a database is dropped: room for three');
    Hot::publish($shop, 4 .. 6);
    is(join(' ', map { Hot::counter($shop, $_) } 1 .. 6), join(' ', ('hot 10 0') x 6), 'all six items are hot');
    is_deeply([ Hot::problems($shop) ], [], 'no problems');
}

done_testing();
