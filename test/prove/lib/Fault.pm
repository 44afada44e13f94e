# The kinds of faults, and when they happen in a cycle.
#
# The plan is drawn from the seed: the kinds take turns, so that consecutive seeds use all of
# them, and others are added at random.  After a fault the server runs or is starting.

package Fault;

use strict;
use warnings FATAL => 'all';

use List::Util 'shuffle';
use Time::HiRes 'sleep';

# kind => [function, how often in a cycle of 6 seconds]; faults without a function are
# made by the clients, during the whole cycle
my %kinds = (
    client => [ \&kill_client, 3 ],
    timeout => [ undef, 1 ],
    cancel => [ \&cancel, 12 ],
    terminate => [ \&terminate, 8 ],
    backend => [ \&kill_backend, 2 ],
    postmaster => [ \&kill_postmaster, 1 ],
    recovery => [ \&kill_recovery, 1 ],
    immediate => [ \&stop_immediate, 1 ],
    fast => [ \&stop_fast, 1 ],
    mode => [ \&change_mode, 2 ],
    standby => [ \&stall_standby, 2 ],
    promotion => [ \&promote, 1 ]);

# The kinds in the order in which they take turns.
my @kinds = qw(client backend timeout postmaster cancel immediate terminate recovery fast mode standby promotion);

my %needs_standby = map { $_ => 1 } qw(standby promotion);

# All kinds, or those of a list; an unknown one is an error.
sub kinds
{
    my ($list) = @_;
    return @kinds if !defined $list || $list eq 'all';
    my %asked = map { $_ => 1 } grep { $_ ne 'none' } split /[,\s]+/, $list;
    my @known = grep { delete $asked{$_} } @kinds;
    die 'no such fault: ' . join(', ', sort keys %asked) . '; there are ' . join(', ', @kinds) . "\n" if %asked;
    return @known;
}

# The kinds that a cycle with this seed has: two by turn, others at random.
sub draw
{
    my ($seed, @kinds) = @_;
    return @kinds if @kinds <= 2;
    my %drawn = map { $kinds[ $_ % @kinds ] => 1 } 2 * $seed, 2 * $seed + 1;
    # a standby makes a cycle slow: only cycles whose turn it is have one
    for my $kind (grep { !$needs_standby{$_} || $drawn{standby} || $drawn{promotion} } @kinds)
    {
        $drawn{$kind} = 1 if rand() < 0.25;
    }
    return grep { $drawn{$_} } @kinds;
}

sub needs_standby
{
    return scalar grep { $needs_standby{$_} } @_;
}

# The plan: [seconds after the start, kind], in order of time.
sub schedule
{
    my ($seconds, @kinds) = @_;
    my @plan;

    for my $kind (grep { $kinds{$_}[0] } @kinds)
    {
        my $times = int($kinds{$kind}[1] * $seconds / 6 + 0.5) || 1;
        # after a promotion there is no standby left
        $times = 1 if $kind eq 'promotion';
        for (1 .. $times)
        {
            my $at = $kind eq 'promotion' ? 0.6 + rand 0.25 : 0.08 + rand 0.8;
            push @plan, [ $seconds * $at, $kind ];
        }
    }
    return sort { $a->[0] <=> $b->[0] } @plan;
}

# Make one fault happen.  $cycle has arena, kill_client and note.
sub strike
{
    my ($cycle, $kind) = @_;
    $kinds{$kind}[0]->($cycle, $cycle->{arena}{primary}, $kind);
}

# ---------------------------------------------------------------- clients and sessions

sub kill_client
{
    my ($cycle, undef, $kind) = @_;
    $cycle->note($kind, 'a client process with its sessions');
    $cycle->kill_client;
}

# Random sessions of the clients, or random server processes that match a condition.
sub sessions
{
    my ($cycle, $server, $count, $condition) = @_;
    $condition ||= "application_name LIKE 'load-%'";
    return split /\n/, $server->ask($cycle->{database},
        "SELECT pid FROM pg_stat_activity WHERE $condition AND pid <> pg_backend_pid() ORDER BY random() LIMIT $count") || '';
}

