# One temporary server: started, stopped, killed, copied to a standby, promoted.
#
# It listens only on a socket in its own directory.  The settings of a cycle are in a file
# of their own, which is overwritten each time.

package Server;

use strict;
use warnings FATAL => 'all';

use Carp 'croak';
use POSIX ();
use Time::HiRes qw(sleep time);

use Files;

use constant PATIENCE => 60;    # seconds in which a server has to start or stop

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

my @all;    # every server, to be stopped at the end

# A server with a name, below a directory.
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

# Create its cluster.
sub init
{
    my ($self) = @_;
    $self->must(qw(initdb --no-sync --no-locale -E UTF8 -A trust -U postgres -D), $self->{data});
    Files::append("$self->{data}/postgresql.conf", $common . "unix_socket_directories = '$self->{directory}'\n");
    $self->configure;
    return $self;
}

# Create its cluster as a standby of another server, which must be stopped.
sub copy_of
{
    my ($self, $primary) = @_;
    $self->must('cp', '-a', '--reflink=auto', $primary->{data}, $self->{data});
    $self->{settings} = $primary->{settings};
    Files::append("$self->{data}/postgresql.conf", <<"END");
unix_socket_directories = '$self->{directory}'
primary_conninfo = 'host=$primary->{directory} user=postgres application_name=$self->{name}'
END
    Files::put("$self->{data}/standby.signal", '');
    return $self;
}

# Replace the settings of the last cycle.
sub configure
{
    my ($self, %settings) = @_;
    $self->{settings} = \%settings;
    Files::put("$self->{data}/cycle.conf", join '', map { "$_ = '$settings{$_}'\n" } sort keys %settings);
}

# Change some settings; those that need a restart take effect at the next.
sub reconfigure
{
    my ($self, %changes) = @_;
    $self->configure(%{ $self->{settings} }, %changes);
    $self->reload if $self->pid;
}

# ---------------------------------------------------------------- start and stop

# Start without waiting.
sub start_only
{
    my ($self) = @_;
    $self->run('pg_ctl', '-W', '-D', $self->{data}, '-l', $self->{log}, 'start');
}

# Start, with retries: processes of a killed server may block it for a while.
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

# Stop, in mode fast or immediate.
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

# The pid of the postmaster, if it runs.
sub pid
{
    my ($self) = @_;
    open my $file, '<', "$self->{data}/postmaster.pid" or return undef;
    my $pid = <$file>;
    return defined $pid && $pid =~ /^(\d+)$/ && $self->has($1) ? $1 : undef;
}

# Is this a process of the server?  The pid may have been reused.
sub has
{
    my ($self, $pid) = @_;
    return (readlink("/proc/$pid/cwd") || '') eq $self->{data};
}

# Kill the postmaster; with `all`, its children too, so that no client gets another answer.
# A child that is left may wait indefinitely for one that was killed.
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

# Wait until it accepts connections.
sub wait_until_up
{
    my ($self) = @_;
    $self->becomes('postgres', 'SELECT 1', '1')
      or croak "$self->{name} does not come up:\n" . $self->end_of_log;
}

# Promote it.
sub promote
{
    my ($self) = @_;
    $self->must('pg_ctl', '-w', '-t', PATIENCE, '-D', $self->{data}, 'promote');
}

# The LSN at which its timeline left the previous one.
sub switch_point
{
    my ($self) = @_;
    my ($history) = reverse sort glob "$self->{data}/pg_wal/*.history";
    open my $file, '<', $history or croak "$history: $!";
    my ($last) = reverse grep { /\S/ } <$file>;
    return (split ' ', $last)[1];
}

# Stop it and remove its data.
sub remove
{
    my ($self) = @_;
    $self->stop('immediate');
    @all = grep { $_ != $self } @all;
    system 'rm', '-rf', $self->{data};
}

# ---------------------------------------------------------------- queries

sub conninfo
{
    my ($self, $database) = @_;
    return "host=$self->{directory} user=postgres dbname=$database";
}

# The output of statements, one line per row; undef if one fails.
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

# The same; a failure is an error.
sub query
{
    my ($self, $database, @statements) = @_;
    return $self->ask($database, @statements) // croak "$self->{name}: failed: @statements";
}

# Repeat a query until it returns the expected answer; false if it does not in time.
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

# Run a command; its output goes to the driver's STDERR.
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

# Replace a file, which may be in use, by a copy of another.
sub copy_file
{
    my ($from, $to) = @_;
    system('cp', $from, "$to.new") == 0 && rename "$to.new", $to or croak "$to: $!";
}

# Lines in the log since the last call that should not be in any log.
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

# Stop all servers, however the driver ends.
sub stop_all
{
    for my $server (@all)
    {
        $server->run('pg_ctl', '-w', '-D', $server->{data}, '-m', 'immediate', 'stop') if $server->pid;
    }
}

1;
