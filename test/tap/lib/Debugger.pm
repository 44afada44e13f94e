# Kills a session with SIGKILL at a given place in the code.
#
# A debugger is attached to the session's process and waits for a breakpoint; there it
# kills the process, as the kernel does when memory runs out.

package Debugger;

use strict;
use warnings FATAL => 'all';

use IO::Select;
use IPC::Open3;
use PostgreSQL::Test::Utils;
use Time::HiRes 'usleep';

# The reason why it cannot be used here; empty, if it can.
sub unusable
{
    my $pid;

    return 'no debugger: install gdb' if system('gdb -nx -batch -ex quit >/dev/null 2>&1') != 0;
    $pid = fork // die $!;
    if ($pid == 0) { sleep 60; exit 0 }
    # as in the tests, the process is not a child of the debugger
    my $said = `gdb -nx -batch -p $pid -ex detach 2>&1`;
    kill 'KILL', $pid;
    waitpid($pid, 0);
    return "no process may be debugged here: $1" if $said =~ /(ptrace: .*)/;
    return '';
}

# Attach to a process with a breakpoint at a place, given as for gdb's `break`; @then are
# further commands before the process is killed there, such as `finish`.
sub new
{
    my ($class, $pid, $place, @then) = @_;
    my $self = bless { said => '', place => $place }, $class;
    my @commands = (
        'set pagination off', 'set confirm off', 'set debuginfod enabled off',
        (map { "handle $_ nostop noprint pass" } qw(SIGUSR1 SIGUSR2 SIGALRM)),
        "break $place", 'echo ATTACHED\n', 'continue', 'delete', @then, 'echo THERE\n', 'kill', 'quit');

    $self->{pid} = open3(my $input, $self->{output}, undef, 'gdb', '-nx', '-batch', '-p', $pid, map { ('-ex', $_) } @commands);
    close $input;
    $self->read_until(qr/^ATTACHED/m);
    die "no such place: $place: $self->{said}" unless $self->{said} =~ /^Breakpoint \d+ at/m;
    return $self;
}

# Read the debugger's output up to a pattern; false if it ended before.
sub read_until
{
    my ($self, $pattern) = @_;
    my $select = IO::Select->new($self->{output});
    my $deadline = time + $PostgreSQL::Test::Utils::timeout_default;

    until ($self->{said} =~ $pattern)
    {
        my $left = $deadline - time;
        return 0 if $left <= 0 || !$select->can_read($left);
        return $self->{said} =~ $pattern unless sysread($self->{output}, $self->{said}, 65536, length $self->{said});
    }
    return 1;
}

# Was the process killed at the place?
sub killed
{
    my ($self) = @_;
    my $there = $self->read_until(qr/^THERE/m);

    kill 'KILL', $self->{pid} unless $there;
    waitpid($self->{pid}, 0);
    return $there;
}

1;
