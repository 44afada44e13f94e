# Hot items are exact after a restart, a promotion, and dump and restore.
#
# Their movements are not in the stock column when the server is restarted, stopped or
# killed, when a standby reads them and is promoted, when the database is dumped and
# restored into another cluster, or when only the shop's own schemas are, and the store is
# attached again.  Without the library preloaded, the next session that uses an item moves
# its unsettled movements into the row.  The same checks must find a lost movement.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Crash;
use Hot;
use Session;
use Shop;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', join "\n", @Hot::SETTINGS, 'max_prepared_transactions = 10', '');
$primary->start;

my @item = map { Shop::item_id($_) } 0 .. 3;
my $directory = PostgreSQL::Test::Utils::tempdir();
my $shops = 0;

# A shop with two hot items and a cold one, with an unsettled hold, delivery and sales: of
# item 1 100 - 10 - 5 + 3 = 88 units are available, of item 2 100 - 1.
sub shop
{
    my ($node) = @_;
    my $shop = Shop->new($node, 'hot_restart_' . ++$shops, { map { $_ => 100 } 1 .. 3 })->attached;
    my $user = Shop::new_user();

    Hot::heat($shop, [ 1, 2 ]);
    $shop->{history} = [ map { $shop->told($shop->buy($_, 1, 'key')) } (1) x 10, 2, 3 ];
    $shop->{hold} = $shop->query("SELECT shop.reserve_stock('$user', '$item[1]', 5, '1 h')");
    $shop->query("SELECT items_stock.restock_item('$item[1]', 3)");
    return $shop;
}

# Check stock, levels and ledger; $hot is the number of hot items.
sub is_exact
{
    my ($name, $shop, $hot) = @_;

    is($shop->query('SELECT count(*) FROM items_stock.hot WHERE hot'), $hot, "$name: number of hot items");
    is($shop->query("SELECT shop.available_stock(id) FROM shop.items ORDER BY id"), "88\n99\n99", "$name: available");
    is($shop->query('SELECT available, on_hand FROM items_stock.levels ORDER BY item_id'), "88|93\n99|99\n99|99", "$name: levels");
    is_deeply([ Hot::problems($shop) ], [], "$name: rows and ledger agree");
}

# Check that an old key, order and hold can be used, and sell item 1 out; $cooled is the number of
# items that can be cooled then.
sub works
{
    my ($name, $shop, $cooled) = @_;
    my $first = $shop->{history}[0];

    is($shop->query("SELECT $first->{call}"), $first->{answer}, "$name: an old key has its answer");
    is($shop->query("SELECT items_stock.refund_order('$first->{answer}')"), '1', "$name: an old order is refunded");
    is($shop->query("SELECT shop.release_reservation('$shop->{hold}')"), 't', "$name: a hold is released");
    my @sold = ($shop->told($shop->buy(1, 90)), Hot::sell_out($shop, 1));
    is($sold[0]{state}, '00000', "$name: many units are sold at once");
    is(scalar(@sold) - 2, 88 + 1 + 5 - 90, "$name: the rest is sold, and no more");
    is_deeply([ Hot::problems($shop) ], [], "$name: no problems");
    is($shop->query(q{SELECT inventory.cool('shop.items')}), $cooled, "$name: cooled");
    is($shop->query('SELECT stock FROM shop.items ORDER BY id'), "0\n99\n99", "$name: the stock column is exact");
    is_deeply([ Hot::problems($shop) ], [], "$name: cooled: no problems");
}

# ---------------------------------------------------------------- the server ends

my %end = (
    'restart'        => sub { $primary->restart },
    'immediate stop' => sub { $primary->stop('immediate'); $primary->start },
    'kill -9'        => sub { Crash::kill_server($primary); Crash::start($primary) },
    'two restarts'   => sub { $primary->stop('immediate'); $primary->start; $primary->restart });

