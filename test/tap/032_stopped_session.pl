# While a session is stopped at a step of its work, others buy, settle, heat and cool, exactly.
#
# The session stops at a point in the code (Point.pm), and other sessions do what the step is
# sensitive to.  Then it goes on, is cancelled, or is killed.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Crash;
use Hot;
use Point;
use Session;
use Shop;
use Waiting;

my $unusable = Point::unusable();
plan skip_all => $unusable if $unusable;

# no worker, except where it is tested
my @no_worker = ('max_worker_processes = 0', 'max_logical_replication_workers = 0');
my $node = Shop::server('stopped_session', @Point::SETTINGS, @no_worker, q{inventory.hot_lock_timeout = '1min'},
    'inventory.max_hot_items = 4');
my $shops = 0;
my @id = map { Shop::item_id($_) } 0 .. 4;
my $settle = q{inventory.settle('shop.items')};
my $take_off = "items_stock.adjust_stock('$id[1]', -1, 'lost') IS NOT NULL";
my %cool = map { $_ => "inventory.cool('shop.items', '$id[$_]')" } 1 .. 3;
my %heat = map { $_ => "inventory.heat('shop.items', '$id[$_]')" } 1 .. 4;

# A shop with these units of items 1, 2, 3, of which some are hot, with a counter.
sub shop
{
    my ($units, @hot) = @_;
    my $shop = Shop->new($node, 'stopped_' . ++$shops, { map { $_ => $units->[ $_ - 1 ] } 1 .. @$units })->attached;

    $shop->query('CREATE EXTENSION injection_points', map { "SELECT $heat{$_}" } @hot);
    Hot::publish($shop, @hot);
    return $shop;
}

# Make a call in a session that goes on waiting.
sub waiting
{
    my ($shop, $call) = @_;
    my $session = Session->new($node, $shop->{database});
    my $pid = $session->value('pg_backend_pid()');

    $session->call($call);
    $node->poll_query_until($shop->{database}, <<"END") or die "it does not wait: $call";
SELECT count(*) = 1 FROM pg_stat_activity WHERE pid = $pid AND state = 'active' AND wait_event_type IN ('Lock', 'Extension', 'IPC')
END
    return $session;
}

# The answer of such a session: its value or SQLSTATE.
sub outcome
{
    my ($session) = @_;
    my $answer = $session->await || ['lost'];

    $session->quit;
    return $answer->[0] eq '00000' ? $answer->[1] : $answer->[0];
}

# Make a call in a new session; its value or SQLSTATE.
sub call
{
    my ($shop, $call) = @_;
    return Session::outcome($node, $shop->{database}, $call);
}

sub buy { return $_[0]->buy($_[1], $_[2])->{call} . ' IS NOT NULL' }

# Kill a stopped session, so that the server restarts.
sub killed
{
    my ($session) = @_;
    Crash::restart_by($node, sub { kill 'KILL', $session->{backend} });
    $session->answer;
}

# Check that items have these available units, and that no problem is found; sell out, settle and cool.
sub exact
{
    my ($shop, $available, $test) = @_;
    my %left = map { $_ => $available->[ $_ - 1 ] } 1 .. @$available;

    is_deeply([ map { Hot::visible($shop, $_) } sort keys %left ], $available, "$test: available");
    is_deeply([ Hot::problems($shop), $shop->audit_ledger, $shop->audit_holds ], [], "$test: no problems");
    is_deeply([ map { scalar(Hot::sell_out($shop, $_)) - 1 } sort keys %left ], $available, "$test: sold out exactly");
    $shop->query("SELECT $settle", q{SELECT inventory.cool('shop.items')});
    is_deeply([ Hot::problems($shop), $shop->audit_ledger, $shop->audit_holds ], [], "$test: no problems at the end");
    is($shop->query('SELECT sum(stock) FROM shop.items'), '0', "$test: all is settled");
    $node->safe_psql('postgres', "DROP DATABASE $shop->{database}");
}

# ---------------------------------------------------------------- a purchase

