# Tests that logical decoding sees an item that is taken without a statement as it sees the
# UPDATE: with each kind of replica identity, with a wide column, and with an index of the stock.

use strict;
use warnings FATAL => 'all';

use Test::More;

use Session;
use Shop;

my $node = Shop::server('decoding', q{shared_preload_libraries = 'inventory'}, 'wal_level = logical', 'max_worker_processes = 0');
my $shop = Shop->new($node, 'decoding', { 1 => 1000 })->attached;
my $item = Shop::item_id(1);
my $user = Shop::new_user();

$shop->query(q{ALTER TABLE shop.items ADD name text DEFAULT 'x', ADD code int NOT NULL DEFAULT 7});
$shop->query(q{UPDATE shop.items SET name = (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 400) AS n)});
$shop->query('CREATE UNIQUE INDEX code ON shop.items (code)');
$shop->query(q{SELECT pg_create_logical_replication_slot('slot', 'test_decoding')});

# The changes of items by a purchase, from a stock of 1000.
sub decoded
{
    my ($access) = @_;
    my $session = Session->new($node, 'decoding');

    $session->run("SET inventory.direct_access = $access");
    $session->value("items_stock.count_stock('$item', 1000)");
    $node->safe_psql('decoding', q{SELECT count(*) FROM pg_logical_slot_get_changes('slot', NULL, NULL)});
    $session->value("shop.buy_item('$user', '$item', 3)");
    $session->quit;
    return $shop->query(q{SELECT data FROM pg_logical_slot_get_changes('slot', NULL, NULL, 'include-xids', '0') WHERE data LIKE 'table shop.items:%'});
}

for my $identity ('DEFAULT', 'FULL', 'NOTHING', 'USING INDEX code')
{
    $shop->query("ALTER TABLE shop.items REPLICA IDENTITY $identity");
    my $direct = decoded('on');
    like($direct, qr/UPDATE: .*stock\[integer\]:997/, "a take is decoded: $identity");
    is($direct, decoded('off'), "it is decoded as an UPDATE is: $identity");
}
$shop->query('CREATE INDEX ON shop.items (stock)');
is(decoded('on'), decoded('off'), 'so is one that needs index entries');

$node->stop;
done_testing();
