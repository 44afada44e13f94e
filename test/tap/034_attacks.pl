# An owner's code, shadowed names, names with SQL in them, sizes and formats, where a
# regression test cannot go: in the worker, when the extension is dropped, and when it is
# updated by a superuser.
#
# Each kind has a database and a store of an ordinary role.  The worker serves it, the
# extension is updated by a script that does what a later version would do, and dropped.
# test/attacks/README.md has the table of all kinds.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes 'usleep';

use Session;
use Shop;

my $node = Shop::server('attacks', q{shared_preload_libraries = 'inventory'}, 'inventory.worker_timeout = 5s',
    'autovacuum = off');
my $database;

# Another version, which changes the catalog.
my ($sharedir) = `pg_config --sharedir` =~ /(.*)/;
my $version = $node->safe_psql('postgres', q{SELECT default_version FROM pg_available_extensions WHERE name = 'inventory'});
my $script = "$sharedir/extension/inventory--$version--$version.attack.sql";
END { unlink $script if $script }
unlink $script;
append_to_file($script, <<'END');
ALTER TABLE inventory.store ADD remark pg_catalog.text NOT NULL DEFAULT 'new';
CREATE FUNCTION inventory.seen() RETURNS pg_catalog.text LANGUAGE sql AS $$ SELECT NULL::pg_catalog.text $$;
DO $$ BEGIN
    EXECUTE pg_catalog.format('CREATE OR REPLACE FUNCTION inventory.seen() RETURNS pg_catalog.text LANGUAGE sql AS %L',
        pg_catalog.format('SELECT %L::pg_catalog.text', pg_catalog.current_setting('search_path')));
END $$;
END

# Run statements as a superuser, or as a role.
sub run
{
    my (@statements) = @_;
    return $node->safe_psql($database, join(";\n", @statements));
}

sub run_as
{
    my ($role, @statements) = @_;
    return $node->safe_psql($database, join(";\n", @statements), extra_params => [ '-U', $role ]);
}

# A call by a role: its answer, or the error.
sub ask_as
{
    my ($role, $call) = @_;
    my ($status, $out, $err) = $node->psql($database, "SELECT $call", extra_params => [ '-U', $role ]);
    return $status ? $err : $out;
}

# Run statements that may fail; what psql says.
sub try
{
    my (@statements) = @_;
    my ($status, $out, $err) = $node->psql($database, join(";\n", @statements));
    return $err;
}

# A text as a literal.
sub literal
{
    my ($text) = @_;
    return q{E'} . $text =~ s/([\\'])/\\$1/gr . q{'};
}

# A database of an ordinary role with the extension.
sub open_database
{
    my ($name, $owner) = @_;
    $database = $name;
    $node->safe_psql('postgres', qq{CREATE ROLE "$owner" LOGIN; CREATE DATABASE $name OWNER "$owner"});
    run('CREATE EXTENSION inventory');
}

# A store of the role, in the schema "shop" or of another name, with ten units of one item.
sub open_store
{
    my ($owner, $schema, $ledger) = @_;
    my $quoted = '"' . ($schema || 'shop') . '"';
    run(qq{CREATE SCHEMA $quoted AUTHORIZATION "$owner"});
    run_as($owner, "CREATE TABLE $quoted.items (id int PRIMARY KEY, stock bigint NOT NULL, opens timestamp)",
        "CREATE TABLE $quoted.orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id text, item_id int, quantity bigint)",
        "INSERT INTO $quoted.items VALUES (1, 10)",
        'SELECT inventory.attach(' . literal("$quoted.items") . ', ' . literal("$quoted.orders") . q{, ledger_schema => } . literal($ledger || 'books') . ')');
}

# Wait until an item of the owner has this stock; only the owner reads the table, because the
# planner runs code of the owner as the role that reads.
sub await_stock
{
    my ($owner, $schema, $stock) = @_;
    for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
    {
        return 1 if ask_as($owner, "stock FROM $schema.items") eq $stock;
        usleep(100_000);
    }
    return 0;
}

