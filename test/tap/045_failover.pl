# Clients buy through a pooler while the primary is lost and the standby takes its place.
#
# With a synchronous standby every order that was acknowledged is there after the
# failover, and a call whose answer was lost is sent again with its key and is there
# once.  The pooler lets calls that were not sent yet wait for the new primary.  The same
# auditor must find that acknowledged orders are lost where commits do not wait for the
# standby.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Crash;
use Crowd;
use Hot;
use Pooler;
use Session;
use Shop;
use Waiting;

use constant SESSIONS => 16;
use constant CALLS    => 20;     # of each session
use constant ANSWERS  => 100;    # the primary is lost after this many answers

my $nodes = 0;

# A primary, whose commits wait for the standby `standby` as soon as there is one.
sub primary
{
    my $node = PostgreSQL::Test::Cluster->new('primary_' . ++$nodes);

    $node->init(allows_streaming => 1);
    $node->append_conf('postgresql.conf', join "\n", q{shared_preload_libraries = 'inventory'}, 'max_connections = 60', '');
    $node->start;
    return $node;
}

# A standby of a node, which waits for it from now on.
sub standby_of
{
    my ($primary) = @_;
    my $standby = PostgreSQL::Test::Cluster->new('standby_' . ++$nodes);

    $primary->backup("base_$nodes");
    $standby->init_from_backup($primary, "base_$nodes", has_streaming => 1);
    $standby->append_conf('postgresql.conf', q{synchronous_standby_names = ''});
    $standby->start;
    $primary->append_conf('postgresql.conf', q{synchronous_standby_names = '*'});
    $primary->reload;
    $primary->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'})
      or die 'the standby is not synchronous';
    return $standby;
}

# Promote a standby, and send the clients to it.
sub take_over
{
    my ($shop, $standby, $pooler) = @_;

    $standby->promote;
    $standby->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()');
    $pooler->point_to($standby);
    $shop->{node} = $standby;
}

# Calls for each session, each with a key: items 1 to 3 are cold, 4 to 6 hot, and each has too few units.
sub calls
{
    my ($shop) = @_;
    return map {
        my $session = $_;
        [ map {
            my $key = "$session $_";
            $_ % 5 ? $shop->buy(1 + int rand 6, 1 + int rand 2, $key)
              : $shop->buy_cart([ [ 1 + int rand 3, 1 ], [ 4 + int rand 3, 1 ] ], 'buy_cart', $key);
        } 1 .. CALLS ]
    } 1 .. SESSIONS;
}

# Each session makes its calls through the pooler; those that were sent.
sub buy_through
{
    my ($pooler, $shop, $lists, %option) = @_;
    my @sessions = map { Session->new($pooler, $shop->{database}, 'buyer') } @$lists;
    my @busy = @sessions;

    $sessions[$_]{todo} = [ @{ $lists->[$_] } ] for 0 .. $#$lists;
    my @history = map { Crowd::send_next($_) } @sessions;
    push @history, Crowd::work_off(\@busy, %option);
    $_->quit for @sessions;
    return @history;
}

# Kill the primary while the commits of some more buyers wait for the standby, whose receiver is stopped
# until then; their calls.
sub lose
{
    my ($shop, $standby, $pooler) = @_;
    my $receiver = $standby->safe_psql('postgres', 'SELECT pid FROM pg_stat_wal_receiver');
    my @calls = map { $shop->buy($_, 1, 'waits') } 1, 4, 5, 6;
    my @sessions = map { Session->new($pooler, $shop->{database}, 'waits') } @calls;

    kill 'STOP', $receiver;
    $sessions[$_]->call($calls[$_]{call}) for 0 .. $#calls;
    $shop->{node}->poll_query_until('postgres', q{SELECT count(*) >= 4 FROM pg_stat_activity WHERE wait_event = 'SyncRep'})
      or die 'no commits wait for the standby';
    Crash::kill_server($shop->{node});
    kill 'CONT', $receiver;
    is_deeply([ grep { defined } map { $_->await } @sessions ], [], 'killed: commits that wait are not answered');
    $_->quit for @sessions;
    return map { { %$_, state => 'lost' } } @calls;
}

# Let a standby receive nothing any more.
sub disconnect
{
    my ($standby) = @_;

    $standby->append_conf('postgresql.conf', q{primary_conninfo = ''});
    $standby->reload;
    $standby->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pg_stat_wal_receiver') or die 'the standby still receives';
}

