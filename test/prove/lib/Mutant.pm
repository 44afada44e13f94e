# Stores that must be caught, and what they need for that.
#
# A mutant is a file of SQL that spoils an attached shop, or a file of edits that spoil
# the engine (Engine.pm).  Its head says, each in a line of a comment:
#
#   -- rules: C1 C2          the rules of which at least one has to find it
#   -- settings: a=b c=d     settings of the server
#   -- faults: postmaster    faults that happen; else none
#   -- client: retry-keyless switches of the load program
#   -- mix: all=0 direct=1   weights of the operations
#   -- heat: fixed           which items are hot (Heat.pm); else none
#
# The same store without the mutation runs first, under each combination of faults
# and mix that some mutant has, and must be found clean.
#
# Mutants that need no faults and no settings run several at a time, each in a
# database of its own.  A mutant is caught by chance, as a race is: one that is not
# runs again, alone and longer.

package Mutant;

use strict;
use warnings FATAL => 'all';

use Cycle;
use Engine;
use Fault;

use constant {
    AT_A_TIME => 6,
    CLIENTS   => 24,
    SECONDS   => 3,
    TRIES     => 3
};

# of what has hot items
my %hot = (shared_preload_libraries => 'inventory', 'inventory.settle_interval' => '20ms');
my %settings = (fsync => 'off', shared_preload_libraries => '', autovacuum_naptime => '1min');
my $number = 0;

# Everything to run, in groups that run together: the store as it is, then the mutants
# whose names match.
sub groups
{
    my ($directory, $pattern) = @_;
    my @mutants = grep { $_->{name} =~ /$pattern/ } map { read_file($_) } sort(glob "$directory/*.sql"), sort(glob "$directory/*.edit");
    my %seen;

    die "no such mutants\n" unless @mutants;
    return (group(map { unmutated($_) } grep { !$seen{ conditions($_) }++ } @mutants), group(@mutants));
}

# Who needs the server for himself is a group.
sub group
{
    my @alone = map { [$_] } grep { $_->alone } @_;
    my @together = grep { !$_->alone } @_;
    my @groups;

    push @groups, [ splice @together, 0, AT_A_TIME ] while @together;
    return @groups, @alone;
}

sub alone
{
    my ($self) = @_;
    return $self->{faults} ne 'none' || $self->{settings} ne '' || $self->{heat} ne 'none';
}

sub read_file
{
    my ($file) = @_;
    my ($name, $kind) = $file =~ m{([^/]+)\.(\w+)$};
    my %self = (
        name => $name,
        $kind eq 'sql' ? (sql => $file) : (edits => $file),
        rules => '',
        settings => '',
        faults => 'none',
        client => '',
        mix => '',
        heat => 'none');

    open my $sql, '<', $file or die "$file: $!";
    while (my $line = <$sql>)
    {
        last unless $line =~ /^(?:-- |--$|#|\s*$)/;
        next unless $line =~ /^(?:--|#) (rules|settings|faults|client|mix|heat): *(.*?)\s*$/;
        $self{$1} = $2;
    }
    $self{rules} = [ split ' ', $self{rules} ];
    die "$file: no rules\n" unless @{ $self{rules} };
    return bless \%self;
}

# What the store as it is must be able to stand as well.
sub conditions
{
    my ($self) = @_;
    return join ', ', map { "$_ $self->{$_}" } grep { $self->{$_} ne '' && $self->{$_} ne 'none' } qw(faults mix heat);
}

sub unmutated
{
    my ($self) = @_;
    return bless {
        name => join(', ', 'unmutated', conditions($self) || ()),
        map({ $_ => $self->{$_} } qw(faults mix heat)),
        settings => '',
        client => ''
    };
}

# A cycle with it: the first try, or another.
sub cycle
{
    my ($self, $try, %common) = @_;
    return Cycle->new(
        %common,
        store => $self->{rules} ? $self->{name} : 'inventory',
        number => 'm' . ++$number,
        seconds => ($self->{edits} ? SECONDS - 1 : SECONDS) * $try,
        clients => CLIENTS * ($self->alone ? 2 : $try),
        kinds => [ Fault::kinds($self->{faults}) ],
        sql => $self->{sql},
        mutated => defined $self->{rules},
        engine => $self->{edits} && Engine->new($common{root}, $common{source})->with($self->{name}, $self->{edits}),
        heat => $self->{heat},
        settings => { %settings, $self->{heat} ne 'none' ? %hot : (), map { split /=/, $_, 2 } split ' ', $self->{settings} },
        switches => [ map { "--$_" } split ' ', $self->{client} ],
        mix => $self->{mix});
}

# Run a group; of each: mutant, its last cycle, and its outcome (undef if it broke off).
sub run_group
{
    my ($mutants, %common) = @_;
    my @cycles = map { $_->cycle(1, %common) } @$mutants;
    my @outcomes;

    if (@cycles == 1)
    {
        # here, not in another process: faults change the arena
        @outcomes = $cycles[0]->attempt;
    }
    else
    {
        $cycles[0]->prepare;
        $_->start for @cycles;
        @outcomes = map { $_->outcome } @cycles;
    }
    return map { [ $mutants->[$_]->insist($cycles[$_], $outcomes[$_], %common) ] } 0 .. $#cycles;
}

# If a mutant is not caught, try again.
sub insist
{
    my ($self, $cycle, $outcome, %common) = @_;

    for my $try (2 .. TRIES)
    {
        last if !$outcome || !$self->{rules} || $self->good($outcome);
        $cycle = $self->cycle($try, %common);
        $outcome = $cycle->attempt;
    }
    return ($self, $cycle, $outcome);
}

# Has it been found, or found clean if it is the store as it is?
sub good
{
    my ($self, $outcome) = @_;
    return 0 unless $outcome;
    return $self->{rules} ? scalar $self->caught_by($outcome) : !@{ $outcome->{problems} };
}

# Which of its rules found it.
sub caught_by
{
    my ($self, $outcome) = @_;
    return () unless $self->{rules};
    my %found = map { /^(C\d)/ ? ($1 => 1) : () } @{ $outcome->{problems} };
    return grep { $found{$_} } @{ $self->{rules} };
}

1;