# A cart that has its first item finds the second sold out: the first returns once.
for my $how ('both hot', 'then the first is bought')
{
    my $shop = shop([ 10, 4 ], 1, 2);
    my $cart = Point->new($shop, 'inventory-after-counter', $shop->buy_cart([ [ 1, 4 ], [ 2, 1 ] ], 'buy_cart')->{call});
    my @more = $how eq 'both hot' ? () : waiting($shop, buy($shop, 1, 7));

    is(call($shop, buy($shop, 1, 6)), 'true', "cart, $how: what it left can be bought");
    is(call($shop, buy($shop, 2, 4)), 'true', "cart, $how: the second item is sold out") ;
    is($cart->finish->[0], 'IV001', "cart, $how: it is refused");
    is(outcome($_), 'IV001', "cart, $how: a buyer who waited for its units is refused, since others have bought") for @more;
    exact($shop, [ 4, 0 ], "cart, $how");
}

# Between the commit of the last unit and the counter's change nothing is sold twice, settled too early or cooled.
for my $how ('goes on', 'killed')
{
    my $shop = shop([ 5, 5 ], 1);
    my $buyer = Point->new($shop, 'inventory-after-commit', buy($shop, 1, 3));

    is(Hot::visible($shop, 1), '2', "committed, $how: others see it");
    is(call($shop, buy($shop, 1, 1)), 'true', "committed, $how: what is left can be bought");
    my $cooler = waiting($shop, $cool{1});
    my $late = waiting($shop, buy($shop, 1, 1));
    my $early = $shop->query("SELECT stock FROM shop.items WHERE id = '$id[1]'");
    is($early, '5', "committed, $how: it is not settled");
    if ($how eq 'goes on')
    {
        is($buyer->finish->[1], 'true', "committed, $how: it is answered");
        is(outcome($cooler), '1', "committed, $how: the item is cooled");
        is(outcome($late), 'true', "committed, $how: the last unit is sold");
    }
    else
    {
        killed($buyer);
        outcome($_) for $cooler, $late;
    }
    exact($shop, [ $how eq 'goes on' ? 0 : 1, 5 ], "committed, $how");
}

# Before the commit a buyer of the last units waits, and gets them only if the first does not commit.
for my $how ('goes on', 'cancelled', 'terminated')
{
    my $shop = shop([5], 1);
    my $buyer = Point->new($shop, 'inventory-before-commit', buy($shop, 1, 3));
    my $second = waiting($shop, buy($shop, 1, 3));

    is($shop->query("SELECT $settle"), '0', "before the commit, $how: nothing is settled");
    $buyer->signal($how eq 'cancelled' ? 'pg_cancel_backend' : 'pg_terminate_backend') if $how ne 'goes on';
    $buyer->wake if $how eq 'goes on';
    $buyer->answer;
    is(outcome($second), $how eq 'goes on' ? 'IV001' : 'true', "before the commit, $how: the second");
    exact($shop, [2], "before the commit, $how");
}

# After a rollback the units are not there until the counter has them, and then once.
for my $how ('goes on', 'killed')
{
    my $shop = shop([5], 1);
    my $buyer = Point->new($shop, 'inventory-after-abort', '1', before => [ 'BEGIN', 'SELECT ' . buy($shop, 1, 3), 'ROLLBACK' ]);

    is(Hot::visible($shop, 1), '5', "rolled back, $how: available");
    my $second = waiting($shop, buy($shop, 1, 5));
    if ($how eq 'goes on')
    {
        $buyer->finish;
        is(outcome($second), 'true', "rolled back, $how: the second gets all");
    }
    else
    {
        killed($buyer);
        outcome($second);
    }
    exact($shop, [ $how eq 'goes on' ? 0 : 5 ], "rolled back, $how");
}

# Units that a savepoint returns are there once, for others and for their own transaction.
{
    my $shop = shop([5], 1);
    my $buyer = Point->new($shop, 'inventory-after-savepoint-abort', buy($shop, 1, 1),
        before => [ 'BEGIN', 'SELECT ' . buy($shop, 1, 1), 'SAVEPOINT s', 'SELECT ' . buy($shop, 1, 3), 'ROLLBACK TO s' ], after => ['COMMIT']);
    my $second = waiting($shop, buy($shop, 1, 3));

    is($buyer->finish->[1], 'true', 'savepoint: the transaction goes on');
    is(outcome($second), 'true', 'savepoint: another buyer gets its units');
    exact($shop, [0], 'savepoint');
}

