# A race that the server does not live to see the end of.
#
# 64 sessions buy from ten items, each call with its key; in the middle something
# happens to the server.  When it is back, what was acknowledged is there once and
# what was refused is not; the calls whose answer was lost are sent again with
# their keys, and then everything is there exactly once.

package Crash;

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes 'usleep';

use Crowd;
use Shop;

use constant SESSIONS => 64;
use constant ANSWERS  => 300;    # the race is under way: this many answers have been read

my $shops = 0;

# Let $happen->($shop) happen in the middle of a race, bring the server back with
# $recover->(), and look.
sub survived
{
    my ($name, $node, $happen, $recover) = @_;
    my $shop = Shop->new($node, 'crash_' . ++$shops, { map { $_ => 400 } 1 .. 10 })->attached;
    my @lists = map {
        my $session = $_;
        [ map { $shop->buy(1 + int rand 10, 1 + int rand 3, "$session $_") } 1 .. 30 ]
    } 1 .. SESSIONS;
    my @history = race($shop, \@lists, watch => sub { $happen->($shop) if $_[0] == ANSWERS });
    my @lost = grep { $_->{state} eq 'lost' } @history;

    $recover->();
    cmp_ok(scalar @lost, '>', 0, "$name: answers were lost");
    is_deeply([ $shop->audit(\@history) ], [], "$name: what was acknowledged is there, once");
    race($shop, [ map { [$_] } @lost ]);
    is_deeply([ $shop->audit(\@history) ], [], "$name: lost calls sent again, everything is there once");
}

# Each session works off its list; the calls that were sent.
sub race
{
    my ($shop, $lists, @options) = @_;
    my $crowd = Crowd->new($shop->{node}, $shop->{database}, scalar @$lists);
    my @history = $crowd->race($lists, @options);

    $crowd->quit;
    return @history;
}

# SIGKILL for the postmaster, and until all its processes are gone.
sub kill_server
{
    my ($node) = @_;
    my $pid = postmaster($node);

    $node->kill9;
    wait_until(sub { !kill 0, $pid });
}

# The process that is, or was, the postmaster.
sub postmaster
{
    my ($node) = @_;
    my ($pid) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;
    return $pid;
}

# Start a server that was killed: refused as long as an old backend has the shared memory.
sub start
{
    my ($node) = @_;
    wait_until(sub { $node->start(fail_ok => 1) });
}

# Ask again and again.
sub wait_until
{
    my ($condition) = @_;
    my $deadline = time + $PostgreSQL::Test::Utils::timeout_default;

    until ($condition->())
    {
        die 'waited too long' if time > $deadline;
        usleep(20_000);
    }
}

1;
