# A trigger of another role is never run as the owner, even if it is created during a call.
#
# A call waits for an item's row.  A role that has only the privilege TRIGGER then creates
# a trigger on a table that the call will write, or makes the function of its trigger
# SECURITY INVOKER.  Then the call continues.  It may fail, or the other role may have to
# wait; the test is as which role the function ran.  The same test must find that a shop's
# hand-written function runs such a trigger as its owner.

use strict;
use warnings FATAL => 'all';

use IO::Select;
use PostgreSQL::Test::Utils;
use Test::More;

use Session;
use Shop;
use Waiting;

my $node = Shop::server('trigger_race');
my ($item, $user) = (Shop::item_id(1), Shop::new_user());

$node->safe_psql('postgres', 'CREATE ROLE shopkeeper; CREATE ROLE guest');

# A shop of an ordinary role, in which the guest has TRIGGER on the tables, and a trigger function.
sub open_shop
{
    my ($database, $store, @tables) = @_;
    my $shop = Shop->new($node, $database, { 1 => 100 });

    $shop->owned_by('shopkeeper')->$store();
    $shop->query(
        'CREATE SCHEMA guest AUTHORIZATION guest', 'CREATE TABLE guest.trace (who name)', 'GRANT INSERT ON guest.trace TO PUBLIC',
        'GRANT USAGE ON SCHEMA shop, guest TO PUBLIC', 'GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA shop TO PUBLIC',
        'SET ROLE guest',
        q{CREATE FUNCTION guest.spy() RETURNS trigger LANGUAGE plpgsql
          AS 'BEGIN INSERT INTO guest.trace VALUES (current_user); RETURN NEW; END'},
        'RESET ROLE', map { 'GRANT USAGE ON SCHEMA ' . s/\..*//r . ' TO guest', "GRANT TRIGGER ON $_ TO guest" } @tables);
    return $shop;
}

# The roles as which the guest's function ran, when the guest ran statements while a call
# waited.  Without $waits they ran between two calls.
sub spied
{
    my ($shop, $table, $call, $waits, @does) = @_;
    my ($holder, $owner, $guest) = map { Session->new($node, $shop->{database}, $_) } qw(holder owner guest);

    # an earlier call has loaded the store in this session
    $owner->run('SET ROLE shopkeeper');
    $owner->ask($call);
    $shop->query('TRUNCATE guest.trace');
    if ($waits)
    {
        $holder->run('BEGIN', 'SELECT FROM shop.items FOR UPDATE');
        $holder->value('1');
        $owner->call($call =~ s/first/second/r);
        # it waits, or has failed already
        my $answer = IO::Select->new($owner->output);
        Waiting::wait_until(sub {
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

# The statement that creates the trigger.
sub trigger_on
{
    my ($table) = @_;
    return "CREATE TRIGGER spy BEFORE INSERT OR UPDATE ON $table FOR EACH ROW EXECUTE FUNCTION guest.spy()";
}

# The test finds a trigger that a hand-written function runs as the owner.
{
    my $shop = open_shop('by_hand', 'hand_written', 'shop.orders');
    $shop->query('ALTER FUNCTION shop.buy_item OWNER TO shopkeeper', 'ALTER FUNCTION shop.buy_item SECURITY DEFINER');
    like(spied($shop, 'shop.orders', "shop.buy_item('$user', '$item')", 1, trigger_on('shop.orders')),
        qr/shopkeeper/, 'hand-written function: the trigger ran as the owner');
}

my @tables = map { "items_stock.$_" } qw(movements reservations requests);
my $shop = open_shop('attached', 'attached', 'shop.items', 'shop.orders', @tables);
# which would not let the guest create them: what calls check is tested here
$shop->query('ALTER EVENT TRIGGER inventory_check_created_triggers DISABLE');
for my $table ('shop.items', 'shop.orders', @tables)
{
    my $function = $table =~ /reservations/ ? 'reserve_stock' : 'buy_item';
    my $call = "shop.$function('$user', '$item', idempotency_key => 'first";
    my $who = spied($shop, $table, "$call $table')", 1, trigger_on($table));
    ok($who !~ /shopkeeper/, "a trigger created on $table during a call: not run as the owner") or diag("it ran as $who");

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
