# The extension can be dropped and updated, and its database dropped and copied, while in use.
#
# The second session waits or is refused, and no session sells with the old objects
# afterwards.  The tables keep what was sold, and a store that is attached again continues
# its ledger.  A database that was created again from a template has no counters of the
# old one with its name.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Session;
use Shop;
use Waiting;

my $node = Shop::server('in_use', q{shared_preload_libraries = 'inventory'});
my $item = Shop::item_id(1);
my $shops = 0;

# A shop, and sessions of a buyer and the owner.
sub open_shop
{
    my $shop = Shop->new($node, 'in_use_' . ++$shops, { 1 => 10 })->attached;
    return ($shop, map { Session->new($node, $shop->{database}, $_) } qw(buyer owner));
}

# Begin a transaction with a purchase; the call, for the auditor.
sub begin_sale
{
    my ($shop, $buyer) = @_;
    my $call = $shop->buy(1, 1);
    $buyer->run('BEGIN');
    return { %$call, state => '00000', answer => $buyer->value($call->{call}) };
}

# Send a statement that must wait.
sub send_waiting
{
    my ($shop, $session, $name, $statement) = @_;
    $session->run('SET client_min_messages = warning', $statement);
    waits($shop, $name);
}

# Wait until a session waits for a lock.
sub waits
{
    my ($shop, $name) = @_;
    Waiting::for_locks($shop, 1, "application_name = '$name'");
    pass("$shop->{database}: the $name waits");
}

# The SQLSTATE of a statement.
sub state_of
{
    my ($shop, $statement) = @_;
    my (undef, undef, $error) = $shop->{node}->psql($shop->{database}, "\\set VERBOSITY sqlstate\n$statement;");
    return $error =~ /ERROR:\s+(\w{5})/ ? $1 : '00000';
}

# Attach again, and check that the ledger continues.
sub continues
{
    my ($shop, $name, @history) = @_;
    $shop->attached;
    my $call = $shop->buy(1, 1);
    my $order = $shop->query("SELECT $call->{call}");
    is_deeply([ $shop->audit([ @history, { %$call, state => '00000', answer => $order } ]) ], [], "$name: attached again, the ledger continues");
}

# ---------------------------------------------------------------- DROP EXTENSION

# Without CASCADE it is not dropped.
{
    my ($shop, $buyer) = open_shop();
    my $call = begin_sale($shop, $buyer);
    $buyer->run('COMMIT');
    $buyer->value('1');
    is(state_of($shop, 'DROP EXTENSION inventory'), '2BP01', 'DROP EXTENSION without CASCADE: refused');
    is(state_of($shop, 'DROP SCHEMA inventory CASCADE'), '2BP01', 'DROP SCHEMA inventory: refused');
    is_deeply([ $shop->audit([$call]) ], [], 'refused: nothing has changed');
    $buyer->quit;
}

# A sale is in progress: the owner waits for it.
for my $end ('COMMIT', 'ROLLBACK')
{
    my ($shop, $buyer, $owner) = open_shop();
    my $call = begin_sale($shop, $buyer);

    send_waiting($shop, $owner, 'owner', 'DROP EXTENSION inventory CASCADE');
    $buyer->run($end);
    $owner->value('1');
    $shop->{attached} = 0;
    is_deeply([ $shop->audit($end eq 'COMMIT' ? [$call] : []) ], [], "dropped after a $end: the tables have what was sold");
    is($buyer->ask("shop.buy_item('$call->{user}', '$item')")->[0], '42883', "dropped after a $end: no session sells any more");
    continues($shop, "dropped after a $end", $end eq 'COMMIT' ? $call : ());
    $_->quit for $buyer, $owner;
}

# It is being dropped: the buyer waits, and then fails, or buys after a rollback.
for my $end ('COMMIT', 'ROLLBACK')
{
    my ($shop, $buyer, $owner) = open_shop();
    my $past = begin_sale($shop, $buyer);
    $buyer->run('COMMIT');
    $buyer->value('1');
    $owner->run('SET client_min_messages = warning', 'BEGIN', 'DROP EXTENSION inventory CASCADE');
    $owner->value('1');
    my $call = $shop->buy(1, 1);
    $buyer->call($call->{call});
    waits($shop, 'buyer');
    $owner->run($end);
    my ($state, $answer) = @{ $buyer->await };
    $call = { %$call, state => $state, answer => $answer };
    if ($end eq 'COMMIT')
    {
        isnt($state, '00000', "dropped while a buyer waits: nothing is sold ($state)");
        $shop->{attached} = 0;
        is_deeply([ $shop->audit([$past]) ], [], 'dropped while a buyer waits: nothing is taken');
        continues($shop, 'dropped while a buyer waits', $past);
    }
    else
    {
        is($state, '00000', 'drop rolled back: the buyer buys');
        is_deeply([ $shop->audit([ $past, $call ]) ], [], 'drop rolled back: no problems');
    }
    $_->quit for $buyer, $owner;
}

