# A trigger of a third party that appears, or changes, while the store is in use is not
# run as the owner of the tables either.
#
# A call waits for an item's row when a role with no more than TRIGGER makes a
# trigger on a table that the call is about to write, or lets its own function, which
# was SECURITY DEFINER, run as its caller from now on; then the call goes on.  It may
# fail, or the other may have to wait: what counts is whom the function ran as.  A
# shop's own function that runs as its owner must be caught by the same harness.

use strict;
use warnings FATAL => 'all';

use IO::Select;
use PostgreSQL::Test::Utils;
use Test::More;

use Crash;
use Session;
use Shop;

my $node = Shop::server('trigger_race');
my ($item, $user) = (Shop::item_id(1), Shop::new_user());

$node->safe_psql('postgres', 'CREATE ROLE shopkeeper; CREATE ROLE guest');

# A shop of an ordinary role, in which the guest has TRIGGER on these tables, and a spy.
sub open_shop
{
    my ($database, $store, @tables) = @_;
    my $shop = Shop->new($node, $database, { 1 => 100 });

    $shop->query('ALTER SCHEMA shop OWNER TO shopkeeper', 'ALTER TABLE shop.items OWNER TO shopkeeper',
        'ALTER TABLE shop.orders OWNER TO shopkeeper', "ALTER DATABASE $database OWNER TO shopkeeper");
    $shop->$store();
    $shop->query(
        'CREATE SCHEMA guest AUTHORIZATION guest', 'CREATE TABLE guest.trace (who name)', 'GRANT INSERT ON guest.trace TO PUBLIC',
        'GRANT USAGE ON SCHEMA shop, guest TO PUBLIC', 'GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA shop TO PUBLIC',
        'SET ROLE guest',
        q{CREATE FUNCTION guest.spy() RETURNS trigger LANGUAGE plpgsql
          AS 'BEGIN INSERT INTO guest.trace VALUES (current_user); RETURN NEW; END'},
        'RESET ROLE', map { 'GRANT USAGE ON SCHEMA ' . s/\..*//r . ' TO guest', "GRANT TRIGGER ON $_ TO guest" } @tables);
    return $shop;
}

# Whom the spy on a table ran as, when the guest did something while a call waited.
# Without $waits the guest did it between two calls.
sub spied
{
    my ($shop, $table, $call, $waits, @does) = @_;
    my ($holder, $owner, $guest) = map { Session->new($node, $shop->{database}, $_) } qw(holder owner guest);

    # the caller knows the store from an earlier call
    $owner->run('SET ROLE shopkeeper');
    $owner->ask($call);
    $shop->query('TRUNCATE guest.trace');
    if ($waits)
    {
        $holder->run('BEGIN', 'SELECT FROM shop.items FOR UPDATE');
        $holder->value('1');
        $owner->call($call =~ s/first/second/r);
        # it waits, or was refused at once
        my $answer = IO::Select->new($owner->output);
        Crash::wait_until(sub {
            $answer->can_read(0) || $holder->value(
                q{EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'owner' AND wait_event_type = 'Lock')}) eq 'true'
        });
    }
    $guest->run('SET ROLE guest', q{SET lock_timeout = '300ms'}, @does);
    $guest->value('1');
    if ($waits)
    {
        $holder->run('COMMIT');
        $owner->await;
    }
    else
    {
        $owner->ask($call =~ s/first/second/r);
    }
    $_->quit for $holder, $owner, $guest;
    my $who = $shop->query(q{SELECT string_agg(DISTINCT who, ' ') FROM guest.trace});
    $shop->query("DROP TRIGGER IF EXISTS spy ON $table");
    return $who;
}

# The statement with which the guest makes the trigger.
sub trigger_on
{
    my ($table) = @_;
    return "CREATE TRIGGER spy BEFORE INSERT OR UPDATE ON $table FOR EACH ROW EXECUTE FUNCTION guest.spy()";
}

# The harness can tell: a function written by hand asks nobody who made a trigger.
{
    my $shop = open_shop('by_hand', 'hand_written', 'shop.orders');
    $shop->query('ALTER FUNCTION shop.buy_item OWNER TO shopkeeper', 'ALTER FUNCTION shop.buy_item SECURITY DEFINER');
    like(spied($shop, 'shop.orders', "shop.buy_item('$user', '$item')", 1, trigger_on('shop.orders')),
        qr/shopkeeper/, 'written by hand: the spy ran as the owner');
}

my @tables = map { "items_stock.$_" } qw(movements reservations requests);
my $shop = open_shop('attached', 'attached', 'shop.items', 'shop.orders', @tables);
for my $table ('shop.items', 'shop.orders', @tables)
{
    my $function = $table =~ /reservations/ ? 'reserve_stock' : 'buy_item';
    my $call = "shop.$function('$user', '$item', idempotency_key => 'first";
    my $who = spied($shop, $table, "$call $table')", 1, trigger_on($table));
    ok($who !~ /shopkeeper/, "a trigger that appears on $table: not run as the owner") or diag("it ran as $who");

    for my $waits (0, 1)
    {
        my $when = $waits ? 'during a call' : 'between two calls';
        $shop->query('SET ROLE guest', 'ALTER FUNCTION guest.spy() SECURITY DEFINER', trigger_on($table));
        $who = spied($shop, $table, "$call $table, $when')", $waits, 'ALTER FUNCTION guest.spy() SECURITY INVOKER');
        ok($who !~ /shopkeeper/, "a trigger on $table that changes $when: not run as the owner") or diag("it ran as $who");
    }
}
is($shop->verify, '', 'verify finds nothing');

done_testing();
