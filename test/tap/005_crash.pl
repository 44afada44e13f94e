# What was acknowledged is there once after a crash.
#
# In the middle of a race a backend, or the postmaster, is killed with SIGKILL.  After the
# restart every order that a client was told of is there, and none that was refused; calls
# whose answer was lost are sent again with the same key, and then everything is there
# exactly once.  The same test must find that a server loses orders that acknowledges them
# before they are on disk.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Crash;
use Shop;

my $node = Shop::server('crash', 'restart_after_crash = on', 'checkpoint_timeout = 1h');

srand($ENV{SEED} || 1);

# Kill a session of the crowd: the server ends all sessions and recovers.
sub kill_backend
{
    my ($shop) = @_;
    kill 'KILL', $shop->query(<<'END');
SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'crowd'
ORDER BY state <> 'active', pid LIMIT 1
END
}

# The test finds lost orders: while the WAL writer is stopped, an asynchronous commit is
# acknowledged and exists only in memory.
{
    my $shop = Crash::shop($node)->naive;
    my $writer = $shop->query(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'});
    kill 'STOP', $writer;
    my @history = Crash::race(
        $shop,
        Crash::purchases($shop),
        ['SET synchronous_commit = off'],
        watch => sub { Crash::kill_server($node, $writer) if $_[0] == Crash::ANSWERS });
    Crash::start($node);
    my @lost = grep { /acknowledged and is not there/ } $shop->audit(\@history);
    ok(@lost > 0, 'commits that are not on disk: reported as lost');
    note(scalar(@lost) . ' orders lost');
}

for (1 .. 3)
{
    Crash::survived("a backend is killed ($_)", $node, \&kill_backend,
        sub { $node->poll_query_until('postgres', 'SELECT 1', '1') or die 'the server does not come back' });
    Crash::survived("the postmaster is killed ($_)", $node, sub { Crash::kill_server($node) }, sub { Crash::start($node) });
}

done_testing();
