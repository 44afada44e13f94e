# The background worker runs when it is needed, and blocks no other session.
#
# It starts with the first reservation that is committed, one per database; expires
# overdue holds as the owner of the store; survives errors of a store, crashes and
# reloads; exits for DROP DATABASE, CREATE DATABASE ... TEMPLATE, DROP EXTENSION and
# shutdown.  Where no worker can run everything else works.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Crash;
use Crowd;
use Session;
use Shop;
use Waiting;

use constant SESSIONS => 24;

my $preload = "shared_preload_libraries = 'inventory'";
my $item = Shop::item_id(1);

# With debug1 the log has every start of a worker.
my $node = Shop::server('worker', $preload, 'restart_after_crash = on', 'log_min_messages = debug1', 'inventory.max_workers = 4');

$node->safe_psql('postgres', 'CREATE ROLE shopkeeper LOGIN; CREATE ROLE postgres_too SUPERUSER');

# A shop of an ordinary role, in a database of its own.
sub open_shop
{
    my ($database, $server) = @_;
    my $shop = Shop->new($server || $node, $database, { 1 => 100, 2 => 100 });

    $shop->query('CREATE EXTENSION inventory');
    return $shop->owned_by('shopkeeper')->attached;
}

# A second store in the same database.
sub second_store
{
    my ($shop) = @_;
    $shop->query('CREATE SCHEMA other', 'CREATE TABLE other.things (id int PRIMARY KEY, stock int)',
        'INSERT INTO other.things VALUES (1, 100)', q{SELECT inventory.attach('other.things')});
}

# Reserve units of an item of the shop; the reservation.
sub reserve
{
    my ($shop, $ttl, $number) = @_;
    return $shop->query("SELECT shop.reserve_stock('" . Shop::new_user() . "', '"
          . Shop::item_id($number || 1) . "', 5, '$ttl')");
}

# Make every hold of a store overdue.
sub make_overdue
{
    my ($shop, $ledger) = @_;
    $shop->query('UPDATE ' . ($ledger || 'items_stock') . q{.reservations SET expires_at = now() - interval '1 s'
        WHERE status = 'held'});
}

# Wait until a query is true.
sub wait_for
{
    my ($database, $query, $server) = @_;
    return ($server || $node)->poll_query_until($database, $query);
}

# Wait until all units have returned to the stock.
sub returned
{
    my ($shop, $table) = @_;
    return wait_for($shop->{database}, 'SELECT bool_and(stock = 100) FROM ' . ($table || 'shop.items'), $shop->{node});
}

my $workers = q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'inventory worker' AND datname = };

# Wait until the database has a number of workers.
sub has_workers
{
    my ($shop, $count) = @_;
    return wait_for('postgres', "SELECT ($workers '$shop->{database}') = $count", $shop->{node});
}

sub worker_pid
{
    my ($shop) = @_;
    has_workers($shop, 1) or die 'no worker';
    return $node->safe_psql('postgres',
        "SELECT pid FROM pg_stat_activity WHERE backend_type = 'inventory worker' AND datname = '$shop->{database}'");
}

# The number of workers started so far.
sub starts
{
    my $starts = () = slurp_file($node->logfile) =~ /starting background worker process "inventory worker"/g;
    return $starts;
}