for my $how (sort keys %end)
{
    my $shop = shop($primary);
    is($shop->query(q{SELECT count(*) FROM items_stock.movements WHERE epoch IS NOT NULL}), '13', "$how: nothing is settled");
    is($shop->query("SELECT stock FROM shop.items WHERE id = '$item[1]'"), '100', "$how: the stock column is as before");
    $end{$how}->();
    is_exact($how, $shop, 2);
    works($how, $shop, 2);
}

# ---------------------------------------------------------------- a standby

{
    my $standby = PostgreSQL::Test::Cluster->new('standby');
    $primary->backup('base');
    $standby->init_from_backup($primary, 'base', has_streaming => 1);
    $standby->start;
    my $shop = shop($primary);
    my $there = bless { %$shop, node => $standby }, 'Shop';

    $primary->wait_for_catchup($standby);
    is_exact('on a standby', $there, 2);
    # settling changes nothing
    $shop->query(q{SELECT inventory.settle('shop.items')});
    $primary->wait_for_catchup($standby);
    is_exact('on a standby, settled', $there, 2);
    $shop->query("SELECT shop.release_reservation(shop.reserve_stock('" . Shop::new_user() . "', '$item[1]', 7))");
    my $session = Session->new($standby, $shop->{database});
    for my $call ("inventory.heat('shop.items', '$item[3]')", q{inventory.cool('shop.items')}, q{inventory.settle('shop.items')}, $shop->buy(1, 1)->{call})
    {
        is($session->ask($call)->[0], '25006', 'on a standby: refused, ' . ($call =~ /(\w+)\(/)[0]);
    }
    is($session->value('(SELECT count(*) FROM inventory.hot_entries())'), '0', 'on a standby: no counters');
    $primary->wait_for_catchup($standby);
    Crash::kill_server($primary);
    $standby->promote;
    $standby->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()');
    # a session from before the promotion
    my $call = $there->buy(1, 1);
    is($session->ask($call->{call})->[0], '00000', 'promoted: a session from before buys');
    is(Hot::counter($there, 1), 'hot 87 0', 'promoted: its counter is exact');
    $session->quit;
    $there->query("SELECT items_stock.refund_order((SELECT id FROM shop.orders WHERE user_id = '$call->{user}'))");
    is_exact('promoted', $there, 2);
    works('promoted', $there, 2);
    $standby->stop;
    Crash::start($primary);
}

# ---------------------------------------------------------------- dump and restore

my $elsewhere = PostgreSQL::Test::Cluster->new('elsewhere');
$elsewhere->init;
$elsewhere->append_conf('postgresql.conf', join "\n", @Hot::SETTINGS, '');
$elsewhere->start;

# Dump the shop's database and restore it in another cluster; the shop there.
sub moved
{
    my ($shop) = @_;
    my $file = "$directory/$shop->{database}_" . ++$shops;
    my $there = bless { %$shop, node => $elsewhere, database => "restored_$shops" }, 'Shop';

    $primary->command_ok([ 'pg_dump', '-Fc', '-f', $file, $shop->{database} ], 'pg_dump');
    $elsewhere->safe_psql('postgres', "CREATE DATABASE $there->{database}");
    $elsewhere->command_ok([ 'pg_restore', '--exit-on-error', '-d', $there->{database}, $file ], 'pg_restore');
    return $there;
}

{
    my $shop = shop($primary);
    my $there = moved($shop);
    is_exact('restored', $there, 2);
    works('restored', $there, 2);
    is_exact('after the dump, the original', $shop, 2);
}

# ---------------------------------------------------------------- only the shop's schemas

# A dump of the shop's schemas has no store; the tables are attached again.
{
    my $shop = shop($primary);
    my @mine = ('-n', 'shop', '-n', 'items_stock');
    my $file = "$directory/shop_only";
    my $there = bless { %$shop, node => $elsewhere, database => 'shop_only' }, 'Shop';

    $primary->command_ok([ 'pg_dump', '-Fc', '-f', $file, @mine, $shop->{database} ], 'pg_dump of the schemas of the shop');
    $elsewhere->safe_psql('postgres', "CREATE DATABASE shop_only");
    $there->query('CREATE EXTENSION inventory');
    $elsewhere->command_ok([ 'pg_restore', '--exit-on-error', '-d', 'shop_only', $file ], 'pg_restore of them');
    is($there->query('SELECT stock FROM shop.items ORDER BY id'), "100\n100\n99", 'the schemas alone: the stock column lags');
    is($there->query('SELECT count(*) FROM inventory.store'), '0', 'the schemas alone: there is no store');
    $there->query(q{SELECT inventory.attach('shop.items', 'shop.orders')});
    is($there->query('SELECT stock FROM shop.items ORDER BY id'), "88\n99\n99", 'attached: unsettled movements are in the stock column');
    is($there->query(q{SELECT count(*) FROM items_stock.movements WHERE kind = 'direct'}), '0', 'attached: no difference is booked');
    is_exact('attached', $there, 0);
    Hot::heat($there, [1]);
    is_exact('attached, heated', $there, 1);
    works('attached, heated', $there, 1);
}

# The checks find a lost movement.
{
    my $there = moved(shop($primary));
    $there->query(q{DELETE FROM items_stock.movements WHERE movement_id = (SELECT max(movement_id) FROM items_stock.movements WHERE kind = 'sale')});
    is(scalar($there->audit_ledger), 1, 'a lost movement: reported');
}

# ---------------------------------------------------------------- no longer preloaded

for my $how ('buy', 'cart', 'restock', 'direct', 'cool', 'settle', 'verify')
{
    my $shop = shop($elsewhere);
    my $lazy = $elsewhere->safe_psql('postgres', 'SHOW server_version_num') >= 170000;
    my %act = (
        buy     => [ $shop->buy(1, 1)->{call}, 87 ],
        cart    => [ $shop->buy_cart([ [ 1, 1 ], [ 2, 1 ], [ 3, 1 ] ], 'buy_cart')->{call}, 87 ],
        restock => [ "items_stock.restock_item('$item[1]', 2)", 90 ],
        direct  => [ q{(SELECT 1 FROM shop.direct())}, 90 ],
        cool    => [ q{inventory.cool('shop.items')}, 88 ],
        settle  => [ q{inventory.settle('shop.items')}, 88 ],
        verify  => [ q{(SELECT count(*) FROM inventory.verify('shop.items'))}, 88 ]);

    $shop->query("CREATE FUNCTION shop.direct() RETURNS void LANGUAGE sql AS 'UPDATE shop.items SET stock = stock + 2 WHERE id = ''$item[1]'''");
    $elsewhere->adjust_conf('postgresql.conf', 'shared_preload_libraries', q{''});
    $elsewhere->adjust_conf('postgresql.conf', 'inventory.settle_interval', undef);
    $elsewhere->restart;
    is_exact("not preloaded, $how", $shop, 2);
    my $session = Session->new($elsewhere, $shop->{database});
    my $answer = $session->ask($act{$how}[0]);
    is($answer->[0], '00000', "not preloaded, $how: done");
    is($shop->query("SELECT shop.available_stock('$item[1]')"), $act{$how}[1], "not preloaded, $how: exact");
    is_deeply([ Hot::problems($shop) ], [], "not preloaded, $how: no problems");
    my $heated = $session->ask("inventory.heat('shop.items', '$item[3]')");
    is($heated->[0], $lazy ? '00000' : '55000', "not preloaded, $how: heat needs shared memory");
    $session->quit;
    # preloaded again, the items that are still hot are exact
    $elsewhere->append_conf('postgresql.conf', join "\n", @Hot::SETTINGS, '');
    $elsewhere->restart;
    is($shop->query("SELECT shop.available_stock('$item[1]')"), $act{$how}[1], "preloaded again, $how: exact");
    my @rest = Hot::sell_out($shop, 1);
    is(scalar(@rest) - 1, $act{$how}[1], "preloaded again, $how: sold out exactly");
    is_deeply([ Hot::problems($shop) ], [], "preloaded again, $how: no problems");
    $shop->query(q{SELECT inventory.cool('shop.items')});
    is($shop->query("SELECT stock FROM shop.items WHERE id = '$item[1]'"), '0', "preloaded again, $how: cooled");
}

done_testing();
