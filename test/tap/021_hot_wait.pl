# Whoever waits at a hot item, or holds units of it, can be interrupted at any step.
#
# Sessions are cancelled, run into a timeout or are terminated where they are short and
# wait for others, where the item is being cooled, where its row is locked while it has
# to be counted, where triggers let them wait with units in their hands, and in their
# commit; or they are left idle.  The units go back once: the counter is what it was, and
# the same call succeeds.  Two who wait for each other are found out by the server, and
# who waits for one holder hears of what others give.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Crash;
use Hot;
use Session;
use Shop;

my $node = Hot::server('hot_wait');
my $shop = Shop->new($node, 'hot_wait', { 1 => 10, 2 => 5, 3 => 5, 4 => 1000 })->attached;
my ($one, $two, $three, $four) = map { Shop::item_id($_) } 1 .. 4;
my ($keeper, $eye, $victim) = map { Session->new($node, 'hot_wait', $_) } qw(keeper eye victim);

# Tables have triggers that wait at a gate.
$shop->query(<<'END');
CREATE FUNCTION shop.pause() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext(TG_ARGV[0]));
    RETURN NEW;
END $$
END
$shop->query(
    q{CREATE TRIGGER pause AFTER INSERT ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.pause('orders')},
    q{CREATE TRIGGER pause BEFORE INSERT ON items_stock.movements FOR EACH ROW EXECUTE FUNCTION shop.pause('movements')},
    q{CREATE CONSTRAINT TRIGGER late AFTER INSERT ON items_stock.movements DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION shop.pause('commit')});
Hot::heat($shop, [ 1, 2 ]);

# ---------------------------------------------------------------- steps

my $buy = $shop->buy(1, 4)->{call};
my $cart = $shop->buy_cart([ [ 1, 4 ], [ 4, 1 ] ], 'buy_cart')->{call};
my %gate = map { my $gate = $_; $gate => [ "pg_advisory_xact_lock(hashtext('$gate'))" ] } qw(orders movements commit);
my $short = [ $shop->buy(1, 8)->{call} ];
my $row = [ "(SELECT count(*) FROM (SELECT FROM shop.items WHERE id = '$one' FOR UPDATE) AS i)" ];

# Each: the call, what the keeper does before, how the victim waits, and what has to be hot anew.
my @steps = (
    [ 'a buyer, short, at the counter', $buy, $short, 'Extension' ],
    [ 'a buyer, short, for a transaction', $buy, $short, 'Lock' ],
    [ 'a cart, short, at the counter', $cart, $short, 'Extension' ],
    [ 'a cart, short, for a transaction', $cart, $short, 'Lock' ],
    [ 'an operator, short', "items_stock.adjust_stock('$one', -4, 'lost')", $short, 'Lock' ],
    [ 'an operator behind another', "items_stock.adjust_stock('$one', -4, 'lost')", [ "items_stock.adjust_stock('$one', -1, 'lost')" ], 'Lock' ],
    [ 'a direct write, short', 'shop.direct() IS NULL', $short, 'Lock' ],
    [ 'a buyer, while it is cooled', $buy, [ "inventory.cool('shop.items', '$one')" ], 'Lock' ],
    [ 'a buyer, while it is cooled, at the counter', $buy, [ "inventory.cool('shop.items', '$one')" ], 'Extension' ],
    [ 'a delivery, while it is cooled', "items_stock.restock_item('$one', 1)", [ "inventory.cool('shop.items', '$one')" ], 'Lock' ],
    [ 'who cools, for a buyer', "inventory.cool('shop.items', '$one')", [ $shop->buy(1, 1)->{call} ], 'Extension' ],
    [ 'who cools, for the row', "inventory.cool('shop.items', '$one')", $row, 'Lock' ],
    [ 'who settles, for the row', q{inventory.settle('shop.items')}, $row, 'Lock' ],
    [ 'a buyer with units, writing the order', $buy, $gate{orders}, 'Lock' ],
    [ 'a buyer with units, writing the movement', $buy, $gate{movements}, 'Lock' ],
    [ 'a buyer with units, in the commit', $buy, $gate{commit}, 'Lock' ],
    [ 'a cart with units, writing orders', $cart, $gate{orders}, 'Lock' ],
    [ 'a hold, writing the movement', "shop.reserve_stock('" . Shop::new_user() . "', '$one', 4)", $gate{movements}, 'Lock' ],
    [ 'a delivery, writing the movement', "items_stock.restock_item('$one', 3)", $gate{movements}, 'Lock' ],
    [ 'a delivery, in the commit', "items_stock.restock_item('$one', 3)", $gate{commit}, 'Lock' ],
    [ 'who heats, for the row', "inventory.heat('shop.items', '$three')", [ "(SELECT count(*) FROM (SELECT FROM shop.items WHERE id = '$three' FOR UPDATE) AS i)" ], 'Lock' ]);
