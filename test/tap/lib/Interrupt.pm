# Interruptions of a session at a step of its work.
#
# A keeper holds what the session, the victim, needs next.  While it waits it is
# cancelled, runs into a timeout or is terminated; or it is left idle in a transaction
# after its call, and the server or its client ends it.

package Interrupt;

use strict;
use warnings FATAL => 'all';

use Session;
use Waiting;

# The ways of an interruption: a setting of the victim, or a function that the server runs
# on it, and how the call then ends.
my %ways = (
    'cancelled'         => { function => 'pg_cancel_backend', ends => '57014' },
    'statement_timeout' => { setting => 'statement_timeout', ends => '57014' },
    'lock_timeout'      => { setting => 'lock_timeout', ends => '55P03' },
    'terminated'        => { function => 'pg_terminate_backend', ends => 'lost' });

# The ends of a session that is idle in a transaction.
my %idle = (
    'terminated'                  => sub { $_[0]->signal('pg_terminate_backend') },
    'idle-in-transaction timeout' => sub { $_[0]{victim}->run(q{SET idle_in_transaction_session_timeout = '10ms'}) },
    'the client is killed'        => sub { kill 'KILL', $_[0]{victim}{pid} });

# Sessions in a shop: keeper, victim, and an observer.
sub new
{
    my ($class, $shop, $timeout) = @_;
    my $self = bless { shop => $shop, timeout => $timeout }, $class;

    $self->{$_} = $self->session($_) for qw(keeper observer victim);
    return $self;
}

sub session
{
    my ($self, $name) = @_;
    return Session->new($self->{shop}{node}, $self->{shop}{database}, $name);
}

# Replace a victim that has ended.
sub renew
{
    my ($self) = @_;
    $self->{victim}->quit;
    $self->{victim} = $self->session('victim');
}

sub quit
{
    my ($self) = @_;
    $_->quit for @$self{qw(keeper observer victim)};
}

# Triggers of tables that wait at a gate: an advisory lock, named as the table, or `commit`
# for a deferred trigger of the ledger.  %when says when the trigger of each table fires.
sub add_gates
{
    my ($shop, %when) = @_;
    my $execute = 'FOR EACH ROW EXECUTE FUNCTION shop.pause';

    $shop->query(<<'END');
CREATE FUNCTION shop.pause() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext(TG_ARGV[0]));
    RETURN NEW;
END $$
END
    $shop->query((map { "CREATE TRIGGER pause $when{$_} ON $_ $execute('$_')" } keys %when),
        "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON items_stock.movements DEFERRABLE INITIALLY DEFERRED $execute('commit')");
}

# The expression with which the keeper closes a gate.
sub gate
{
    my ($name) = @_;
    return "pg_advisory_xact_lock(hashtext('$name'))";
}

# The names of the ways; without statement_timeout at a commit, where the server ignores it.
sub ways
{
    my (%option) = @_;
    return grep { !$option{commit} || $_ ne 'statement_timeout' } sort keys %ways;
}

sub idle_ways
{
    return sort keys %idle;
}

# Let the server run a function on the victim.
sub signal
{
    my ($self, $function) = @_;
    $self->{observer}->value("(SELECT $function(pid) FROM pg_stat_activity WHERE application_name = 'victim')");
}

# Wait until there are $count victims with a condition.
sub victims
{
    my ($self, $count, $condition) = @_;
    Waiting::wait_until(sub {
        $self->{observer}->value("(SELECT count(*) FROM pg_stat_activity WHERE application_name = 'victim' AND $condition)") == $count
    });
}

# Interrupt a call in one way; a problem, if it ends otherwise than expected.  %step has the
# call; `held`, expressions of the keeper; perhaps `before`, statements of the victim, and
# `waits`, its wait event or the type of it (Lock).  Afterwards the victim may be a new session.
sub stop
{
    my ($self, $name, %step) = @_;
    my $way = $ways{$name};
    my ($keeper, $victim) = @$self{qw(keeper victim)};

    $keeper->run('BEGIN');
    $keeper->value($_) for @{ $step{held} };
    $victim->run(@{ $step{before} || [] }, $way->{setting} ? "SET $way->{setting} = '$self->{timeout}'" : ());
    $victim->call($step{call});
    if ($way->{function})
    {
        my $waits = $step{waits} || 'Lock';
        $self->victims(1, "'$waits' IN (wait_event_type, wait_event)");
        $self->signal($way->{function});
    }
    my $answer = $victim->await || ['lost'];
    $keeper->run('ROLLBACK');
    $keeper->value('1');
    $self->renew unless $victim->alive;
    $self->victims(1, q{state = 'idle'});
    $self->{victim}->run('RESET ALL');
    return $answer->[0] eq $way->{ends} ? () : "$name: @$answer";
}

# Make calls in a transaction, leave it idle, and let it end in one way; $check runs in between.
sub leave_idle
{
    my ($self, $name, $calls, $check) = @_;
    my $victim = $self->{victim};

    $victim->run('BEGIN');
    for my $call (@$calls)
    {
        ref $call ? $victim->run(@$call) : $victim->value($call);
    }
    $check->() if $check;
    $idle{$name}->($self);
    $self->victims(0, 'true');
    $self->renew;
}

1;
