# How many items can be hot, and whose they are.
#
# The table of hot items may be full: heat says so, and what was hot before a restart
# with less room is sold from its row.  64 sessions touch a hot item first at the same
# instant.  After a crash a million movements that are not settled are counted right.
# A database that is copied while an item is hot has an item of its own; one that is
# dropped makes room.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Crash;
use Crowd;
use Hot;
use Session;
use Shop;

use constant MANY => 1_000_000;

my $node = Hot::server('hot_room', 'inventory.max_hot_items = 2');
my @item = map { Shop::item_id($_) } 0 .. 6;

# How heating an item ends.
sub heated
{
    my ($shop, $number) = @_;
    my $session = Session->new($node, $shop->{database});
    my $answer = $session->ask("inventory.heat('shop.items', '$item[$number]')");

    $session->quit;
    return $answer->[0] eq '00000' ? $answer->[1] : $answer->[0];
}

# ---------------------------------------------------------------- full

{
    my $shop = Shop->new($node, 'hot_full', { map { $_ => 10 } 1 .. 5 })->attached;
    my @history;

    is(join(' ', map { heated($shop, $_) } 1 .. 2), 'true true', 'two are hot');
    Hot::publish($shop, 1, 2);
    is(heated($shop, 3), '53400', 'a third is one too many');
    is(heated($shop, 1), 'false', 'what is hot is hot already');
    push @history, map { Hot::bought($shop, $shop->buy($_, 2)) } 1 .. 5;
    is(join(' ', map { Hot::counter($shop, $_) } 1 .. 3), 'hot 8 0 hot 8 0 none', 'the third is sold from its row');
    is($shop->query("SELECT inventory.cool('shop.items', '$item[1]')"), '1', 'one is cooled');
    is(heated($shop, 3), 'true', 'then there is room');
    Hot::publish($shop, 3);
    # five of them, in two starts with more room; and then with less
    $node->adjust_conf('postgresql.conf', 'inventory.max_hot_items', '5');
    $node->restart;
    is(join(' ', map { heated($shop, $_) } 1, 4, 5), 'true true true', 'with more room five are hot');
    push @history, map { Hot::bought($shop, $shop->buy($_, 3)) } 1 .. 5;
    is($shop->query(q{SELECT count(*) FROM inventory.hot_entries() WHERE state = 'hot'}), '5', 'all with a counter');
    $node->adjust_conf('postgresql.conf', 'inventory.max_hot_items', '1');
    $node->restart;
    is($shop->query('SELECT string_agg(available::text, chr(32) ORDER BY item_id) FROM items_stock.levels'), '5 5 5 5 5', 'with less room: all can be seen');
    my $cart = $shop->buy_cart([ map { [ $_, 1 ] } 1 .. 5 ], 'buy_cart');
    push @history, Hot::bought($shop, $cart);
    is($history[-1]{state}, '00000', 'with less room: a cart of all is bought');
    push @history, map { Hot::sell_out($shop, $_) } 1 .. 5;
    is($shop->sold, '50', 'with less room: all is sold, and no more');
    is($shop->query('SELECT count(*) FROM items_stock.hot WHERE hot'), '1', 'with less room: one stays hot, the others were folded');
    is_deeply([ Hot::audit($shop, \@history) ], [], 'with less room: nothing is wrong');
    $shop->query(q{SELECT inventory.cool('shop.items')});
    is_deeply([ $shop->audit(\@history) ], [], 'cooled: nothing is wrong');
    $node->adjust_conf('postgresql.conf', 'inventory.max_hot_items', '8');
    $node->restart;
}

# ---------------------------------------------------------------- all at once

for my $stock (64, 40)
{
    my $shop = Shop->new($node, "hot_first_$stock", { 1 => $stock + 10 })->attached;
    my @history;

    Hot::heat($shop, [1]);
    push @history, map { Hot::bought($shop, $shop->buy(1, 1)) } 1 .. 10;
    Crash::kill_server($node);
    Crash::start($node);
    my $crowd = Crowd->new($node, $shop->{database}, 64);
    push @history, $crowd->race([ map { [ $shop->buy(1, 1) ] } 1 .. 64 ]);
    $crowd->quit;
    is($shop->sold, $stock + 10, "64 sessions, $stock units: the first touch sells them all, and no more") if $stock < 64;
    is($shop->sold, 74, "64 sessions, $stock units: everybody has one") if $stock == 64;
    is_deeply([ Hot::audit($shop, \@history) ], [], "64 sessions, $stock units: nothing is wrong");
    $shop->query(q{SELECT inventory.cool('shop.items')});
}

# ---------------------------------------------------------------- a million

