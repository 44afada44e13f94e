# A session that waits at a hot item, or holds units of it, can be interrupted at any step.
#
# Sessions are cancelled, run into a timeout or are terminated where they are short of
# units and wait for others, where the item is being cooled, where its row is locked while
# it has to be counted, where triggers make them wait with units in hand, and in their
# commit; or they are left idle.  The units return once: the counter is as before, and the
# same call succeeds.  The server ends one of two sessions that wait for each other, and a
# session that waits for one holder gets the units that others give.

use strict;
use warnings FATAL => 'all';

use IO::Select;
use PostgreSQL::Test::Utils;
use Test::More;

use Hot;
use Interrupt;
use Session;
use Shop;
use Waiting;

my $node = Hot::server('hot_wait');
my $shop = Shop->new($node, 'hot_wait', { 1 => 10, 2 => 5, 3 => 5, 4 => 1000 });
# which binds direct writes, too
$shop->query('ALTER TABLE shop.items ADD stock_floor int');
$shop->attached;
my ($one, $two, $three, $four) = map { Shop::item_id($_) } 1 .. 4;

Interrupt::add_gates($shop, 'shop.orders' => 'AFTER INSERT', 'items_stock.movements' => 'BEFORE INSERT');
$shop->query("CREATE FUNCTION shop.direct() RETURNS void LANGUAGE sql AS 'UPDATE shop.items SET stock = stock - 4 WHERE id = ''$one'''");
Hot::heat($shop, [ 1, 2 ]);
my $interrupt = Interrupt->new($shop, '300ms');

# ---------------------------------------------------------------- steps

my $buy = $shop->buy(1, 4)->{call};
my $cart = $shop->buy_cart([ [ 1, 4 ], [ 4, 1 ] ], 'buy_cart')->{call};
my %gate = map { $_ => [ Interrupt::gate($_) ] } 'shop.orders', 'items_stock.movements', 'commit';
my $adjust = "items_stock.adjust_stock('$one', -4, 'lost')";
my $cool = "inventory.cool('shop.items', '$one')";
my $short = [ $shop->buy(1, 8)->{call} ];

# The expression with which the keeper locks the row of an item.
sub row
{
    return [ "(SELECT count(*) FROM (SELECT FROM shop.items WHERE id = '$_[0]' FOR UPDATE) AS i)" ];
}

# Before 17, the waits of a loaded library have no names.
my $named = $shop->query('SHOW server_version_num') >= 170000;
my $counter = $named ? 'InventoryCounter' : 'Extension';
my $cooling = $named ? 'InventoryCooling' : 'Extension';

# Each: name, the call, what the keeper does before, and the wait event of the victim.
my @steps = (
    [ 'a buyer, short, waits at the counter', $buy, $short, $counter ],
    [ 'a buyer, short, waits for a transaction', $buy, $short, 'Lock' ],
    [ 'a cart, short, waits at the counter', $cart, $short, $counter ],
    [ 'a cart, short, waits for a transaction', $cart, $short, 'Lock' ],
    [ 'an operator is short', $adjust, $short, 'Lock' ],
    [ 'an operator waits for another', $adjust, ["items_stock.adjust_stock('$one', -1, 'lost')"], 'Lock' ],
    [ 'a direct write is short', 'shop.direct() IS NULL', $short, 'Lock' ],
    [ 'a buyer waits while the item is cooled', $buy, [$cool], 'Lock' ],
    [ 'a buyer waits at the counter while the item is cooled', $buy, [$cool], $counter ],
    [ 'a delivery waits while the item is cooled', "items_stock.restock_item('$one', 1)", [$cool], 'Lock' ],
    [ 'cool waits for a buyer', $cool, [ $shop->buy(1, 1)->{call} ], $cooling ],
    [ 'cool waits for the row', $cool, row($one), 'Lock' ],
    [ 'settle waits for the row', q{inventory.settle('shop.items')}, row($one), 'Lock' ],
    [ 'a buyer with units writes the order', $buy, $gate{'shop.orders'}, 'Lock' ],
    [ 'a buyer with units writes the movement', $buy, $gate{'items_stock.movements'}, 'Lock' ],
    [ 'a buyer with units, in the commit', $buy, $gate{commit}, 'Lock' ],
    [ 'a cart with units writes orders', $cart, $gate{'shop.orders'}, 'Lock' ],
    [ 'a hold writes the movement', "shop.reserve_stock('" . Shop::new_user() . "', '$one', 4)", $gate{'items_stock.movements'}, 'Lock' ],
    [ 'a delivery writes the movement', "items_stock.restock_item('$one', 3)", $gate{'items_stock.movements'}, 'Lock' ],
    [ 'a delivery, in the commit', "items_stock.restock_item('$one', 3)", $gate{commit}, 'Lock' ],
    [ 'heat waits for the row', "inventory.heat('shop.items', '$three')", row($three), 'Lock' ]);

