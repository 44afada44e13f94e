# Libraries of the engine with a mistake in them, each built from an edited copy of the source.
#
# They are built without assertions, so that the checker has to find the mistake.  What no
# mutant edits is compiled once.

package Engine;

use strict;
use warnings FATAL => 'all';

use Carp 'croak';

use Edit;
use Files;

# Libraries that are built below a directory, from this source.
sub new
{
    my ($class, $root, $source) = @_;
    return bless { root => $root, source => $source }, $class;
}

# The copy of the source that all others are copies of, compiled.
sub common
{
    my ($self) = @_;
    my $copy = "$self->{root}/engine";

    if (!-e $copy)
    {
        must('cp', '-a', $self->{source}, $copy);
        must('make', '-s', '-C', $copy, "PG_CONFIG=$ENV{PROVE_PG_CONFIG}", 'clean');
        make($copy);
    }
    return $copy;
}

# The engine with edits (Edit.pm).
sub with
{
    my ($self, $name, @edits) = @_;
    return bless { %$self, name => $name, edits => \@edits };
}

# Its library, built.
sub library
{
    my ($self) = @_;
    my $copy = "$self->{root}/engine_$self->{name}";
    my $library = "$copy/inventory.so";

    if (!-e $library)
    {
        must('cp', '-a', $self->common . '/.', $copy);
        unlink $library;
        Files::put("$copy/$_", Edit::edited($copy, $_, @{ $self->{edits} })) for Edit::files(@{ $self->{edits} });
        make($copy);
    }
    return $library;
}

sub make
{
    my ($directory) = @_;
    must('make', '-s', '-j2', '-C', $directory, "PG_CONFIG=$ENV{PROVE_PG_CONFIG}", 'with_llvm=no', 'COPT=-O1',
        'inventory.so');
}

sub must
{
    my (@command) = @_;
    open my $output, '-|', @command or croak "$command[0]: $!";
    print STDERR <$output>;
    close $output or croak "failed: @command";
}

1;