# A shop on a node.
sub shop
{
    my ($node, $name) = @_;
    my $shop = Shop->new($node, $name, { map { $_ => 75 } 1 .. 6 })->attached;

    Hot::heat($shop, [ 4 .. 6 ]);
    return $shop;
}

# The number of calls that were answered with orders.
sub answered
{
    return scalar grep { Shop::bought($_) } @_;
}

# ---------------------------------------------------------------- commits that do not wait for the standby

{
    my $primary = primary();
    my $standby = standby_of($primary);
    my $shop = shop($primary, 'careless');
    my $pooler = Pooler->new($primary);

    $shop->query('ALTER DATABASE careless SET synchronous_commit = local');
    my @history = buy_through($pooler, $shop, [ calls($shop) ], watch => sub {
        my ($answers) = @_;
        # from now on nothing reaches the standby
        disconnect($standby) if $answers == ANSWERS;
        return unless $answers == 2 * ANSWERS;
        Crash::kill_server($primary);
        take_over($shop, $standby, $pooler);
    });
    cmp_ok((grep { /was acknowledged and is not there/ } $shop->audit_orders(\@history)), '>', 0,
        'commits that do not wait: acknowledged orders are lost');
    is($shop->verify, '', 'commits that do not wait: what is there agrees');
    $standby->stop('immediate');
}

# ---------------------------------------------------------------- a switchover that is planned

my $first = primary();
my $second = standby_of($first);
my $pooler = Pooler->new($first);
{
    my $shop = shop($first, 'planned');
    my @history = buy_through($pooler, $shop, [ calls($shop) ], watch => sub {
        return unless $_[0] == ANSWERS;
        $pooler->pause;
        $first->stop('fast');
        take_over($shop, $second, $pooler);
        $pooler->resume;
    });

    is((grep { $_->{state} eq 'lost' } @history), 0, 'planned: no answer is lost');
    is(scalar @history, SESSIONS * CALLS, 'planned: every call is answered');
    cmp_ok(answered(@history), '>', ANSWERS / 2, 'planned: units are sold');
    is_deeply([ Hot::audit($shop, \@history) ], [], 'planned: every order is there once');
}

# ---------------------------------------------------------------- the primary is lost

my $third = standby_of($second);
my $shop = shop($second, 'failover');
my @waiting;
my @history = buy_through($pooler, $shop, [ calls($shop) ], watch => sub {
    return unless $_[0] == ANSWERS;
    @waiting = lose($shop, $third, $pooler);
    take_over($shop, $third, $pooler);
});
push @history, @waiting;
my @lost = grep { $_->{state} eq 'lost' } @history;

cmp_ok(answered(@history), '>', ANSWERS / 2, 'killed: units are sold');
is_deeply([ Hot::audit($shop, \@history) ], [], 'killed: what was acknowledged is there once');

# the clients send again what they have not been told
buy_through($pooler, $shop, [ map { [$_] } @lost ]);
is((grep { $_->{state} eq 'lost' } @history), 0, 'sent again: every call is answered');
is_deeply([ Hot::audit($shop, \@history) ], [], 'sent again: everything is there once');

# keys from before the failover
my @told = (grep { Shop::bought($_) } @history)[ 0 .. 19 ];
my @again = map { {%$_} } @told;
buy_through($pooler, $shop, [ map { [$_] } @again ]);
is_deeply([ map { [ Shop::orders($_) ] } @again ], [ map { [ Shop::orders($_) ] } @told ], 'sent twice: the same orders');
is_deeply([ Hot::audit($shop, \@history) ], [], 'sent twice: everything is there once');

# ---------------------------------------------------------------- the old primary comes back

Crash::start($second);
{
    my $session = Session->new($second, 'failover');
    my $restock = "items_stock.restock_item('" . Shop::item_id(1) . "', 1)";

    $session->call($restock);
    Waiting::for_commit($second);
    pass('the old primary: a commit waits for a standby');
    $second->stop('immediate');
    is($session->await, undef, 'the old primary: nothing is acknowledged');
    $session->quit;
}
is_deeply([ Hot::audit($shop, \@history) ], [], 'the old primary: what was sold there is not here');

done_testing();