# The same, when the launcher and what it started have ended.
sub starts_after_launch
{
    $node->wait_for_log(qr/background worker "inventory launcher" \(PID \d+\) exited/);
    wait_for('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type LIKE 'inventory %'");
    return starts();
}

# The worker's visits of the stores of a database, by name.
sub attempts
{
    my ($shop) = @_;
    return $shop->pairs(q{SELECT store_name, calls FROM inventory.stats WHERE operation = 'worker'});
}

# ---------------------------------------------------------------- start

# When the server starts, its only database is visited.
my $launched = starts_after_launch();

my $idle = open_shop('idle');

# A sale starts no worker, nor does a reservation that is rolled back.
{
    $idle->query('SELECT ' . $idle->buy(1, 1)->{call});
    $idle->query('UPDATE shop.items SET stock = 100');
    $idle->query('BEGIN', "SELECT shop.reserve_stock('" . Shop::new_user() . "', '$item', 5)", 'ROLLBACK');
    is($node->safe_psql('postgres', "$workers 'idle'"), '0', 'no worker before there is a hold');
    is(starts() - $launched, 0, 'no worker was started');
}

# A hold that is not committed starts no worker, which would not see it.
{
    my $session = Session->new($node, 'idle');
    $session->run('BEGIN');
    my $id = $session->value("shop.reserve_stock('" . Shop::new_user() . "', '$item', 5, '100 ms')");
    like($id, qr/^[-0-9a-f]{36}$/, 'a hold that is not committed');
    is(starts() - $launched, 0, 'starts no worker');
    $session->run('COMMIT');
    ok(has_workers($idle, 1), 'the worker starts when the hold is committed');
    is(starts() - $launched, 1, 'it is the first worker');
    ok(returned($idle), 'it expires the hold without any other session');
    is($idle->query('SELECT status FROM items_stock.reservations'), 'expired', 'the state of the hold is expired');
    is( $idle->query('SELECT kind, delta FROM items_stock.movements WHERE reservation_id IS NOT NULL ORDER BY movement_id'),
        "hold|-5\nexpiry|5", 'the ledger has the hold and its expiry');
    is($idle->verify, '', 'verify finds nothing');
    $session->quit;
}

# Many sessions start one worker; each database has its own.
my $shop = open_shop('crowded');
{
    my $before = starts();
    my $crowd = Crowd->new($node, 'crowded', SESSIONS);
    my @history = $crowd->race(
        [ map { [ { call => "shop.reserve_stock('" . Shop::new_user() . "', '$item', 1, '1 h')" } ] } 1 .. SESSIONS ]);

    $crowd->quit;
    is((grep { $_->{state} ne '00000' } @history), 0, 'many sessions reserve at the same time');
    ok(has_workers($shop, 1), 'their database has a worker');
    ok(has_workers($idle, 1), 'the other database has its own');
    reserve($shop, '1 h');
    is(starts() - $before, 1, 'exactly one was started');
    is($shop->query('SELECT inventory.worker_last_run() IS NOT NULL'), 't', 'worker_last_run tells of it')
      if wait_for('crowded', 'SELECT inventory.worker_last_run() IS NOT NULL');
}

# ---------------------------------------------------------------- work

# It works as the owner of the store, also while deferred triggers run, which cannot change that.
{
    my $pid = worker_pid($shop);
    $shop->query(
        'CREATE TABLE shop.witness (who name, pid int, may boolean, yields boolean)',
        'ALTER TABLE shop.witness OWNER TO shopkeeper',
        <<'END',
CREATE FUNCTION shop.witness() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    may boolean := true;
BEGIN
    BEGIN
        PERFORM set_config('role', 'postgres_too', false);
    EXCEPTION WHEN OTHERS THEN
        may := false;
    END;
    INSERT INTO shop.witness VALUES (current_user, pg_backend_pid(), may,
        current_setting('lock_timeout')::interval > '0'
        AND current_setting('lock_timeout')::interval < current_setting('deadlock_timeout')::interval);
    -- this must not affect the other stores
    PERFORM set_config('default_transaction_read_only', 'on', false);
    RETURN NULL;
END $$
END
        'CREATE CONSTRAINT TRIGGER witness AFTER UPDATE ON shop.items DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION shop.witness()');
    second_store($shop);
    make_overdue($shop);
    ok(returned($shop), 'units of a store with a deferred trigger return');
    is( $shop->query("SELECT DISTINCT who, may FROM shop.witness WHERE pid = $pid"),
        'shopkeeper|f', 'the trigger runs as the owner, and cannot become another role');
    is($shop->query("SELECT DISTINCT yields FROM shop.witness WHERE pid = $pid"),
        't', 'it stops waiting for a lock before other sessions look for a deadlock with it');
    $shop->query(q{SELECT other.reserve_stock('u', 1, 5, '1 ms')});
    ok(returned($shop, 'other.things'), 'a setting of the trigger does not affect the next store');
    is(worker_pid($shop), $pid, 'it is still the same worker');
    $shop->query('DROP TRIGGER witness ON shop.items');
}

# An error in one store is logged and its visits become rarer; the other store is not affected.
{
    my $pid = worker_pid($shop);
    my $log = -s $node->logfile;
    reserve($shop, '1 h');
    $shop->query(q{CREATE FUNCTION shop.suppress() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$});
    make_overdue($shop);
    $shop->query('CREATE TRIGGER suppress BEFORE UPDATE ON items_stock.reservations FOR EACH ROW EXECUTE FUNCTION shop.suppress()');
    $node->wait_for_log(qr/ERROR: .*store "shop.items" is not intact/, $log);
    pass('the error is logged');
    $shop->query('SELECT inventory.reset_stats()');
    $shop->query(q{SELECT other.reserve_stock('u', 1, 5, '1 ms')});
    ok(returned($shop, 'other.things'), 'the other store is served');
    wait_for('crowded', q{SELECT calls >= 8 FROM inventory.stats WHERE operation = 'worker' AND store_name = 'other.things'});
    my %attempts = attempts($shop);
    cmp_ok($attempts{'shop.items'}, '<', $attempts{'other.things'} / 2, 'the store with errors is visited less often');
    $shop->query('DROP TRIGGER suppress ON items_stock.reservations');
    ok(returned($shop), 'without its trigger the store has no errors');
    is(worker_pid($shop), $pid, 'it is still the same worker');
}

# An item that refuses its units keeps no other item, nor another store, from getting its own.
{
    my $pid = worker_pid($shop);
    my $log = -s $node->logfile;
    my $full = Shop::item_id(2);
    $shop->query(q{CREATE FUNCTION shop.refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'not today'; END$$});
    reserve($shop, '1 h', 2);
    reserve($shop, '1 h');
    $shop->query("CREATE TRIGGER refuse BEFORE UPDATE ON shop.items FOR EACH ROW WHEN (NEW.id = '$full') EXECUTE FUNCTION shop.refuse()");
    make_overdue($shop);
    $node->wait_for_log(qr/WARNING: .*overdue holds of item "$full" of store "shop.items" cannot be given back/, $log);
    pass('a warning names the item');
    ok(wait_for('crowded', "SELECT bool_and(stock = 100) FROM shop.items WHERE id <> '$full'"), 'another item of the store gets its units');
    $shop->query('DROP TRIGGER refuse ON shop.items');
    ok(returned($shop), 'without its trigger the item does, too');
    is(worker_pid($shop), $pid, 'it is still the same worker');
}

# Nor do more such items than a transaction gives back, whose holds end at the same time.
{
    $shop->query(
        'INSERT INTO other.things SELECT n, 100 FROM generate_series(2, 151) AS n',
        'ALTER TABLE other.things ADD CHECK (id = 1 OR stock <= 100)',
        q{SELECT other.reserve_cart('u', (SELECT jsonb_agg(jsonb_build_object('item_id', id)) FROM other.things WHERE id > 1), '1 h')},
        'UPDATE other.things SET stock = 100 WHERE id > 1');
    make_overdue($shop, 'things_stock');
    $shop->query(q{SELECT other.reserve_stock('u', 1, 5, '1 ms')});
    ok(wait_for('crowded', 'SELECT stock = 100 FROM other.things WHERE id = 1'), 'another item of the store gets its units in the end');
    $shop->query('UPDATE other.things SET stock = 99 WHERE id > 1');
    ok(returned($shop, 'other.things'), 'and so do they, when they can take them');
}

# A locked row delays only its own store, for a limited time; a table may be dropped in that time.
{
    my $pid = worker_pid($shop);
    my $log = -s $node->logfile;
    my $holder = Session->new($node, 'crowded');
    reserve($shop, '1 h');
    $holder->run('BEGIN', 'SELECT FROM shop.items FOR UPDATE');
    $holder->value('1');
    make_overdue($shop);
    Waiting::for_locks($shop, 1, "pid = $pid");
    $shop->query(q{SELECT other.reserve_stock('u', 1, 5, '1 ms')});
    ok(returned($shop, 'other.things'), 'a locked row does not delay the other store');
    Waiting::for_locks($shop, 1, "pid = $pid");
    $shop->query('DROP SCHEMA other CASCADE');
    $holder->run('COMMIT');
    ok(returned($shop), 'units return when the row is not locked');
    is(worker_pid($shop), $pid, 'a table that was dropped in that time does not end the worker');
    $holder->quit;
}

# A worker that is ended in the middle of a round: another one does what sessions asked it for.
{
    my $pid = worker_pid($shop);
    my $holder = Session->new($node, 'crowded');
    reserve($shop, '1 h');
    $holder->run('BEGIN', "SELECT FROM shop.items WHERE id = '$item' FOR UPDATE");
    $holder->value('1');
    make_overdue($shop);
    Waiting::for_locks($shop, 1, "pid = $pid");
    reserve($shop, '1 ms', 2);
    $node->safe_psql('postgres', "SELECT pg_terminate_backend($pid, 10000)");
    $holder->run('COMMIT');
    ok(returned($shop), 'units return after the worker was ended');
    isnt(worker_pid($shop), $pid, 'by another worker');
    $holder->quit;
}

# A reload changes the retention, and the worker prunes.
{
    $shop->query('SELECT shop.buy_item(' . "'" . Shop::new_user() . "', '$item', 1, '$_')") for qw(old new);
    $shop->query(q{UPDATE items_stock.requests SET created_at = now() - interval '1 day' WHERE key = 'old'});
    reserve($shop, '1 h');
    $node->safe_psql('postgres', q{ALTER SYSTEM SET inventory.request_retention = '1 h'});
    $node->reload;
    ok(wait_for('crowded', q{SELECT count(*) = 1 FROM items_stock.requests}), 'after a reload the worker prunes');
    is($shop->query('SELECT key FROM items_stock.requests'), 'new', 'a younger key remains');
    is($shop->query(q{SELECT count(*) FROM items_stock.reservations WHERE status = 'held'}), '1', 'a hold remains');
}

# ---------------------------------------------------------------- crash

# After a crash the first session that needs it starts one worker, which finds overdue holds.
{
    my $before = starts();
    my $backend = Session->new($node, 'crowded');
    my $pid = $backend->value('pg_backend_pid()');
    Crash::restart_by($node, sub { kill 'KILL', $pid });
    is($backend->ask('1'), undef, 'a backend is killed');
    make_overdue($shop);
    is($node->safe_psql('postgres', "$workers 'crowded'"), '0', 'no worker after the crash');
    # also if the call of the session is refused
    $node->psql('crowded', 'SELECT ' . $shop->buy(2, 1000)->{call});
    ok(has_workers($shop, 1), 'the first session that sells starts it');
    ok(wait_for('crowded', q{SELECT count(*) = 0 FROM items_stock.reservations WHERE status = 'held'}),
        'overdue holds are expired');
    reserve($shop, '1 h');
    is(starts() - $before, 1, 'exactly one was started');
    is($shop->verify, '', 'verify finds nothing');
}

# ---------------------------------------------------------------- exit

# Its database can be copied; the copy has a worker of its own, and can be dropped by its owner.
{
    ok(has_workers($shop, 1), 'a worker runs');
    is($node->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE crowded'), '', 'the database is copied');
    my $copy = bless { %$shop, database => 'copy' }, 'Shop';
    $node->safe_psql('postgres', 'ALTER DATABASE copy OWNER TO shopkeeper');
    is($node->safe_psql('postgres', "$workers 'copy'"), '0', 'the copy has no worker');
    make_overdue($copy);
    $copy->query('SELECT ' . $copy->buy(2, 1)->{call});
    ok(wait_for('copy', q{SELECT count(*) = 0 FROM items_stock.reservations WHERE status = 'held'}),
        'a sale there starts one');
    reserve($copy, '1 h');
    ok(has_workers($copy, 1), 'the copy has a worker');
    is(($node->psql('postgres', 'DROP DATABASE copy', extra_params => [ '-U', 'shopkeeper' ]))[2], '',
        'the copy is dropped');
    is($node->safe_psql('postgres', "$workers 'copy'"), '0', 'its worker has exited');
}

# A session that wants the database for a while, or in vain, keeps the worker out only until its end.
{
    my $holder = Session->new($node, 'postgres');
    my $before = starts();

    reserve($shop, '1 h');
    ok(has_workers($shop, 1), 'a worker runs');
    $node->safe_psql('postgres', 'CREATE ROLE visitor LOGIN');
    $holder->run('BEGIN', q{ALTER ROLE visitor IN DATABASE crowded SET work_mem = '4MB'});
    $holder->value('1');
    isnt($node->psql('postgres', "SET lock_timeout = '5s'; DROP DATABASE crowded;"), 0, 'the database is wanted, and not dropped');
    is($node->safe_psql('postgres', "$workers 'crowded'"), '0', 'its worker has exited');
    $holder->run('ROLLBACK');
    ok(has_workers($shop, 1), 'a worker comes back without a call');
    cmp_ok(starts() - $before, '<=', 3, '... which was not started many times');
    $node->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE crowded; DROP DATABASE copy;');
    ok(has_workers($shop, 1), 'a worker comes back after a copy');
    ok(wait_for('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'inventory worker' AND datname IS NULL}),
        'no worker waits outside');
    unlike(slurp_file($node->logfile), qr/FATAL:  database \S+ does not exist/, 'no worker looks for a database that was dropped');
    $holder->quit;
}

# The extension can be dropped.
{
    reserve($shop, '1 h');
    ok(has_workers($shop, 1), 'a worker runs');
    is($shop->query('SET client_min_messages = warning', 'DROP EXTENSION inventory CASCADE'), '', 'the extension is dropped');
    ok(has_workers($shop, 0), 'the worker exits');
}

# It exits when nothing is held, and starts again.
{
    ok(has_workers($idle, 0), 'the worker exits when it has nothing to do');
    my $before = starts();
    reserve($idle, '1 ms');
    ok(returned($idle), 'it starts again for another hold');
    is(starts() - $before, 1, 'exactly one was started');
}

# It does not delay a shutdown, not even while it waits.
{
    my $holder = Session->new($node, 'idle');
    reserve($idle, '1 h');
    my $pid = worker_pid($idle);
    $holder->run('BEGIN', 'SELECT FROM shop.items FOR UPDATE');
    $holder->value('1');
    make_overdue($idle);
    Waiting::for_locks($idle, 1, "pid = $pid");
    $node->stop('fast');
    unlike(slurp_file($node->logfile), qr/TRAP:|PANIC:/, 'the server stops without a failed assertion or panic');
    $holder->quit;
}

# ---------------------------------------------------------------- without a worker

# Without a worker holds expire on time, and their units return when a buyer or an operator needs them.
sub works_without
{
    my ($name, $shop) = @_;
    my $user = Shop::new_user();

    like(reserve($shop, '1 h'), qr/^[-0-9a-f]{36}$/, "$name: a hold");
    make_overdue($shop);
    like($shop->query("SELECT shop.buy_item('$user', '$item', 98)"), qr/^[-0-9a-f]{36}$/, "$name: a buyer gets the units of an overdue hold");
    reserve($shop, '1 h', 2);
    make_overdue($shop);
    is($shop->query('SELECT items_stock.expire_reservations()'), '1', "$name: an operator expires the rest");
    is($shop->query('SELECT stock FROM shop.items ORDER BY stock'), "2\n100", "$name: the stock is correct");
    is($shop->verify, '', "$name: verify finds nothing");
    is($shop->{node}->safe_psql('postgres', "$workers '$shop->{database}'"), '0', "$name: no worker");
}

# The server has no free worker slots.
{
    $node->append_conf('postgresql.conf', 'max_worker_processes = 0');
    $node->start;
    works_without('no room for a worker', open_shop('no_room'));
    $node->stop;
}

# The library is not preloaded.  From PostgreSQL 17 on sessions share memory by name, and start a worker.
{
    my $plain = Shop::server('plain', 'max_worker_processes = 8');
    $plain->safe_psql('postgres', 'CREATE ROLE shopkeeper LOGIN');
    my $shop = open_shop('plain', $plain);
    if ($plain->safe_psql('postgres', 'SHOW server_version_num') >= 170000)
    {
        reserve($shop, '100 ms');
        ok(has_workers($shop, 1), 'not preloaded: a worker starts');
        ok(returned($shop), 'not preloaded: it expires the hold');
        is($shop->verify, '', 'not preloaded: verify finds nothing');
    }
    else
    {
        works_without('not preloaded', $shop);
        is($shop->query('SELECT inventory.worker_last_run() IS NULL'), 't', 'not preloaded: worker_last_run is null');
    }
}

done_testing();
