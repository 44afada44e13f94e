# Tests that sessions that write order lines at the same time, in a store that follows them, never
# sell a unit twice and do not deadlock where the documentation says so.
#
# 64 sessions insert a line for the last unit.  16 sessions insert the same items in opposite
# orders: in one statement, and in one statement each with follow_at = commit.  One statement
# each with follow_at = statement must deadlock, or the test proves nothing.

use strict;
use warnings FATAL => 'all';

use Test::More;

use Crowd;
use Shop;

my $node = Shop::server('follow_crowd', q{shared_preload_libraries = 'inventory'}, 'max_worker_processes = 0', q{deadlock_timeout = '100ms'});
my $stores = 0;

# A new shop whose stock follows its orders.
sub store
{
    my ($stock, $hot) = @_;
    my $shop = Shop->new($node, 'follow_' . ++$stores, $stock)->attached(q{order_writes => 'follow'});

    $shop->query(map { "SELECT inventory.heat('shop.items', '" . Shop::item_id($_) . q{')} } keys %$stock) if $hot;
    return $shop;
}

# What every session tells, by SQLSTATE, if each runs its list of statements.
sub outcome
{
    my ($shop, $at, $lists, %option) = @_;
    my $crowd = Crowd->new($node, $shop->{database}, scalar @$lists, "SET inventory.follow_at = $at");
    my @calls = map { [ map { { call => '1', after => [$_] } } @$_ ] } @$lists;
    my %count;

    $count{ $_->{state} }++ for $crowd->race(\@calls, %option);
    $crowd->quit;
    return \%count;
}

# An INSERT of lines for items, or one INSERT for each in one transaction.
sub insert
{
    my @rows = map { "('" . Shop::new_user() . "', '" . Shop::item_id($_) . "')" } @_;
    return 'INSERT INTO shop.orders (user_id, item_id) VALUES ' . join ', ', @rows;
}

sub insert_each
{
    my ($first, @others) = @_;
    return 'DO $$ BEGIN ' . insert($first) . '; PERFORM pg_advisory_xact_lock_shared(2); ' .
      join('', map { insert($_) . '; ' } @others) . 'END $$';
}

# The stock is what the lines left, and verify finds nothing.
sub agrees
{
    my ($name, $shop, $units) = @_;
    is($shop->query(q{SELECT sum(on_hand) FROM items_stock.levels}) + $shop->query('SELECT count(*) FROM shop.orders'),
        $units, "$name: stock and lines are the units there were");
    is($shop->query(q{SELECT min(on_hand) >= 0 FROM items_stock.levels}), 't', "$name: nothing is oversold");
    is($shop->query(q{SELECT * FROM inventory.verify('shop.items')}), '', "$name: verify finds nothing");
}

for my $at ('statement', 'commit')
{
    for my $hot (0, 1)
    {
        my $name = "the last unit at $at" . ($hot ? ', hot' : '');
        my $shop = store({ 1 => 1 }, $hot);
        is_deeply(outcome($shop, $at, [ map { [ insert(1) ] } 1 .. 64 ]), { '00000' => 1, IV001 => 63 }, "$name: one session has it");
        agrees($name, $shop, 1);
    }
}

my @items = (1 .. 6);
my $shop = store({ map { $_ => 1000 } @items });
is_deeply(outcome($shop, 'statement', [ map { my $back = $_ % 2; [ map { insert($back ? reverse @items : @items) } 1 .. 10 ] } 1 .. 16 ]),
    { '00000' => 160 }, 'several rows in opposite orders: no deadlock');
agrees('several rows in opposite orders', $shop, 6000);

my @each = map { my $back = $_ % 2; [ insert_each($back ? reverse @items : @items) ] } 1 .. 16;
is_deeply(outcome($shop, 'commit', \@each, thinking => 1), { '00000' => 16 }, 'single rows in opposite orders, at commit: no deadlock');
agrees('single rows at commit', $shop, 6000);

ok(outcome($shop, 'statement', \@each, thinking => 1)->{'40P01'}, 'single rows in opposite orders, at statement: a deadlock');
agrees('single rows at statement', $shop, 6000);

done_testing;
