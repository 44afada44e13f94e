# Many sessions that do their work at the same moment.
#
# Every session of a crowd first waits at a gate, an advisory lock that the
# crowd's keeper holds; when all stand there the gate opens, and from then on
# each session has one call under way until its list is done.  Nothing depends
# on how fast a machine is: who waits is read from pg_stat_activity.
#
# A second gate is for stores that read and then write: their functions wait at
# it between the two, so that everybody has read before anybody writes.

package Crowd;

use strict;
use warnings FATAL => 'all';

use IO::Select;
use PostgreSQL::Test::Utils;
use Session;
use Time::HiRes 'usleep';

use constant START    => 1;    # the gate before the first call
use constant THINKING => 2;    # the gate between reading and writing

# A crowd: `size` sessions in `database`; `settings` are statements that each runs first.
sub new
{
    my ($class, $node, $database, $size, @settings) = @_;
    my $self = bless { database => $database }, $class;

    $self->{keeper} = Session->new($node, $database, 'keeper');
    $self->{sessions} = [ map { Session->new($node, $database, 'crowd') } 1 .. $size ];
    $_->run(@settings) for @{ $self->{sessions} };
    return $self;
}

# Let every session work off its list.  A call is a hash with the expression in
# `call`, and perhaps lists of statements to run `before` and `after` it; the
# history returned has each call that was sent, with the SQLSTATE (or `lost`, if
# the session ended first) in `state` and the value or message in `answer`.  In
# the place of a call a list may have a function that makes one when it is its
# turn.  Options:
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
        $self->wait_for_queue(scalar @busy);
        $keeper->value("pg_advisory_unlock($gate)");
    }
    return (@history, work_off(\@busy, %option));
}

# Wait until that many sessions wait for a lock.
sub wait_for_queue
{
    my ($self, $number) = @_;
    my $deadline = time + $PostgreSQL::Test::Utils::timeout_default;

    until ($self->queue == $number)
    {
        die "the crowd did not gather: " . $self->queue . " of $number wait" if time > $deadline;
        usleep(10_000);
    }
}

# How many sessions wait for a lock?
sub queue
{
    my ($self) = @_;
    return $self->{keeper}->value(<<'END');
(SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND application_name = 'crowd' AND wait_event_type = 'Lock')
END
}

# Send a session its next call; the call, if there was one.
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

# Take answers and send calls until all lists are done; the calls that were sent.
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

# Send everybody home.
sub quit
{
    my ($self) = @_;
    $_->quit for @{ $self->{sessions} }, $self->{keeper};
}

1;
