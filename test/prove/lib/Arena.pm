# The servers of the cycles: a primary, a standby while a cycle needs one, and the file
# that tells clients where to connect.
#
# After a promotion the standby is the primary.  The old primary is kept, stopped, until
# the cycle has read its stream of commits.

package Arena;

use strict;
use warnings FATAL => 'all';

use Files;
use Server;

use constant TEMPLATE => 'prove_template';

# Servers below a directory; $shop is the SQL file that creates the shop.
sub new
{
    my ($class, $root, $shop) = @_;
    my $self = bless { root => $root, count => 0 }, $class;

    chomp(my $directory = `pg_config --pkglibdir`);
    $self->{installed} = "$directory/inventory.so";
    $self->{library} = $self->{original} = "$root/inventory.so";
    Server::copy_file($self->{installed}, $self->{original});

    $self->{primary} = $self->server->init;
    $self->{primary}->start;
    $self->{primary}->query('postgres', 'CREATE DATABASE ' . TEMPLATE);
    $self->{primary}->load_file(TEMPLATE, $shop);
    return $self;
}

sub server
{
    my ($self) = @_;
    return Server->new($self->{root}, 's' . ++$self->{count});
}

# Let the server load another library; without an argument, its own.
sub use_library
{
    my ($self, $library) = @_;
    $library //= $self->{original};
    return if $library eq $self->{library};
    $self->{primary}->stop('fast');
    Server::copy_file($library, $self->{installed});
    $self->{library} = $library;
}

# Restart the servers for a cycle, with these settings.
sub prepare
{
    my ($self, $needs_standby, %settings) = @_;
    my $primary = $self->{primary};

    $self->remove_standby;
    $primary->stop('fast');
    $primary->configure(%settings);
    $self->{standby} = $self->server->copy_of($primary) if $needs_standby;
    $primary->start;
    $self->wait_for_standby(%settings) if $needs_standby;
}

# Start the standby; from then on commits wait for it.
sub wait_for_standby
{
    my ($self, %settings) = @_;
    my ($primary, $standby) = @$self{qw(primary standby)};

    $standby->start;
    $primary->configure(%settings, synchronous_standby_names => $standby->{name});
    $primary->reload;
    $primary->becomes('postgres', "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'", '1')
      or die 'the standby does not become synchronous';
}

# Remove the standby, and a primary that has been replaced.
sub remove_standby
{
    my ($self) = @_;
    for my $server (grep { defined } delete @$self{qw(standby replaced)})
    {
        $server->remove;
    }
}

# Create a shop in a database of its own, the current one from now on, with items by their tables.
sub make_shop
{
    my ($self, $database, %items) = @_;
    my $primary = $self->{primary};

    $self->{database} = $database;
    $self->{connect} = "$self->{root}/$database.connect";
    $primary->query('postgres', "CREATE DATABASE $database TEMPLATE " . TEMPLATE);
    for my $table (sort keys %items)
    {
        my @rows = map { "($_->{id}, $_->{stock}, $_->{floor}, " . ($_->{limit} // 'NULL') . ')' } @{ $items{$table} };
        $primary->query($database,
            "INSERT INTO $table (id, stock, stock_floor, purchase_limit) VALUES " . join(', ', @rows));
    }
}

# Open the stream: it has every commit in the shop from now on.
sub open_stream
{
    my ($self) = @_;
    $self->query("SELECT count(*) FROM pg_create_logical_replication_slot('$self->{database}', 'test_decoding')");
    $self->direct_clients;
}

# Tell clients where to connect: to the primary, and to the standby for samples.
sub direct_clients
{
    my ($self) = @_;
    my @servers = grep { defined } @$self{qw(primary standby)};

    Files::put($self->{connect}, join '', map { $_->conninfo($self->{database}) . "\n" } @servers);
}

# Write the stream of a server, up to an LSN, to a file.
sub save_stream
{
    my ($self, $server, $upto, $file) = @_;
    my $limit = $upto ? "'$upto'" : 'NULL';

    $server->query($self->{database}, '\o ' . $file,
        "SELECT data FROM pg_logical_slot_get_changes('$self->{database}', $limit, NULL, "
          . q{'include-xids', 'on', 'include-timestamp', 'on')});
}

# Kill the primary and promote the standby.
sub replace_primary
{
    my ($self) = @_;
    my $standby = $self->{standby};

    $self->{primary}->kill9('all');
    $standby->promote;
    $self->{replaced} = $self->{primary};
    $self->{primary} = delete $self->{standby};
    $self->open_stream;
}

# Save all segments of the stream, in commit order.
sub save_streams
{
    my ($self, $directory) = @_;
    my $segment = 0;
    my $replaced = $self->{replaced};

    if ($replaced)
    {
        $replaced->configure;
        $replaced->start;
        $self->save_stream($replaced, $self->{primary}->switch_point, "$directory/" . $segment++ . '.txt');
        $replaced->stop('fast');
    }
    $self->save_stream($self->{primary}, undef, "$directory/$segment.txt");
}

sub drop_shop
{
    my ($self) = @_;
    $self->query("SELECT pg_drop_replication_slot('$self->{database}')");
    $self->{primary}->query('postgres', "DROP DATABASE $self->{database} WITH (FORCE)");
    unlink $self->{connect};
}

# Run statements in the shop.
sub query
{
    my ($self, @statements) = @_;
    return $self->{primary}->query($self->{database}, @statements);
}

# Lines in the logs of the servers that should not be there.
sub alarms
{
    my ($self) = @_;
    return map { $_->alarms } grep { defined } @$self{qw(primary standby replaced)};
}

1;
