# Tests of auditing: where an extension records the permissions that statements need, a sale
# is seen whole, cold or hot, and so is a look at an item that is sold out; and with
# inventory.direct_access off everything is a statement without one, too.
#
# An auditor of the test, audit.c, logs what each statement reads and writes; pgaudit does
# the same where it is installed; auto_explain shows all statements.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Library;
use Session;
use Shop;

my $node = Shop::server('audit', q{shared_preload_libraries = 'inventory'}, 'max_worker_processes = 0', 'log_min_messages = log');
my $shop = Shop->new($node, 'audit', { 1 => 100, 2 => 100, 3 => 0 })->attached;
my ($cold, $hot, $none) = map { Shop::item_id($_) } 1, 2, 3;
my $user = Shop::new_user();

$shop->query("SELECT inventory.heat('shop.items', '$hot')");

my $library = Library::compile('audit');
# What a call writes into the server's log: a name for each match of the pattern, and how
# often it is there.  The call is made twice in a session, because the first makes plans.
sub logged
{
    my ($settings, $call, $pattern, $name) = @_;
    my $session = Session->new($node, 'audit');

    $session->run(@$settings);
    $session->ask($call);
    my $from = -s $node->logfile;
    $session->ask($call);
    my $log = slurp_file($node->logfile, $from);
    my %lines;
    $lines{ $name->($1, $2) }++ while $log =~ /$pattern/g;
    return \%lines;
}

my %calls = (
    cold => "shop.buy_item('$user', '$cold')",
    hot => "shop.buy_item('$user', '$hot')",
    'sold out' => "shop.buy_item('$user', '$none')",
    held => "shop.reserve_stock('$user', '$hot')");

# What is written, and what else has to be seen, by each call.
my %writes = (
    cold => [ 'INSERT movements', 'INSERT orders', 'UPDATE items' ],
    hot => [ 'INSERT movements', 'INSERT orders' ],
    'sold out' => [ 'SELECT items' ],
    held => [ 'INSERT movements', 'INSERT reservations' ]);

# Are all of these there, and each write once?
sub sees
{
    my ($name, $lines, @expected) = @_;
    my @missing = grep { !$lines->{$_} } @expected;
    my @often = grep { /INSERT/ && $lines->{$_} > 1 } keys %$lines;

    is("@missing / @often", ' / ', $name) or diag(explain($lines));
}

for my $what (sort keys %calls)
{
    my $lines = logged([ "LOAD '$library'" ], $calls{$what}, qr/audit: (\w+) (\w+)/, sub { "@_" });
    sees("an auditor sees: $what", $lines, @{ $writes{$what} });
}

SKIP:
{
    skip 'pgaudit is not installed', scalar keys %calls unless -e Library::pg_config('--pkglibdir') . '/pgaudit.so';

    $node->append_conf('postgresql.conf', q{shared_preload_libraries = 'pgaudit, inventory'});
    $node->restart;
    my $settings = [ q{SET pgaudit.log = 'read, write'}, 'SET pgaudit.log_relation = on' ];
    for my $what (sort keys %calls)
    {
        my $lines = logged($settings, $calls{$what}, qr/AUDIT: SESSION,\d+,\d+,(?:READ|WRITE),(\w+),TABLE,\w+\.(\w+)/, sub { "@_" });
        sees("pgaudit sees: $what", $lines, @{ $writes{$what} });
    }
    $node->append_conf('postgresql.conf', q{shared_preload_libraries = 'inventory'});
    $node->restart;
}

# The statements of a call, by the table that each writes, or reads first.
sub statements
{
    my ($call, @settings) = @_;
    my %word = ('INSERT INTO' => 'INSERT', 'UPDATE ONLY' => 'UPDATE', 'FROM ONLY' => 'SELECT');

    return logged([ q{LOAD 'auto_explain'}, 'SET auto_explain.log_min_duration = 0', 'SET auto_explain.log_nested_statements = on', @settings ],
        $call, qr/Query Text: .*?\b(INSERT INTO|UPDATE ONLY|FROM ONLY) \w+\.(\w+)/, sub { "$word{$_[0]} $_[1]" });
}

for my $what (sort keys %calls)
{
    sees("direct_access off, statements: $what", statements($calls{$what}, 'SET inventory.direct_access = off'), @{ $writes{$what} });
}
# the same call without that: the test can tell the difference
is_deeply(statements($calls{hot}), {}, 'direct_access on: a hot sale is without a statement on these tables');
is_deeply(statements($calls{cold}), {}, 'direct_access on: so is a cold one');
is_deeply(statements($calls{'sold out'}), {}, 'direct_access on: so is a refusal');

is($shop->query("SELECT count(*) FROM inventory.verify('shop.items')"), '0', 'nothing is wrong');

$node->stop;
done_testing();