# Units that were given are there for others when the counter has them.
for my $how ('goes on', 'killed')
{
    my $shop = shop([5], 1);
    my $order = $shop->told($shop->buy(1, 5))->{answer};
    is($shop->query("SELECT $settle", 'SELECT stock FROM shop.items'), "1\n0", "given, $how: the sale is settled");
    my $refund = Point->new($shop, 'inventory-after-commit', "items_stock.refund_order('$order')");

    is(call($shop, buy($shop, 1, 5)), 'IV001', "given, $how: an early buyer is refused");
    is($shop->query("SELECT $settle", 'SELECT stock FROM shop.items'), "0\n0", "given, $how: the refund is not settled");
    $how eq 'killed' ? killed($refund) : is($refund->finish->[1], '5', "given, $how: it is answered");
    exact($shop, [5], "given, $how");
}

# A cold purchase that has the row: another waits; a heat waits, too, and the item is hot with what is left.
for my $how ('goes on', 'cancelled')
{
    for my $point (qw(after-take after-order after-movement))
    {
        my $shop = shop([5]);
        my $buyer = Point->new($shop, "inventory-$point", buy($shop, 1, 3));
        my @others = (waiting($shop, $heat{1}), waiting($shop, buy($shop, 1, 3)));

        $how eq 'cancelled' ? $buyer->signal('pg_cancel_backend') : $buyer->wake;
        is($buyer->answer->[0], $how eq 'cancelled' ? '57014' : '00000', "cold, $point, $how: the buyer");
        is(outcome($others[0]), 'true', "cold, $point, $how: the item is hot");
        is(outcome($others[1]), $how eq 'cancelled' ? 'true' : 'IV001', "cold, $point, $how: the second buyer");
        exact($shop, [2], "cold, $point, $how");
    }
}

# ---------------------------------------------------------------- settling

# The epoch is closed and the row not yet locked: others buy, settle, cool and heat, and nothing is added twice.
for my $others ('buy', 'settle', 'cool', 'cool and heat', 'cool, heat and settle')
{
    my $shop = shop([20], 1);
    $shop->told($shop->buy(1, 2));
    my $settler = Point->new($shop, 'inventory-after-epoch', $settle);

    is(call($shop, buy($shop, 1, 3)), 'true', "closed epoch, $others: bought");
    call($shop, $settle) if $others eq 'settle';
    call($shop, $cool{1}) if $others =~ /cool/;
    call($shop, $heat{1}) if $others =~ /heat/;
    is(call($shop, buy($shop, 1, 1)), 'true', "closed epoch, $others: bought again");
    call($shop, $settle) if $others =~ /and settle/;
    is($settler->finish->[0], '00000', "closed epoch, $others: it settles what is left to settle");
    exact($shop, [14], "closed epoch, $others");
}

# The row has the sum, which is not marked as settled: buyers go on, other settlers and coolers wait.
for my $how ('goes on', 'cancelled', 'killed')
{
    my $shop = shop([20], 1);
    $shop->told($shop->buy(1, 2));
    my $settler = Point->new($shop, 'inventory-after-settled-row', $settle);

    is(call($shop, buy($shop, 1, 3)), 'true', "row written, $how: bought");
    is(Hot::visible($shop, 1), '15', "row written, $how: available");
    is(call($shop, $take_off), 'true', "row written, $how: an operator takes one off");
    my @others = map { waiting($shop, $_) } $settle, $cool{1};
    if ($how eq 'killed')
    {
        killed($settler);
        outcome($_) for @others;
    }
    else
    {
        $how eq 'cancelled' ? $settler->signal('pg_cancel_backend') : $settler->wake;
        $settler->answer;
        like(outcome($_), qr/^\d$/, "row written, $how: the others go on") for @others;
    }
    exact($shop, [14], "row written, $how");
}

# Settled and committed, and the counter does not know: another settles, cools, or the server ends.
for my $others ('buy', 'settle', 'cool', 'killed')
{
    my $shop = shop([20], 1);
    $shop->told($shop->buy(1, 2));
    my $settler = Point->new($shop, 'inventory-after-commit', $settle);

    is(call($shop, buy($shop, 1, 3)), 'true', "settled, $others: bought");
    call($shop, $settle) if $others eq 'settle';
    is(call($shop, $cool{1}), '1', "settled, $others: cooled") if $others eq 'cool';
    $others eq 'killed' ? killed($settler) : $settler->finish;
    exact($shop, [15], "settled, $others");
}

# ---------------------------------------------------------------- publishing, heating, cooling

