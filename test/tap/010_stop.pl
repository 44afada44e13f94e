# What was acknowledged is there once after a stop, and after a recovery that was killed.
#
# A race is ended by an immediate stop, by a fast stop, and by a crash after which the
# recovery is killed repeatedly, each time after more pages of the WAL.  The same auditor
# must find half a sale of a store that sells in two transactions.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Crash;
use Faults;
use Session;
use Shop;
use Waiting;

my $faults = Faults->new;
my $node = Shop::server('stop', 'checkpoint_timeout = 1h');

srand($ENV{SEED} || 1);

# The auditor finds half a sale: the stock is taken, and the order is not committed.
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

# The recovery is killed when it has read a number of pages of the WAL.
{
    my $killed = 0;

    Crash::survived(
        'the recovery is killed',
        $node,
        sub { Crash::kill_server($node) },
        sub {
            for (my $pages = 1;; $pages *= 4)
            {
                my $started;
                $faults->set(pages => $pages);
                # the start also fails while an old backend has the shared memory
                Waiting::wait_until(sub { ($started = $node->start(fail_ok => 1)) || $faults->get('pages') == 0 });
                last if $started;
                $killed++;
            }
            $faults->set(pages => 0);
        });
    cmp_ok($killed, '>', 3, "the recovery was killed $killed times");
    my $log = slurp_file($node->logfile);
    my $aborted = () = $log =~ /startup process .* was terminated by signal 9/g;
    is($aborted, $killed, 'no other process ended the recovery');
}

done_testing();
