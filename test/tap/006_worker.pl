# The background worker: there when it is needed, and in nobody's way.
#
# It comes with the first reservation that is committed, one per database; gives
# back what is overdue as the owner of the store; survives errors of one store,
# crashes and reloads; makes way for DROP DATABASE, CREATE DATABASE ... TEMPLATE,
# DROP EXTENSION and shutdown; and everything works where it cannot be.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Crowd;
use Session;
use Shop;

use constant SESSIONS => 24;

my $preload = "shared_preload_libraries = 'inventory'";
my $item = Shop::item_id(1);

# Every start of a worker is in the log.
my $node = Shop::server('worker', $preload, 'restart_after_crash = on', 'log_min_messages = debug1');

$node->safe_psql('postgres', 'CREATE ROLE shopkeeper LOGIN; CREATE ROLE postgres_too SUPERUSER');

# A shop with its own database, which belongs to an ordinary role.
sub open_shop
{
    my ($database, $server) = @_;
    my $shop = Shop->new($server || $node, $database, { 1 => 100, 2 => 100 });

    $shop->query('CREATE EXTENSION inventory', 'ALTER SCHEMA shop OWNER TO shopkeeper',
        'ALTER TABLE shop.items OWNER TO shopkeeper', 'ALTER TABLE shop.orders OWNER TO shopkeeper',
        "ALTER DATABASE $database OWNER TO shopkeeper");
    return $shop->attached;
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

# Let every hold of a store be overdue.
sub let_expire
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

# Wait until nothing is held any longer; the stock alone is looked at.
sub given_back
{
    my ($shop, $table) = @_;
    return wait_for($shop->{database}, 'SELECT bool_and(stock = 100) FROM ' . ($table || 'shop.items'), $shop->{node});
}

my $workers = q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'inventory worker' AND datname = };

# Wait until the database has so many workers.
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

# How many workers were started by now.
sub starts
{
    my $starts = () = slurp_file($node->logfile) =~ /starting background worker process "inventory worker"/g;
    return $starts;
}

# The attempts of the worker on the stores of a database, by name.
sub attempts
{
    my ($shop) = @_;
    return $shop->pairs(q{SELECT store_name, calls FROM inventory.stats WHERE operation = 'worker'});
}

# ---------------------------------------------------------------- coming

my $idle = open_shop('idle');

# Selling needs no worker, nor does a reservation that is rolled back.
{
    $idle->query('SELECT ' . $idle->buy(1, 1)->{call});
    $idle->query('UPDATE shop.items SET stock = 100');
    $idle->query('BEGIN', "SELECT shop.reserve_stock('" . Shop::new_user() . "', '$item', 5)", 'ROLLBACK');
    is($node->safe_psql('postgres', "$workers 'idle'"), '0', 'no worker before there is a hold');
    is(starts(), 0, 'none was started');
}

# An uncommitted hold needs none yet: a worker would find nothing.
{
    my $session = Session->new($node, 'idle');
    $session->run('BEGIN');
    my $id = $session->value("shop.reserve_stock('" . Shop::new_user() . "', '$item', 5, '100 ms')");
    like($id, qr/^[-0-9a-f]{36}$/, 'a hold that is not committed');
    is(starts(), 0, 'starts no worker');
    $session->run('COMMIT');
    ok(has_workers($idle, 1), 'when it is committed, the worker comes');
    is(starts(), 1, 'it is the first');
    ok(given_back($idle), 'and gives it back, though no session does anything');
    is($idle->query('SELECT status FROM items_stock.reservations'), 'expired', 'the hold is expired');
    is( $idle->query('SELECT kind, delta FROM items_stock.movements WHERE reservation_id IS NOT NULL ORDER BY movement_id'),
        "hold|-5\nexpiry|5", 'the ledger has both');
    is($idle->query(q{SELECT * FROM inventory.verify('shop.items')}), '', 'verify finds nothing');
    $session->quit;
}

# Many sessions at once start one worker; each database has its own.
my $shop = open_shop('crowded');
{
    my $before = starts();
    my $crowd = Crowd->new($node, 'crowded', SESSIONS);
    my @history = $crowd->race(
        [ map { [ { call => "shop.reserve_stock('" . Shop::new_user() . "', '$item', 1, '1 h')" } ] } 1 .. SESSIONS ]);

    $crowd->quit;
    is((grep { $_->{state} ne '00000' } @history), 0, 'many reserve at once');
    ok(has_workers($shop, 1), 'they have a worker');
    ok(has_workers($idle, 1), 'the other database has its own');
    reserve($shop, '1 h');
    is(starts() - $before, 1, 'one was started, and no more');
    is($shop->query('SELECT inventory.worker_last_run() IS NOT NULL'), 't', 'the statistics know it')
      if wait_for('crowded', 'SELECT inventory.worker_last_run() IS NOT NULL');
}

