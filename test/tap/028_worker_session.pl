# One store does nothing to another through the session of the worker.
#
# The worker runs the triggers of all stores of a database, each as its owner, one after
# the other.  What a trigger leaves in the session is gone when the next store is served:
# temporary objects, settings, advisory locks, prepared statements, cursors, the last
# values of sequences, the seed of random numbers.  A trigger that does not end is stopped
# after inventory.worker_timeout, even if it catches that; the other stores are served.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Session;
use Shop;

my $node = Shop::server('sessions', q{shared_preload_libraries = 'inventory'}, 'inventory.worker_timeout = 1s');
my $workers = q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'inventory worker' AND datname = 'postgres'};

# Run statements as a role.
sub as_role
{
    my ($role, @statements) = @_;
    return $node->safe_psql('postgres', join(";\n", @statements), extra_params => [ '-U', $role ]);
}

# A store of an ordinary role, in a schema of its name, with ten units of one item.
sub open_store
{
    my ($role) = @_;
    $node->safe_psql('postgres', "CREATE ROLE $role LOGIN; GRANT CREATE, TEMP ON DATABASE postgres TO $role");
    as_role($role, "SELECT inventory.create_store('$role', 'bigint', 'text')", "INSERT INTO $role.items VALUES (1, 10)",
        "CREATE TABLE $role.seen (n int GENERATED ALWAYS AS IDENTITY, role name, what text)");
}

# Give a store a trigger that runs when the worker expires a hold, and not in the sessions of the test.
sub set_trigger
{
    my ($role, $body) = @_;
    as_role($role, <<"END");
CREATE OR REPLACE FUNCTION $role.work() RETURNS trigger LANGUAGE plpgsql AS \$\$
BEGIN
    IF session_user = '$role' THEN
        RETURN NULL;
    END IF;
    $body
    RETURN NULL;
END \$\$;
DROP TRIGGER IF EXISTS work ON $role.reservations;
CREATE TRIGGER work AFTER UPDATE ON $role.reservations FOR EACH ROW EXECUTE FUNCTION $role.work()
END
}

# Let the worker expire a hold of a store, and wait for it.
sub expire
{
    my ($role) = @_;
    as_role($role, "SELECT $role.reserve_stock('u', 1, 1, '1 ms')");
    return $node->poll_query_until('postgres', "SELECT stock = 10 FROM $role.items");
}

# What the trigger of a store has noted last.
sub seen
{
    my ($role) = @_;
    return $node->safe_psql('postgres', "SELECT what FROM $role.seen ORDER BY n DESC LIMIT 1");
}

$node->safe_psql('postgres', 'CREATE EXTENSION inventory');
open_store($_) for qw(alice bob);

# ---------------------------------------------------------------- the session

# A temporary table of one owner would run its trigger as the other.
{
    as_role('bob', q{CREATE TABLE bob.secrets AS SELECT 'secret'::text AS s});
    set_trigger('bob', 'CREATE TEMP TABLE IF NOT EXISTS scratch (n bigint); INSERT INTO scratch VALUES (NEW.item_id);');
    as_role('alice', 'GRANT USAGE ON SCHEMA alice TO PUBLIC', 'GRANT INSERT ON alice.seen TO PUBLIC', <<'END');
CREATE FUNCTION alice.steal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO alice.seen (role, what) SELECT current_user, s FROM bob.secrets; RETURN NULL; END $$
END
    set_trigger('alice', <<'END');
    CREATE TEMP TABLE IF NOT EXISTS scratch (n bigint);
    GRANT ALL ON scratch TO PUBLIC;
    DROP TRIGGER IF EXISTS bite ON scratch;
    CREATE TRIGGER bite AFTER INSERT ON scratch FOR EACH ROW EXECUTE FUNCTION alice.steal();
END
    ok(expire('alice'), 'temporary table: one owner makes it');
    ok(expire('bob'), 'temporary table: the other uses one of the same name');
    is($node->safe_psql('postgres', 'SELECT * FROM alice.seen'), '', 'temporary table: and runs no code of the first');
}

# Everything else that lasts longer than a transaction.
my $leave = <<'END';
    PERFORM set_config('work_mem', '77kB', false), set_config('shop.secret', 'x', false), setseed(0.5);
    PERFORM pg_advisory_lock(4711), pg_advisory_lock_shared(4712);
    EXECUTE 'PREPARE left_over AS SELECT 1';
    EXECUTE 'DECLARE left_open CURSOR WITH HOLD FOR SELECT 1';
    CREATE TEMP SEQUENCE counter; PERFORM nextval('counter');
    CREATE TEMP VIEW v AS SELECT 1; CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1';
