# Concurrent buyers never get more units than there are.
#
# 64 sessions buy 1 unit, 10 units, and 50 items in mixed quantities.  The same test must
# find that the naive store oversells.  A hand-written function, inventory in its place,
# and inventory with each strategy and isolation level must sell exactly what there is.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Crowd;
use Shop;

use constant SESSIONS => 64;

my $node = Shop::server('race');
my $races = 0;

# The stock, and the purchases of each session: lists of [item, quantity].  In the third
# scenario, each first purchase competes with another for more than there is.
srand($ENV{SEED} || 1);
my %scenario = (
    'one unit'  => [ { 1 => 1 },  [ map { [ [ 1, 1 ] ] } 1 .. SESSIONS ] ],
    'ten units' => [ { 1 => 10 }, [ map { [ [ 1, 1 ] ] } 1 .. SESSIONS ] ],
    'fifty items' => [
        { map { $_ => 20 } 1 .. 50 },
        [
            map {
                my $first = 1 + $_ % 50;
                [ [ $first, 11 ], map { [ 1 + int(rand 50), 1 + int(rand 8) ] } 1 .. 19 ]
            } 1 .. SESSIONS
        ]
    ],
    'fifty items, one by one' =>
      [ { map { $_ => 20 } 1 .. 50 }, [ map { [ map { [ 1 + int(rand 50), 1 ] } 1 .. 20 ] } 1 .. SESSIONS ] ]);

# A race in a new shop; the shop, the strategy that its sessions had, and the problems.
sub race
{
    my ($open, $scenario, %option) = @_;
    my ($stock, $purchases) = @{ $scenario{$scenario} };
    my $shop = $open->(Shop->new($node, 'race_' . ++$races, $stock));
    my @lists = map { [ map { $shop->buy(@$_) } @$_ ] } @$purchases;
    my $crowd = Crowd->new($node, $shop->{database}, SESSIONS, @{ $option{settings} || [] });
    my $history = [ $crowd->race(\@lists, %option) ];
    my $strategy = $crowd->{sessions}[0]->value(
        q{(SELECT vartype || ' ' || setting FROM pg_settings WHERE name = 'inventory.strategy')});

    $crowd->quit;
    return ($shop, $strategy, $shop->audit($history, $option{refusal}));
}

# A race without problems.
sub sells_exactly
{
    my ($name, $open, $scenario, %option) = @_;
    my ($shop, $strategy, @problems) = race($open, $scenario, %option);
    my $units = $shop->{stock}{1};

    is_deeply(\@problems, [], "$name, $scenario: no problems");
    is($shop->sold, $units, "$name, $scenario: all units are sold") if keys %{ $shop->{stock} } == 1;
    is($strategy, "enum $option{strategy}", "$name, $scenario: with that strategy") if $option{strategy};
}

# The test finds that the naive store oversells.
for my $scenario ('one unit', 'ten units', 'fifty items')
{
    my ($shop, undef, @problems) = race(sub { $_[0]->naive }, $scenario, thinking => 1);
    my @oversold = grep { /oversold/ } @problems;
    ok(@oversold > 0, "naive store, $scenario: reported as overselling");
    note($_) for @oversold;
}

# A hand-written function, then inventory in its place, called with the same text.
for my $scenario ('one unit', 'ten units', 'fifty items, one by one')
{
    sells_exactly('hand-written function', sub { $_[0]->hand_written }, $scenario, refusal => qr/^P0001$/);
    sells_exactly(
        'inventory in its place',
        sub {
            my ($shop) = @_;
            $shop->hand_written->query('DROP FUNCTION shop.buy_item');
            return $shop->attached(q{argument_prefix => 'p_'});
        },
        $scenario);
}

# Inventory.
for my $mode (Crowd::modes())
{
    for my $scenario ('one unit', 'ten units', 'fifty items')
    {
        sells_exactly($mode->{name}, sub { $_[0]->attached }, $scenario, %$mode);
    }
}

done_testing();