# A counter is counted and not yet published, or published under the row's lock.
for my $point (qw(before-publish after-publish))
{
    for my $how ('goes on', 'cancelled', 'terminated')
    {
        my $shop = shop([20]);
        $shop->query("SELECT $heat{1}");
        my $first = Point->new($shop, "inventory-$point", buy($shop, 1, 2));
        my $direct = waiting($shop, $take_off) if $point eq 'before-publish';
        my $buyer = $point eq 'before-publish' ? waiting($shop, buy($shop, 1, 3)) : Session->new($node, $shop->{database});

        $buyer->call(buy($shop, 1, 3)) if $point eq 'after-publish';
        is(outcome($buyer), 'true', "$point, $how: another buys while the row is locked") if $point eq 'after-publish';
        $how eq 'goes on' ? $first->wake : $first->signal($how eq 'cancelled' ? 'pg_cancel_backend' : 'pg_terminate_backend');
        is($first->answer->[0], { 'goes on' => '00000', cancelled => '57014', terminated => 'lost' }->{$how}, "$point, $how: the first");
        is(outcome($buyer), 'true', "$point, $how: another publishes and buys") if $point eq 'before-publish';
        is(outcome($direct), 'true', "$point, $how: an operator takes one off") if $direct;
        exact($shop, [ 20 - 3 - ($direct ? 1 : 0) - ($how eq 'goes on' ? 2 : 0) ], "$point, $how");
    }
}

# A direct write that waits for the row's lock is added to the counter that was counted without it.
{
    my $shop = shop([20]);
    $shop->query("SELECT $heat{1}", q{CREATE FUNCTION shop.direct() RETURNS int LANGUAGE sql AS 'UPDATE shop.items SET stock = stock + 5 RETURNING 1'});
    my $first = Point->new($shop, 'inventory-before-publish', buy($shop, 1, 2));
    my $direct = waiting($shop, 'shop.direct()');

    is($first->finish->[1], 'true', 'before-publish, direct write: the first buys');
    is(outcome($direct), '1', 'before-publish, direct write: it is written');
    is(Hot::counter($shop, 1), 'hot 23 0', 'before-publish, direct write: the counter has it');
    exact($shop, [23], 'before-publish, direct write');
}

# The rows of hot items are read, and change before the table of counters is filled, perhaps by another session.
for my $change ('heat', 'cool', 'cool and heat')
{
    for my $fills ('no other', 'a buyer')
    {
        my $test = "rows read, $change, filled by $fills";
        my $shop = shop([ 20, 20 ], $change eq 'heat' ? () : 1);
        $shop->query("SELECT $heat{2}");
        my $reader = Point->new($shop, 'inventory-after-hot-rows', buy($shop, 1, 2));

        $shop->query("SELECT $cool{1}") if $change =~ /cool/;
        $shop->query("SELECT $heat{1}") if $change =~ /heat/;
        is(call($shop, buy($shop, 1, 3)), 'true', "$test: it buys") if $fills eq 'a buyer';
        is($reader->finish->[1], 'true', "$test: the reader buys");
        is(call($shop, buy($shop, 1, 1)), 'true', "$test: another buys");
        my @left = $fills eq 'a buyer' ? (14, 20) : (17, 20);
        is(Hot::counter($shop, 1), $change eq 'cool' ? 'none' : "hot $left[0] 0", "$test: the counter");
        exact($shop, \@left, $test);
    }
}

# A session has found that nothing was ever hot in the store, and has not read the rows yet, when the first
# item becomes hot: it does not take the commit of the heating for one that it has seen.
for my $end (qw(COMMIT ROLLBACK))
{
    my $test = "first item heated, $end";
    my $shop = shop([20]);
    my $reader = Point->new($shop, 'inventory-without-place', "shop.available_stock('$id[1]')");
    my $heater = Session->new($node, $shop->{database});

    $heater->run('BEGIN');
    is($heater->value($heat{1}), 'true', "$test: it is heated");
    $reader->wake;
    is($reader->{session}->await->[1], '20', "$test: the reader sees all units");
    $heater->run($end);
    is(call($shop, buy($shop, 1, 5)), 'true', "$test: another buys");
    is($reader->{session}->value(buy($shop, 1, 2)), 'true', "$test: the reader buys");
    $reader->{session}->quit;
    $heater->quit;
    exact($shop, [13], $test);
}