sub cancel
{
    my ($cycle, $server, $kind) = @_;
    my @pids = sessions($cycle, $server, 3);
    $cycle->note($kind, "pids @pids");
    $server->ask($cycle->{database}, "SELECT pg_cancel_backend(p) FROM unnest(ARRAY[" . join(',', @pids) . ']::int[]) AS p');
}

sub terminate
{
    my ($cycle, $server, $kind) = @_;
    my @pids = sessions($cycle, $server, 2);
    $cycle->note($kind, "pids @pids");
    $server->ask($cycle->{database}, "SELECT pg_terminate_backend(p) FROM unnest(ARRAY[" . join(',', @pids) . ']::int[]) AS p');
}

# ---------------------------------------------------------------- servers

# Kill the process of a session, or sometimes a background process.
sub kill_backend
{
    my ($cycle, $server, $kind) = @_;
    my $condition = rand() < 0.8 ? undef : "backend_type <> 'client backend'";
    my ($pid) = sessions($cycle, $server, 1, $condition);
    return unless $pid;
    $cycle->note($kind, "pid $pid");
    kill 'KILL', $pid;
    $server->wait_until_up;
}

sub kill_postmaster
{
    my ($cycle, $server, $kind) = @_;
    my $all = rand() < 0.5;
    $cycle->note($kind, $all ? 'and its children' : 'alone');
    $server->kill9($all);
    $server->start;
}

# Kill the server, and kill it again while it recovers.
sub kill_recovery
{
    my ($cycle, $server, $kind) = @_;
    $cycle->note($kind, 'first kill');
    $server->kill9('all');
    for (1 .. 1 + int rand 2)
    {
        $server->start_only;
        sleep 0.01 + rand 0.15;
        $cycle->note($kind, 'killed while it starts');
        $server->kill9('all');
    }
    $server->start;
}

sub stop_immediate
{
    my ($cycle, $server, $kind) = @_;
    $cycle->note($kind, '');
    $server->stop('immediate');
    $server->start;
}

sub stop_fast
{
    my ($cycle, $server, $kind) = @_;
    $cycle->note($kind, '');
    $server->stop('fast');
    $server->start;
}

# Switch hot items off, on or to auto.  After the next start there is room for few of them, or none.
sub change_mode
{
    my ($cycle, $server, $kind) = @_;
    my %changes = (
        'inventory.hot_mode' => (qw(off manual auto))[ rand 3 ],
        'inventory.max_hot_items' => (qw(2 8 1024))[ rand 3 ]);

    $changes{shared_preload_libraries} = '' if rand() < 0.2;
    $cycle->note($kind, join ' ', map { "$_=$changes{$_}" } sort keys %changes);
    $server->reconfigure(%changes);
}

# ---------------------------------------------------------------- the standby

# Stop the standby's receiver for a while, so that commits wait; another fault may happen in that time.
sub stall_standby
{
    my ($cycle, $server, $kind) = @_;
    my $standby = $cycle->{arena}{standby} or return;
    my ($receiver) = sessions($cycle, $standby, 1, "backend_type = 'walreceiver'");
    return unless $receiver;

    $cycle->note($kind, "stops, pid $receiver");
    kill 'STOP', $receiver;
    sleep 0.1 + rand 0.3;
    my ($also) = shuffle qw(cancel terminate backend postmaster nothing);
    strike($cycle, $also) if $also ne 'nothing';
    sleep rand 0.4;
    kill 'CONT', $receiver;
    $cycle->note($kind, 'continues');
}

sub promote
{
    my ($cycle, undef, $kind) = @_;
    return unless $cycle->{arena}{standby};
    $cycle->note($kind, 'the primary is killed');
    $cycle->{arena}->replace_primary;
    $cycle->note($kind, 'the standby is the primary');
}

1;
