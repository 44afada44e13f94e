# A purchase whose COMMIT was sent and not answered is there once, or not at all.
#
# A commit that waits for a synchronous standby is on disk, and nobody can see it
# yet: that is where sessions and servers are killed here, where clients vanish,
# and where they try again with their key.  A store without keys must be caught
# selling twice by the same auditor.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Crash;
use Session;
use Shop;

# Who wants to wait for the standby that never comes says so.
my $node = Shop::server('commit', 'restart_after_crash = on', q{synchronous_standby_names = 'nobody'},
    'synchronous_commit = local', 'wal_level = replica', 'max_wal_senders = 2');
my $shops = 0;

# A shop with so many units of one item.
sub shop
{
    return Shop->new($node, 'commit_' . ++$shops, { 1 => $_[0] });
}

# A session whose commits wait for the standby.
sub patient
{
    my ($shop) = @_;
    my $session = Session->new($node, $shop->{database}, 'patient');
    $session->run('SET synchronous_commit = on');
    return $session;
}

# Wait until somebody's commit waits for the standby; the process.
sub waits_for_standby
{
    my $who = q{FROM pg_stat_activity WHERE application_name = 'patient' AND wait_event = 'SyncRep'};
    $node->poll_query_until('postgres', "SELECT count(*) = 1 $who") or die 'no commit waits for the standby';
    return $node->safe_psql('postgres', "SELECT pid $who");
}

