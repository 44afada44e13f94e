# With hot_mode auto a contended item becomes hot, and cools when it is idle.
#
# With default settings, thirty sessions buy one item, each commit takes some milliseconds,
# and the item becomes hot, once, while others stay cold.  When no session buys it any
# more, it cools, once, and is exact; it can become hot again, unless it is kept cold.  With
# hot_mode off all items cool.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Crowd;
use Hot;
use Session;
use Shop;
use Waiting;

use constant SESSIONS => 30;
use constant AFTER    => 600;     # answers after the item has become hot
use constant ENOUGH   => 30_000;  # answers by which it should be hot

# A commit takes a few milliseconds, as with a slow disk.
my $node = Shop::server('hot_auto', q{shared_preload_libraries = 'inventory'}, 'fsync = on', 'commit_delay = 5000',
    'commit_siblings = 0', 'inventory.hot_mode = auto');
my $shop = Shop->new($node, 'hot_auto', { 1 => 100_000, 2 => 1000 })->attached;
my $observer = Session->new($node, 'hot_auto', 'observer');

# How often an item has become hot, and whether it is; empty if it never was.
sub heat_of
{
    my ($number) = @_;
    return $observer->value("(SELECT concat_ws(' ', incarnation, hot) FROM items_stock.hot WHERE item_id = '" . Shop::item_id($number) . q{')});
}

# Let a crowd buy item 1, and rarely item 2, until item 1 has been hot for a while, or until so
# many answers; the calls.
sub crowd_buys
{
    my ($most) = @_;
    my ($hot_since, $stop);
    my $turn = 0;
    my $next = sub { $stop ? undef : $shop->buy(++$turn % 200 ? 1 : 2, 1) };
    my $lists = [ map { [ ($next) x (ENOUGH / SESSIONS) ] } 1 .. SESSIONS ];
    my $crowd = Crowd->new($node, 'hot_auto', SESSIONS);
    my @history = $crowd->race($lists, watch => sub {
        my ($answers) = @_;
        $hot_since = $answers if !$hot_since && $answers % 20 == 0 && heat_of(1) =~ / t$/;
        $stop = 1 if $hot_since && $answers > $hot_since + AFTER;
        $stop = 1 if $most && $answers > $most;
    });
    $crowd->quit;
    return ($hot_since, @history);
}

my ($since, @history) = crowd_buys();
ok($since, 'the contended item becomes hot');
is(heat_of(1), '1 t', 'it became hot once, and stays hot');
is(heat_of(2), '', 'the other item does not');
cmp_ok($shop->query('SELECT count(*) FROM items_stock.movements WHERE epoch IS NOT NULL'), '>', AFTER / 2, 'most sales then use the counter');
is_deeply([ Hot::audit($shop, \@history) ], [], 'no problems');

# the worker settles
$node->poll_query_until('hot_auto', q{SELECT stock = (SELECT sum(delta) FROM items_stock.movements WHERE item_id = id) FROM shop.items WHERE id = '}
      . Shop::item_id(1) . q{'}) or die 'the stock column does not follow';
pass('the stock column follows');

# no session buys
$node->safe_psql('postgres', q{ALTER SYSTEM SET inventory.hot_idle_timeout = '1s'});
$node->reload;
Waiting::wait_until(sub { heat_of(1) eq '1 f' });
pass('it cools');
is_deeply([ $shop->audit(\@history), Hot::problems($shop) ], [], 'cooled: no problems');
is(Hot::counter($shop, 1), 'none', 'cooled: no counter');

# kept cold, it stays so in a crowd that would have heated it
$shop->query(q{SELECT inventory.keep_cold('shop.items', '} . Shop::item_id(1) . q{')});
$node->safe_psql('postgres', q{ALTER SYSTEM RESET inventory.hot_idle_timeout});
$node->reload;
my (undef, @kept) = crowd_buys(3 * $since + AFTER);
push @history, @kept;
is(heat_of(1), '1 f', 'kept cold, it does not become hot');
$shop->query(q{SELECT inventory.keep_cold('shop.items', '} . Shop::item_id(1) . q{', false)});

# the crowd buys again
my ($again, @more) = crowd_buys();
push @history, @more;
ok($again, 'it becomes hot again');
is(heat_of(1), '2 t', 'it became hot once more, and stays hot');

# switched off
$shop->query(q{SELECT inventory.heat('shop.items', '} . Shop::item_id(2) . q{')});
$node->safe_psql('postgres', q{ALTER SYSTEM SET inventory.hot_mode = off});
$node->reload;
Waiting::wait_until(sub { heat_of(1) eq '2 f' && heat_of(2) eq '1 f' });
pass('switched off: all items cool');
is(Session::outcome($node, 'hot_auto', q{inventory.heat('shop.items', '} . Shop::item_id(2) . q{')}), '55000', 'switched off: no item can be heated');
push @history, map { $shop->told($shop->buy($_, 1)) } 1, 2;
is_deeply([ $shop->audit(\@history), Hot::problems($shop) ], [], 'switched off: no problems');
$observer->quit;

done_testing();
