# Hot items in a shop of Shop.pm: heating them, reading their counters, checking them.
#
# The checks share no code with the engine: a counter is compared with the rows, and
# the sales with the answers of the clients.

package Hot;

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;

use Session;
use Shop;
use Waiting;

# Settings of a server for hot items.  The worker settles in its first round only, because
# the tests settle themselves.
our @SETTINGS = (q{shared_preload_libraries = 'inventory'}, q{inventory.settle_interval = '1h'});

# A server with these settings.
sub server
{
    my ($name, @settings) = @_;
    return Shop::server($name, @SETTINGS, @settings);
}

# Heat items, by number, and publish them.
sub heat
{
    my ($shop, $items) = @_;

    $shop->query("SELECT inventory.heat('shop.items', '" . Shop::item_id($_) . q{')}) for @$items;
    $shop->{node}->poll_query_until($shop->{database}, 'SELECT inventory.worker_last_run() IS NOT NULL') or die 'no worker started';
    publish($shop, @$items);
}

# Publish items: a purchase that is rolled back makes their counters.
sub publish
{
    my ($shop, @items) = @_;

    $shop->query('BEGIN', (map { 'SELECT ' . $shop->buy($_, 1)->{call} } @items), 'ROLLBACK');
}

# The counter of an item: its state, available and held units, separated by blanks; `none` without one.
sub counter
{
    my ($shop, $number) = @_;
    my $id = Shop::item_id($number);

    return $shop->query(<<"END");
SELECT coalesce((SELECT concat_ws(' ', e.state, e.available, e.held) FROM inventory.hot_entries() e JOIN items_stock.hot h USING (number)
 WHERE h.item_id = '$id' AND e.items = 'shop.items'::regclass), 'none')
END
}

# Wait until the counter of an item matches a pattern.
sub await_counter
{
    my ($shop, $number, $pattern) = @_;
    Waiting::wait_until(sub { counter($shop, $number) =~ $pattern });
}

# The available units of an item by a new snapshot.
sub visible
{
    my ($shop, $number) = @_;
    return $shop->query("SELECT available FROM items_stock.levels WHERE item_id = '" . Shop::item_id($number) . q{'});
}

# Check counters and movements of a shop in which nothing is in flight; the problems.
sub problems
{
    my ($shop) = @_;
    return split /\n/, $shop->query(<<'END');
SELECT format('item %s: the counter has %s and %s held, the rows %s', h.item_id, e.available, e.held, r.there)
FROM inventory.hot_entries() e JOIN items_stock.hot h USING (number)
CROSS JOIN LATERAL (SELECT i.stock + coalesce((SELECT sum(m.delta) FROM items_stock.movements m
    WHERE m.item_id = i.id AND m.epoch > h.settled_epoch), 0) AS there FROM shop.items i WHERE i.id = h.item_id) r
WHERE e.items = 'shop.items'::regclass AND e.state <> 'unpublished' AND (e.held <> 0 OR e.available IS DISTINCT FROM r.there)
UNION ALL
SELECT format('item %s: stock %s and %s unsettled, movements %s', i.id, i.stock, u.unsettled, m.total)
FROM shop.items i
CROSS JOIN LATERAL (SELECT coalesce(sum(delta), 0) AS total FROM items_stock.movements WHERE item_id = i.id) m
CROSS JOIN LATERAL (SELECT coalesce(sum(x.delta), 0) AS unsettled FROM items_stock.movements x JOIN items_stock.hot h USING (item_id)
    WHERE x.item_id = i.id AND h.hot AND x.epoch > h.settled_epoch) u
WHERE i.stock + u.unsettled <> m.total
UNION ALL
SELECT format('verify: %s', v) FROM inventory.verify('shop.items') v
END
}

# Check counters and movements, settle, and check them and all purchases; the problems.
sub audit
{
    my ($shop, $history, $refusal) = @_;
    my @before = problems($shop);

    $shop->query(q{SELECT inventory.settle('shop.items')});
    return (@before, problems($shop), $shop->audit($history, $refusal));
}

# Buy single units until the item is sold out; the calls, of which the last is refused.
sub sell_out
{
    my ($shop, $number) = @_;
    my $session = Session->new($shop->{node}, $shop->{database});
    my @history;

    do
    {
        my $call = $shop->buy($number, 1);
        @$call{qw(state answer)} = @{ $session->ask($call->{call}) };
        push @history, $call;
    } while $history[-1]{state} eq '00000';
    $session->quit;
    return @history;
}

1;
