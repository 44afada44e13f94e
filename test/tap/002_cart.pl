# Carts never deadlock and are all or nothing.
#
# 64 sessions buy carts of the same ten items in ascending, descending and random
# order.  A function that takes each line safely, but in the order given, must be
# caught deadlocking by the same harness.

use strict;
use warnings FATAL => 'all';

use List::Util 'shuffle';
use PostgreSQL::Test::Utils;
use Test::More;

use Crowd;
use Shop;

use constant SESSIONS => 64;
use constant ITEMS    => 10;

my $node = Shop::server('cart', 'deadlock_timeout = 100ms');
my $races = 0;

# A third of the sessions goes up, a third down, a third takes lines at random, with repetitions.
srand($ENV{SEED} || 1);
my @carts = map {
    my $direction = $_ % 3;
    [
        map {
            my @items = $direction == 2 ? map { 1 + int rand ITEMS } 1 .. ITEMS : 1 .. ITEMS;
            @items = reverse @items if $direction == 1;
            [ map { [ $_, 1 + int rand 3 ] } @items[ sort { $a <=> $b } (shuffle 0 .. $#items)[ 0 .. 4 + int rand 5 ] ] ]
        } 1 .. 10
    ]
} 1 .. SESSIONS;

# One race; its shop, its problems, and what the server's log says about deadlocks.
sub race
{
    my ($open, $function, $carts, %option) = @_;
    my $shop = $open->(Shop->new($node, 'cart_' . ++$races, { map { $_ => 300 } 1 .. ITEMS }));
    my @lists = map { [ map { $shop->buy_cart($_, $function) } @$_ ] } @$carts;
    my $crowd = Crowd->new($node, $shop->{database}, SESSIONS, @{ $option{settings} || [] });
    my $log = -s $node->logfile;
    my $history = [ $crowd->race(\@lists, %option) ];
    my $deadlocks = () = slurp_file($node->logfile, $log) =~ /deadlock detected/g;

    $crowd->quit;
    return ($shop, $deadlocks, $shop->audit($history));
}

# The harness can tell: lines taken in the order of the cart deadlock.  Everybody has the
# first line and thinks; then those who go up meet those who go down.
{
    my @first = map { [ $_ % 2 ? [ [ 1, 1 ], [ ITEMS, 1 ] ] : [ [ ITEMS, 1 ], [ 1, 1 ] ] ] } 1 .. SESSIONS;
    my (undef, $deadlocks, @problems) = race(sub { $_[0]->naive }, 'buy_cart', \@first, thinking => 1);
    ok($deadlocks > 0, 'lines in the order of the cart: the log tells of deadlocks');
    ok((grep { /40P01/ } @problems) > 0, 'lines in the order of the cart: so does the auditor');
}

# Inventory.
for my $function (qw(buy_cart try_buy_cart))
{
    for my $strategy (qw(atomic pessimistic optimistic))
    {
        for my $level ('read committed', 'repeatable read', 'serializable')
        {
            my @retry = ($level eq 'read committed' ? () : '40001', $strategy eq 'optimistic' ? 'IV014' : ());
            my $retry = join '|', @retry;
            my $name = "$function, $strategy, $level";
            my ($shop, $deadlocks, @problems) = race(
                sub { $_[0]->attached },
                $function,
                \@carts,
                settings => [
                    "SET inventory.strategy = '$strategy'",
                    "SET default_transaction_isolation = '$level'"
                ],
                retry => $retry ? qr/^(?:$retry)$/ : undef);
            is_deeply(\@problems, [], "$name: nothing is wrong");
            is($deadlocks, 0, "$name: no deadlock");
            cmp_ok($shop->sold, '>', 0, "$name: something was sold");
        }
    }
}

done_testing();