# The counter is closed, and then cold by a commit that it does not know: buyers wait or buy from the row.
for my $point (qw(after-close after-settled-row after-commit))
{
    for my $how ('goes on', 'cancelled', 'killed')
    {
        my $shop = shop([20], 1);
        $shop->told($shop->buy(1, 2));
        my $cooler = Point->new($shop, "inventory-$point", $cool{1});
        my $buyer = waiting($shop, buy($shop, 1, 3));

        is(Hot::visible($shop, 1), '18', "cooling, $point, $how: available");
        if ($how eq 'killed')
        {
            killed($cooler);
            outcome($buyer);
        }
        else
        {
            $cooler->signal('pg_cancel_backend') if $how eq 'cancelled';
            $cooler->wake if $how ne 'cancelled' || $point eq 'after-commit';
            $cooler->answer;
            is(outcome($buyer), 'true', "cooling, $point, $how: the buyer buys");
        }
        exact($shop, [ $how eq 'killed' ? 18 : 15 ], "cooling, $point, $how");
    }
}

# What heating has reserved returns, as often as it fails; there is room for four.
{
    my $shop = shop([ 20, 20 ]);

    for my $try (1 .. 6)
    {
        my $heater = Point->new($shop, 'inventory-after-heat', $heat{1});
        my $buyer = waiting($shop, buy($shop, 1, 1));
        $heater->signal($try % 2 ? 'pg_cancel_backend' : 'pg_terminate_backend');
        $heater->answer;
        is(outcome($buyer), 'true', "heating, failure $try: the buyer who waited buys");
    }
    is($shop->query('SELECT count(*) FROM inventory.hot_entries()'), '0', 'heating: no entry is left');
    is(call($shop, $heat{$_}), 'true', "heating: item $_ becomes hot") for 1, 2;
    exact($shop, [ 14, 20 ], 'heating');
}

# ---------------------------------------------------------------- holds and refunds

# A hold that is being released, confirmed or expired: the others wait or leave it alone, and it ends once.
my %ends = (
    release => "shop.release_reservation('HOLD')",
    confirm => "(SELECT order_id FROM shop.confirm_reservation('HOLD'))",
    expire => 'items_stock.expire_reservations()');
for my $case ([ 'release', qw(after-release after-give after-commit) ], [ 'confirm', qw(after-order after-confirm) ], [ 'expire', qw(after-expire after-give after-commit) ])
{
    my ($end, @points) = @$case;

    for my $point (@points)
    {
        for my $how ('goes on', 'cancelled')
        {
            my $test = "$end, $point, $how";
            my $shop = shop([5], 1);
            my $hold = $shop->query("SELECT shop.reserve_stock('" . Shop::new_user() . "', '$id[1]', 3)");
            $shop->query('UPDATE items_stock.reservations SET expires_at = now()') if $end eq 'expire';
            my %call = map { $_ => $ends{$_} =~ s/HOLD/$hold/r } keys %ends;
            my $first = Point->new($shop, "inventory-$point", $call{$end});
            # after the commit the hold's rows are free
            my @others = $point eq 'after-commit' ? () : map { waiting($shop, $call{$_}) } qw(release confirm);
            my $buyer = $end eq 'expire' && $point ne 'after-commit' ? call($shop, buy($shop, 1, 4)) : '';

            is($buyer, 'IV014', "$test: a buyer who needs the units is told to try again") if $buyer;
            is(call($shop, $call{expire}), '0', "$test: another expirer leaves it alone");
            $first->signal('pg_cancel_backend') if $how eq 'cancelled';
            $first->wake if $how ne 'cancelled' || $point eq 'after-commit';
            my $done = $first->answer->[0] eq '00000';
            my @told = map { outcome($_) } @others;
            is($done, $how eq 'goes on' || $point eq 'after-commit', "$test: it " . ($done ? 'ends' : 'is cancelled'));
            my $status = $shop->query("SELECT status FROM items_stock.reservations");
            call($shop, $call{expire}) if $status eq 'held';
            like($shop->query('SELECT status FROM items_stock.reservations'), qr/^(released|confirmed|expired)$/, "$test: the hold has ended (others: @told)");
            exact($shop, [ $shop->query('SELECT status FROM items_stock.reservations') eq 'confirmed' ? 2 : 5 ], $test);
        }
    }
}

