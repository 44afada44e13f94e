# One throwaway server: started, stopped, killed, copied to a standby, promoted.
#
# It listens on a socket in its own directory only.  What a cycle configures is in
# a file of its own, written anew each time.

package Server;

use strict;
use warnings FATAL => 'all';

use Carp 'croak';
use POSIX ();
use Time::HiRes qw(sleep time);

use constant PATIENCE => 60;    # seconds in which a server has to come up, or go

my $common = <<'END';
listen_addresses = ''
max_connections = 200
max_prepared_transactions = 5
wal_level = logical
max_wal_senders = 10
max_replication_slots = 10
wal_retrieve_retry_interval = 100ms
hot_standby = on
shared_buffers = 32MB
deadlock_timeout = 20ms
log_line_prefix = '%m [%p] %q%a '
log_min_messages = error
log_min_error_statement = panic
include = 'cycle.conf'
END

my @all;    # every server that was made, to be stopped at the end

# A server with this name, below a directory.
sub new
{
    my ($class, $root, $name) = @_;
    my $self = bless { name => $name, directory => "$root/$name", read => 0 }, $class;

    mkdir $self->{directory} or croak "$self->{directory}: $!";
    $self->{data} = "$self->{directory}/data";
    $self->{log} = "$self->{directory}/log";
    push @all, $self;
    return $self;
}

# Make its cluster.
sub init
{
    my ($self) = @_;
    $self->must(qw(initdb --no-sync --no-locale -E UTF8 -A trust -U postgres -D), $self->{data});
    $self->append('postgresql.conf', $common . "unix_socket_directories = '$self->{directory}'\n");
    $self->configure;
    return $self;
}

# Make its cluster a standby of another's, which must be stopped.
sub copy_of
{
    my ($self, $primary) = @_;
    $self->must('cp', '-a', '--reflink=auto', $primary->{data}, $self->{data});
    $self->{settings} = $primary->{settings};
    $self->append('postgresql.conf', <<"END");
unix_socket_directories = '$self->{directory}'
primary_conninfo = 'host=$primary->{directory} user=postgres application_name=$self->{name}'
END
    $self->append('standby.signal', '');
    return $self;
}

# Settings of a cycle, in the place of those of the last.
sub configure
{
    my ($self, %settings) = @_;
    $self->{settings} = \%settings;
    open my $file, '>', "$self->{data}/cycle.conf" or croak "cycle.conf: $!";
    print $file map { "$_ = '$settings{$_}'\n" } sort keys %settings;
    close $file or croak "cycle.conf: $!";
}

# Other settings beside those it has; those that need a restart come with the next.
sub reconfigure
{
    my ($self, %changes) = @_;
    $self->configure(%{ $self->{settings} }, %changes);
    $self->reload if $self->pid;
}

sub append
{
    my ($self, $name, $text) = @_;
    open my $file, '>>', "$self->{data}/$name" or croak "$name: $!";
    print $file $text;
    close $file or croak "$name: $!";
}

# ---------------------------------------------------------------- up and down

# Begin to start, and do not wait.
sub start_only
{
    my ($self) = @_;
    $self->run('pg_ctl', '-W', '-D', $self->{data}, '-l', $self->{log}, 'start');
}

# Start, as often as it takes: what a killed server left behind may be in the way for a while.
sub start
{
    my ($self) = @_;
    my $deadline = time + PATIENCE;

    until ($self->run('pg_ctl', '-w', '-D', $self->{data}, '-l', $self->{log}, 'start'))
    {
        croak "$self->{name} does not start:\n" . $self->end_of_log if time > $deadline;
        sleep 0.1;
    }
}

# Stop: fast or immediate.
sub stop
{
    my ($self, $mode) = @_;
    return unless $self->pid;
    $self->must('pg_ctl', '-w', '-t', PATIENCE, '-D', $self->{data}, '-m', $mode, 'stop');
}

sub reload
{
    my ($self) = @_;
    $self->must('pg_ctl', '-D', $self->{data}, 'reload');
}

# The postmaster, if there is one.
sub pid
{
    my ($self) = @_;
    open my $file, '<', "$self->{data}/postmaster.pid" or return undef;
    my $pid = <$file>;
    return defined $pid && $pid =~ /^(\d+)$/ && $self->has($1) ? $1 : undef;
}

# Is this a living process of the server?  The number may have gone to somebody else.
sub has
{
    my ($self, $pid) = @_;
    return (readlink("/proc/$pid/cwd") || '') eq $self->{data};
}

