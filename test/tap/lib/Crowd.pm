# Many sessions that work at the same time.
#
# Every session first waits at a gate, an advisory lock that the crowd's keeper holds.
# When all sessions wait there, the gate opens, and from then on each session has one
# call in progress until its list is done.  Nothing depends on the speed of the machine:
# pg_stat_activity shows which sessions wait.
#
# A second gate is for stores that read and then write: their functions wait at it
# between the two, so that all sessions have read before any writes.

package Crowd;

use strict;
use warnings FATAL => 'all';

use IO::Select;

use Session;
use Waiting;

use constant START    => 1;    # the gate before the first call
use constant THINKING => 2;    # the gate between reading and writing

# A crowd of $size sessions; @settings are statements that each runs first.
sub new
{
    my ($class, $node, $database, $size, @settings) = @_;
    my $self = bless { database => $database }, $class;

    $self->{keeper} = Session->new($node, $database, 'keeper');
    $self->{sessions} = [ map { Session->new($node, $database, 'crowd') } 1 .. $size ];
    $_->run(@settings) for @{ $self->{sessions} };
    return $self;
}

# Let every session make the calls of its list.  A call is a hash with the expression in
# `call`, and perhaps lists of statements to run `before` and `after` it.  Returns each
# call that was sent, with the SQLSTATE (or `lost`, if the session ended first) in
# `state` and the value or message in `answer`.  Instead of a call a list may have a
# function that makes one when it is its turn.  Options:
#   thinking  the calls wait at the second gate
#   retry     pattern of SQLSTATEs after which a client sends its call again
#   watch     a function that is called after every answer, with their number
#             and the call
sub race
{
    my ($self, $lists, %option) = @_;
    my @gates = (START, $option{thinking} ? THINKING : ());
    my $keeper = $self->{keeper};
    my @busy;
    my $waiting = q{(SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'crowd' AND wait_event_type = 'Lock')};

    $keeper->value("pg_advisory_lock($_)") for @gates;
    for my $list (@$lists)
    {
        my $session = $self->{sessions}[ scalar @busy ];
        $session->run('SELECT pg_advisory_lock_shared(1), pg_advisory_unlock_shared(1)');
        $session->{todo} = [@$list];
        push @busy, $session;
    }
    my @history = map { send_next($_) } @busy;
    for my $gate (@gates)
    {
        Waiting::wait_until(sub { $keeper->value($waiting) == @busy });
        $keeper->value("pg_advisory_unlock($gate)");
    }
    return (@history, work_off(\@busy, %option));
}

# Each strategy with each isolation level: its name, the settings of a session, and the SQLSTATEs
# that a client has to retry.  Only the optimistic strategy may answer `busy`.
sub modes
{
    my @modes;

    for my $strategy (qw(atomic pessimistic optimistic))
    {
        for my $level ('read committed', 'repeatable read', 'serializable')
        {
            my @retry = ($level eq 'read committed' ? () : '40001', $strategy eq 'optimistic' ? 'IV014' : ());
            my $pattern = join '|', @retry;
            push @modes,
              {
                name     => "$strategy, $level",
                strategy => $strategy,
                settings => [ "SET inventory.strategy = '$strategy'", "SET default_transaction_isolation = '$level'" ],
                retry    => $pattern ? qr/^(?:$pattern)$/ : undef
              };
        }
    }
    return @modes;
}

# Send the next call of a session's list; the call, or nothing if the list is done.
sub send_next
{
    my ($session) = @_;
    my $call = shift @{ $session->{todo} };

    $call = $call->() if ref $call eq 'CODE';
    $session->{current} = $call;
    return unless $call;
    $call->{state} = 'lost';
    $session->run(@{ $call->{before} || [] });
    $session->call($call->{call}, @{ $call->{after} || [] });
    return $call;
}

# Read answers and send calls until all lists are done; the calls that were sent.
sub work_off
{
    my ($busy, %option) = @_;
    my $select = IO::Select->new(map { $_->output } @$busy);
    my %session = map { fileno($_->output) => $_ } @$busy;
    my $retry = $option{retry} || qr/^$/;
    my (@history, $answers);

    while ($select->count)
    {
        my @ready = Session::readable($select);
        for my $session (map { $session{ fileno $_ } } @ready)
        {
            for my $answer ($session->take)
            {
                my $call = $session->{current};
                @$call{qw(state answer)} = @$answer;
                $option{watch}->(++$answers, $call) if $option{watch};
                unshift @{ $session->{todo} }, $call if $call->{state} =~ $retry;
                my $next = send_next($session);
                push @history, $next if $next && $next != $call;
            }
            $select->remove($session->output) unless $session->alive && $session->{current};
        }
    }
    return @history;
}

# End all sessions.
sub quit
{
    my ($self) = @_;
    $_->quit for @{ $self->{sessions} }, $self->{keeper};
}

1;
