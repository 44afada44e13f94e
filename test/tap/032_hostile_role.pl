# What a role that may create tables does to the rest of the server: nothing.
#
# It may create schemas in a database, and so stores of its own there; it has no rights
# on anything of other roles.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Session;
use Shop;

my $item = Shop::item_id(1);
my $node = Shop::server('hostile', q{shared_preload_libraries = 'inventory'}, 'restart_after_crash = off');
my $shop = Shop->new($node, 'honest', { 1 => 100 })->attached;

$node->safe_psql('postgres', 'CREATE ROLE mallory LOGIN');

# ---------------------------------------------------------------- a catalog that is none
#
# The worker looks into each database when the server starts.

my %catalogs = (
    view => 'CREATE VIEW inventory.store AS SELECT * FROM columns',
    table => 'CREATE TABLE inventory.store (store_name int, items text, orders text, movements text, '
        . 'direct_writes int, has_sellable text, max_ttl int, settings int)',
    sequence => 'CREATE SEQUENCE inventory.store',
);

for my $kind (sort keys %catalogs)
{
    $node->safe_psql('postgres', "CREATE DATABASE no_extension_$kind OWNER mallory");
    $node->safe_psql("no_extension_$kind", "SET ROLE mallory; CREATE SCHEMA inventory;"
        . " CREATE TABLE columns (store_name text, items regclass, orders regclass, movements regclass, user_claim text,"
        . " direct_writes text, has_sellable boolean, max_ttl interval, settings text[]); $catalogs{$kind};"
        . ($kind eq 'table' ? q{INSERT INTO inventory.store VALUES (1, 'x', 'x', 'x', 1, 'x', 1, 1)} : ''));
}
$node->restart;
ok( $node->poll_query_until('postgres',
        q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type IN ('inventory launcher')}),
    'all databases were visited');
$node->safe_psql('postgres', 'SELECT pg_sleep(1)');
my $log = slurp_file($node->logfile);
unlike($log, qr/terminated by signal/, 'no process crashed');
is($shop->query("SELECT shop.buy_item('" . Shop::new_user() . "', '$item') IS NOT NULL"), 't', 'shops sell');

$node->stop;
done_testing();
