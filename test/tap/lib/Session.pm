# One database session: a psql that is driven through pipes.
#
# It is asked for the value of an expression and reports either the value or the
# SQLSTATE and message of the error.  A call can be sent without waiting for its
# answer, so that many sessions work at the same time; the caller selects on
# `output` and takes the answers with `take`.

package Session;

use strict;
use warnings FATAL => 'all';

use IO::Select;
use IPC::Open3;
use PostgreSQL::Test::Utils;

# What psql is made to keep of each call, and to print: one line.
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

# A new session.  The node's name of the application tells sessions apart.
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

# Where answers arrive.
sub output
{
    return $_[0]->{output};
}

# Is psql still there?  It leaves when the server ends the session.
sub alive
{
    return $_[0]->{alive};
}

# Send statements that have no answer.
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

# Read once what has arrived: complete answers, each [SQLSTATE, value or message].
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
        # the server is gone or going: whether the call was done is not known
        if ($1 eq '' || $1 =~ /^(?:08|57P)/)
        {
            $self->{alive} = 0;
            last;
        }
        push @answers, [ $1, $2 ];
    }
    return @answers;
}

# The handles of a select that can be read, once there are any.  A signal, such as that
# of a server which ended, interrupts the wait and is no answer.
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

# Send an expression and wait for the answer.
sub ask
{
    my ($self, $expression) = @_;
    $self->call($expression);
    return $self->await;
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
    # psql writes what it hears with the results of queries
    $self->run("LISTEN $channel", "\\o\n");
    $self->value('1');
}

# What has been notified since the last time, in order, up to a payload that has to come.
sub heard
{
    my ($self, $last) = @_;
    my $deadline = time + $PostgreSQL::Test::Utils::timeout_default;

    until (grep { $_ eq $last } @{ $self->{heard} })
    {
        die "never heard $last" if time > $deadline;
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
