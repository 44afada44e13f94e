# One database session: a psql that is controlled through pipes.
#
# It evaluates an expression and returns either the value or the SQLSTATE and message
# of the error.  A call can be sent without waiting for its answer, so that many
# sessions work at the same time; the caller selects on `output` and reads the answers
# with `take`.

package Session;

use strict;
use warnings FATAL => 'all';

use IO::Select;
use IPC::Open3;
use PostgreSQL::Test::Utils;

# psql stores the outcome of each call, and prints it in one line.
my $keep = <<'END';
\set error :ERROR
\set state :SQLSTATE
END
my $report = <<'END';
\if :error
\echo ! :state :LAST_ERROR_MESSAGE
\elif :ERROR
\echo ! :SQLSTATE :LAST_ERROR_MESSAGE
\else
\echo = :answer
\endif
END

# A new session; $name is its application_name.
sub new
{
    my ($class, $node, $database, $name) = @_;
    my $connection = $node->connstr($database) . ' application_name=' . ($name || 'session');
    my $self = bless { buffer => '', alive => 1, heard => [] }, $class;

    open(my $errors, '>>', "$PostgreSQL::Test::Utils::log_path/sessions.log") or die $!;
    $self->{pid} = open3($self->{input}, $self->{output}, '>&' . fileno($errors),
        'psql', '-X', '-q', '-o', '/dev/null', '-d', $connection);
    $self->{input}->autoflush(1);
    close $errors;
    return $self;
}

# The handle on which answers arrive.
sub output
{
    return $_[0]->{output};
}

# Does psql still run?  It exits when the server ends the session.
sub alive
{
    return $_[0]->{alive};
}

# Send statements whose result is not read.
sub run
{
    my ($self, @statements) = @_;
    local $SIG{PIPE} = 'IGNORE';
    print { $self->{input} } map { "$_;\n" } @statements;
}

# Send an expression, and statements that end its transaction; its value is the answer.
sub call
{
    my ($self, $expression, @after) = @_;
    local $SIG{PIPE} = 'IGNORE';
    print { $self->{input} }
      "\\set answer ''\nSELECT coalesce(($expression)::text, '') AS answer \\gset\n$keep",
      (map { "$_;\n" } @after), $report;
}

# Read what has arrived: the complete answers, each [SQLSTATE, value or message].
sub take
{
    my ($self) = @_;
    my @answers;

    $self->{alive} = sysread($self->{output}, $self->{buffer}, 65536, length $self->{buffer});
    while ($self->{buffer} =~ s/^(.*)\n//)
    {
        my $line = $1;
        push @{ $self->{heard} }, $1 if $line =~ /^Asynchronous notification .* with payload "(.*)" received/;
        push @answers, [ '00000', $1 ] if $line =~ /^= ?(.*)/;
        next unless $line =~ /^! (\w*) (.*)/;
        # the session or the server has ended: the outcome of the call is unknown
        if ($1 eq '' || $1 =~ /^(?:08|57P)/)
        {
            $self->{alive} = 0;
            last;
        }
        push @answers, [ $1, $2 ];
    }
    return @answers;
}

# Wait until handles of a select can be read.  A signal, such as that of a server that
# ended, interrupts the system call, so it is repeated.
sub readable
{
    my ($select) = @_;
    my $deadline = time + $PostgreSQL::Test::Utils::timeout_default;

    while (time < $deadline)
    {
        my @ready = $select->can_read($deadline - time);
        return @ready if @ready;
    }
    die 'no session answered in time';
}

# Wait for the answer to a call; undef if the session ended.
sub await
{
    my ($self) = @_;
    my $select = IO::Select->new($self->{output});

    while ($self->{alive})
    {
        readable($select);
        my ($answer) = $self->take;
        return $answer if $answer;
    }
    return undef;
}

# Send an expression and wait for its answer.
sub ask
{
    my ($self, $expression) = @_;
    $self->call($expression);
    return $self->await;
}

# Ask in a new session; the answer, with the state `lost` if the session ended.
sub ask_once
{
    my ($node, $database, $expression) = @_;
    my $session = Session->new($node, $database);
    my $answer = $session->ask($expression) || ['lost'];

    $session->quit;
    return $answer;
}

# The same; the value, or the SQLSTATE of the error.
sub outcome
{
    my ($state, $answer) = @{ ask_once(@_) };
    return $state eq '00000' ? $answer : $state;
}

# The value of an expression that must not fail.
sub value
{
    my ($self, $expression) = @_;
    my $answer = $self->ask($expression);
    die "$expression: " . ($answer ? "@$answer" : 'the session ended')
      unless $answer && $answer->[0] eq '00000';
    return $answer->[1];
}

# Listen to a channel.
sub listen
{
    my ($self, $channel) = @_;
    # psql prints notifications with the results of queries
    $self->run("LISTEN $channel", "\\o\n");
    $self->value('1');
}

# The payloads received since the last call, in order, up to one that must arrive.
sub heard
{
    my ($self, $last) = @_;
    my $deadline = time + $PostgreSQL::Test::Utils::timeout_default;

    until (grep { $_ eq $last } @{ $self->{heard} })
    {
        die "not notified of $last" if time > $deadline;
        $self->value('1');
    }
    my @heard = @{ $self->{heard} };
    $self->{heard} = [];
    return grep { $_ ne $last } @heard;
}

# End the session.
sub quit
{
    my ($self) = @_;
    return unless $self->{pid};
    close $self->{input};
    close $self->{output};
    waitpid($self->{pid}, 0);
    delete $self->{pid};
    $self->{alive} = 0;
}

1;
