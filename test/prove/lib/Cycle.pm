# One cycle: a shop, clients, faults, a state of rest, and the files that the checker reads.

package Cycle;

use strict;
use warnings FATAL => 'all';

use JSON::PP;
use POSIX ();
use Time::HiRes qw(sleep time clock_gettime CLOCK_MONOTONIC CLOCK_REALTIME);

use Fault;
use Files;
use Follow;
use Heat;

use constant {
    ITEMS     => 60,
    CONTENDED => 4,
    SECOND    => 1_000_000_000
};

# Queries for the final state, by file.
my %final = (
    items        => 'SELECT * FROM shop.items ORDER BY id',
    orders       => 'SELECT * FROM shop.orders ORDER BY created_at',
    direct       => 'SELECT * FROM shop.direct',
    movements    => 'SELECT * FROM items_stock.movements ORDER BY movement_id',
    reservations => 'SELECT * FROM items_stock.reservations ORDER BY created_at',
    requests     => 'SELECT * FROM items_stock.requests ORDER BY created_at',
    levels       => 'SELECT * FROM items_stock.levels ORDER BY item_id',
    hot          => 'SELECT * FROM items_stock.hot ORDER BY item_id',
    verify       => q{SELECT * FROM inventory.verify('shop.items')},
    Follow::final());

# Checks that every index has all rows of its table, and that every table can be read.
my $amcheck = <<'END';
DO $$
DECLARE
    r record;
BEGIN
    FOR r IN SELECT c.oid, c.relkind, a.amname FROM pg_class AS c JOIN pg_am AS a ON a.oid = c.relam
        WHERE c.relnamespace IN ('shop'::regnamespace, 'items_stock'::regnamespace,
            'follow'::regnamespace, 'goods_stock'::regnamespace)
    LOOP
        IF r.relkind = 'i' AND r.amname = 'btree' THEN
            PERFORM bt_index_check(r.oid, true);
        ELSIF r.relkind = 'r' THEN
            IF EXISTS (SELECT FROM verify_heapam(r.oid)) THEN
                RAISE '% is damaged', r.oid::regclass;
            END IF;
        END IF;
    END LOOP;
END $$
END

# A cycle.  Arguments: arena, seed, number of the cycle, root (directory for its files), seconds,
# clients, kinds (of faults that may happen), restarts (whether the server may be restarted at the
# end); for a mutant also store (its name), sql, settings, mix, switches, heat (a plan), engine.
sub new
{
    my ($class, %self) = @_;
    my $self = bless { store => 'inventory', mix => '', switches => [], %self }, $class;

    srand $self->{seed};
    $self->{kinds} = [ Fault::draw($self->{seed}, @{ $self->{kinds} }) ];
    $self->{heat} = Heat->draw($self->{heat}, ITEMS, CONTENDED);
    $self->{database} = "$self->{store}_$self->{number}" =~ s/\W/_/gr;
    $self->{directory} = "$self->{root}/$self->{database}";
    $self->{struck} = {};
    return $self;
}

# Restart the servers for the cycle.
sub prepare
{
    my ($self) = @_;
    $self->{arena}->use_library($self->{engine} && $self->{engine}->library);
    $self->{arena}->prepare(Fault::needs_standby(@{ $self->{kinds} }), $self->settings);
    return $self;
}

# Run the cycle and the checker.  Returns problems, counts of operations by state, faults by
# kind, and the seconds taken.
sub run
{
    my ($self) = @_;
    my $start = time;

    mkdir $_ or die "$_: $!" for map { "$self->{directory}$_" } '', '/stream', '/rest', '/final';
    $self->set_up;
    $self->work;
    $self->come_to_rest;
    $self->{heat}->rest($self);
    $self->collect;
    my @problems = ($self->check, $self->{mutated} ? () : $self->other_problems);
    $self->{arena}->drop_shop;
    return {
        problems => \@problems,
        states => $self->states,
        faults => $self->{struck},
        took => time - $start
    };
}

# Prepare and run.
sub attempt
{
    my ($self) = @_;
    my $start = time;
    my $outcome = eval { $self->prepare->run };
    return $outcome if $outcome;

    $outcome = $self->broke_off($@, $start);
    $self->{arena}{primary}->stop('immediate');
    return $outcome;
}

# The outcome of a cycle that an error ended: the error is its problem.
sub broke_off
{
    my ($self, $error, $start) = @_;
    my ($why) = split /\n/, $error;

    print STDERR "$self->{directory}: $error\n";
    if ($self->{load} && kill 'KILL', $self->{load})
    {
        waitpid $self->{load}, 0;
    }
    return {
        problems => ["broke off: $why"],
        states => {},
        faults => $self->{struck},
        took => time - $start
    };
}

