# Hot items in a cycle: which are hot from the start, how the server is set, how
# often clients heat, cool and settle, and what there has to be when all is at rest.

package Heat;

use strict;
use warnings FATAL => 'all';

# What is there of each item, and what its counter says.
my %stage = (
    counters => <<'END' =~ s/\s+/ /gr,
SELECT i.id AS item_id, i.stock, i.stock_floor, coalesce(h.hot, false) AS hot, u.unsettled, e.state, e.available,
    e.held, cardinality(e.holders) AS holders
FROM shop.items AS i LEFT JOIN items_stock.hot AS h ON h.item_id = i.id
LEFT JOIN inventory.hot_entries() AS e ON e.items = 'shop.items'::regclass AND e.number = h.number
CROSS JOIN LATERAL (SELECT coalesce(sum(m.delta), 0) AS unsettled FROM items_stock.movements AS m
    WHERE m.item_id = i.id AND m.epoch > h.settled_epoch) AS u ORDER BY i.id
END
    verify => q{SELECT * FROM inventory.verify('shop.items')});

# A plan: none; fixed, which stay hot; churn, which clients change; or by chance.
sub draw
{
    my ($class, $how, $items, $contended) = @_;
    my $self = bless { how => $how // (qw(none fixed churn churn churn))[ rand 5 ] }, $class;
    my $hot = $self->{how} ne 'none';
    # there may be room for fewer than clients heat
    my $room = $how || rand() < 0.7 ? 1024 : 6;
    my @heated = grep { $how || rand() < ($_ <= $contended ? 0.75 : 0.15) } 1 .. $items;

    splice @heated, $room if @heated > $room;
    $self->{items} = $hot ? \@heated : [];
    $self->{settings} = {
        'inventory.hot_mode' => $how || rand() < 0.5 ? 'manual' : $hot ? 'auto' : 'off',
        'inventory.settle_interval' => (qw(20ms 100ms 1s))[ rand 3 ],
        'inventory.max_hot_items' => $room,
        'inventory.hot_queue_threshold' => 2,
        'inventory.hot_idle_timeout' => '1s'
    };
    $self->{mix} = $self->{how} eq 'churn' ? 'heat=3 cool=1 settle=1 ' : '';
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

# For run.json.
sub story
{
    my ($self) = @_;
    return { how => $self->{how}, items => $self->{items} };
}

# Heat what is hot from the start.  A server without the library preloaded cannot.
sub begin
{
    my ($self, $arena) = @_;
    return unless @{ $self->{items} } && $arena->query('SHOW shared_preload_libraries') =~ /inventory/;
    $arena->query("SELECT inventory.heat('shop.items', i) FROM unnest(ARRAY[" . join(',', @{ $self->{items} }) . ']) AS i');
}

# When all is at rest: as the clients left it, as the next server finds it, and settled.
sub rest
{
    my ($self, $cycle) = @_;
    my $arena = $cycle->{arena};

    $self->look($cycle, 'left');
    if ($cycle->{restarts})
    {
        $self->restart($cycle);
        $self->look($cycle, 'restarted');
    }
    $arena->query(q{SELECT inventory.settle('shop.items')});
    $self->look($cycle, 'settled');
}

# Start the server anew, with room for all that is hot.
sub restart
{
    my ($self, $cycle) = @_;
    my $primary = $cycle->{arena}{primary};

    $primary->reconfigure($cycle->settings, 'inventory.hot_mode' => 'manual', 'inventory.max_hot_items' => 1024);
    $primary->stop((qw(fast immediate))[ rand 2 ]);
    $primary->start;
}

# What there is at a stage of rest.
sub look
{
    my ($self, $cycle, $name) = @_;
    mkdir "$cycle->{directory}/rest/$name" or die "$name: $!";
    $cycle->copy_out("rest/$name", %stage);
}

1;