# ---------------------------------------------------------------- ALTER EXTENSION UPDATE

# Another version that changes the catalog and an engine function while they are in use.
my ($sharedir) = `pg_config --sharedir` =~ /(.*)/;
my $version = $node->safe_psql('postgres', q{SELECT default_version FROM pg_available_extensions WHERE name = 'inventory'});
my $script = "$sharedir/extension/inventory--$version--$version.tap.sql";
END { unlink $script if $script }

append_to_file($script, <<'END');
ALTER TABLE inventory.store ADD remark pg_catalog.text NOT NULL DEFAULT 'new';
ALTER TABLE inventory.store ALTER remark TYPE pg_catalog.name;
ALTER FUNCTION inventory.buy_item(text, "any", "any", bigint, text, jsonb, anyelement) RENAME TO old_buy_item;
CREATE FUNCTION inventory.buy_item(store_name text, user_id "any", item_id "any", quantity bigint, idempotency_key text,
    order_data jsonb, result_type anyelement) RETURNS anyelement LANGUAGE c AS 'MODULE_PATHNAME', 'inventory_buy_item';
END

{
    my ($shop, $buyer, $owner) = open_shop();
    my $second = Session->new($node, $shop->{database}, 'second');
    my @history = begin_sale($shop, $buyer);
    $second->value("shop.available_stock('$item')");
    $owner->run(qq{ALTER EXTENSION inventory UPDATE TO '$version.tap'});

    # the buyer continues, whether the update waits for that transaction or not
    my $next = $shop->buy(1, 2);
    push @history, { %$next, state => '00000', answer => $buyer->value($next->{call}) };
    $buyer->run('COMMIT');
    $owner->value('1');
    is($shop->query(q{SELECT extversion FROM pg_extension WHERE extname = 'inventory'}), "$version.tap", 'updated while it is in use');
    for my $session ($buyer, $second, $owner)
    {
        my $call = $shop->buy(1, 1);
        my ($state, $answer) = @{ $session->ask($call->{call}) };
        is($state, '00000', 'updated: an old session buys');
        push @history, { %$call, state => $state, answer => $answer };
    }
    is($shop->query(q{SELECT FROM inventory.refresh('shop.items')}), '', 'updated: refresh');
    my $last = $shop->buy(1, 99);
    push @history, { %$last, state => $second->ask($last->{call})->[0] };
    is_deeply([ $shop->audit(\@history) ], [], 'updated: no problems');
    $_->quit for $buyer, $second, $owner;
}

# ---------------------------------------------------------------- databases

# The number of calls of buy_item in a database, by inventory.stats.
sub counted
{
    my ($shop) = @_;
    return $shop->query(q{SELECT coalesce(sum(calls), 0) FROM inventory.stats WHERE operation = 'buy_item'});
}

{
    my ($template, $buyer, $owner) = open_shop();
    my @past = begin_sale($template, $buyer);
    my $admin = { node => $node, database => 'postgres' };

    is(state_of($admin, "DROP DATABASE $template->{database}"), '55006', 'DROP DATABASE during a sale: refused');
    $buyer->run('COMMIT');
    $buyer->value('1');
    $_->quit for $buyer, $owner;
    $template->query("SELECT shop.reserve_stock('$past[0]{user}', '$item', 2, '1 h')");

    for my $round (1, 2)
    {
        $node->safe_psql('postgres', "CREATE DATABASE copy TEMPLATE $template->{database}");
        my $copy = bless { %$template, database => 'copy', stock => { 1 => 8 } }, 'Shop';
        is(counted($copy), '0', "copy $round: its statistics begin at 0");
        my $call = $copy->buy(1, 4);
        my ($last, $customer) = ($copy->buy(1, 4), Session->new($node, 'copy'));
        my @history = map { { %$_, state => '00000', answer => $customer->value($_->{call}) } } $call;
        is($customer->ask($last->{call})->[0], 'IV001', "copy $round: no more than the template had");
        is($copy->query('SELECT sum(delta) FROM items_stock.movements'), '3', "copy $round: its own ledger");
        is($copy->verify, '', "copy $round: verify finds nothing");
        is(counted($copy), '2', "copy $round: its own statistics");
        # FORCE ends the session of the customer
        is(state_of($admin, 'DROP DATABASE copy WITH (FORCE)'), '00000', "copy $round: dropped by force");
        is($customer->ask('1'), undef, "copy $round: the session of the customer has ended");
        $customer->quit;
    }
    $template->query('SELECT ' . $template->buy(1, 1)->{call});
    is($template->query('SELECT stock FROM shop.items'), '6', 'the template has only its own sales');
    is($template->verify, '', 'the template: verify finds nothing');
}

done_testing();