# Let the worker expire a hold of the schema.
sub expire
{
    my ($owner, $schema, $units) = @_;
    my $quoted = '"' . ($schema || 'shop') . '"';
    my $stock = ask_as($owner, "stock FROM $quoted.items");
    my $hold = ask_as($owner, "$quoted.reserve_stock('u', 1, " . ($units || 1) . ", '1 ms')");
    return $hold =~ /^[-0-9a-f]{36}$/ && await_stock($owner, $quoted, $stock);
}

# End the worker, so that the next one begins with the settings of the database.
sub end_worker
{
    my $workers = "FROM pg_catalog.pg_stat_activity WHERE backend_type = 'inventory worker' AND datname = '$database'";
    $node->safe_psql('postgres', "SELECT pg_terminate_backend(pid) $workers");
    $node->poll_query_until('postgres', "SELECT NOT EXISTS (SELECT $workers)") or die 'the worker does not end';
}

# Drop the extension: what happened.
sub dropped
{
    return try(@_, 'DROP EXTENSION inventory CASCADE') =~ /ERROR: *(.*)/ ? $1 : 'dropped';
}

# What a superuser does to update: the script, and then every store.
sub update
{
    return ("ALTER EXTENSION inventory UPDATE TO '$version.attack'", 'SELECT inventory.refresh(s.items) FROM inventory.store AS s');
}

# ---------------------------------------------------------------- an owner's code