$shop->query("CREATE FUNCTION shop.direct() RETURNS void LANGUAGE sql AS 'UPDATE shop.items SET stock = stock - 4 WHERE id = ''$one'''");

# ---------------------------------------------------------------- interruptions

# Let the server do something to the victim.
sub signal
{
    my ($function) = @_;
    $eye->value("(SELECT $function(pid) FROM pg_stat_activity WHERE application_name = 'victim')");
}

# What the victim sets before its call, what is done to it while it waits, and how the call ends.
my %interruption = (
    'cancelled'         => [ '', sub { signal('pg_cancel_backend') }, '57014' ],
    'statement_timeout' => [ q{SET statement_timeout = '300ms'}, sub { }, '57014' ],
    'terminated'        => [ '', sub { signal('pg_terminate_backend') }, 'lost' ]);

# Wait until so many victims are like that.
sub victims
{
    my ($number, $condition) = @_;
    Crash::wait_until(sub {
        $eye->value("(SELECT count(*) FROM pg_stat_activity WHERE application_name = 'victim' AND $condition)") == $number
    });
}

# Everything that may not change: the counters, the rows, what is wrong.
sub state
{
    return join ' | ', (map { Hot::counter($shop, $_) } 1, 2),
      $shop->query('SELECT md5(string_agg(l::text, chr(10) ORDER BY item_id)) FROM items_stock.levels AS l'),
      $shop->query('SELECT count(*) FROM shop.orders'), Hot::problems($shop);
}

# Stop a call at a step in one way; what is wrong afterwards.
sub interrupted
{
    my ($call, $before, $wait, $how) = @_;
    my ($setting, $interrupt, $expected) = @{ $interruption{$how} };
    my $was = state();
    my @problems;

    $victim = Session->new($node, 'hot_wait', 'victim') unless $victim->alive;
    # at the counter for ever, or soon for a transaction
    $victim->run(q{SET deadlock_timeout = '} . ($wait eq 'Extension' ? '1h' : '200ms') . q{'}, q{SET inventory.hot_lock_timeout = '1h'}, $setting || ());
    $keeper->run('BEGIN');
    $keeper->value($_) for @$before;
    $victim->call($call);
    if ($setting eq '')
    {
        victims(1, "wait_event_type = '$wait'");
        $interrupt->();
    }
    my $answer = $victim->await || ['lost'];
    push @problems, "$how: @$answer" if $answer->[0] ne $expected;
    $keeper->run('ROLLBACK');
    $keeper->value('1');
    if ($expected eq 'lost')
    {
        $victim->quit;
        $victim = Session->new($node, 'hot_wait', 'victim');
    }
    victims(1, q{state = 'idle'});
    my $is = state();
    push @problems, "$how: was $was, is $is" if $is ne $was;

    # again, and undone: in the same session, if there is one
    $victim->run('RESET ALL', 'BEGIN');
    my $again = $victim->ask($call);
    $victim->run('ROLLBACK');
    $victim->value('1');
    push @problems, "$how, repeated: @$again" if $again->[0] ne '00000';
    $is = state();
    push @problems, "$how, repeated: was $was, is $is" if $is ne $was;
    return @problems;
}

