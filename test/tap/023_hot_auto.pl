# With hot_mode auto nobody has to say which items are hot.
#
# In a store that nobody tuned thirty sessions buy one item, each commit takes a while,
# and the item becomes hot by itself, once, while others stay cold.  When nobody buys any
# more it cools, once, and is as exact as if it had never been hot; it can become hot
# again.  With hot_mode off everything cools.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Crash;
use Crowd;
use Hot;
use Session;
use Shop;

use constant SESSIONS => 30;
use constant AFTER    => 600;     # answers after the item has become hot
use constant ENOUGH   => 30_000;  # answers after which it should be

# A commit takes a few milliseconds, as on disks.
my $node = Shop::server('hot_auto', q{shared_preload_libraries = 'inventory'}, 'fsync = on', 'commit_delay = 5000',
    'commit_siblings = 0', 'inventory.hot_mode = auto');
my $shop = Shop->new($node, 'hot_auto', { 1 => 100_000, 2 => 1000 })->attached;
my $eye = Session->new($node, 'hot_auto', 'eye');

# The transitions of an item to hot, and whether it is: empty, if it never was.
sub heat_of
{
    my ($number) = @_;
    return $eye->value("(SELECT concat_ws(' ', incarnation, hot) FROM items_stock.hot WHERE item_id = '" . Shop::item_id($number) . q{')});
}

# Let a crowd buy item 1, and now and then item 2, until item 1 has been hot for a while; the calls.
sub crowd_buys
{
    my ($hot_since, $stop);
    my $turn = 0;
    my $next = sub { $stop ? undef : $shop->buy(++$turn % 200 ? 1 : 2, 1) };
    my $lists = [ map { [ ($next) x (ENOUGH / SESSIONS) ] } 1 .. SESSIONS ];
    my $crowd = Crowd->new($node, 'hot_auto', SESSIONS);
    my @history = $crowd->race($lists, watch => sub {
        my ($answers) = @_;
        $hot_since = $answers if !$hot_since && $answers % 20 == 0 && heat_of(1) =~ / t$/;
        $stop = 1 if $hot_since && $answers > $hot_since + AFTER;
    });
    $crowd->quit;
    return ($hot_since, @history);
}

my ($since, @history) = crowd_buys();
ok($since, 'the item that everybody buys becomes hot');
is(heat_of(1), '1 t', 'once, and it stays so');
is(heat_of(2), '', 'the other one does not');
cmp_ok($shop->query('SELECT count(*) FROM items_stock.movements WHERE epoch IS NOT NULL'), '>', AFTER / 2, 'most are sold from the counter then');
is_deeply([ Hot::audit($shop, \@history) ], [], 'nothing is wrong');

# the worker settles
$node->poll_query_until('hot_auto', q{SELECT stock = (SELECT sum(delta) FROM items_stock.movements WHERE item_id = id) FROM shop.items WHERE id = '}
      . Shop::item_id(1) . q{'}) or die 'the stock column does not follow';
pass('the stock column follows');

# nobody buys any more
$node->safe_psql('postgres', q{ALTER SYSTEM SET inventory.hot_idle_timeout = '1s'});
$node->reload;
Crash::wait_until(sub { heat_of(1) eq '1 f' });
pass('it cools by itself');
is_deeply([ $shop->audit(\@history), Hot::problems($shop) ], [], 'cooled: nothing is wrong');
is(Hot::counter($shop, 1), 'none', 'cooled: no counter');

# everybody again
$node->safe_psql('postgres', q{ALTER SYSTEM RESET inventory.hot_idle_timeout});
$node->reload;
my ($again, @more) = crowd_buys();
push @history, @more;
ok($again, 'it becomes hot again');
is(heat_of(1), '2 t', 'once more, and it stays so');

# switched off
$shop->query(q{SELECT inventory.heat('shop.items', '} . Shop::item_id(2) . q{')});
$node->safe_psql('postgres', q{ALTER SYSTEM SET inventory.hot_mode = off});
$node->reload;
Crash::wait_until(sub { heat_of(1) eq '2 f' && heat_of(2) eq '1 f' });
pass('switched off: all cool');
my $session = Session->new($node, 'hot_auto');
is($session->ask(q{inventory.heat('shop.items', '} . Shop::item_id(2) . q{')})->[0], '55000', 'switched off: none can be heated');
$session->quit;
push @history, map { Hot::bought($shop, $shop->buy($_, 1)) } 1, 2;
is_deeply([ $shop->audit(\@history), Hot::problems($shop) ], [], 'switched off: nothing is wrong');
$eye->quit;

done_testing();
