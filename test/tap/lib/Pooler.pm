# PgBouncer in transaction mode, in front of one server at a time.
#
# It takes the place of a node for Session.pm: a session that is given a pooler connects
# through it.  It is reached by a Unix socket, and trusts who can use that.

package Pooler;

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

use Waiting;

use constant SERVERS => 25;    # connections to the server

my $program = '/usr/sbin/pgbouncer';
my @started;

# Start one whose clients reach the databases of $node.
sub new
{
    my ($class, $node) = @_;
    my $directory = PostgreSQL::Test::Utils::tempdir_short();
    my $self = bless { directory => $directory, port => PostgreSQL::Test::Cluster::get_free_port() }, $class;

    $self->configure($node);
    my $log = "$PostgreSQL::Test::Utils::log_path/pgbouncer.log";
    defined($self->{pid} = fork) or die "fork: $!";
    if (!$self->{pid})
    {
        open STDOUT, '>>', $log;
        open STDERR, '>&', \*STDOUT;
        exec $program, "$directory/pgbouncer.ini" or die "$program: $!";
    }
    push @started, $self->{pid};
    Waiting::wait_until(sub { $self->tell('SHOW VERSION') });
    return $self;
}

# Write its configuration file.
sub configure
{
    my ($self, $node) = @_;
    my $file = "$self->{directory}/pgbouncer.ini";
    my $user = getpwuid $<;

    open my $ini, '>', $file or die "$file: $!";
    print $ini <<"END";
[databases]
* = host=@{[ $node->host ]} port=@{[ $node->port ]} user=$user
[pgbouncer]
listen_port = $self->{port}
unix_socket_dir = $self->{directory}
auth_type = any
admin_users = $user
pool_mode = transaction
default_pool_size = @{[SERVERS]}
max_client_conn = 200
; how long it waits until it tries again to reach a server that did not answer
server_login_retry = 1
END
    close $ini;
}

# Run a command of its console; did it succeed?
sub tell
{
    my ($self, $command) = @_;
    my ($output, $errors);
    return IPC::Run::run([ 'psql', '-X', '-q', '-d', $self->connstr('pgbouncer'), '-c', $command ], '>', \$output, '2>', \$errors);
}

# Send its clients to another server.
sub point_to
{
    my ($self, $node) = @_;
    $self->configure($node);
    $self->tell('RELOAD') or die 'PgBouncer did not read its configuration again';
}

# How many of its connections to a server are not made yet?
sub logins
{
    my ($self) = @_;
    my ($output, $errors, $count) = ('', '', 0);
    IPC::Run::run([ 'psql', '-X', '-A', '-q', '-d', $self->connstr('pgbouncer'), '-c', 'SHOW POOLS' ], '>', \$output, '2>', \$errors)
      or die "SHOW POOLS: $errors";
    my ($header, @pools) = split /\n/, $output;
    my @names = split /\|/, $header;

    for my $pool (grep { /\|/ } @pools)
    {
        my %values;

        @values{@names} = split /\|/, $pool;
        $count += $values{sv_login};
    }
    return $count;
}

# Let the transactions that run end, and let all others wait; let them go on.  PgBouncer 1.24 takes a connection that is
# not made yet, when it pauses, for one that has failed, and tells the clients so when they go on.
sub pause
{
    my ($self) = @_;
    Waiting::wait_until(sub { $self->logins == 0 });
    $self->tell('PAUSE') or die 'PgBouncer did not pause';
}

sub resume
{
    my ($self) = @_;
    $self->tell('RESUME') or die 'PgBouncer did not resume';
}

# As the method of a node.
sub connstr
{
    my ($self, $database) = @_;
    return "host=$self->{directory} port=$self->{port} dbname=$database";
}

END
{
    my $status = $?;
    kill 'KILL', @started;
    waitpid $_, 0 for @started;
    $? = $status;
}

1;