# ---------------------------------------------------------------- working

# It is the owner, also when the transaction's deferred triggers run, and cannot become more.
{
    my $pid = worker_pid($shop);
    $shop->query(
        'CREATE TABLE shop.witness (who name, pid int, may boolean)',
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
    INSERT INTO shop.witness VALUES (current_user, pg_backend_pid(), may);
    -- and what it leaves behind for the session is nobody else's trouble
    PERFORM set_config('default_transaction_read_only', 'on', false);
    RETURN NULL;
END $$
END
        'CREATE CONSTRAINT TRIGGER witness AFTER UPDATE ON shop.items DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION shop.witness()');
    second_store($shop);
    let_expire($shop);
    ok(given_back($shop), 'a store with a deferred trigger');
    is( $shop->query("SELECT DISTINCT who, may FROM shop.witness WHERE pid = $pid"),
        'shopkeeper|f', 'its trigger runs as the owner, and cannot become anybody else');
    $shop->query(q{SELECT other.reserve_stock('u', 1, 5, '1 ms')});
    ok(given_back($shop, 'other.things'), 'what it sets for its session does not reach the next store');
    is(worker_pid($shop), $pid, 'it is still the same worker');
    $shop->query('DROP TRIGGER witness ON shop.items');
}

# An error in one store is logged and backed off; the other store is served.
{
    my $pid = worker_pid($shop);
    my $log = -s $node->logfile;
    reserve($shop, '1 h');
    $shop->query(q{CREATE FUNCTION shop.refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'not today'; END$$},
        'CREATE TRIGGER refuse BEFORE UPDATE ON shop.items FOR EACH ROW EXECUTE FUNCTION shop.refuse()');
    let_expire($shop);
    $node->wait_for_log(qr/ERROR: .*not today/, $log);
    pass('an error is logged');
    $shop->query('SELECT inventory.reset_stats()');
    $shop->query(q{SELECT other.reserve_stock('u', 1, 5, '1 ms')});
    ok(given_back($shop, 'other.things'), 'the other store is served');
    wait_for('crowded', q{SELECT calls >= 8 FROM inventory.stats WHERE operation = 'worker' AND store_name = 'other.things'});
    my %attempts = attempts($shop);
    cmp_ok($attempts{'shop.items'}, '<', $attempts{'other.things'} / 2, 'the store with errors is tried less and less');
    $shop->query('DROP TRIGGER refuse ON shop.items');
    ok(given_back($shop), 'when its trigger has gone, so have the errors');
    is(worker_pid($shop), $pid, 'it is still the same worker');
}

# A row that somebody keeps locked holds up its own store, and for a while; a table may vanish meanwhile.
{
    my $pid = worker_pid($shop);
    my $log = -s $node->logfile;
    my $holder = Session->new($node, 'crowded');
    reserve($shop, '1 h');
    $holder->run('BEGIN', 'SELECT FROM shop.items FOR UPDATE');
    $holder->value('1');
    let_expire($shop);
    wait_for('crowded', "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $pid");
    $shop->query(q{SELECT other.reserve_stock('u', 1, 5, '1 ms')});
    ok(given_back($shop, 'other.things'), 'a locked row holds up no other store');
    ok($node->wait_for_log(qr/canceling statement due to lock timeout/, $log), 'the one that waited is told of');

    wait_for('crowded', "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $pid");
    $shop->query('DROP SCHEMA other CASCADE');
    $holder->run('COMMIT');
    ok(given_back($shop), 'when the row is free, the store is served');
    is(worker_pid($shop), $pid, 'that a table vanished meanwhile does no harm');
    $holder->quit;
}

# A reload changes what is kept, and it is pruned at once.
{
    $shop->query('SELECT shop.buy_item(' . "'" . Shop::new_user() . "', '$item', 1, '$_')") for qw(old new);
    $shop->query(q{UPDATE items_stock.requests SET created_at = now() - interval '1 day' WHERE key = 'old'});
    reserve($shop, '1 h');
    $node->safe_psql('postgres', q{ALTER SYSTEM SET inventory.request_retention = '1 h'});
    $node->reload;
    ok(wait_for('crowded', q{SELECT count(*) = 1 FROM items_stock.requests}), 'a reload lets it prune');
    is($shop->query('SELECT key FROM items_stock.requests'), 'new', 'what is younger stays');
    is($shop->query(q{SELECT count(*) FROM items_stock.reservations WHERE status = 'held'}), '1', 'and so does what is held');
}

# ---------------------------------------------------------------- crash

