# A session that stops, or fails, at a point in the code (INV_POINT in src/base/compat.h).
#
# Other sessions pass the point.  This needs a server that was configured with
# --enable-injection-points, and its module injection_points.

package Point;

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;

use Session;
use Waiting;

# Settings of a server on which points are used.
our @SETTINGS = (q{shared_preload_libraries = 'inventory, injection_points'}, 'restart_after_crash = on',
    q{inventory.settle_interval = '1h'});

# The reason why points cannot be used with this server; empty, if they can.
sub unusable
{
    my $config = $ENV{PG_CONFIG} || 'pg_config';

    return 'server without injection points' unless `$config --configure` =~ /--enable-injection-points/;
    chomp(my $share = `$config --sharedir`);
    return 'server without the module injection_points' unless -e "$share/extension/injection_points.control";
    return '';
}

# Make a call in a session of a shop, and stop it at a point.  %option has statements `before` the call
# and `after` it, and perhaps `action`: error instead of wait.
sub new
{
    my ($class, $shop, $point, $call, %option) = @_;
    my $action = $option{action} || 'wait';
    my $self = bless { shop => $shop, point => $point }, $class;
    my $session = $self->{session} = Session->new($shop->{node}, $shop->{database}, $point);

    $self->{backend} = $session->value('pg_backend_pid()');
    $session->run('SELECT injection_points_set_local()', "SELECT injection_points_attach('$point', '$action')");
    $session->run(@{ $option{before} || [] });
    $session->call($call, @{ $option{after} || [] });
    $self->await_stop if $action eq 'wait';
    return $self;
}

# Wait until the session has stopped.
sub await_stop
{
    my ($self) = @_;
    await_event($self->{shop}, $self->{point}, "pid = $self->{backend}");
}

# Wait until a process that satisfies a condition has stopped at a point; its pid.
sub await_event
{
    my ($shop, $point, $condition) = @_;
    my $stopped = "FROM pg_stat_activity WHERE wait_event = '$point' AND $condition";

    $shop->{node}->poll_query_until($shop->{database}, "SELECT count(*) = 1 $stopped") or die "no session stopped at $point";
    return $shop->query("SELECT pid $stopped");
}

# Let it go on.
sub wake
{
    my ($self) = @_;
    wake_at($self->{shop}, $self->{point});
}

# Let every session go on that has stopped at a point, and stop there no more.
sub wake_at
{
    my ($shop, $point) = @_;
    $shop->query("SELECT injection_points_detach('$point')", "SELECT injection_points_wakeup('$point')");
}

# Let the server run a function on it: pg_cancel_backend, pg_terminate_backend.
sub signal
{
    my ($self, $function) = @_;
    $self->{shop}->query("SELECT $function($self->{backend})");
}

# Let it go on; its answer.
sub finish
{
    my ($self) = @_;
    $self->wake;
    return $self->answer;
}

# Its answer, [SQLSTATE, value or message]; the state is `lost` if the session ended.
sub answer
{
    my ($self) = @_;
    my $answer = $self->{session}->await || ['lost'];

    $self->{session}->quit;
    return $answer;
}

1;
