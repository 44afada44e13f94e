# Libraries of the engine with a mistake in them: built from a copy of the source, in
# which a few lines are others.
#
# They are built without assertions, so that it is the checker that has to find it.
# What is not touched is built once.

package Engine;

use strict;
use warnings FATAL => 'all';

use Carp 'croak';

# Below a directory, from this source.
sub new
{
    my ($class, $root, $source) = @_;
    return bless { root => $root, source => $source }, $class;
}

# What is common to all, built.
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

# With the edits of a file: below `--- FILE`, lines with a minus that are there once, and
# in their place those with a plus.
sub with
{
    my ($self, $name, $edits) = @_;
    return bless { %$self, name => $name, edits => $edits };
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
        edit("$copy/$_->{file}", $_->{old}, $_->{new}, $self->{name}) for hunks($self->{edits});
        make($copy);
    }
    return $library;
}

sub hunks
{
    my ($edits) = @_;
    my ($file, @hunks);

    open my $lines, '<', $edits or croak "$edits: $!";
    while (my $line = <$lines>)
    {
        if ($line =~ /^--- (\S+)/)
        {
            $file = $1;
            push @hunks, { file => $file, old => '', new => '' };
        }
        elsif (defined $file && $line =~ /^-(.*)/s)
        {
            push @hunks, { file => $file, old => '', new => '' } if $hunks[-1]{new} ne '';
            $hunks[-1]{old} .= $1;
        }
        elsif (defined $file && $line =~ /^\+(.*)/s)
        {
            $hunks[-1]{new} .= $1;
        }
    }
    croak "$edits: no edits" unless @hunks && !grep { $_->{old} eq '' } @hunks;
    return @hunks;
}

sub edit
{
    my ($path, $old, $new, $name) = @_;
    open my $file, '<', $path or croak "$path: $!";
    my $text = do { local $/ = undef; <$file> };
    close $file;
    my $count = () = $text =~ /^\Q$old\E/mg;
    croak "$name: not once, but $count times in $path:\n$old" if $count != 1;
    $text =~ s/^\Q$old\E/$new/m;
    open $file, '>', $path or croak "$path: $!";
    print $file $text;
    close $file or croak "$path: $!";
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
