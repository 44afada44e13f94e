# Faults that no server can be asked for: memory and disk that run out, a recovery that
# is killed, a clock that jumps.
#
# A small library, faults.c, is compiled here and preloaded into every process of the
# server.  Nothing happens until a number is set.

package Faults;

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;

use Library;

# The numbers, in the order of faults.c.
my @numbers = qw(process allocations full refused pages shift);
my %place = map { $numbers[$_] => 4 * $_ } 0 .. $#numbers;

use constant WAL    => 1;    # values of `full`
use constant TABLES => 2;

# Compile the library; servers that are started later preload it.
sub new
{
    my ($class) = @_;
    my $directory = PostgreSQL::Test::Utils::tempdir();
    my $self = bless { file => "$directory/control" }, $class;
    my $library = Library::compile('faults', '-D_GNU_SOURCE', '-ldl');

    append_to_file($self->{file}, "\0" x (4 * @numbers));
    open($self->{control}, '+<:raw', $self->{file}) or die "$self->{file}: $!";
    @ENV{qw(LD_PRELOAD FAULTS_CONTROL)} = ($library, $self->{file});
    return $self;
}

# Set numbers, in the order given: a process sees each at once, so the number that makes a
# fault happen comes last.
sub set
{
    my ($self, @values) = @_;
    while (my ($name, $value) = splice @values, 0, 2)
    {
        sysseek($self->{control}, $place{$name}, 0);
        syswrite($self->{control}, pack('l', $value)) == 4 or die "$self->{file}: $!";
    }
}

# The current value of a number.
sub get
{
    my ($self, $name) = @_;
    my $value;
    sysseek($self->{control}, $place{$name}, 0);
    sysread($self->{control}, $value, 4) == 4 or die "$self->{file}: $!";
    return unpack('l', $value);
}

1;
