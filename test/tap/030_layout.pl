# A library beside shared memory that another version of it has made: calls are refused, and
# the reason and the cure are said; after a restart it sells.
#
# Without preloading, and from PostgreSQL 17 on, the first session makes the shared memory,
# and it stays when the library is replaced.  A library of the test plays the other version.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Library;
use Shop;

my $node = Shop::server('layout');
my $shop = Shop->new($node, 'layout', { 1 => 10 })->attached;
my $item = Shop::item_id(1);

# Before 17 no session makes shared memory, so no other version can have made it.
if ($node->safe_psql('layout', 'SHOW server_version_num') < 170000)
{
    is($shop->query('SELECT DISTINCT worker_state FROM inventory.stats'), 'off', 'there is no shared memory');
    $node->stop;
    done_testing();
    exit;
}

my $library = Library::compile('layout');

# The outcome of a purchase: its SQLSTATE, and the error with its detail and hint.
sub buy
{
    my (undef, $out, $errors) = $node->psql('layout',
        "\\set VERBOSITY verbose\nSELECT shop.buy_item('" . Shop::new_user() . "', '$item') IS NOT NULL;");
    return $out . $errors;
}

is(buy(), 't', 'it sells from shared memory of its own');
$node->restart;
$shop->query("CREATE FUNCTION make_other_layout() RETURNS boolean LANGUAGE c AS '$library', 'make_other_layout'");
is($shop->query('SELECT make_other_layout()'), 't', 'another version makes the shared memory');
my $refused = buy();
like($refused, qr/IV014: busy/, 'a purchase is refused');
like($refused, qr/layout 999, not \d+/, 'the reason is said');
like($refused, qr/HINT:  Restart the server/, 'the cure is said');
is($shop->query('SELECT stock FROM shop.items'), '9', 'nothing was taken');
$node->restart;
is(buy(), 't', 'it sells after a restart');
is($shop->query("SELECT count(*) FROM inventory.verify('shop.items')"), '0', 'stock, orders and ledger agree');

$node->stop;
done_testing();