# Run the cycle in a process of its own; `outcome` waits for it.
sub start
{
    my ($self) = @_;
    my $start = time;
    $self->{process} = fork // die "fork: $!";
    return $self if $self->{process};
    $self->write_json('outcome.json', eval { $self->run } // $self->broke_off($@, $start));
    POSIX::_exit(0);
}

# The outcome of a cycle that was started.
sub outcome
{
    my ($self) = @_;
    waitpid $self->{process}, 0;
    return $? == 0 ? $self->read_json('outcome.json') : $self->broke_off("its process ended with status $?", time);
}

# ---------------------------------------------------------------- the shop

# Server settings, which differ from cycle to cycle.
sub settings
{
    my ($self) = @_;
    return %{ $self->{settings} } if $self->{settings};
    my %settings = (
        fsync => rand() < 0.25 ? 'on' : 'off',
        shared_preload_libraries => rand() < 0.75 ? 'inventory' : '',
        autovacuum_naptime => rand() < 0.5 ? '1s' : '1min',
        $self->{heat}->settings);

    $settings{synchronous_commit} = (qw(on remote_apply remote_write))[ rand 3 ]
      if Fault::needs_standby(@{ $self->{kinds} });
    $self->{settings} = \%settings;
    return %settings;
}

# Items: some have a safety stock, some take backorders, some have a purchase limit.
sub make_items
{
    my ($self) = @_;
    return map {
        {
            id => $_,
            stock => 20 + int rand 40,
            floor => $_ % 7 == 3 ? 5 : $_ % 7 == 4 ? -10 : 0,
            limit => $_ % 5 == 2 ? 12 : undef
        }
    } 1 .. ITEMS;
}

sub set_up
{
    my ($self) = @_;
    my $arena = $self->{arena};
    my @items = $self->make_items;
    my @goods = Follow::make_items();

    $arena->make_shop($self->{database}, 'shop.items' => \@items, 'follow.goods' => \@goods);
    if ($self->{sql})
    {
        Files::put("$self->{directory}/store.sql", $self->{sql});
        $arena->{primary}->load_file($self->{database}, "$self->{directory}/store.sql");
    }
    $arena->open_stream;
    $self->{heat}->begin($arena);
    $self->write_json(
        'run.json',
        {
            seed => $self->{seed},
            cycle => $self->{number},
            store => $self->{store},
            clients => $self->{clients},
            seconds => $self->{seconds},
            items => \@items,
            goods => \@goods,
            clock => { monotonic => now(CLOCK_MONOTONIC), realtime => now(CLOCK_REALTIME) },
            settings => { $self->settings },
            faults => $self->{kinds},
            heat => $self->{heat}->story,
            switches => join ' ', @{ $self->{switches} }
        });
}

# ---------------------------------------------------------------- load and faults

sub work
{
    my ($self) = @_;
    my @plan = Fault::schedule($self->{seconds}, @{ $self->{kinds} });

    open my $faults, '>', "$self->{directory}/faults.jsonl" or die "faults.jsonl: $!";
    $faults->autoflush(1);
    $self->{faults} = $faults;
    my %has = map { $_ => 1 } @{ $self->{kinds} };
    $self->note('timeout', 'statement_timeout of some sessions') if $has{timeout};
    $self->{load} = $self->start_load(%has);
    $self->wait_for_load;
    my $start = time;
    # all faults happen while clients work, however long the faults take
    while (@plan || time - $start < $self->{seconds})
    {
        die 'the clients ended too early' if $self->load_has_ended;
        if (@plan && time - $start >= $plan[0][0])
        {
            Fault::strike($self, (shift @plan)->[1]);
        }
        else
        {
            sleep 0.01;
        }
    }
    kill 'TERM', $self->{load};
    $start = time;
    until ($self->load_has_ended)
    {
        die 'the clients do not end' if time - $start > 120;
        sleep 0.01;
    }
    close $faults;
}

sub start_load
{
    my ($self, %has) = @_;
    my @command = (
        $ENV{PROVE_LOAD}, '--directory', $self->{directory},
        '--connect', $self->{arena}{connect},
        '--clients', $self->{clients},
        '--seconds', 100_000,    # until SIGTERM
        '--seed', $self->{seed},
        '--contended', CONTENDED,
        '--mix', $self->{heat}->mix . $self->{mix},
        '--abandon', $has{client} ? 10 : 0,
        '--timeout', $has{timeout} ? 40 : 0,
        @{ $self->{switches} });
    my $pid = fork // die "fork: $!";

    if ($pid == 0)
    {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', "$self->{directory}/counts.json";
        open STDERR, '>', "$self->{directory}/load.log";
        exec @command or POSIX::_exit(127);
    }
    return $pid;
}

# Wait until one of its clients has called: before, the load could not end by SIGTERM, and the cycle would show nothing.
sub wait_for_load
{
    my ($self) = @_;
    my $start = time;

    until (grep { -s } glob "$self->{directory}/history/*")
    {
        die 'the clients ended too early' if $self->load_has_ended;
        die 'the clients do not begin' if time - $start > 120;
        sleep 0.01;
    }
}

sub load_has_ended
{
    my ($self) = @_;
    return 0 if waitpid($self->{load}, POSIX::WNOHANG()) == 0;
    die 'the clients failed: ', Files::get("$self->{directory}/load.log") if $?;
    return 1;
}

# For Fault: kill one process of clients.
sub kill_client
{
    my ($self) = @_;
    kill 'USR1', $self->{load};
}

# For Fault: write a line of faults.jsonl.  A fault that lasts is counted at its beginning.
sub note
{
    my ($self, $fault, $detail) = @_;
    $self->{faults}->print(encode_json({ at => now(CLOCK_MONOTONIC), fault => $fault, detail => $detail }), "\n");
    $self->{struck}{$fault}++ unless $detail =~ /^(?:continues|the standby is|killed while)/;
}

# ---------------------------------------------------------------- rest

# Wait until no client is connected and no hold is overdue or soon will be.  A mutant may never
# come to that state.
sub come_to_rest
{
    my ($self) = @_;
    my $primary = $self->{arena}{primary};

    $primary->wait_until_up;
    $primary->becomes($self->{database}, q{SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'load-%'}, '0')
      or die 'clients are still there';
    $primary->becomes($self->{database}, <<'END', '0', 10);
SELECT items_stock.expire_reservations(1000) + (SELECT count(*) FROM items_stock.reservations
    WHERE status = 'held' AND expires_at < clock_timestamp() + '30 s')
END
}

sub collect
{
    my ($self) = @_;
    $self->copy_out('final', %final);
    $self->{arena}->save_streams("$self->{directory}/stream");
}

# Write the results of queries in one snapshot, each to a file below $where.
sub copy_out
{
    my ($self, $where, %queries) = @_;
    my $directory = $self->{directory};

    Files::put("$directory/copy.sql", join '', "BEGIN ISOLATION LEVEL REPEATABLE READ;\n",
        (map { "\\copy ($queries{$_}) TO '$directory/$where/$_.csv' WITH (FORMAT csv, HEADER)\n" } sort keys %queries),
        "COMMIT;\n");
    $self->{arena}{primary}->load_file($self->{database}, "$directory/copy.sql");
    unlink "$directory/copy.sql";
}

# ---------------------------------------------------------------- verdicts

# Violations that the checker finds.
sub check
{
    my ($self) = @_;
    open my $checker, '-|', $ENV{PROVE_CHECK}, $self->{directory} or die "$ENV{PROVE_CHECK}: $!";
    my @lines = <$checker>;
    close $checker;
    my $status = $? >> 8;
    chomp @lines;
    my @violations = grep { /^C\d/ } @lines;
    # the checker must have read everything, and its status must agree with its output
    die "the checker failed: @lines" if $? & 127 || $status > 1 || $status != (@violations ? 1 : 0) || !@lines;
    return @violations;
}

# Problems that only the driver can see: damaged relations, alarms in server logs, findings of verify.
sub other_problems
{
    my ($self) = @_;
    my $arena = $self->{arena};
    my @problems = map { "server log: $_" } $arena->alarms;

    push @problems, 'amcheck finds damage' unless defined $arena->{primary}->ask($self->{database}, $amcheck);
    return @problems, map { $self->findings($_) } qw(verify follow_verify);
}

# What verify found at the end.
sub findings
{
    my ($self, $name) = @_;
    open my $verify, '<', "$self->{directory}/final/$name.csv" or die "$name.csv: $!";
    my (undef, @rows) = <$verify>;
    chomp @rows;
    return map { "$name: $_" } @rows;
}

# The number of operations by state.
sub states
{
    my ($self) = @_;
    my %states;
    for my $count (values %{ $self->read_json('counts.json')->{operations} })
    {
        $states{$_} += $count->{$_} for keys %$count;
    }
    return \%states;
}

# ---------------------------------------------------------------- files

sub now
{
    my ($clock) = @_;
    return int(clock_gettime($clock) * SECOND);
}

sub write_json
{
    my ($self, $name, $value) = @_;
    Files::put("$self->{directory}/$name", JSON::PP->new->canonical->encode($value) . "\n");
}

sub read_json
{
    my ($self, $name) = @_;
    return decode_json(Files::get("$self->{directory}/$name"));
}

1;