END
# the first random number after that
my ($known) = $node->safe_psql('postgres', 'SELECT setseed(0.5); SELECT random()') =~ /(\S+)$/;
my $look = <<"END";
    DECLARE
        last text;
    BEGIN
        BEGIN
            PERFORM lastval();
            last := 'lastval';
        EXCEPTION WHEN OTHERS THEN
            NULL;
        END;
        INSERT INTO bob.seen (what) SELECT concat_ws(' ', current_setting('work_mem'), nullif(current_setting('shop.secret', true), ''),
            (SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'),
            (SELECT count(*) FROM pg_prepared_statements), (SELECT count(*) FROM pg_cursors WHERE is_holdable),
            (SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema()),
            (SELECT count(*) FROM pg_proc WHERE pronamespace = pg_my_temp_schema()), random() = $known, last);
    END;
END
{
    set_trigger('bob', $look);
    ok(expire('bob'), 'nothing left: a look at a new session');
    my $new = seen('bob');
    like($new, qr/^\d+[kM]B 0 0 0 0 0 f$/, 'nothing left: the look sees nothing');

    # the look finds it in the same transaction
    set_trigger('bob', "$leave $look");
    ok(expire('bob'), 'nothing left: a look that must find something');
    like(seen('bob'), qr/^77kB x 2 1 1 \d+ 1 t lastval$/, 'nothing left: and does');

    set_trigger('bob', $look);
    set_trigger('alice', $leave);
    ok(expire('alice'), 'nothing left: one owner leaves much in the session');
    is($node->safe_psql('postgres', $workers), '1', 'nothing left: the worker runs');
    ok(expire('bob'), 'nothing left: the other looks');
    is(seen('bob'), $new, 'nothing left: and sees a new session');
    my $other = Session->new($node, 'postgres');
    is($other->value('pg_try_advisory_lock(4711)'), 'true', 'nothing left: other sessions get the lock');
    $other->quit;
}

# ---------------------------------------------------------------- time

sub timeouts
{
    my ($role) = @_;
    return $node->safe_psql('postgres', "SELECT coalesce(sum(calls), 0) FROM inventory.stats WHERE operation = 'worker_timeout' AND store_name = '$role.items'");
}

# A trigger that sleeps, that waits for a lock of another session, that cannot be cancelled.
my $holder = Session->new($node, 'postgres');
$holder->value('pg_advisory_lock(4713)');
my %slow = (
    'sleeps' => 'PERFORM pg_sleep(3600);',
    'waits for a lock' => q{PERFORM set_config('lock_timeout', '0', true), pg_advisory_lock(4713);},
    'catches its cancellation' => 'LOOP BEGIN PERFORM pg_sleep(3600); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP;',
    'sleeps at commit' => '');

set_trigger('bob', 'NULL;');
for my $what (sort keys %slow)
{
    my $log = -s $node->logfile;
    my $before = timeouts('alice');

    if ($slow{$what} eq '')
    {
        set_trigger('alice', 'NULL;');
        as_role('alice', <<'END');
CREATE FUNCTION alice.sleep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN IF session_user <> 'alice' THEN PERFORM pg_sleep(3600); END IF; RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER sleep AFTER UPDATE ON alice.items DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION alice.sleep()
END
    }
    else
    {
        set_trigger('alice', $slow{$what});
    }
    as_role('alice', q{SELECT alice.reserve_stock('u', 1, 1, '1 ms')});
    ok($node->wait_for_log(qr/LOG:  the inventory worker gave up store "alice.items" after 1000 ms/, $log), "$what: the worker gives up the store");
    ok(expire('bob'), "$what: the other store is served");
    cmp_ok(timeouts('alice'), '>', $before, "$what: the statistics count it");
    set_trigger('alice', 'NULL;');
    as_role('alice', 'DROP TRIGGER IF EXISTS sleep ON alice.items');
    ok($node->poll_query_until('postgres', 'SELECT stock = 10 FROM alice.items'), "$what: the store is served when its trigger is gone");
}
$holder->quit;
is($node->safe_psql('postgres', q{SELECT count(*) FROM inventory.verify('alice.items')}), '0', 'verify finds nothing');

# ---------------------------------------------------------------- time, with many stores

# A role that may create schemas has as many stores as it likes: each would sleep for a second.
use constant SLOW_STORES => 20;
$node->safe_psql('postgres', 'CREATE ROLE carol LOGIN; GRANT CREATE ON DATABASE postgres TO carol');
for my $schema (map { "carol_$_" } 1 .. SLOW_STORES)
{
    as_role('carol', "SELECT inventory.create_store('$schema', 'bigint', 'text')", "INSERT INTO $schema.items VALUES (1, 10)", <<"END");
CREATE FUNCTION $schema.sleep() RETURNS trigger LANGUAGE plpgsql AS \$\$
BEGIN IF session_user <> 'carol' THEN PERFORM pg_sleep(3600); END IF; RETURN NULL; END \$\$;
CREATE TRIGGER sleep AFTER UPDATE ON $schema.reservations FOR EACH ROW EXECUTE FUNCTION $schema.sleep()
END
}
# in one transaction: the worker sees all of them in one round
as_role('carol', 'SELECT ' . join(', ', map { "carol_$_.reserve_stock('u', 1, 1, '1 ms')" } 1 .. SLOW_STORES));
ok($node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM inventory.stats WHERE store_name LIKE 'carol%' AND operation = 'worker_timeout'}),
    'the worker gives up a store of an owner with many');