# The harness can tell.
{
    my @problems = interrupted("(SELECT count(*) FROM (SELECT shop.buy_item('" . Shop::new_user() . "', '$four')) AS s, pg_sleep(0))", $gate{commit}, 'Lock', 'cancelled');
    is_deeply(\@problems, [], 'a cold purchase: undone');
    $shop->query('CREATE FUNCTION shop.forgets() RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM ' . $buy
          . q{; PERFORM set_config('inventory.hot_lock_timeout', '1h', false); EXCEPTION WHEN query_canceled THEN UPDATE shop.items SET stock = stock - 1; END $$});
    @problems = interrupted('shop.forgets() IS NULL', $gate{orders}, 'Lock', 'cancelled');
    ok(scalar(@problems) > 0, 'a call that does something else when it is cancelled: reported');
    $shop->query('UPDATE shop.items SET stock = stock + 1');
}

for my $step (@steps)
{
    my ($name, $call, $before, $wait) = @$step;
    # the server takes no notice of statement_timeout while it commits
    my @ways = grep { $name !~ /in the commit/ || $_ ne 'statement_timeout' } sort keys %interruption;
    is_deeply([ map { interrupted($call, $before, $wait, $_) } @ways ], [], $name);
}

# ---------------------------------------------------------------- after the call

# The call is done, and its transaction is not: nobody comes to commit it.
my %end = (
    'terminated'                  => sub { signal('pg_terminate_backend') },
    'idle-in-transaction timeout' => sub { $_[0]->run(q{SET idle_in_transaction_session_timeout = '10ms'}) },
    'the client is killed'        => sub { kill 'KILL', $_[0]{pid} });

for my $how (sort keys %end)
{
    my $was = state();
    $victim->quit;
    $victim = Session->new($node, 'hot_wait', 'victim');
    $victim->run('BEGIN');
    $victim->value($_) for $buy, "items_stock.restock_item('$two', 3)";
    $victim->run('SAVEPOINT s');
    $victim->value($_) for $shop->buy(1, 2)->{call}, $shop->buy(2, 7)->{call};
    is(Hot::counter($shop, 1), 'hot 4 6', "idle in transaction: units are held");
    $end{$how}->($victim);
    victims(0, 'true');
    is(state(), $was, "idle in transaction, $how: all went back");
}
$victim->quit;
$victim = Session->new($node, 'hot_wait', 'victim');

# ---------------------------------------------------------------- waiting for each other

# Two transactions that wait for each other: one is ended by the server, the other goes on; what is wrong.
sub deadlock
{
    my ($first, $second) = @_;
    my $was = state();
    my @sessions = ($keeper, $victim);
    my @answers;

    $_->run('RESET ALL', q{SET deadlock_timeout = '50ms'}, q{SET inventory.hot_lock_timeout = '1h'}, 'BEGIN') for @sessions;
    $keeper->value($first);
    $victim->value($second);
    $keeper->call($second);
    $victim->call($first);
    my ($loser) = IO::Select->new(map { $_->output } @sessions)->can_read($PostgreSQL::Test::Utils::timeout_default);
    my ($ended) = grep { fileno($_->output) == fileno($loser // die 'both wait for ever') } @sessions;
    my ($other) = grep { $_ != $ended } @sessions;
    push @answers, $ended->await->[0];
    # who was ended lets go at once: its transaction is rolled back
    push @answers, $other->await->[0];
    $_->run('ROLLBACK') for @sessions;
    $_->value('1') for @sessions;
    # the one that goes on may be heard first
    return (join(' ', sort @answers), state() eq $was);
}

my @all_of = map { $shop->buy($_, { 1 => 10, 2 => 5, 3 => 5 }->{$_})->{call} } 1 .. 3;
is_deeply([ deadlock(@all_of[ 0, 1 ]) ], [ '00000 40P01', 1 ], 'two hot items: one is ended, the other buys');
is_deeply([ deadlock(@all_of[ 0, 2 ]) ], [ '00000 40P01', 1 ], 'a hot item and a cold one');
is_deeply([ deadlock(@all_of[ 2, 0 ]) ], [ '00000 40P01', 1 ], 'a cold item and a hot one');
is_deeply([ deadlock($all_of[0], "(SELECT count(*) FROM (SELECT FROM shop.items WHERE id = '$three' FOR UPDATE) AS i)") ],
    [ '00000 40P01', 1 ], 'a hot item and a row');

# Who waits for one holder hears of what others give: a delivery, another holder, a savepoint.
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
        victims(1, q{wait_event_type = 'Lock'});
        $give->();
        is($victim->await->[0], '00000', "who waits for a holder that stays gets what is given: $name");
        $_->run('ROLLBACK') for $victim, $keeper, $others[0];
        $_->value('1') for $victim, $keeper, $others[0];
        $shop->query("SELECT items_stock.adjust_stock('$two', 5 - shop.available_stock('$two'), 'back')") if Hot::visible($shop, 2) ne '5';
        is(Hot::counter($shop, 2), 'hot 5 0', "$name: the counter is as before");
    }
    $_->quit for @others;
}