open_database('code', 'mallory');
open_store('mallory');
run_as('mallory', <<'END');
CREATE TABLE shop.bites (place text);
GRANT USAGE ON SCHEMA shop TO PUBLIC;
GRANT INSERT ON shop.bites TO PUBLIC;
CREATE FUNCTION shop.note(place text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF current_user <> 'mallory' THEN INSERT INTO shop.bites VALUES (place); END IF;
END $$;
CREATE FUNCTION shop.bite(i bigint, place text) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN PERFORM shop.note(place); RETURN i; END $$;
CREATE FUNCTION shop.work() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM shop.note(TG_NAME); RETURN NULL; END $$;
CREATE INDEX ON shop.items (shop.bite(stock, 'index'));
CREATE INDEX ON shop.items (id) WHERE shop.bite(1, 'folded') > 0;
CREATE INDEX ON books.hot (item_id) WHERE shop.bite(1, 'folded') > 0;
CREATE INDEX ON books.movements (shop.bite(item_id, 'index'));
CREATE TRIGGER at_once AFTER UPDATE ON shop.items FOR EACH ROW EXECUTE FUNCTION shop.work();
CREATE CONSTRAINT TRIGGER later AFTER UPDATE ON shop.items DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION shop.work();
CREATE CONSTRAINT TRIGGER later AFTER INSERT ON books.movements DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION shop.work();
END
my $bites = q{SELECT coalesce(string_agg(DISTINCT place, ' '), 'none') FROM shop.bites};

ok(expire('mallory'), 'code, worker: a hold expires');
is(run($bites), 'none', q{code, worker: the owner's code runs with the owner's rights});

# a view where a table of the ledger was
run_as('mallory', 'ALTER TABLE books.hot RENAME TO hot_table',
    q{CREATE VIEW books.hot AS SELECT * FROM books.hot_table WHERE shop.bite(1, 'view') > 0},
    q{INSERT INTO books.hot_table (item_id, hot, settled_epoch, incarnation) VALUES (1, false, 0, 1)});
run('SELECT count(*) FROM inventory.stats');
is(run($bites), 'none', 'code, worker: reading the statistics starts the worker, and runs none');
run_as('mallory', 'DROP VIEW books.hot', 'ALTER TABLE books.hot_table RENAME TO hot');

# what is missing is made again
run_as('mallory', 'ALTER TYPE books.hold RENAME TO no_hold');
is(try(update()), '', 'code, upgrade: the extension is updated');
is(run(q{SELECT DISTINCT relowner::regrole FROM pg_class WHERE relnamespace IN ('shop'::regnamespace, 'books'::regnamespace)}), 'mallory',
    'code, upgrade: what is made again is the owner\'s');
is(run($bites), 'none', 'code, upgrade: no code of the owner has other rights');

run_as('mallory', 'ALTER TABLE books.hot RENAME TO hot_table',
    q{CREATE VIEW books.hot AS SELECT * FROM books.hot_table WHERE shop.bite(1, 'view') > 0});
is(dropped(), 'dropped', 'code, drop: a view in place of a table does not stop it');
is(run($bites), 'none', 'code, drop: no code of the owner has other rights');

# ---------------------------------------------------------------- shadowed names

# Operators, functions and types in the schema "evil".
sub add_spies
{
    $node->safe_psql($database, "\\set evil evil\n\\i $ENV{TESTSQL}/include/spies.sql");
    run('CREATE SEQUENCE evil.traces', 'GRANT ALL ON SEQUENCE evil.traces TO PUBLIC');
}

open_database('names', 'nadja');
open_store('nadja');
($ENV{TESTSQL}) = __FILE__ =~ m{(.*)/test/tap/} ? "$1/sql" : 'sql';
add_spies();
# what is rolled back leaves its trace, too
run(q{CREATE OR REPLACE FUNCTION evil.spy_1(oid, oid) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_catalog.nextval('evil.traces'); RETURN $1 OPERATOR(pg_catalog.=) $2; END $$},
    'CREATE OPERATOR evil.= (FUNCTION = evil.spy_1, LEFTARG = oid, RIGHTARG = oid)');
my $traces = q{SELECT concat_ws(' ', (SELECT string_agg(DISTINCT what, ' ') FROM evil.trace), CASE WHEN (SELECT is_called FROM evil.traces) THEN 'traced' END)};
my $path = 'SET search_path = pg_temp, evil, pg_catalog';

is(try($path, q{SELECT 1::bigint = 1::bigint, 1::oid = 1::oid}), '', 'names, worker: the spies work');
like(run($traces), qr/= traced/, 'names, worker: ... and leave a trace');
run('TRUNCATE evil.trace', q{SELECT setval('evil.traces', 1, false)});
run_as('nadja', 'ALTER DATABASE names SET search_path = evil, pg_catalog');
end_worker();
ok(expire('nadja'), 'names, worker: a hold expires in a database with another search_path');
run_as('nadja', "SELECT inventory.heat('shop.items', 1), shop.buy_item('u', 1)");
ok(await_stock('nadja', 'shop', 9), 'names, worker: a hot item is settled');
run_as('nadja', "SELECT inventory.cool('shop.items')");
is(run($traces), '', 'names, worker: no name is found in the schema of another role');
run_as('nadja', 'ALTER DATABASE names RESET search_path');

is(try($path, update()), '', 'names, upgrade: the extension is updated');
is(run('SELECT inventory.seen()'), 'pg_catalog, pg_temp', 'names, upgrade: the script runs under a path of its own');
is(run($traces), '', 'names, upgrade: no name is found in the schema of another role');
run('CREATE TABLE public.other ()');
is(try($path, 'DROP TABLE public.other'), '', 'names, drop: another table is dropped');
is(run($traces), '', 'names, drop: ... with names of the server');
is(dropped($path), 'dropped', 'names, drop: it is dropped');
is(run($traces), '', 'names, drop: no name is found in the schema of another role');
unlike(try('SET search_path = evil', 'CREATE EXTENSION inventory'), qr/ERROR/, 'names, upgrade: it is created');
is(run(q{SELECT extnamespace::regnamespace FROM pg_extension WHERE extname = 'inventory'}), 'pg_catalog', 'names, upgrade: ... in no schema of another role');

# ---------------------------------------------------------------- names with SQL in them


my $hostile = q{it's \ $1 ); DROP TABLE public.victim; --};
my $hostile_role = q{o'); DROP TABLE public.victim; --};
my $victim = q{SELECT to_regclass('public.victim')};
open_database('injection', $hostile_role);
run('CREATE TABLE public.victim (i int)', qq{ALTER TABLE public.victim OWNER TO "$hostile_role"}, 'CREATE ROLE "w\'; --"');
open_store($hostile_role, $hostile, "led$hostile");
run_as($hostile_role, 'SELECT inventory.grant_api(' . literal(qq{"$hostile".items}) . q{, 'w''; --', 'buyer')});
ok(expire($hostile_role, $hostile), 'injection, worker: a hold expires');
is(run($victim), 'victim', 'injection, worker: names are data');
# functions that are dropped and made again get their grants again
run(qq{ALTER TYPE "led$hostile".hold RENAME TO "hold'; --"});
is(try(update()), '', 'injection, upgrade: the extension is updated');
is(run($victim), 'victim', 'injection, upgrade: names are data');
is(dropped(), 'dropped', 'injection, drop: it is dropped');
is(run($victim), 'victim', 'injection, drop: names are data');

# ---------------------------------------------------------------- sizes

my $max = '9223372036854775807';
my $long = 'x' x 63;
open_database('sizes', 'sam');
open_store('sam', $long);
run_as('sam', qq{UPDATE "$long".items SET stock = $max});
ok(expire('sam', $long, 9_000_000_000_000_000_000), 'sizes, worker: a hold of nearly all units that a bigint counts expires');
run_as('sam', qq{SELECT inventory.detach('"$long".items')}, qq{ALTER TABLE "$long".items ADD name text},
    qq{UPDATE "$long".items SET name = repeat('long ', 20000)},
    qq{SELECT inventory.attach('"$long".items', '"$long".orders', ledger_schema => 'books', store_name => repeat('s', 255))});
ok(expire('sam', $long, 9_000_000_000_000_000_000), 'sizes, worker: ... in a store with a long name');
is(try(update()), '', 'sizes, upgrade: the extension is updated');
is(run(qq{SELECT length(store_name) FROM inventory.store}), 255, 'sizes, upgrade: the name is whole');
is(ask_as('sam', qq{"$long".buy_item('u', 1, 9000000000000000000)}), 1, 'sizes, upgrade: the store sells');
run_as('sam', 'INSERT INTO books.hot (item_id, hot, settled_epoch, incarnation) SELECT n, true, 0, 1 FROM generate_series(1, 40000) AS n');
like(dropped(), qr/has 40000 hot items/, 'sizes, drop: any number of hot items stops it');
run_as('sam', 'DELETE FROM books.hot');
is(dropped(), 'dropped', 'sizes, drop: it is dropped');

# ---------------------------------------------------------------- formats

open_database('formats', 'fay');
open_store('fay');
my @odd = ("TimeZone = '<x>-20'", q{DateStyle = 'SQL, DMY'}, 'IntervalStyle = sql_standard', 'bytea_output = escape',
    'standard_conforming_strings = ' . ($node->pg_version < 19 ? 'off' : 'on'), 'extra_float_digits = -15', 'quote_all_identifiers = on');
run_as('fay', q{SELECT inventory.detach('shop.items')}, q{SET TimeZone = 'UTC'}, 'UPDATE shop.items SET opens = now()',
    q{SELECT inventory.attach('shop.items', 'shop.orders', ledger_schema => 'books', sellable => 'opens <= now()')});
my $recorded = q{SELECT array_to_string(settings, ' ') FROM inventory.store};
my $before = run($recorded);
like($before, qr/TimeZone=UTC/, 'formats, upgrade: the settings of attach are recorded');
run_as('fay', map { "ALTER DATABASE formats SET $_" } @odd);
# another hold, which is not overdue
is(ask_as('fay', q{shop.reserve_stock('v', 1, 1, '1 h') IS NOT NULL}), 't', 'formats, worker: a hold is taken');
end_worker();
ok(expire('fay'), 'formats, worker: a hold expires');
is(run(q{SELECT min(expires_at - created_at) = '1 ms' FROM books.reservations}), 't', 'formats, worker: at its time');
is(try(map({ "SET $_" } @odd), update()), '', 'formats, upgrade: the extension is updated');
is(run($recorded), $before, 'formats, upgrade: they stay');
is(ask_as('fay', q{shop.buy_item('u', 1)}), 1, 'formats, upgrade: the item is for sale as before');
is(dropped(map { "SET $_" } @odd), 'dropped', 'formats, drop: it is dropped');

unlike(slurp_file($node->logfile), qr/TRAP:|PANIC:/, 'no failed assertion or panic');
$node->stop;
done_testing();
