# Memory or disk run out: an error, and nothing half.
#
# In a new session each call is made again and again, and each time a later
# allocation of memory fails, until none does.  Then there is no room for tables
# to grow, and none for the WAL in the middle of a race: the server goes down, and
# when there is room again everything that was acknowledged is there, once.  A
# shop that sells in two transactions must be caught by the same harness.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Crash;
use Faults;
use Session;
use Shop;

use constant STRIDE => 40;    # at most so many allocations are passed over

my $faults = Faults->new;
# What becomes of a session that has no memory to load a library is not the matter here.
my $node = Shop::server('exhausted', 'checkpoint_timeout = 1h', q{session_preload_libraries = 'plpgsql, inventory'});
my $shop = Shop->new($node, 'exhausted', { 1 => 100000, 2 => 100000 })->attached;
my ($one, $two) = map { Shop::item_id($_) } 1, 2;
my $user = Shop::new_user();
my $cart = qq{'[{"item_id": "$two"}, {"item_id": "$one", "quantity": 2}]'};
my $eye = Session->new($node, 'exhausted', 'eye');

srand($ENV{SEED} || 1);
$shop->query(<<'END');
CREATE FUNCTION shop.state() RETURNS text LANGUAGE sql AS $$
    SELECT md5(concat_ws(' ', (SELECT json_agg(t ORDER BY t.id) FROM shop.items AS t),
        (SELECT json_agg(t ORDER BY t.id) FROM shop.orders AS t),
        (SELECT json_agg(t ORDER BY t.movement_id) FROM items_stock.movements AS t),
        (SELECT json_agg(t ORDER BY t.reservation_id, t.item_id) FROM items_stock.reservations AS t),
        (SELECT json_agg(t ORDER BY t.key) FROM items_stock.requests AS t),
        (SELECT json_agg(t) FROM inventory.verify('shop.items') AS t)))
$$
END

# ---------------------------------------------------------------- memory

# Make a call, and let its n-th allocation fail; is it out of memory?
sub fails_at
{
    my ($session, $call, $n, $problems) = @_;
    my $before = $eye->value('shop.state()');

    $faults->set(process => $session->value('pg_backend_pid()'), allocations => $n);
    my $answer = $session->ask($call) || ['lost'];
    my $happened = $faults->get('allocations') == 0;
    $faults->set(allocations => 0);
    my $same = $eye->value('shop.state()') eq $before;
    # what could do without that memory is as good as ever
    return $happened if $answer->[0] eq '00000';
    # the library that digests the arguments does not say what it lacks; and for some memory
    # the server itself ends the session
    push @$problems, "allocation $n: @$answer" if $answer->[0] !~ /^(?:53200|38000|lost)$/;
    push @$problems, "allocation $n: something is left" if !$same;
    return $happened;
}

# Make a call in new sessions until it needs no more memory; what is wrong, and how often it failed.
sub runs_out
{
    my ($make) = @_;
    my ($failures, @problems) = (0);

    for (my $n = 1 + int rand STRIDE;; $n += 1 + int rand STRIDE)
    {
        my $session = Session->new($node, 'exhausted', 'starving');
        my $call = $make->();
        $session->value(q{sha256('')});
        my $happened = fails_at($session, $call, $n, \@problems);

        # the session goes on
        unless ($session->alive)
        {
            $session->quit;
            $session = Session->new($node, 'exhausted', 'starving');
        }
        my ($state, $message) = @{ $session->ask($call) || ['lost'] };
        push @problems, "after allocation $n: $state $message" if $state ne '00000';
        $session->quit;
        last unless $happened;
        $failures++;
    }
    return ($failures, @problems);
}

my $key = 0;
my %function = (
    buy_item => sub { "shop.buy_item('$user', '$one', 1, 'key " . ++$key . q{')} },
    buy_cart => sub { "(SELECT count(*) FROM shop.buy_cart('$user', $cart, 'key " . ++$key . q{'))} },
    confirm_reservation => sub {
        my $hold = $eye->value("shop.reserve_cart('$user', $cart)");
        return "(SELECT count(*) FROM shop.confirm_reservation('$hold'))";
    },
    refund_order => sub {
        my $order = $eye->value("shop.buy_item('$user', '$one', 5)");
        return "items_stock.refund_order('$order', 1, idempotency_key => 'key " . ++$key . q{')};
    },
    direct_update => sub { 'shop.direct()' });
$shop->query(<<'END');
CREATE FUNCTION shop.direct() RETURNS int LANGUAGE sql AS 'UPDATE shop.items SET stock = stock - 1 RETURNING stock'
END

# The harness can tell: what was committed before there was no memory is committed.
{
    $shop->query(<<'END');
CREATE PROCEDURE shop.two_steps() LANGUAGE plpgsql AS $$
BEGIN
    UPDATE shop.items SET stock = stock - 1;
    COMMIT;
    PERFORM count(*) FROM repeat('x', 20000000) AS x;
END $$
END
    my $session = Session->new($node, 'exhausted', 'starving');
    my $before = $eye->value('shop.state()');
    $session->run('CALL shop.two_steps()');
    $session->value('1');
    isnt($eye->value('shop.state()'), $before, 'a sale in two transactions: would be found');
    $session->quit;
}

for my $name (sort keys %function)
{
    my ($failures, @problems) = runs_out($function{$name});
    cmp_ok($failures, '>', 5, "$name: memory ran out $failures times");
    is_deeply(\@problems, [], "$name: an error, and nothing half");
}
is($shop->verify, '', 'verify finds nothing');

# ---------------------------------------------------------------- tables

# The tables cannot grow: sooner or later a purchase needs a page.
for my $name ('buy_item', 'buy_cart')
{
    my $session = Session->new($node, 'exhausted');
    my ($before, $call, $answer);

    $faults->set(full => Faults::TABLES, refused => 0);
    do
    {
        $before = $eye->value('shop.state()');
        $call = $function{$name}->();
        $answer = $session->ask($call);
    } until $answer->[0] ne '00000';
    is($answer->[0], '53100', "no room for tables, $name: an error");
    is($eye->value('shop.state()'), $before, "no room for tables, $name: nothing half");
    cmp_ok($faults->get('refused'), '>', 0, "no room for tables, $name: it was that");
    $faults->set(full => 0);
    is($session->ask($call)->[0], '00000', "no room for tables, $name: with room, the same call is done");
    $session->quit;
}
is($shop->verify, '', 'verify finds nothing');
$eye->quit;

# ---------------------------------------------------------------- WAL

my $postmaster = Crash::postmaster($node);
Crash::survived(
    'no room for the WAL',
    $node,
    sub { $faults->set(full => Faults::WAL, refused => 0) },
    sub {
        Crash::wait_until(sub { !kill 0, $postmaster });
        $node->stop('immediate', fail_ok => 1);
        cmp_ok($faults->get('refused'), '>', 0, 'no room for the WAL: it was that');
        ok(!$node->start(fail_ok => 1), 'no room for the WAL: nor for the recovery');
        $faults->set(full => 0);
        Crash::start($node);
    });
unlike(slurp_file($node->logfile), qr/TRAP:|terminated by signal (?:11|7)/, 'no process broke');

done_testing();
