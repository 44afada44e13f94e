# What was acknowledged survives a crash, once.
#
# In the middle of a race one backend, or the postmaster, is killed with SIGKILL.
# After the restart every order that a client was told of is there, none that was
# refused; calls whose answer was lost are sent again with the same key, and then
# everything is there exactly once.  A server that acknowledges before it is on
# disk must be caught losing orders by the same harness.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes 'usleep';

use Crowd;
use Shop;

use constant SESSIONS => 64;
use constant ANSWERS  => 300;    # the race is under way: this many answers have been read

my $node = Shop::server('crash', 'restart_after_crash = on', 'checkpoint_timeout = 1h');
my $crashes = 0;

srand($ENV{SEED} || 1);

# A shop with ten items, and what every session wants: many purchases, with keys if the store has them.
sub open_shop
{
    my ($name, $attached) = @_;
    my $shop = Shop->new($node, $name, { map { $_ => 400 } 1 .. 10 });
    $attached ? $shop->attached : $shop->naive;
    my @lists = map {
        my $session = $_;
        [ map { $shop->buy(1 + int rand 10, 1 + int rand 3, $attached ? "$session $_" : undef) } 1 .. 30 ]
    } 1 .. SESSIONS;
    return ($shop, \@lists);
}

# A race in which $kill is called in the middle; what was sent, with its answers.
sub race
{
    my ($shop, $lists, $kill, @settings) = @_;
    my $crowd = Crowd->new($node, $shop->{database}, SESSIONS, @settings);
    my @history = $crowd->race($lists, watch => sub { $kill->($shop) if $_[0] == ANSWERS });

    $crowd->quit;
    return @history;
}

# SIGKILL for one backend of the crowd: the server drops every session and recovers.
sub kill_backend
{
    my ($shop) = @_;
    kill 'KILL', $shop->query(<<'END');
SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'crowd'
ORDER BY state <> 'active', pid LIMIT 1
END
}

# SIGKILL for the postmaster; its backends notice one by one.
sub kill_postmaster
{
    $node->kill9;
}

# Wait until the server works again; start it, if it was the postmaster that was killed.
sub recover
{
    my ($killed) = @_;

    if ($killed == \&kill_postmaster)
    {
        my ($postmaster) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;
        wait_until(sub { !kill 0, $postmaster });
        # the start is refused as long as an old backend has the shared memory
        wait_until(sub { $node->start(fail_ok => 1) });
    }
    $node->poll_query_until('postgres', 'SELECT 1', '1') or die 'the server does not come back';
}

# Ask again and again.
sub wait_until
{
    my ($condition) = @_;
    my $deadline = time + $PostgreSQL::Test::Utils::timeout_default;

    until ($condition->())
    {
        die 'waited too long' if time > $deadline;
        usleep(50_000);
    }
}

# The harness can tell: with the WAL writer stopped, an asynchronous commit is acknowledged
# and exists only in memory.
{
    my ($shop, $lists) = open_shop('asynchronous');
    my $writer = $shop->query(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'});
    kill 'STOP', $writer;
    my @history = race($shop, $lists, sub { kill_postmaster(); kill 'KILL', $writer }, 'SET synchronous_commit = off');
    recover(\&kill_postmaster);
    my @lost = grep { /acknowledged and is not there/ } $shop->audit(\@history);
    ok(@lost > 0, 'commits that are not on disk: reported as lost');
    note(scalar(@lost) . ' orders lost');
}

for (1 .. 3)
{
    for my $killed (\&kill_backend, \&kill_postmaster)
    {
        my $name = ($killed == \&kill_backend ? 'a backend' : 'the postmaster') . " killed ($_)";
        my ($shop, $lists) = open_shop('crash_' . ++$crashes, 1);
        my @history = race($shop, $lists, $killed);
        my @lost = grep { $_->{state} eq 'lost' } @history;

        recover($killed);
        cmp_ok(scalar @lost, '>', 0, "$name: answers were lost");
        is_deeply([ $shop->audit(\@history) ], [], "$name: what was acknowledged is there, once");

        my $crowd = Crowd->new($node, $shop->{database}, scalar @lost);
        $crowd->race([ map { [$_] } @lost ]);
        $crowd->quit;
        is((grep { $_->{state} eq 'lost' } @history), 0, "$name: every lost call has its answer");
        is_deeply([ $shop->audit(\@history) ], [], "$name: sent again, everything is there once");
    }
}

done_testing();
