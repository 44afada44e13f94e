# Never more is sold than there is, however many want it at once.
#
# 64 sessions fight over 1 unit, over 10 units, and over 50 items in mixed
# quantities.  The naive store must be caught overselling by the same harness; a
# hand-written function, inventory in its place, and inventory with each
# strategy under each isolation level must sell exactly what there is.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Crowd;
use Shop;

use constant SESSIONS => 64;

my $node = Shop::server('race');
my $races = 0;

# What there is, and what each session wants: lists of [item, quantity].  The
# first wishes of the third scenario meet in pairs that want more than there is.
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

# One race in a new shop; the shop, its problems, and a session that took part.
sub race
{
    my ($open, $scenario, %option) = @_;
    my ($stock, $wishes) = @{ $scenario{$scenario} };
    my $shop = $open->(Shop->new($node, 'race_' . ++$races, $stock));
    my @lists = map { [ map { $shop->buy(@$_) } @$_ ] } @$wishes;
    my $crowd = Crowd->new($node, $shop->{database}, SESSIONS, @{ $option{settings} || [] });
    my $history = [ $crowd->race(\@lists, %option) ];
    my $strategy = $crowd->{sessions}[0]->value(
        q{(SELECT vartype || ' ' || setting FROM pg_settings WHERE name = 'inventory.strategy')});

    $crowd->quit;
    return ($shop, $strategy, $shop->audit($history, $option{refusal}));
}

# A race that must go well.
sub sells_exactly
{
    my ($name, $open, $scenario, %option) = @_;
    my ($shop, $strategy, @problems) = race($open, $scenario, %option);
    my $units = $shop->{stock}{1};

    is_deeply(\@problems, [], "$name, $scenario: nothing is wrong");
    is($shop->sold, $units, "$name, $scenario: all is sold") if keys %{ $shop->{stock} } == 1;
    is($strategy, "enum $option{strategy}", "$name, $scenario: by that strategy") if $option{strategy};
}

# The harness can tell: the naive store oversells.
for my $scenario ('one unit', 'ten units', 'fifty items')
{
    my ($shop, undef, @problems) = race(sub { $_[0]->naive }, $scenario, thinking => 1);
    my @oversold = grep { /oversold/ } @problems;
    ok(@oversold > 0, "the naive store, $scenario: reported as overselling");
    note($_) for @oversold;
}

# A function written by hand, then inventory in its place, called by the same text.
for my $scenario ('one unit', 'ten units', 'fifty items, one by one')
{
    sells_exactly('written by hand', sub { $_[0]->hand_written }, $scenario, refusal => qr/^P0001$/);
    sells_exactly(
        'the drop-in',
        sub {
            my ($shop) = @_;
            $shop->hand_written->query('DROP FUNCTION shop.buy_item');
            return $shop->attached(q{argument_prefix => 'p_'});
        },
        $scenario);
}

# Inventory: a serialization failure is for the client to repeat, and so is `busy`, which
# only the optimistic strategy may answer.
for my $strategy (qw(atomic pessimistic optimistic))
{
    for my $level ('read committed', 'repeatable read', 'serializable')
    {
        my @retry = ($level eq 'read committed' ? () : '40001', $strategy eq 'optimistic' ? 'IV014' : ());
        my $retry = join '|', @retry;
        for my $scenario ('one unit', 'ten units', 'fifty items')
        {
            sells_exactly(
                "$strategy, $level",
                sub { $_[0]->attached },
                $scenario,
                strategy => $strategy,
                settings => [
                    "SET inventory.strategy = '$strategy'",
                    "SET default_transaction_isolation = '$level'"
                ],
                retry => $retry ? qr/^(?:$retry)$/ : undef);
        }
    }
}

done_testing();