{
    my $shop = Shop->new($node, 'hot_many', { 1 => 10 })->attached;

    Hot::heat($shop, [1]);
    $shop->query('SELECT ' . $shop->buy(1, 1)->{call});
    # as many as the engine would write, in sum nothing; and a last one
    $shop->query(<<"END");
INSERT INTO items_stock.movements (item_id, delta, kind, actor, created_at, epoch)
SELECT item_id, CASE n % 2 WHEN 0 THEN 1 ELSE -1 END, CASE n % 2 WHEN 0 THEN 'restock' ELSE 'write_off' END, actor, now(), epoch
FROM items_stock.movements, generate_series(1, ${\ MANY}) AS n WHERE epoch IS NOT NULL
END
    $shop->query("INSERT INTO items_stock.movements (item_id, delta, kind, actor, created_at, epoch)
        SELECT item_id, 3, 'restock', actor, now(), epoch FROM items_stock.movements WHERE kind = 'sale'");
    Crash::kill_server($node);
    Crash::start($node);
    is(Hot::visible($shop, 1), '12', 'a million movements: can be seen');
    is(Hot::bought($shop, $shop->buy(1, 1))->{state}, '00000', 'a million movements: the first sale');
    is(Hot::counter($shop, 1), 'hot 11 0', 'a million movements: counted right');
    $shop->query(q{SELECT inventory.settle('shop.items')});
    is($shop->query('SELECT stock FROM shop.items'), '11', 'a million movements: settled, all of them');
    is(scalar(Hot::sell_out($shop, 1)) - 1, 11, 'a million movements: sold out exactly');
    is_deeply([ Hot::problems($shop) ], [], 'a million movements: nothing is wrong');
    $shop->query(q{SELECT inventory.cool('shop.items')});
}

# ---------------------------------------------------------------- databases

{
    my $shop = Shop->new($node, 'hot_original', { 1 => 10, 2 => 10 })->attached;
    my $copy = bless { %$shop, database => 'hot_copy' }, 'Shop';

    Hot::heat($shop, [1]);
    $shop->query('SELECT ' . $shop->buy(1, 3)->{call});
    # the worker makes way
    Crash::wait_until(sub { $node->psql('postgres', 'CREATE DATABASE hot_copy TEMPLATE hot_original') == 0 });
    is(Hot::visible($copy, 1), '7', 'a copy: has what was sold');
    $copy->query('SELECT ' . $copy->buy(1, 2)->{call});
    is(Hot::counter($copy, 1), 'hot 5 0', 'a copy: a counter of its own');
    is(Hot::counter($shop, 1), 'hot 7 0', 'the original: its own is as it was');
    is(scalar(Hot::sell_out($shop, 1)) - 1, 7, 'the original: sold out exactly');
    is(scalar(Hot::sell_out($copy, 1)) - 1, 5, 'the copy: sold out exactly');
    is_deeply([ Hot::problems($shop), Hot::problems($copy) ], [], 'both: nothing is wrong');

    # dropped, and made anew under the same name
    $node->safe_psql('postgres', 'DROP DATABASE hot_copy WITH (FORCE)');
    Crash::wait_until(sub { $node->psql('postgres', 'CREATE DATABASE hot_copy TEMPLATE hot_original') == 0 });
    is(Hot::bought($copy, $copy->buy(1, 1))->{state}, 'IV001', 'made anew: nothing of the old counter');
    $copy->query("SELECT items_stock.restock_item('$item[1]', 4)");
    is(Hot::counter($copy, 1), 'hot 4 0', 'made anew: counts for itself');
    $node->safe_psql('postgres', 'DROP DATABASE hot_copy WITH (FORCE)');
    $shop->query(q{SELECT inventory.cool('shop.items')});
}

# What is dropped while it is hot makes room: tables, a database.
{
    my $shop = Shop->new($node, 'hot_rooms', { map { $_ => 10 } 1 .. 6 })->attached;
    my $other = Shop->new($node, 'hot_dropped', { map { $_ => 10 } 1 .. 6 })->attached;

    $node->adjust_conf('postgresql.conf', 'inventory.max_hot_items', '6');
    $node->restart;
    Hot::heat($other, [ 1 .. 3 ]);
    $shop->query('CREATE SCHEMA more; CREATE TABLE more.goods (id int PRIMARY KEY, stock int); INSERT INTO more.goods VALUES (1, 1), (2, 1), (3, 1);'
          . q{SELECT inventory.attach('more.goods'); SELECT count(*) FROM generate_series(1, 3) AS n WHERE inventory.heat('more.goods', n)});
    $shop->query(q{SELECT more.buy_item('u', n) FROM generate_series(1, 3) AS n});
    is(heated($shop, 1), '53400', 'full of what others have');
    $shop->query('DROP SCHEMA more CASCADE');
    is(join(' ', map { heated($shop, $_) } 1 .. 3), 'true true true', 'a table is dropped: room for as many');
    Hot::publish($shop, 1 .. 3);
    is(heated($shop, 4), '53400', 'and no more');
    $node->safe_psql('postgres', 'DROP DATABASE hot_dropped WITH (FORCE)');
    is(join(' ', map { heated($shop, $_) } 4 .. 6), 'true true true', 'a database is dropped: room for as many');
    Hot::publish($shop, 4 .. 6);
    is(join(' ', map { Hot::counter($shop, $_) } 1 .. 6), join(' ', ('hot 10 0') x 6), 'all are hot');
    is_deeply([ Hot::problems($shop) ], [], 'nothing is wrong');
}

done_testing();
