# A session that fails, is cancelled or killed at each step of its work leaves exact stock and counters.
#
# The session stops at a point in the code (Point.pm).  There its call fails, is cancelled, or the
# session is terminated or killed, or the server is; then its work is there if it was committed, and
# otherwise not, and the units it had in hand are back once.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Crash;
use Hot;
use Point;
use Session;
use Shop;

my $unusable = Point::unusable();
plan skip_all => $unusable if $unusable;

# no worker: it would publish counters and expire holds before the session does
my $node = Shop::server('crash_points', @Point::SETTINGS, 'max_worker_processes = 0', 'max_logical_replication_workers = 0');

# Items: 1 is hot, 2 becomes hot, 3 is cold.
use constant UNITS => 400;
my ($hot, $new, $cold) = (1, 2, 3);
my @items = ($hot, $new, $cold);
my $settle = q{inventory.settle('shop.items')};

# What the session does, by name: its call, by how many units it changes the stock of items,
# perhaps statements before and after the call, what the call needs, what an error in it becomes.
my %act = (
    'roll back' => sub { { before => [ 'BEGIN', 'SELECT ' . $_[0]->buy($hot, 4)->{call}, 'ROLLBACK' ], call => '1' } },
    'roll back a savepoint' => sub { {
        before => [ 'BEGIN', 'SELECT ' . $_[0]->buy($hot, 1)->{call}, 'SAVEPOINT s', 'SELECT ' . $_[0]->buy($hot, 4)->{call}, 'ROLLBACK TO s' ],
        call => '1', after => ['COMMIT'], change => { $hot => -1 } } },
    'buy a cart' => sub { { call => $_[0]->buy_cart([ [ $hot, 4 ], [ $cold, 2 ] ], 'buy_cart')->{call}, change => { $hot => -4, $cold => -2 } } },
    'expire' => sub { {
        needs => [ 'SELECT items_stock.expire_reservations()', map { hold($_, 5), q{UPDATE items_stock.reservations SET expires_at = now() WHERE quantity = 5 AND status = 'held'} } $hot, $cold ],
        call => 'items_stock.expire_reservations()', change => { $hot => 5, $cold => 5 } } },
    # an error before the commit is the item's problem, and it is tried again
    'settle' => sub { { call => $settle, fails => '00000', again => "SELECT $settle" } },
    'cool' => sub { { call => "inventory.cool('shop.items', '" . Shop::item_id($hot) . q{')} } },
    'heat' => sub { { needs => [ cool($new) ], call => heat($new) } },
    'first touch' => sub { { needs => [ cool($new), 'SELECT ' . heat($new) ], call => $_[0]->buy($new, 4)->{call}, change => { $new => -4 } } });

for ([ 'hot', $hot ], [ 'cold', $cold ])
{
    my ($kind, $item) = @$_;
    my $id = Shop::item_id($item);

    $act{"buy, $kind"} = sub { { call => $_[0]->buy($item, 4)->{call}, change => { $item => -4 } } };
    $act{"hold, $kind"} = sub { { call => hold_call($item, 3), change => { $item => -3 } } };
    $act{"release, $kind"} = sub { { call => "shop.release_reservation('" . held($_[0], $item) . q{')}, change => { $item => 2 } } };
    $act{"confirm, $kind"} = sub { { call => "(SELECT order_id FROM shop.confirm_reservation('" . held($_[0], $item) . q{'))} } };
    $act{"refund, $kind"} = sub { { call => "items_stock.refund_order('" . $_[0]->told($_[0]->buy($item, 3))->{answer} . "', 2)", change => { $item => 2 } } };
    $act{"adjust, $kind"} = sub { { call => "items_stock.adjust_stock('$id', -5, 'lost')", change => { $item => -5 } } };
    $act{"restock, $kind"} = sub { { call => "items_stock.restock_item('$id', 6)", change => { $item => 6 } } };
    $act{"direct, $kind"} = sub { { call => "shop.direct('$id') IS NULL", change => { $item => -5 } } };
}

# What is done, and the points at which it is stopped, each in all ways.
my @cases = (
    [ 'buy, cold', qw(after-take after-order after-movement) ],
    [ 'buy, hot', qw(after-counter after-take after-order after-movement before-commit after-commit) ],
    [ 'buy a cart', qw(after-counter after-take after-order after-movement before-commit after-commit) ],
    [ 'roll back', qw(after-abort) ],
    [ 'roll back a savepoint', qw(after-savepoint-abort) ],
    [ 'hold, cold', qw(after-take after-hold after-movement) ],
    [ 'hold, hot', qw(after-counter after-hold before-commit after-commit) ],
    [ 'release, cold', qw(after-release after-give after-movement) ],
    [ 'release, hot', qw(after-release after-give before-commit after-commit) ],
    (map { [ "confirm, $_", qw(after-order after-confirm after-movement) ] } qw(cold hot)),
    [ 'refund, cold', qw(after-order-lock after-give after-movement) ],
    [ 'refund, hot', qw(after-order-lock after-give before-commit after-commit) ],
    [ 'expire', qw(after-expire after-give after-movement before-commit after-commit) ],
    [ 'adjust, cold', qw(before-adjust after-movement) ],
    [ 'adjust, hot', qw(before-adjust after-movement before-commit after-commit) ],
    [ 'restock, hot', qw(before-adjust after-movement before-commit after-commit) ],
    [ 'direct, cold', qw(after-movement) ],
    [ 'direct, hot', qw(after-movement before-commit after-commit) ],
    [ 'settle', qw(after-epoch after-settled-row before-commit after-commit) ],
    [ 'cool', qw(after-close after-settled-row before-commit after-commit) ],
    [ 'heat', qw(after-heat) ],
    [ 'first touch', qw(after-hot-rows before-publish after-publish after-counter) ]);

# There the server has gone too far to raise an error: interrupts wait.
my %uninterruptible = map { $_ => 1 } qw(after-commit after-abort after-savepoint-abort);
my %committed = ('after-commit' => 1);

# The ways in which a stopped session ends, and the state of its answer.
my @ways = (
    [ 'fails', 'XX000' ],
    [ 'cancelled', '57014', sub { $_[0]->signal('pg_cancel_backend') } ],
    [ 'terminated', 'lost', sub { $_[0]->signal('pg_terminate_backend') } ],
    [ 'killed', 'lost', sub { my $s = $_[0]; Crash::restart_by($node, sub { kill 'KILL', $s->{backend} }) } ],
    [ 'server killed', 'lost', sub { Crash::kill_server($node, $_[0]{backend}); Crash::start($node) } ]);

# ---------------------------------------------------------------- statements

sub cool { return "SELECT inventory.cool('shop.items', '" . Shop::item_id($_[0]) . q{')} }
sub heat { return "inventory.heat('shop.items', '" . Shop::item_id($_[0]) . q{')} }
sub hold_call { return sprintf q{shop.reserve_stock('%s', '%s', %d)}, Shop::new_user(), Shop::item_id($_[0]), $_[1] }
sub hold { return 'SELECT ' . hold_call(@_) }

# A new reservation of 2 units.
sub held
{
    my ($shop, $item) = @_;
    return $shop->query(hold($item, 2));
}

# ---------------------------------------------------------------- a shop

sub shop
{
    my ($name) = @_;
    my $shop = Shop->new($node, $name, { map { $_ => UNITS } @items })->attached;

    $shop->query('CREATE EXTENSION injection_points', <<'END');
CREATE FUNCTION shop.direct(item uuid) RETURNS void LANGUAGE sql AS 'UPDATE shop.items SET stock = stock - 5 WHERE id = item'
END
    return $shop;
}

# Let item 1 be hot, with a counter and movements that are not settled.
sub heated
{
    my ($shop) = @_;
    $shop->query('SELECT ' . heat($hot));
    $shop->told($shop->buy($hot, 1));
    return $shop;
}

# The units of each item that are neither sold nor held, by the tables.
sub units
{
    my ($shop) = @_;
    my @units = split /\n/, $shop->query(<<'END');
SELECT i.stock + coalesce((SELECT sum(m.delta) FROM items_stock.movements m JOIN items_stock.hot h USING (item_id)
    WHERE m.item_id = i.id AND h.hot AND m.epoch > h.settled_epoch), 0) FROM shop.items i ORDER BY i.id
END
    return { map { $items[$_] => $units[$_] } 0 .. $#items };
}

# What is wrong in a shop in which nothing is in flight: counters, rows, ledger, orders, holds.
sub problems
{
    my ($shop) = @_;
    return (Hot::problems($shop), $shop->audit_ledger, $shop->audit_holds);
}

# ---------------------------------------------------------------- a session ends at a point

# Stop an act at a point, let it end in a way, and check what is there.
sub ends
{
    my ($shop, $name, $point, $way) = @_;
    my ($how, $state, $end) = @$way;
    my $test = "$name, $point, $how";
    my $act = $act{$name}->($shop);
    my $change = $act->{change} || {};

    heated($shop);
    $shop->query(@{ $act->{needs} }) if $act->{needs};
    my $before = units($shop);
    my $session = Point->new($shop, "inventory-$point", $act->{call}, %$act, action => $end ? 'wait' : 'error');
    $end->($session) if $end;
    $session->wake if $uninterruptible{$point} && $how =~ /cancelled|terminated/;
    my $answer = $session->answer;
    my @states = ($state, $how eq 'fails' && $act->{fails} || ());
    # a cancellation is too late, and the client may have its answer before the session ends
    @states = ('00000', $how eq 'cancelled' ? () : $state) if $uninterruptible{$point};
    ok((grep { $_ eq $answer->[0] } @states), "$test: the answer: $answer->[0]");

    my $done = $answer->[0] eq '00000' || $committed{$point};
    is_deeply(units($shop), { map { $_ => $before->{$_} + ($done && $change->{$_} || 0) } @items }, "$test: units");
    $shop->query($act->{again}) if $act->{again};
    # counters that were lost are made again
    $shop->told($shop->buy($_, 1)) for @items;
    is_deeply([ problems($shop) ], [], "$test: no problems");
}

for my $case (@cases)
{
    my ($name, @points) = @$case;
    my $shop = shop('points_' . $name =~ s/\W+/_/gr);

    for my $point (@points)
    {
        for my $way (@ways)
        {
            next if $way->[0] eq 'fails' && $uninterruptible{$point};
            ends($shop, $name, $point, $way);
        }
    }
    # the act itself is still possible, and everything can be sold
    my $act = $act{$name}->($shop);
    heated($shop);
    $shop->query(@{ $act->{needs} }) if $act->{needs};
    my $session = Session->new($node, $shop->{database});
    $session->run(@{ $act->{before} || [] });
    $session->call($act->{call}, @{ $act->{after} || [] });
    is($session->await->[0], '00000', "$name: succeeds afterwards");
    $session->quit;
    my $there = units($shop);
    is(scalar(Hot::sell_out($shop, $_)) - 1, $there->{$_}, "$name: item $_ is sold out exactly") for $hot, $cold;
    is_deeply([ problems($shop) ], [], "$name: no problems after that");
    $shop->query("SELECT $settle", q{SELECT inventory.cool('shop.items')});
    is($shop->query("SELECT string_agg(stock::text, ' ' ORDER BY id) FROM shop.items WHERE id <> '" . Shop::item_id($new) . q{'}), '0 0', "$name: all is settled");
    is_deeply([ problems($shop) ], [], "$name: no problems at the end");
    $shop->query('DROP SCHEMA shop, items_stock CASCADE');
}

done_testing();
