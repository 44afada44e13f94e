# Hot items in a cycle: which are hot at the start, the server's settings, how often clients
# heat, cool and settle, and the state of the counters when all is at rest.

package Heat;

use strict;
use warnings FATAL => 'all';

# The items of the stores, and their ledgers; by what precedes the names of their files.
my %stores = ('' => [ 'shop.items', 'items_stock' ], follow_ => [ 'follow.goods', 'goods_stock' ]);

# Queries for the units of each item, with its counter, and for the findings of verify.
my %stage = map { queries($_, @{ $stores{$_} }) } keys %stores;

sub queries
{
    my ($prefix, $items, $ledger) = @_;
    return (
        "${prefix}counters" => <<"END" =~ s/\s+/ /gr,
SELECT i.id AS item_id, i.stock, i.stock_floor, coalesce(h.hot, false) AS hot, u.unsettled, e.state, e.available,
    e.held, cardinality(e.holders) AS holders
FROM $items AS i LEFT JOIN $ledger.hot AS h ON h.item_id = i.id
LEFT JOIN inventory.hot_entries() AS e ON e.items = '$items'::regclass AND e.number = h.number
CROSS JOIN LATERAL (SELECT coalesce(sum(m.delta), 0) AS unsettled FROM $ledger.movements AS m
    WHERE m.item_id = i.id AND m.epoch > h.settled_epoch) AS u ORDER BY i.id
END
        "${prefix}verify" => "SELECT * FROM inventory.verify('$items')");
}

# A plan: none; fixed (items stay hot); churn (clients heat and cool); without $how, one at random.
sub draw
{
    my ($class, $how, $items, $contended) = @_;
    my $self = bless { how => $how // (qw(none fixed churn churn churn))[ rand 5 ] }, $class;
    my $hot = $self->{how} ne 'none';
    # clients may heat more items than there is room for
    my $room = $how || rand() < 0.7 ? 1024 : 6;
    my @heated = grep { $how || rand() < ($_ <= $contended ? 0.75 : 0.15) } 1 .. $items;

    splice @heated, $room if @heated > $room;
    $self->{full} = $room < 1024;
    $self->{items} = $hot ? \@heated : [];
    $self->{settings} = {
        'inventory.hot_mode' => $how || rand() < 0.5 ? 'manual' : $hot ? 'auto' : 'off',
        'inventory.settle_interval' => (qw(20ms 100ms 1s))[ rand 3 ],
        'inventory.max_hot_items' => $room,
        'inventory.hot_queue_threshold' => 2,
        'inventory.hot_idle_timeout' => '1s'
    };
    $self->{mix} = $self->{how} eq 'churn' ? 'heat=3 cool=1 settle=1 follow_heat=3 follow_cool=1 ' : '';
    return $self;
}

sub settings
{
    my ($self) = @_;
    return %{ $self->{settings} };
}

sub mix
{
    my ($self) = @_;
    return $self->{mix};
}

# What run.json says of the plan.
sub story
{
    my ($self) = @_;
    return { how => $self->{how}, items => $self->{items} };
}

# Heat the items that are hot at the start, if the library is preloaded.
sub begin
{
    my ($self, $arena) = @_;
    return unless @{ $self->{items} } && $arena->query('SHOW shared_preload_libraries') =~ /inventory/;
    my $items = join ',', @{ $self->{items} };
    $arena->query("SELECT inventory.heat('shop.items', i) FROM unnest(ARRAY[$items]) AS i");
    return if $self->{full};
    $arena->query("SELECT inventory.heat('follow.goods', id) FROM follow.goods WHERE id IN ($items)");
}

# Write the state of rest: as clients left it, after a restart, and after settling.
sub rest
{
    my ($self, $cycle) = @_;
    my $arena = $cycle->{arena};

    $self->save($cycle, 'left');
    if ($cycle->{restarts})
    {
        $self->restart($cycle);
        $self->save($cycle, 'restarted');
    }
    $arena->query(map { "SELECT inventory.settle('$_->[0]')" } values %stores);
    $self->save($cycle, 'settled');
}

# Restart the server, with room for all hot items.  The worker commits expiries asynchronously;
# pg_switch_wal flushes them, so that the restart loses nothing that was seen before it.
sub restart
{
    my ($self, $cycle) = @_;
    my $primary = $cycle->{arena}{primary};

    $primary->reconfigure($cycle->settings, 'inventory.hot_mode' => 'manual', 'inventory.max_hot_items' => 1024);
    $primary->query('postgres', 'SELECT pg_switch_wal()');
    $primary->stop((qw(fast immediate))[ rand 2 ]);
    $primary->start;
}

# Write the state at one stage.
sub save
{
    my ($self, $cycle, $name) = @_;
    mkdir "$cycle->{directory}/rest/$name" or die "$name: $!";
    $cycle->copy_out("rest/$name", %stage);
}

1;