# Two refunds of one order follow each other.
for my $item (1, 2)
{
    for my $point (qw(after-order-lock after-give after-movement))
    {
        for my $how ('goes on', 'cancelled')
        {
            my $shop = shop([ 5, 5 ], 1);
            my $order = $shop->told($shop->buy($item, 3))->{answer};
            my $first = Point->new($shop, "inventory-$point", "items_stock.refund_order('$order', 2)");
            my $second = waiting($shop, "items_stock.refund_order('$order', 2)");

            $how eq 'cancelled' ? $first->signal('pg_cancel_backend') : $first->wake;
            $first->answer;
            is(outcome($second), $how eq 'cancelled' ? '2' : 'IV008', "refund of item $item, $point, $how: the second");
            exact($shop, [ map { $_ == $item ? 4 : 5 } 1, 2 ], "refund of item $item, $point, $how");
        }
    }
}

# An operator who has read the stock: what others buy of a hot item is not taken off twice.
for my $change (-5, -4, -2, 3)
{
    my $shop = shop([5], 1);
    my $operator = Point->new($shop, 'inventory-before-adjust', "items_stock.adjust_stock('$id[1]', $change, 'counted')");

    is(call($shop, buy($shop, 1, 2)), 'true', "adjust by $change: another buys");
    my $told = $operator->finish->[0];
    is($told, $change < -3 ? 'IV001' : '00000', "adjust by $change: the operator");
    exact($shop, [ 3 + ($change < -3 ? 0 : $change) ], "adjust by $change");
}

# A transaction has heated items and is visible, but their entries are not placed: another item that was heated keeps its own.
{
    my $shop = shop([ 5, 5, 5, 5 ], 1);

    $shop->query("SELECT $heat{4}");
    my $heater = Point->new($shop, 'inventory-after-commit', join ' AND ', buy($shop, 1, 1), @heat{ 2, 3 });
    is(call($shop, buy($shop, 1, 1)), 'true', 'entries reserved: the hot items are read again');
    is($heater->finish->[1], 'true', 'entries reserved: they are placed');
    is($shop->query(q{SELECT count(*) FROM inventory.hot_entries() WHERE items = 'shop.items'::regclass}), '4', 'entries reserved: all have one');
    exact($shop, [ 3, 5, 5, 5 ], 'entries reserved');
}

# ---------------------------------------------------------------- the worker

# The worker is stopped while it expires a hold: it is expired once, whether the worker goes on, is
# terminated, killed, or the server is.
$node->stop;
$node = Shop::server('stopped_worker', @Point::SETTINGS);
for my $item (1, 2)
{
    for my $point (qw(after-expire after-give after-movement))
    {
        for my $how ('goes on', 'terminated', 'killed', 'server killed')
        {
            my $test = "worker, item $item, $point, $how";
            my $shop = shop([ 5, 5 ], 1);
            $node->poll_query_until($shop->{database}, 'SELECT inventory.worker_last_run() IS NOT NULL') or die 'no worker started';
            $shop->query("SELECT injection_points_attach('inventory-after-expire', 'wait')") if $point eq 'after-expire';
            $shop->query("SELECT shop.reserve_stock('" . Shop::new_user() . "', '$id[$item]', 3)");
            $shop->query("SELECT injection_points_attach('inventory-$point', 'wait')") if $point ne 'after-expire';
            # the worker looks at the time
            $shop->query('UPDATE items_stock.reservations SET expires_at = now()');
            my $pid = Point::await_event($shop, "inventory-$point", q{backend_type LIKE '%inventory%'});

            is(call($shop, "(SELECT count(*) FROM items_stock.reservations WHERE status = 'held')"), '1', "$test: not yet expired");
            if ($how eq 'goes on') { Point::wake_at($shop, "inventory-$point") }
            elsif ($how eq 'terminated') { $shop->query("SELECT injection_points_detach('inventory-$point')", "SELECT pg_terminate_backend($pid)") }
            elsif ($how eq 'killed') { Crash::restart_by($node, sub { kill 'KILL', $pid }) }
            else { Crash::kill_server($node, $pid); Crash::start($node) }
            # another worker starts with the next session that needs one, or with the server
            my $hold = $how =~ m{^(terminated|killed)$} && $shop->query("SELECT shop.reserve_stock('" . Shop::new_user() . "', '$id[2]', 1)");
            $node->poll_query_until($shop->{database}, q{SELECT status = 'expired' FROM items_stock.reservations WHERE quantity = 3}) or die 'not expired';
            $shop->query("SELECT shop.release_reservation('$hold')") if $hold;
            exact($shop, [ 5, 5 ], $test);
        }
    }
}

done_testing();
