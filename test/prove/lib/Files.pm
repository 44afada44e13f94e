# Reading and writing whole files.

package Files;

use strict;
use warnings FATAL => 'all';

use Carp 'croak';

sub get
{
    my ($path) = @_;
    open my $file, '<', $path or croak "$path: $!";
    local $/ = undef;
    return scalar <$file>;
}

# A process that reads the file at this moment finds the old text or the new one.
sub put
{
    my ($path, $text) = @_;
    write_to('>', "$path.new", $text);
    rename "$path.new", $path or croak "$path: $!";
}

sub append
{
    my ($path, $text) = @_;
    write_to('>>', $path, $text);
}

sub write_to
{
    my ($mode, $path, $text) = @_;
    open my $file, $mode, $path or croak "$path: $!";
    print $file $text;
    close $file or croak "$path: $!";
}

1;