my $begun = time;
ok(expire('bob'), 'the store of another owner is served');
cmp_ok(time - $begun, '<', SLOW_STORES / 2, '... before the worker was through with them');
ok( $node->poll_query_until('postgres',
        q{SELECT count(DISTINCT store_name) = } . SLOW_STORES . q{ FROM inventory.stats WHERE store_name LIKE 'carol%' AND operation = 'worker_timeout'}),
    'and all of them come to their turn');

# Each of these ends its worker; the next worker must not begin with another store of the same owner.
use constant ENDING_STORES => 8;
$node->safe_psql('postgres', 'CREATE ROLE dave LOGIN; GRANT CREATE ON DATABASE postgres TO dave');
for my $schema (map { "dave_$_" } 1 .. ENDING_STORES)
{
    as_role('dave', "SELECT inventory.create_store('$schema', 'bigint', 'text')", "INSERT INTO $schema.items VALUES (1, 10)", <<"END");
CREATE FUNCTION $schema.stay() RETURNS trigger LANGUAGE plpgsql AS \$\$
BEGIN
    LOOP
        EXIT WHEN session_user = 'dave';
        BEGIN PERFORM pg_sleep(3600); EXCEPTION WHEN query_canceled THEN NULL; END;
    END LOOP;
    RETURN NULL;
END \$\$;
CREATE TRIGGER stay AFTER UPDATE ON $schema.reservations FOR EACH ROW EXECUTE FUNCTION $schema.stay()
END
}
open_store('erin');
my $given_up = q{SELECT count(*) FROM inventory.stats WHERE store_name LIKE 'dave%' AND operation = 'worker_timeout'};
as_role('dave', 'SELECT ' . join(', ', map { "dave_$_.reserve_stock('u', 1, 1, '1 ms')" } 1 .. ENDING_STORES));
ok($node->poll_query_until('postgres', "SELECT ($given_up) > 0"), 'a store ends its worker');
ok(expire('erin'), 'the store of another owner, behind it, is served');
cmp_ok($node->safe_psql('postgres', $given_up), '<', ENDING_STORES / 2, '... before other stores of the first owner can end workers, too');
# ---------------------------------------------------------------- memory

# The server keeps the definitions of tables, however large, in each process that has used them.
# To read such tables can take a loaded machine more than a second; stores that need the limit are dropped.
$node->safe_psql('postgres', 'DROP OWNED BY carol, dave CASCADE');
$node->append_conf('postgresql.conf', "log_min_messages = debug1\ninventory.worker_timeout = 0");
$node->reload;
$node->safe_psql('postgres', 'CREATE ROLE frank LOGIN; GRANT CREATE ON DATABASE postgres TO frank');
my $offset = -s $node->logfile;
for my $schema (qw(frank_1 frank_2))
{
    as_role('frank', "SELECT inventory.create_store('$schema', 'bigint', 'text')", "INSERT INTO $schema.items VALUES (1, 10)",
        "DO \$\$ BEGIN EXECUTE format('ALTER TABLE $schema.items ADD CHECK (stock::text <> %L) NOT VALID', repeat('x', 40000000)); END \$\$");
}
as_role('frank', q{SELECT frank_1.reserve_stock('u', 1, 1, '1 h')});
ok($node->wait_for_log(qr/DEBUG:  inventory worker ends with \d+ bytes of memory after store "frank_/, $offset),
    'a worker ends that keeps the definitions of large tables');
ok(expire('erin'), 'another one serves the other stores');
ok($node->poll_query_until('postgres', "SELECT ($workers) = 1"), '... and stays');

unlike(slurp_file($node->logfile), qr/TRAP:|PANIC:/, 'no failed assertion or panic');

done_testing();
