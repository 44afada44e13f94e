# Living stores are updated to another version while buyers buy, and are refreshed.
#
# From every earlier version to this one, and from this one to a made-up version, which changes what
# is generated.  After the update the catalog is that of a fresh installation.  Stores with open holds, keys, a hot item and orders that are followed sell
# on through their old functions, which verify reports, until refresh_all makes them again.
# Neither waits with the tables locked for a session that has read them and stays open.

use strict;
use warnings FATAL => 'all';

use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

use Session;
use Shop;

my $node = Shop::server('upgrade', q{shared_preload_libraries = 'inventory'}, 'max_worker_processes = 4');
my $version = $node->safe_psql('postgres', q{SELECT default_version FROM pg_available_extensions WHERE name = 'inventory'});
my $made_up = "$version.1";
my ($sharedir) = `pg_config --sharedir` =~ /(.*)/;
my %script = map { $_ => "$sharedir/extension/inventory--$_.sql" } ($made_up, "$version--$made_up");
my $item = Shop::item_id(1);
my $shop;
END { unlink values %script }

# ---------------------------------------------------------------- the made-up version

# One function of it is another, and with it the comment of a generated function.
{
    my $source = slurp_file("$sharedir/extension/inventory--$version.sql");
    $source =~ s/'Sells quantity units of an item to a user:/'Sells, as $made_up does, quantity units of an item to a user:/ or die 'no such text';
    my ($changed) = $source =~ /^(CREATE FUNCTION inventory\.facade_functions\(.*?^\$\$;\n)/ms or die 'no such function';
    append_to_file($script{$made_up}, $source);
    append_to_file($script{"$version--$made_up"}, $changed =~ s/^CREATE /CREATE OR REPLACE /r);
}

# Every object of the extension, with its definition, privileges and comment.
my $catalog = <<'END';
WITH member AS (
    SELECT d.classid, d.objid FROM pg_depend AS d JOIN pg_extension AS e ON e.oid = d.refobjid
    WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'inventory')
SELECT concat_ws(' ', o.type, o.identity, obj_description(m.objid, c.relname),
    (SELECT pg_get_functiondef(p.oid) || coalesce(p.proacl::text, '') FROM pg_proc AS p WHERE m.classid = 'pg_proc'::regclass AND p.oid = m.objid),
    (SELECT coalesce(r.relacl::text, '') || (SELECT string_agg(a.attname || format_type(a.atttypid, a.atttypmod), ' ' ORDER BY a.attnum)
        FROM pg_attribute AS a WHERE a.attrelid = r.oid AND a.attnum > 0)
     FROM pg_class AS r WHERE m.classid = 'pg_class'::regclass AND r.oid = m.objid))
FROM member AS m JOIN pg_class AS c ON c.oid = m.classid CROSS JOIN LATERAL pg_identify_object(m.classid, m.objid, 0) AS o
ORDER BY 1
END

# ---------------------------------------------------------------- living stores

$node->safe_psql('postgres', 'CREATE ROLE shopkeeper LOGIN');

# What verify finds of both stores.
sub problems
{
    return $shop->query(q{SELECT concat_ws(' ', v.problem, v.actual) FROM inventory.store AS s, inventory.verify(s.items) AS v ORDER BY 1});
}

# Update living stores: one of an ordinary role that follows its orders, and one with a hold, a key and a
# hot item.
sub update
{
    my ($database, $old, $new) = @_;
    my $name = "$old to $new";
    $shop = Shop->new($node, $database, { 1 => 100_000, 2 => 1000, 3 => 10 });
    $shop->query("CREATE EXTENSION inventory VERSION '$old'", 'SET client_min_messages = warning',
        q{SELECT FROM inventory.attach('shop.items', 'shop.orders')});
    $shop->{attached} = 1;
    $shop->query(<<"END");
SET client_min_messages = warning;
CREATE SCHEMA kiosk AUTHORIZATION shopkeeper;
GRANT CREATE ON DATABASE $database TO shopkeeper;
SET ROLE shopkeeper;
CREATE TABLE kiosk.goods (id int PRIMARY KEY, stock int NOT NULL);
CREATE TABLE kiosk.lines (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, item_id int NOT NULL, quantity int NOT NULL);
INSERT INTO kiosk.goods VALUES (1, 5);
SELECT FROM inventory.attach('kiosk.goods', 'kiosk.lines', order_writes => 'follow');
INSERT INTO kiosk.lines (item_id, quantity) VALUES (1, 2);
END
    my $user = Shop::new_user();
    my $hold = $shop->query("SELECT shop.reserve_stock('$user', '" . Shop::item_id(2) . "', 5)");
    my $keyed = "SELECT shop.buy_item('$user', '" . Shop::item_id(3) . "', 1, 'key')";
    my $order = $shop->query($keyed);
    $shop->query("SELECT inventory.heat('shop.items', '$item')");

    is(problems(), '', "$name: before: no problems");
    my $buying = $node->basedir . "/$database.sql";
    append_to_file($buying, "SELECT shop.buy_item(gen_random_uuid(), '$_');\n") for $item, Shop::item_id(2);
    my ($out, $errors) = ('', '');
    my $buyers = IPC::Run::start([ 'pgbench', '-n', '-c', 3, '-T', 8, '-R', 60, '-f', $buying, '-d', $node->connstr($database) ],
        '>', \$out, '2>', \$errors);
    sleep 2;
    $shop->query("ALTER EXTENSION inventory UPDATE TO '$new'");
    is($shop->query(q{SELECT extversion FROM pg_extension WHERE extname = 'inventory'}), $new, "$name: updated while buyers buy");
    my $outdated = $shop->query(q{SELECT sum(actual) FROM inventory.store AS s, inventory.verify(s.items) WHERE problem = 'functions_outdated'});
    is($outdated, 2 * $shop->query('SELECT count(*) FROM inventory.facade_functions()'), "$name: verify reports every function of both stores");
    $shop->query('CALL inventory.refresh_all()');
    is(problems(), '', "$name: refreshed while buyers buy: no problems");
    ok($buyers->finish, "$name: no buyer had an error") or diag $errors;
    my ($sold) = $out =~ /transactions actually processed: (\d+)/;
    cmp_ok($sold, '>', 100, "$name: they bought");
    is($shop->query(q{SELECT count(*) FROM shop.orders}), 2 * $sold + 1, "$name: each purchase is an order");
    like($shop->query(q{SELECT obj_description(p.oid, 'pg_proc') FROM pg_proc AS p WHERE p.pronamespace = 'shop'::regnamespace AND p.proname = 'buy_item'}),
        $new eq $made_up ? qr/^Sells, as \Q$new\E does,.* Generated by inventory \Q$new\E\.$/s : qr/ Generated by inventory \Q$new\E\.$/, "$name: the functions are those of the new version");

    $node->safe_psql('postgres', "CREATE DATABASE fresh_$database");
    $node->safe_psql("fresh_$database", "CREATE EXTENSION inventory VERSION '$new'");
    is($shop->query($catalog), $node->safe_psql("fresh_$database", $catalog), "$name: the catalog is that of a fresh installation");

    is($shop->query($keyed), $order, "$name: an old key is remembered");
    is($shop->query("SELECT count(*) FROM shop.confirm_reservation('$hold')"), '1', "$name: an old hold is confirmed");
    is($shop->query('INSERT INTO kiosk.lines (item_id, quantity) VALUES (1, 3)', 'SELECT stock FROM kiosk.goods'), '0', "$name: orders are followed");
    is($shop->query("SELECT FROM inventory.cool('shop.items', '$item')", "SELECT stock FROM shop.items WHERE id = '$item'"), 100_000 - $sold, "$name: the hot item has its stock");
    is(problems(), '', "$name: no problems");
}

my @earlier = sort grep { !/--/ && $_ ne $version && $_ ne $made_up }
    map { m{/inventory--([^/]+)\.sql$} ? $1 : () } glob("$sharedir/extension/inventory--*.sql");
update("earlier_$_", $earlier[$_], $version) for 0 .. $#earlier;
update('living', $version, $made_up);

# ---------------------------------------------------------------- refresh and a session that stays open

my $reader = Session->new($node, 'living', 'reader');
my $buyer = Session->new($node, 'living', 'buyer');
my $owner = Session->new($node, 'living', 'owner');
$reader->run('BEGIN', 'SELECT FROM shop.orders');
$reader->value('1');
$owner->run(q{SET lock_timeout = '3s'});
$owner->call(q{inventory.refresh('shop.items')});
my $slowest = 0;
for (1 .. 10)
{
    my $start = time;
    $buyer->value("shop.buy_item(gen_random_uuid(), '" . Shop::item_id(2) . "') IS NOT NULL");
    $slowest = time - $start if time - $start > $slowest;
    usleep(100_000);
}
cmp_ok($slowest, '<', 1, 'buyers do not queue behind a refresh that waits for a reader');
my ($state, $message) = @{ $owner->await };
is($state, '55P03', 'the refresh gives up after lock_timeout');
like($message, qr/tables of store "shop\.items" are in use/, 'and says why');
my (undef, undef, $said) = $node->psql('living', q{SET lock_timeout = '1s'; SELECT inventory.refresh('shop.items')});
like($said, qr/HINT:  Nothing was changed/, 'and what to do');
(undef, undef, $said) = $node->psql('living', q{SET lock_timeout = '1s'; CALL inventory.refresh_all()});
like($said, qr/WARNING:  the store of shop\.items was not refreshed.*ERROR:  1 of 2 stores were not refreshed/s, 'refresh_all refreshes the others');
$reader->run('COMMIT');
is($shop->query('CALL inventory.refresh_all()'), '', 'and all of them when the reader has ended');

# A caller without rights refreshes nothing, and is not an error.
$node->safe_psql('postgres', 'CREATE ROLE guest LOGIN');
is($node->safe_psql('living', 'CALL inventory.refresh_all()', extra_params => [ '-U', 'guest' ]), '', 'a role without stores refreshes none');
$_->quit for $reader, $buyer, $owner;

$node->stop;
done_testing();
