# A call without memory or disk space fails with an error, and leaves nothing.
#
# Each call is made repeatedly in new sessions, and each time a later allocation of memory
# fails, until none does.  Then tables cannot grow, and the WAL has no space in the middle
# of a race: the server goes down, and when there is space again everything that was
# acknowledged is there once.  The same test must find that a shop leaves something that
# sells in two transactions.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Crash;
use Faults;
use Session;
use Shop;
use Waiting;

use constant STRIDE => 40;    # the maximum number of allocations between two failures

my $faults = Faults->new;
# A session that has no memory to load a library is not tested.
my $node = Shop::server('exhausted', 'checkpoint_timeout = 1h', q{session_preload_libraries = 'plpgsql, inventory'});
my $shop = Shop->new($node, 'exhausted', { 1 => 100000, 2 => 100000 })->attached;
my ($one, $two) = map { Shop::item_id($_) } 1, 2;
my $user = Shop::new_user();
my $cart = qq{'[{"item_id": "$two"}, {"item_id": "$one", "quantity": 2}]'};
my $observer = Session->new($node, 'exhausted', 'observer');

srand($ENV{SEED} || 1);
$shop->add_state;

# ---------------------------------------------------------------- memory

# Make a call, and let its n-th allocation fail; did it come to that allocation?
sub fails_at
{
    my ($session, $call, $n, $problems) = @_;
    my $before = $observer->value('shop.state()');

    $faults->set(process => $session->value('pg_backend_pid()'), allocations => $n);
    my $answer = $session->ask($call) || ['lost'];
    my $happened = $faults->get('allocations') == 0;
    $faults->set(allocations => 0);
    my $same = $observer->value('shop.state()') eq $before;
    # the server may do without that memory
    return $happened if $answer->[0] eq '00000';
    # the library that computes digests raises 38000; for some allocations the server itself
    # ends the session
    push @$problems, "allocation $n: @$answer" if $answer->[0] !~ /^(?:53200|38000|lost)$/;
    push @$problems, "allocation $n: something is left" if !$same;
    return $happened;
}

# Make a call in new sessions until no allocation is left to fail; the number of failures, and the problems.
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

        # the session must still work, unless the server has ended it
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
        my $hold = $observer->value("shop.reserve_cart('$user', $cart)");
        return "(SELECT count(*) FROM shop.confirm_reservation('$hold'))";
    },
    refund_order => sub {
        my $order = $observer->value("shop.buy_item('$user', '$one', 5)");
        return "items_stock.refund_order('$order', 1, idempotency_key => 'key " . ++$key . q{')};
    },
    direct_update => sub { 'shop.direct()' });
$shop->query(<<'END');
CREATE FUNCTION shop.direct() RETURNS int LANGUAGE sql AS 'UPDATE shop.items SET stock = stock - 1 RETURNING stock'
END

# The test finds what was committed before memory ran out.
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
    my $before = $observer->value('shop.state()');
    $session->run('CALL shop.two_steps()');
    $session->value('1');
    isnt($observer->value('shop.state()'), $before, 'a sale in two transactions: reported');
    $session->quit;
}

for my $name (sort keys %function)
{
    my ($failures, @problems) = runs_out($function{$name});
    cmp_ok($failures, '>', 5, "$name: memory ran out $failures times");
    is_deeply(\@problems, [], "$name: an error, and nothing is left");
}
is($shop->verify, '', 'verify finds nothing');

# ---------------------------------------------------------------- tables

# The tables cannot grow: after some purchases one needs a new page.
for my $name ('buy_item', 'buy_cart')
{
    my $session = Session->new($node, 'exhausted');
    my ($before, $call, $answer);

    $faults->set(refused => 0, full => Faults::TABLES);
    do
    {
        $before = $observer->value('shop.state()');
        $call = $function{$name}->();
        $answer = $session->ask($call);
    } until $answer->[0] ne '00000';
    is($answer->[0], '53100', "no room for tables, $name: an error");
    is($observer->value('shop.state()'), $before, "no room for tables, $name: nothing is left");
    cmp_ok($faults->get('refused'), '>', 0, "no room for tables, $name: writes were refused");
    $faults->set(full => 0);
    is($session->ask($call)->[0], '00000', "no room for tables, $name: with room, the same call succeeds");
    $session->quit;
}
is($shop->verify, '', 'verify finds nothing');
$observer->quit;

# ---------------------------------------------------------------- WAL

my $postmaster = Crash::postmaster($node);
Crash::survived(
    'no room for the WAL',
    $node,
    sub { $faults->set(refused => 0, full => Faults::WAL) },
    sub {
        Waiting::wait_until(sub { !kill 0, $postmaster });
        $node->stop('immediate', fail_ok => 1);
        cmp_ok($faults->get('refused'), '>', 0, 'no room for the WAL: writes were refused');
        ok(!$node->start(fail_ok => 1), 'no room for the WAL: the recovery fails');
        $faults->set(full => 0);
        Crash::start($node);
    });
unlike(slurp_file($node->logfile), qr/TRAP:|terminated by signal (?:11|7)/, 'no failed assertion, no other crash');

done_testing();
