# Servers that end while clients work, and the check of what is there afterwards.
#
# In a race 64 sessions buy from ten items, each call with its key, and in the middle
# something happens to the server.  When it runs again, what was acknowledged must be
# there once, and what was refused must not be.  Then the calls whose answer was lost
# are sent again with their keys, and everything must be there exactly once.

package Crash;

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Crowd;
use Shop;
use Waiting;

use constant SESSIONS => 64;
use constant ANSWERS  => 300;    # something happens after this many answers

# Settings of a server whose commits wait for a standby that does not exist, in sessions
# that set synchronous_commit to on.
our @WAITING_COMMITS = (
    'restart_after_crash = on', q{synchronous_standby_names = 'missing'}, 'synchronous_commit = local',
    'wal_level = replica', 'max_wal_senders = 2');

my $shops = 0;

# Run $happen->($shop) in the middle of a race, bring the server back with $recover->(),
# and check.
sub survived
{
    my ($name, $node, $happen, $recover) = @_;
    my $shop = shop($node)->attached;
    my @history = race($shop, purchases($shop, 1), [], watch => sub { $happen->($shop) if $_[0] == ANSWERS });
    my @lost = grep { $_->{state} eq 'lost' } @history;

    $recover->();
    cmp_ok(scalar @lost, '>', 0, "$name: answers were lost");
    is_deeply([ $shop->audit(\@history) ], [], "$name: what was acknowledged is there once");
    race($shop, [ map { [$_] } @lost ]);
    is((grep { $_->{state} eq 'lost' } @history), 0, "$name: every lost call is answered when it is sent again");
    is_deeply([ $shop->audit(\@history) ], [], "$name: then everything is there once");
}

# A shop with ten items.
sub shop
{
    my ($node) = @_;
    return Shop->new($node, 'crash_' . ++$shops, { map { $_ => 400 } 1 .. 10 });
}

# A list of random purchases for each session, with keys or without.
sub purchases
{
    my ($shop, $keyed) = @_;
    return [
        map {
            my $session = $_;
            [ map { $shop->buy(1 + int rand 10, 1 + int rand 3, $keyed ? "$session $_" : undef) } 1 .. 30 ]
        } 1 .. SESSIONS
    ];
}

# Each session makes the calls of its list, after these settings; the calls that were sent.
sub race
{
    my ($shop, $lists, $settings, @options) = @_;
    my $crowd = Crowd->new($shop->{node}, $shop->{database}, scalar @$lists, @{ $settings || [] });
    my @history = $crowd->race($lists, @options);

    $crowd->quit;
    return @history;
}

# ---------------------------------------------------------------- ends of a server

# Kill the postmaster, and perhaps other processes, with SIGKILL, and wait until it is gone.
sub kill_server
{
    my ($node, @others) = @_;
    my $pid = postmaster($node);

    $node->kill9;
    kill 'KILL', @others;
    Waiting::wait_until(sub { !kill 0, $pid });
}

# The pid of the postmaster, or of the last one.
sub postmaster
{
    my ($node) = @_;
    my ($pid) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;
    return $pid;
}

# Start a server that was killed.  It does not start while an old backend has its shared memory.
sub start
{
    my ($node) = @_;
    Waiting::wait_until(sub { $node->start(fail_ok => 1) });
}

# Kill a process, with $kill->(), so that the server restarts, and wait until it has.
sub restart_by
{
    my ($node, $kill) = @_;
    my $before = -s $node->logfile;

    $kill->();
    $node->wait_for_log(qr/database system is ready to accept connections/, $before);
}

# The ways in which a session can lose its server, by name; each is called with the pid of the session.
sub ways
{
    my ($node) = @_;
    return (
        'session terminated'   => sub { $node->safe_psql('postgres', "SELECT pg_terminate_backend($_[0])") },
        'session killed'       => sub { my ($pid) = @_; restart_by($node, sub { kill 'KILL', $pid }) },
        'server killed'        => sub { kill_server($node); start($node) },
        'immediate stop'       => sub { $node->stop('immediate'); $node->start },
        'fast stop'            => sub { $node->stop('fast'); $node->start });
}

1;