# Kill the postmaster; with `all`, its children too, so that nobody gets an answer any more.
# A child that is left alone may wait for ever for one that was killed.
sub kill9
{
    my ($self, $all) = @_;
    my $pid = $self->pid or return;
    my $deadline = time + PATIENCE;

    while (my @pids = grep { $self->has($_) } $pid, $all ? processes() : ())
    {
        croak "$self->{name} survives SIGKILL" if time > $deadline;
        kill 'KILL', @pids;
        sleep 0.005;
    }
}

# All processes of the machine.
sub processes
{
    opendir my $proc, '/proc' or croak "/proc: $!";
    return grep { /^\d+$/ } readdir $proc;
}

# Wait until it lets one in.
sub wait_until_up
{
    my ($self) = @_;
    $self->becomes('postgres', 'SELECT 1', '1')
      or croak "$self->{name} does not come up:\n" . $self->end_of_log;
}

# Make a standby the primary.
sub promote
{
    my ($self) = @_;
    $self->must('pg_ctl', '-w', '-t', PATIENCE, '-D', $self->{data}, 'promote');
}

# Where its timeline has left the one before.
sub switch_point
{
    my ($self) = @_;
    my ($history) = reverse sort glob "$self->{data}/pg_wal/*.history";
    open my $file, '<', $history or croak "$history: $!";
    my ($last) = reverse grep { /\S/ } <$file>;
    return (split ' ', $last)[1];
}

# Remove it.
sub remove
{
    my ($self) = @_;
    $self->stop('immediate');
    @all = grep { $_ != $self } @all;
    system 'rm', '-rf', $self->{data};
}

# ---------------------------------------------------------------- asking

sub conninfo
{
    my ($self, $database) = @_;
    return "host=$self->{directory} user=postgres dbname=$database";
}

# What statements say, one line per row; undef if one fails.
sub ask
{
    my ($self, $database, @statements) = @_;
    my @command = ('psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d',
        $self->conninfo($database) . ' connect_timeout=10 application_name=driver',
        map { ('-c', $_) } @statements);

    open my $psql, '-|', @command or croak "psql: $!";
    my $answer = do { local $/ = undef; <$psql> } // '';
    close $psql or return undef;
    chomp $answer;
    return $answer;
}

# The same, if it must not fail.
sub query
{
    my ($self, $database, @statements) = @_;
    return $self->ask($database, @statements) // croak "$self->{name}: failed: @statements";
}

# Ask until the answer is this; false if it is not in time.
sub becomes
{
    my ($self, $database, $statement, $expected, $patience) = @_;
    my $deadline = time + ($patience || PATIENCE);

    while (time < $deadline)
    {
        my $answer = $self->ask($database, $statement);
        return 1 if defined $answer && $answer eq $expected;
        sleep 0.05;
    }
    return 0;
}

# Run a file of SQL.
sub load_file
{
    my ($self, $database, $file) = @_;
    $self->must('psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $self->conninfo($database), '-f', $file);
}

# ---------------------------------------------------------------- commands and logs

# Run a command; its words go where the driver's STDERR goes.
sub run
{
    my ($self, @command) = @_;
    my $pid = fork // croak "fork: $!";

    if ($pid == 0)
    {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>&', \*STDERR;
        exec @command or POSIX::_exit(127);
    }
    waitpid $pid, 0;
    return $? == 0;
}

sub must
{
    my ($self, @command) = @_;
    $self->run(@command) or croak "$self->{name}: failed: @command";
}

# Put a file in the place of another, which may be in use.
sub copy_file
{
    my ($from, $to) = @_;
    system('cp', $from, "$to.new") == 0 && rename "$to.new", $to or croak "$to: $!";
}

# Lines in the log since the last time that should not be in any log.
sub alarms
{
    my ($self) = @_;
    my @alarms;

    open my $log, '<', $self->{log} or return;
    seek $log, $self->{read}, 0;
    while (my $line = <$log>)
    {
        push @alarms, $line if $line =~ /TRAP:|PANIC:|was terminated by signal (?!9:)/;
    }
    $self->{read} = tell $log;
    chomp @alarms;
    return @alarms;
}

sub end_of_log
{
    my ($self) = @_;
    open my $log, '<', $self->{log} or return '';
    my @lines = <$log>;
    return join '', @lines > 30 ? @lines[ -30 .. -1 ] : @lines;
}

# Nothing is left running, however the driver ends.
sub stop_all
{
    for my $server (@all)
    {
        $server->run('pg_ctl', '-w', '-D', $server->{data}, '-m', 'immediate', 'stop') if $server->pid;
    }
}

1;
