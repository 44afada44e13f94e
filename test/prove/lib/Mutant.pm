# Stores with a mistake that must be caught, and the conditions in which they run.
#
# A mutant is a file of edits (Edit.pm).  Edits of src/ give a server another engine
# (Engine.pm); edits of store/ give a shop other functions or triggers.  A mutant that
# edits nothing is SQL to run in the shop.  The head of the file says, each in a line of
# a comment:
#
#   # rules: C1 C2           the rules of which at least one has to find it
#   # settings: a=b c=d      settings of the server
#   # faults: postmaster     faults that happen; without this line, none
#   # client: retry-keyless  switches of the load program
#   # mix: all=0 direct=1    weights of the operations; follow=100 for the store that follows
#   # heat: fixed            which items are hot (Heat.pm); without this line, none
#
# First the same files without edits run in the same conditions (faults, mix, heat), and
# must be found clean.
#
# Mutants of the shop that need no faults, settings or hot items of their own run several at a
# time, each in a database of its own.  Whether a mutant is caught depends on chance, as a race
# does: one that is not caught runs again, alone and longer.

package Mutant;

use strict;
use warnings FATAL => 'all';

use Cycle;
use Edit;
use Engine;
use Fault;
use Files;

use constant {
    AT_A_TIME => 6,
    CLIENTS   => 24,
    SECONDS   => 3,
    TRIES     => 6
};

# what mutants with hot items add to the settings of all
my %hot = (shared_preload_libraries => 'inventory', 'inventory.settle_interval' => '20ms');
my %settings = (fsync => 'off', shared_preload_libraries => '', autovacuum_naptime => '1min');
my $number = 0;

# Everything to run, in groups that run together: first without mistakes, then the mutants
# whose names match.  $directory has mutants/ and store/.
sub groups
{
    my ($directory, $pattern) = @_;
    my @mutants = grep { $_->{name} =~ /$pattern/ } map { read_file($directory, $_) } sort(glob "$directory/mutants/*");
    my %seen;

    die "no such mutants\n" unless @mutants;
    return (group(grep { !$seen{ $_->{name} }++ } map { unmutated($_) } @mutants), group(@mutants));
}

# Divide into groups; one that needs the server or a library alone is a group.
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
    return @{ $self->{engine} } || $self->{faults} ne 'none' || $self->{settings} ne '' || $self->{heat} ne 'none';
}

sub read_file
{
    my ($directory, $file) = @_;
    my ($name, $kind) = $file =~ m{([^/]+)\.(sql|edit)$} or die "$file: neither .sql nor .edit\n";
    my @edits = $kind eq 'edit' ? Edit::read_file($file) : ();
    my %self = (
        name => $name,
        directory => $directory,
        engine => [ grep { $_->{file} =~ m{^src/} } @edits ],
        store => [ grep { $_->{file} =~ m{^store/} } @edits ],
        sql => $kind eq 'sql' ? Files::get($file) : '',
        settings => '',
        faults => 'none',
        client => '',
        mix => '',
        heat => 'none');

    die "$file: edits of neither src/ nor store/\n" if @{ $self{engine} } + @{ $self{store} } != @edits;
    for my $line (split /\n/, Files::get($file))
    {
        last unless $line =~ /^(?:-- |--$|#|$)/;
        $self{$1} = $2 if $line =~ /^(?:--|#) (rules|settings|faults|client|mix|heat): *(.*?)\s*$/;
    }
    die "$file: no rules\n" unless $self{rules};
    $self{rules} = [ split ' ', $self{rules} ];
    return bless \%self;
}

# The same without the mistake: the files of the store as they are, in the same conditions.
sub unmutated
{
    my ($self) = @_;
    my @files = Edit::files(@{ $self->{store} });
    my @conditions = map { "$_ $self->{$_}" } grep { $self->{$_} ne '' && $self->{$_} ne 'none' } qw(faults mix heat);

    return bless {
        map({ $_ => $self->{$_} } qw(directory faults mix heat)),
        name => join(', ', 'unmutated', @files, @conditions),
        engine => [],
        store => [ map { { file => $_ } } @files ],
        sql => '',
        settings => '',
        client => ''
    };
}

# The SQL that changes the shop.
sub script
{
    my ($self) = @_;
    my @edits = grep { defined $_->{old} } @{ $self->{store} };
    return join '', $self->{sql}, map { Edit::edited($self->{directory}, $_, @edits) } Edit::files(@{ $self->{store} });
}

# A cycle with it; later tries are longer.
sub cycle
{
    my ($self, $try, %common) = @_;
    return Cycle->new(
        %common,
        store => $self->{rules} ? $self->{name} : 'inventory',
        number => 'm' . ++$number,
        seconds => (@{ $self->{engine} } ? SECONDS - 1 : SECONDS) * $try,
        clients => CLIENTS * ($self->alone ? 2 : $try),
        kinds => [ Fault::kinds($self->{faults}) ],
        sql => $self->script,
        mutated => defined $self->{rules},
        engine => @{ $self->{engine} } ? Engine->new(@common{qw(root source)})->with($self->{name}, @{ $self->{engine} }) : undef,
        heat => $self->{heat},
        settings => { %settings, $self->{heat} ne 'none' ? %hot : (), map { split /=/, $_, 2 } split ' ', $self->{settings} },
        switches => [ map { "--$_" } split ' ', $self->{client} ],
        mix => $self->{mix});
}

# Run a group.  Returns for each the mutant, its last cycle and that cycle's outcome.
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

# Try again while a mutant is not caught.
sub insist
{
    my ($self, $cycle, $outcome, %common) = @_;

    for my $try (2 .. TRIES)
    {
        last if !$self->{rules} || $self->good($outcome);
        $cycle = $self->cycle($try, %common);
        $outcome = $cycle->attempt;
    }
    return ($self, $cycle, $outcome);
}

# Was the mutant caught, or the store without a mistake found clean?
sub good
{
    my ($self, $outcome) = @_;
    return $self->{rules} ? scalar $self->caught_by($outcome) : !@{ $outcome->{problems} };
}

# The rules of the mutant that found it.
sub caught_by
{
    my ($self, $outcome) = @_;
    return () unless $self->{rules};
    my %found = map { /^(C\d)/ ? ($1 => 1) : () } @{ $outcome->{problems} };
    return grep { $found{$_} } @{ $self->{rules} };
}

1;