# ---------------------------------------------------------------- the first touch

# After a restart nobody has counted the item.  Who has written its row himself cannot: he makes it cold.
for my $end ('COMMIT', 'ROLLBACK')
{
    my $other = Shop->new($node, 'hot_fold_' . lc $end, { 1 => 10 })->attached;

    Hot::heat($other, [1]);
    $other->query('SELECT ' . $other->buy(1, 4)->{call});
    $node->restart;
    $other->query('BEGIN', 'UPDATE shop.items SET stock = stock + 2', 'SELECT ' . $other->buy(1, 3)->{call},
        "SELECT items_stock.restock_item('$one', 1)", $end);
    is($other->query('SELECT hot FROM items_stock.hot'), $end eq 'COMMIT' ? 'f' : 't', "its own row, $end: cold with the commit");
    is($other->query("SELECT shop.available_stock('$one')"), '6', "its own row, $end: exact");
    is_deeply([ Hot::problems($other) ], [], "its own row, $end: nothing is wrong");
    my @rest = Hot::sell_out($other, 1);
    is(scalar(@rest) - 1, 6, "its own row, $end: sold out exactly");
    is_deeply([ Hot::problems($other) ], [], "its own row, $end: nothing is wrong then");
}

# While the row is locked nobody can count it: who waits there is interrupted, too.
for my $how (sort keys %interruption)
{
    my ($setting, $interrupt, $expected) = @{ $interruption{$how} };
    my $other = Shop->new($node, 'hot_first_' . ++$keeper->{shops}, { 1 => 10 })->attached;

    Hot::heat($other, [1]);
    $other->query('SELECT ' . $other->buy(1, 4)->{call});
    $node->restart;
    my ($holder, $buyer) = map { Session->new($node, $other->{database}, $_) } qw(holder victim);
    $eye = Session->new($node, 'hot_wait', 'eye');
    $holder->run('BEGIN', 'SELECT FROM shop.items FOR UPDATE');
    $holder->value('1');
    $buyer->run($setting) if $setting;
    $buyer->call($other->buy(1, 3)->{call});
    if ($setting eq '')
    {
        victims(1, q{wait_event_type = 'Lock'});
        $interrupt->();
    }
    is(($buyer->await || ['lost'])->[0], $expected, "the first touch, $how: interrupted");
    $holder->run('ROLLBACK');
    $holder->value('1');
    $_->quit for $holder, $buyer;
    my @rest = Hot::sell_out($other, 1);
    is(scalar(@rest) - 1, 6, "the first touch, $how: sold out exactly");
    is_deeply([ Hot::problems($other) ], [], "the first touch, $how: nothing is wrong");
}

done_testing();