# After a crash it comes back when a session comes, exactly one, and finds what is overdue.
{
    my $before = starts();
    my $backend = Session->new($node, 'crowded');
    kill 'KILL', $backend->value('pg_backend_pid()');
    is($backend->ask('1'), undef, 'a backend is killed');
    wait_for('postgres', 'SELECT true');
    let_expire($shop);
    is($node->safe_psql('postgres', "$workers 'crowded'"), '0', 'after the crash there is no worker');
    # also if what the session does comes to nothing
    $node->psql('crowded', 'SELECT ' . $shop->buy(2, 1000)->{call});
    ok(has_workers($shop, 1), 'the first session that sells brings it back');
    ok(wait_for('crowded', q{SELECT count(*) = 0 FROM items_stock.reservations WHERE status = 'held'}),
        'overdue holds are given back');
    reserve($shop, '1 h');
    is(starts() - $before, 1, 'it is the only one');
    is($shop->query(q{SELECT * FROM inventory.verify('shop.items')}), '', 'verify finds nothing');
}

# ---------------------------------------------------------------- making way

# A copy of its database can be made, and dropped by its owner; it gets a worker of its own.
{
    ok(has_workers($shop, 1), 'a worker is there');
    is($node->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE crowded'), '', 'a copy is made all the same');
    my $copy = bless { %$shop, database => 'copy' }, 'Shop';
    $node->safe_psql('postgres', 'ALTER DATABASE copy OWNER TO shopkeeper');
    is($node->safe_psql('postgres', "$workers 'copy'"), '0', 'the copy has no worker');
    let_expire($copy);
    $copy->query('SELECT ' . $copy->buy(2, 1)->{call});
    ok(wait_for('copy', q{SELECT count(*) = 0 FROM items_stock.reservations WHERE status = 'held'}),
        'until somebody sells there');
    reserve($copy, '1 h');
    ok(has_workers($copy, 1), 'the worker of the copy');
    is(($node->psql('postgres', 'DROP DATABASE copy', extra_params => [ '-U', 'shopkeeper' ]))[2], '',
        'the database is dropped all the same');
    is($node->safe_psql('postgres', "$workers 'copy'"), '0', 'and its worker has gone');
}

# The extension can be dropped.
{
    reserve($shop, '1 h');
    ok(has_workers($shop, 1), 'a worker is there');
    is($shop->query('SET client_min_messages = warning', 'DROP EXTENSION inventory CASCADE'), '', 'the extension is dropped');
    ok(has_workers($shop, 0), 'the worker leaves');
}

# When nothing is held any longer it leaves by itself, and comes again.
{
    ok(has_workers($idle, 0), 'the worker leaves when it has nothing to do');
    my $before = starts();
    reserve($idle, '1 ms');
    ok(given_back($idle), 'and comes again');
    is(starts() - $before, 1, 'once');
}

# It does not keep the server from stopping, not even while it waits.
{
    my $holder = Session->new($node, 'idle');
    reserve($idle, '1 h');
    my $pid = worker_pid($idle);
    $holder->run('BEGIN', 'SELECT FROM shop.items FOR UPDATE');
    $holder->value('1');
    let_expire($idle);
    wait_for('idle', "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $pid");
    $node->stop('fast');
    unlike(slurp_file($node->logfile), qr/TRAP:|PANIC:/, 'the server stops, and nothing broke');
    $holder->quit;
}

# ---------------------------------------------------------------- without

# What everybody has where there is no worker: holds die on time, and give back when somebody is short.
sub works_without
{
    my ($name, $shop) = @_;
    my $user = Shop::new_user();

    like(reserve($shop, '1 h'), qr/^[-0-9a-f]{36}$/, "$name: a hold");
    let_expire($shop);
    like($shop->query("SELECT shop.buy_item('$user', '$item', 98)"), qr/^[-0-9a-f]{36}$/, "$name: who is short takes what is overdue");
    reserve($shop, '1 h', 2);
    let_expire($shop);
    is($shop->query('SELECT items_stock.expire_reservations()'), '1', "$name: an operator gives back the rest");
    is($shop->query('SELECT stock FROM shop.items ORDER BY stock'), "2\n100", "$name: the stock is right");
    is($shop->query(q{SELECT * FROM inventory.verify('shop.items')}), '', "$name: verify finds nothing");
    is($shop->{node}->safe_psql('postgres', "$workers '$shop->{database}'"), '0', "$name: no worker");
}

# All places for workers are taken.
{
    $node->append_conf('postgresql.conf', 'max_worker_processes = 0');
    $node->start;
    works_without('no room for a worker', open_shop('no_room'));
    $node->stop;
}

# The library is not preloaded.
{
    my $plain = Shop::server('plain');
    $plain->safe_psql('postgres', 'CREATE ROLE shopkeeper LOGIN');
    my $shop = open_shop('plain', $plain);
    works_without('not preloaded', $shop);
    is($shop->query('SELECT inventory.worker_last_run() IS NULL'), 't', 'not preloaded: there is nothing to tell of');
}

done_testing();
