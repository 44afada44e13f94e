# Concurrent carts never deadlock, and each is bought as a whole or not at all.
#
# 64 sessions buy carts of the same ten items in ascending, descending and random order.
# The same test must find that a function deadlocks that takes each line safely, but in
# the order given.

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

# A third of the carts is in ascending order, a third in descending, a third is random with repetitions.
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

# A race; the shop, the number of deadlocks in the server's log, and the problems.
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

# The test finds that lines taken in the order of the cart deadlock: each session takes its
# first line and waits; then half of them need the line that the other half has.
{
    my @first = map { [ $_ % 2 ? [ [ 1, 1 ], [ ITEMS, 1 ] ] : [ [ ITEMS, 1 ], [ 1, 1 ] ] ] } 1 .. SESSIONS;
    my (undef, $deadlocks, @problems) = race(sub { $_[0]->naive }, 'buy_cart', \@first, thinking => 1);
    ok($deadlocks > 0, 'lines in the order of the cart: deadlocks in the log');
    ok((grep { /40P01/ } @problems) > 0, 'lines in the order of the cart: reported by the auditor');
}

# Inventory.
for my $function (qw(buy_cart try_buy_cart))
{
    for my $mode (Crowd::modes())
    {
        my $name = "$function, $mode->{name}";
        my ($shop, $deadlocks, @problems) = race(sub { $_[0]->attached }, $function, \@carts, %$mode);
        is_deeply(\@problems, [], "$name: no problems");
        is($deadlocks, 0, "$name: no deadlock");
        cmp_ok($shop->sold, '>', 0, "$name: something was sold");
    }
}

done_testing();
