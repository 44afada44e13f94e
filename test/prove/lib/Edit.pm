# Edits: the mistake of a mutant, as lines of a file and the lines in their place.
#
# Below `--- FILE` stand lines with a minus, which are in the file exactly once, and
# after them the lines with a plus that replace them; a file may have several edits.

package Edit;

use strict;
use warnings FATAL => 'all';

use Carp 'croak';

use Files;

# The edits that a file of edits has: of which file, the old lines, the new lines.
sub read_file
{
    my ($path) = @_;
    my ($file, @edits);

    for my $line (split /^/, Files::get($path))
    {
        if ($line =~ /^--- (\S+)/)
        {
            $file = $1;
            push @edits, { from => $path, file => $file, old => '', new => '' };
        }
        elsif (defined $file && $line =~ /^-(.*)/s)
        {
            push @edits, { from => $path, file => $file, old => '', new => '' } if $edits[-1]{new} ne '';
            $edits[-1]{old} .= $1;
        }
        elsif (defined $file && $line =~ /^\+(.*)/s)
        {
            $edits[-1]{new} .= $1;
        }
    }
    croak "$path: no edits" unless @edits && !grep { $_->{old} eq '' } @edits;
    return @edits;
}

# A file below a directory, with those edits that are its own.
sub edited
{
    my ($directory, $file, @edits) = @_;
    my $text = Files::get("$directory/$file");

    for my $edit (grep { $_->{file} eq $file } @edits)
    {
        my $count = () = $text =~ /^\Q$edit->{old}\E/mg;
        croak "$edit->{from}: not once, but $count times in $file:\n$edit->{old}" if $count != 1;
        $text =~ s/^\Q$edit->{old}\E/$edit->{new}/m;
    }
    return $text;
}

# The files that edits are of, in their order.
sub files
{
    my %seen;
    return grep { !$seen{$_}++ } map { $_->{file} } @_;
}

1;