# Wait until somebody waits for a lock.
sub waits_for_lock
{
    my ($shop) = @_;
    $node->poll_query_until($shop->{database},
        q{SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'})
      or die 'nobody waits for a lock';
}

# What may happen to a session that waits for its commit.
my %fault = (
    'terminated' => sub { $node->safe_psql('postgres', "SELECT pg_terminate_backend($_[0])") },
    'killed' => sub { kill 'KILL', $_[0] },
    'server killed' => sub { Crash::kill_server($node); Crash::start($node) },
    'server stopped' => sub { $node->stop('immediate'); $node->start },
    'server stopped, fast' => sub { $node->stop('fast'); $node->start });

# A call whose commit waits for the standby when the fault happens, and the call once more.
sub lost_and_repeated
{
    my ($shop, $call, $fault) = @_;
    my $first = patient($shop);

    $first->call($call->{call});
    $fault->(waits_for_standby());
    is($first->await, undef, 'the answer is lost');
    $first->quit;
    $node->poll_query_until('postgres', 'SELECT 1', '1') or die 'the server does not come back';
    my $second = Session->new($node, $shop->{database});
    my ($state, $answer) = @{ $second->ask($call->{call}) };
    $second->quit;
    return { %$call, state => $state, answer => $answer };
}

# The auditor can tell: without a key the repetition is another order.
{
    my $shop = shop(2)->hand_written;
    my $call = $shop->buy(1, 1);
    my $again = lost_and_repeated($shop, $call, $fault{'killed'});
    is(scalar(grep { /was never acknowledged/ } $shop->audit([$again])), 1, 'a store without keys: reported as selling twice');
}

for my $name (sort keys %fault)
{
    my $shop = shop(1)->attached;
    my $again = lost_and_repeated($shop, $shop->buy(1, 1, 'key'), $fault{$name});
    my $other = $shop->buy(1, 1);
    my ($state) = @{ Session->new($node, $shop->{database})->ask($other->{call}) };
    is($again->{state}, '00000', "$name while it waits for the standby: the order is there");
    is($state, 'IV001', "$name while it waits for the standby: the unit is gone");
    is_deeply([ $shop->audit([ $again, { %$other, state => $state } ]) ],
        [], "$name while it waits for the standby: it is counted once");
}

# While a commit waits, nobody sees it, and nobody gets its unit: neither by a key nor without.
{
    my $shop = shop(2)->attached;
    my $call = $shop->buy(1, 1, 'in flight');
    my ($first, $retry, $other) = (patient($shop), map { Session->new($node, $shop->{database}) } 1, 2);

    $first->call($call->{call});
    my $pid = waits_for_standby();
    is($shop->query('SELECT stock FROM shop.items'), '2', 'in flight: nobody sees it');
    $retry->call($call->{call});
    waits_for_lock($shop);
    pass('in flight: the retry waits for it');
    my $rest = $shop->buy(1, 2);
    $other->call($rest->{call});
    $node->poll_query_until($shop->{database},
        q{SELECT count(*) = 2 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'});
    $node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
    my @told = map { $_->await } $first, $retry, $other;
    is($told[0][0], '00000', 'in flight: cancelled while it waits, it is bought all the same');
    is_deeply($told[1], $told[0], 'in flight: the retry is told the same');
    is($told[2][0], 'IV001', 'in flight: who wanted more than the rest does not get it');
    is_deeply([ $shop->audit([ { %$call, state => $told[0][0], answer => $told[0][1] }, { %$rest, state => $told[2][0] } ]) ],
        [], 'in flight: nothing is wrong');
    $_->quit for $first, $retry, $other;
}

# Somebody stopped waiting for the standby: who repeats the call is not told of an order
# that only this server has, but waits in turn.
for my $call (qw(buy_item buy_cart))
{
    my $shop = shop(1)->attached;
    my $item = Shop::item_id(1);
    my $lines = $call eq 'buy_item' ? "'$item', 1" : qq{'[{"item_id": "$item"}]'};
    my $sale = "shop.$call('" . Shop::new_user() . "', $lines, 'twice')";
    $sale = "(SELECT status FROM $sale)" if $call eq 'buy_cart';
    my ($first, $retry) = map { patient($shop) } 1, 2;

    $first->call($sale);
    $node->safe_psql('postgres', 'SELECT pg_terminate_backend(' . waits_for_standby() . ')');
    is($first->await, undef, "$call repeated: the first answer is lost");
    $first->quit;
    $retry->call($sale);
    my $pid = waits_for_standby();
    pass("$call repeated: the answer waits for the standby");
    $node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
    is($retry->await->[0], '00000', "$call repeated: then it is given");
    is($shop->query('SELECT count(*) FROM shop.orders'), '1', "$call repeated: it is one order");
    $retry->quit;
}

# The client is gone as soon as it has sent COMMIT; its repetition comes before the standby does.
{
    my $shop = shop(1)->attached;
    my $call = $shop->buy(1, 1, 'gone');
    my ($client, $retry) = (patient($shop), Session->new($node, $shop->{database}));

    $client->run('BEGIN');
    my $told = $client->value($call->{call});
    $client->run('COMMIT');
    my $pid = waits_for_standby();
    kill 'KILL', $client->{pid};
    $client->quit;
    $retry->call($call->{call});
    waits_for_lock($shop);
    # the standby is not needed any longer
    $node->safe_psql('postgres', q{ALTER SYSTEM SET synchronous_standby_names = ''});
    $node->reload;
    is_deeply($retry->await, [ '00000', $told ], 'gone after COMMIT: the repetition gets the order of the first try');
    is_deeply([ $shop->audit([ { %$call, state => '00000', answer => $told } ]) ], [], 'gone after COMMIT: one order');
    $retry->quit;
}

# The client is gone before it has sent COMMIT: nothing is bought, and the key is free.
{
    my $shop = shop(1)->attached;
    my $call = $shop->buy(1, 1, 'gone');
    my ($client, $retry) = map { Session->new($node, $shop->{database}) } 1, 2;

    $client->run('BEGIN');
    my $told = $client->value($call->{call});
    $retry->call($call->{call});
    waits_for_lock($shop);
    kill 'KILL', $client->{pid};
    $client->quit;
    my ($state, $answer) = @{ $retry->await };
    isnt($answer, $told, 'gone before COMMIT: the repetition is an order of its own');
    is_deeply([ $shop->audit([ { %$call, state => $state, answer => $answer } ]) ], [], 'gone before COMMIT: one order');
    $retry->quit;
}

done_testing();