# ---------------------------------------------------------------- interruptions

# What must not change: the counters, the levels, the number of orders, the problems.
sub state
{
    return join ' | ', (map { Hot::counter($shop, $_) } 1, 2),
      $shop->query('SELECT md5(string_agg(l::text, chr(10) ORDER BY item_id)) FROM items_stock.levels AS l'),
      $shop->query('SELECT count(*) FROM shop.orders'), Hot::problems($shop);
}

# Interrupt a call at a step in one way, and repeat it; the problems.
sub interrupted
{
    my ($call, $held, $waits, $how) = @_;
    my $before = state();
    # it waits at the counter indefinitely, or after a short time for a transaction
    my $patience = $waits ne 'Lock' ? '1h' : '200ms';
    my @settings = ("SET deadlock_timeout = '$patience'", q{SET inventory.hot_lock_timeout = '1h'});
    my @problems = $interrupt->stop($how, call => $call, held => $held, waits => $waits, before => \@settings);
    my $after = state();
    push @problems, "$how: was $before, is $after" if $after ne $before;

    my $victim = $interrupt->{victim};
    $victim->run('BEGIN');
    my $again = $victim->ask($call);
    $victim->run('ROLLBACK');
    $victim->value('1');
    push @problems, "$how, repeated: @$again" if $again->[0] ne '00000';
    $after = state();
    push @problems, "$how, repeated: was $before, is $after" if $after ne $before;
    return @problems;
}

# The test finds a call that leaves something.
{
    my @problems = interrupted("(SELECT count(*) FROM (SELECT shop.buy_item('" . Shop::new_user() . "', '$four')) AS s, pg_sleep(0))", $gate{commit}, 'Lock', 'cancelled');
    is_deeply(\@problems, [], 'a purchase of a cold item: nothing is left');
    $shop->query('CREATE FUNCTION shop.forgets() RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM ' . $buy
          . q{; PERFORM set_config('inventory.hot_lock_timeout', '1h', false); EXCEPTION WHEN query_canceled THEN UPDATE shop.items SET stock = stock - 1; END $$});
    @problems = interrupted('shop.forgets() IS NULL', $gate{'shop.orders'}, 'Lock', 'cancelled');
    ok(scalar(@problems) > 0, 'a call that writes something else when it is cancelled: reported');
    $shop->query('UPDATE shop.items SET stock = stock + 1');
}

for my $step (@steps)
{
    my ($name, $call, $held, $waits) = @$step;
    my @ways = grep { $_ ne 'lock_timeout' } Interrupt::ways(commit => scalar $name =~ /in the commit/);
    is_deeply([ map { interrupted($call, $held, $waits, $_) } @ways ], [], $name);
}

# ---------------------------------------------------------------- idle after the call

