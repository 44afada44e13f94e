# Waiting until something is true, in particular until sessions wait for a lock.

package Waiting;

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Time::HiRes 'usleep';

# Wait until a function returns true.
sub wait_until
{
    my ($condition) = @_;
    my $deadline = time + $PostgreSQL::Test::Utils::timeout_default;

    until ($condition->())
    {
        die 'waited too long' if time > $deadline;
        usleep(20_000);
    }
}

# Wait until $count sessions of a shop's database wait for a lock; $condition can restrict which.
sub for_locks
{
    my ($shop, $count, $condition) = @_;
    $condition = $condition ? "AND $condition" : '';
    $shop->{node}->poll_query_until($shop->{database}, <<"END") or die "not $count sessions wait for a lock";
SELECT count(*) = $count FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock' $condition
END
}

# Wait until the commit of a session waits for a standby; the pid of the session.
sub for_commit
{
    my ($node) = @_;
    my $waiting = q{FROM pg_stat_activity WHERE wait_event = 'SyncRep'};

    $node->poll_query_until('postgres', "SELECT count(*) = 1 $waiting") or die 'no commit waits for the standby';
    return $node->safe_psql('postgres', "SELECT pid $waiting");
}

1;
