# Libraries in C that tests compile.

package Library;

use strict;
use warnings FATAL => 'all';

use File::Basename;
use PostgreSQL::Test::Utils;

# What pg_config says.
sub pg_config
{
    my ($what) = @_;
    my ($out) = run_command([ $ENV{PG_CONFIG} || 'pg_config', $what ]);
    return $out;
}

# Compile a file of this directory; the path of the library.
sub compile
{
    my ($name, @options) = @_;
    my $library = PostgreSQL::Test::Utils::tempdir() . "/$name.so";

    system_or_bail('cc', '-shared', '-fPIC', '-O1', '-I' . pg_config('--includedir-server'), '-o', $library,
        dirname(__FILE__) . "/$name.c", @options);
    return $library;
}

1;