for my $how (Interrupt::idle_ways())
{
    my $before = state();
    $interrupt->leave_idle(
        $how,
        [ $buy, "items_stock.restock_item('$two', 3)", ['SAVEPOINT s'], $shop->buy(1, 2)->{call}, $shop->buy(2, 7)->{call} ],
        sub { is(Hot::counter($shop, 1), 'hot 4 6', 'idle in transaction: units are held') });
    is(state(), $before, "idle in transaction, $how: all units have returned");
}

my ($keeper, $victim) = @$interrupt{qw(keeper victim)};

# ---------------------------------------------------------------- deadlocks

# Two transactions that wait for each other; how they end, and whether the state is as before.
sub deadlock
{
    my ($first, $second) = @_;
    my $before = state();
    my @sessions = ($keeper, $victim);
    my @answers;

    $_->run('RESET ALL', q{SET deadlock_timeout = '50ms'}, q{SET inventory.hot_lock_timeout = '1h'}, 'BEGIN') for @sessions;
    $keeper->value($first);
    $victim->value($second);
    $keeper->call($second);
    $victim->call($first);
    my ($handle) = IO::Select->new(map { $_->output } @sessions)->can_read($PostgreSQL::Test::Utils::timeout_default);
    my ($ended) = grep { fileno($_->output) == fileno($handle // die 'both sessions still wait') } @sessions;
    my ($other) = grep { $_ != $ended } @sessions;
    push @answers, $ended->await->[0];
    # the transaction that was ended is rolled back, so the other need not wait for ROLLBACK
    push @answers, $other->await->[0];
    $_->run('ROLLBACK') for @sessions;
    $_->value('1') for @sessions;
    # the answer of the one that was not ended may arrive first
    return (join(' ', sort @answers), state() eq $before);
}

my @all_of = map { $shop->buy($_, { 1 => 10, 2 => 5, 3 => 5 }->{$_})->{call} } 1 .. 3;
is_deeply([ deadlock(@all_of[ 0, 1 ]) ], [ '00000 40P01', 1 ], 'deadlock of two hot items: one session is ended, the other buys');
is_deeply([ deadlock(@all_of[ 0, 2 ]) ], [ '00000 40P01', 1 ], 'deadlock of a hot item and a cold one');
is_deeply([ deadlock(@all_of[ 2, 0 ]) ], [ '00000 40P01', 1 ], 'deadlock of a cold item and a hot one');
is_deeply([ deadlock($all_of[0], @{ row($three) }) ], [ '00000 40P01', 1 ], 'deadlock of a hot item and a row');

# A session that waits for one holder gets units from others: a delivery, another holder, a direct write.
{
    my @others = map { Session->new($node, 'hot_wait', "other$_") } 1, 2;
    my %gift = (
        'a delivery' => [ [], sub { $others[1]->value("items_stock.restock_item('$two', 3)") } ],
        'another holder' => [ [ $shop->buy(2, 3)->{call} ], sub { $others[0]->run('ROLLBACK'); $others[0]->value('1') } ],
        'a direct write' => [ [], sub { $others[1]->value(q{shop.add()}) } ]);
    $shop->query("CREATE FUNCTION shop.add() RETURNS text LANGUAGE sql AS 'UPDATE shop.items SET stock = stock + 3 WHERE id = ''$two'' RETURNING 1::text'");

    for my $name (sort keys %gift)
    {
        my ($held, $give) = @{ $gift{$name} };
        $keeper->run('BEGIN');
        $keeper->value($shop->buy(2, @$held ? 2 : 5)->{call});
        $others[0]->run('BEGIN');
        $others[0]->value($_) for @$held;
        $victim->run('RESET ALL', q{SET deadlock_timeout = '20ms'}, q{SET inventory.hot_lock_timeout = '1h'}, 'BEGIN');
        $victim->call($shop->buy(2, 3)->{call});
        $interrupt->victims(1, q{wait_event_type = 'Lock'});
        $give->();
        is($victim->await->[0], '00000', "a buyer that waits for a holder gets the units of $name");
        $_->run('ROLLBACK') for $victim, $keeper, $others[0];
        $_->value('1') for $victim, $keeper, $others[0];
        $shop->query("SELECT items_stock.adjust_stock('$two', 5 - shop.available_stock('$two'), 'back')") if Hot::visible($shop, 2) ne '5';
        is(Hot::counter($shop, 2), 'hot 5 0', "$name: the counter is as before");
    }
    $_->quit for @others;
}

# ---------------------------------------------------------------- the first touch

# After a restart no session has counted the item.  A transaction that has written its row cannot: it makes it cold.
# (The worker, which the start of the server starts, could count the item first.)
for my $end ('COMMIT', 'ROLLBACK')
{
    my $other = Shop->new($node, 'hot_fold_' . lc $end, { 1 => 10 })->attached;

    Hot::heat($other, [1]);
    $other->query('SELECT ' . $other->buy(1, 4)->{call});
    $node->append_conf('postgresql.conf', 'inventory.max_workers = 0');
    $node->restart;
    $other->query('BEGIN', 'UPDATE shop.items SET stock = stock + 2', 'SELECT ' . $other->buy(1, 3)->{call},
        "SELECT items_stock.restock_item('$one', 1)", $end);
    $node->append_conf('postgresql.conf', 'inventory.max_workers = 2');
    $node->reload;
    is($other->query('SELECT hot FROM items_stock.hot'), $end eq 'COMMIT' ? 'f' : 't', "row written by the same transaction, $end: cold if it commits");
    is($other->query("SELECT shop.available_stock('$one')"), '6', "row written by the same transaction, $end: exact");
    is_deeply([ Hot::problems($other) ], [], "row written by the same transaction, $end: no problems");
    my @rest = Hot::sell_out($other, 1);
    is(scalar(@rest) - 1, 6, "row written by the same transaction, $end: sold out exactly");
    is_deeply([ Hot::problems($other) ], [], "row written by the same transaction, $end: no problems after that");
}
$interrupt->quit;

# An item that was made cold by hand, before its counter was needed, is sold from its row, also by a transaction
# that does not read again which items are hot, because it has heated another.
{
    my $other = Shop->new($node, 'hot_unmarked', { 1 => 10, 2 => 10 })->attached;

    Hot::heat($other, [1]);
    $node->append_conf('postgresql.conf', 'inventory.max_workers = 0');
    $node->restart;
    $other->query("SELECT shop.available_stock('$one')", 'UPDATE items_stock.hot SET hot = false', 'BEGIN',
        q{SET LOCAL statement_timeout = '60s'}, "SELECT inventory.heat('shop.items', '$two')", 'SELECT ' . $other->buy(1, 3)->{call}, 'COMMIT');
    is($other->query("SELECT stock FROM shop.items WHERE id = '$one'"), '7', 'made cold by hand: sold from the row');
    $node->append_conf('postgresql.conf', 'inventory.max_workers = 2');
    $node->reload;
    is_deeply([ Hot::problems($other) ], [], 'made cold by hand: no problems');
}

# While the row is locked the item cannot be counted; a session that waits for it is interrupted.
for my $how (grep { $_ ne 'lock_timeout' } Interrupt::ways())
{
    my $other = Shop->new($node, "hot_first_$how", { 1 => 10 })->attached;

    Hot::heat($other, [1]);
    $other->query('SELECT ' . $other->buy(1, 4)->{call});
    $node->restart;
    my $first = Interrupt->new($other, '300ms');
    is_deeply([ $first->stop($how, call => $other->buy(1, 3)->{call}, held => row($one)) ], [], "the first touch, $how: interrupted");
    $first->quit;
    my @rest = Hot::sell_out($other, 1);
    is(scalar(@rest) - 1, 6, "the first touch, $how: sold out exactly");
    is_deeply([ Hot::problems($other) ], [], "the first touch, $how: no problems");
}

done_testing();
