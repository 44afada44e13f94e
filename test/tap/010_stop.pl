# Whatever way the server goes down, what was acknowledged is there afterwards, once.
#
# A race is ended by an immediate stop, by a fast stop, and by a crash after which
# the recovery is killed too, again and again, at pages of the WAL further and
# further on.  A store that sells in two transactions must be caught with half a
# sale by the same auditor.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Crash;
use Faults;
use Session;
use Shop;

my $faults = Faults->new;
my $node = Shop::server('stop', 'checkpoint_timeout = 1h');

srand($ENV{SEED} || 1);

# The auditor can tell: the stock is taken, and the order is not yet there.
{
    my $shop = Shop->new($node, 'halves', { 1 => 10 });
    my $call = $shop->buy(1, 1);
    my $session = Session->new($node, 'halves');

    $session->run('UPDATE shop.items SET stock = stock - 1');
    $session->run('BEGIN');
    $session->run("INSERT INTO shop.orders (user_id, item_id) VALUES ('$call->{user}', '$call->{lines}[0][0]')");
    $session->value('1');
    $node->stop('immediate');
    $node->start;
    is_deeply([ $shop->audit([ { %$call, state => 'lost' } ]) ],
        ['item 1: 0 sold, 1 taken from stock'], 'a sale in two transactions: reported as half');
    $session->quit;
}

for my $mode ('immediate', 'fast')
{
    Crash::survived("$mode stop", $node, sub { $node->stop($mode) }, sub { $node->start });
}

# The recovery is killed when it has read so many pages of the WAL.
{
    my $killed = 0;

    Crash::survived(
        'killed while it recovers',
        $node,
        sub { Crash::kill_server($node) },
        sub {
            for (my $pages = 1;; $pages *= 4)
            {
                my $started;
                $faults->set(pages => $pages);
                # refused for another reason, as long as an old backend has the shared memory
                Crash::wait_until(sub { ($started = $node->start(fail_ok => 1)) || $faults->get('pages') == 0 });
                last if $started;
                $killed++;
            }
            $faults->set(pages => 0);
        });
    cmp_ok($killed, '>', 3, "the recovery was killed $killed times");
    my $log = slurp_file($node->logfile);
    my $aborted = () = $log =~ /startup process .* was terminated by signal 9/g;
    is($aborted, $killed, 'by that, and by nothing else');
}

done_testing();
