# What a standby answers is what it has replayed, no more and no less.
#
# available_stock, available_stocks and levels are exact in each snapshot of a standby,
# of hot items, too, while the primary sells and settles; the stock column of a hot item is
# not, which the same check must find.  How old an answer is depends only on how far the
# standby has replayed.  Functions that write are refused.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Crowd;
use Hot;
use Session;
use Shop;
use Waiting;

use constant UNITS => 1000;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', join "\n", @Hot::SETTINGS, 'max_connections = 60', '');
$primary->start;
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

# item 1 is cold, item 2 is hot
my $shop = Shop->new($primary, 'shop', { 1 => UNITS, 2 => UNITS })->attached;
Hot::heat($shop, [2]);
my $reader = Session->new($standby, 'shop');
my @item = map { Shop::item_id($_) } 0 .. 2;

# Every way to ask what is available of an item.
sub ways
{
    my ($number) = @_;
    return (
        'available_stock'  => "shop.available_stock('$item[$number]')",
        'available_stocks' => "(SELECT available FROM shop.available_stocks('{$item[$number]}'))",
        'levels'           => "(SELECT available FROM items_stock.levels WHERE item_id = '$item[$number]')");
}

# The answers of a node, by each way, of both items; one number for each item if all ways agree.
sub answers
{
    my ($session) = @_;
    my @answers;

    for my $number (1, 2)
    {
        my %way = ways($number);
        my %answer = map { $session->value($_) => 1 } values %way;
        push @answers, join ' or ', sort keys %answer;
    }
    return join ', ', @answers;
}

# Let the primary have so many workers.
sub set_workers
{
    my ($count) = @_;

    $primary->append_conf('postgresql.conf', "inventory.max_workers = $count");
    $primary->reload;
    return if $count;
    $primary->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'inventory worker'})
      or die 'the worker did not end';
}

# ---------------------------------------------------------------- paused and resumed

# Has the standby replayed what is on the primary?
sub lag
{
    return $standby->safe_psql('postgres',
        q{SELECT '} . $primary->lsn('insert') . q{' - pg_last_wal_replay_lsn()}) > 0 ? 'behind' : 'current';
}

$shop->query('SELECT ' . $shop->buy($_, 100)->{call}) for 1, 2;
$primary->wait_for_catchup($standby);
is(answers($reader), '900, 900', 'replayed: both items');

$standby->safe_psql('postgres', 'SELECT pg_wal_replay_pause()');
$standby->poll_query_until('postgres', q{SELECT pg_get_wal_replay_pause_state() = 'paused'}) or die 'replay did not pause';
my $user = Shop::new_user();
$shop->query('SELECT ' . $shop->buy($_, 10)->{call}, "SELECT shop.reserve_stock('$user', '$item[$_]', 5, '1 h')") for 1, 2;
my $direct = Session->new($primary, 'shop');
is(answers($direct), '885, 885', 'paused: the primary has sold more');
is(answers($reader), '900, 900', 'paused: the standby answers as before');
is(lag(), 'behind', 'paused: the replay lag shows it');
# settling moves the sales of the hot item into its row, and changes no answer
$shop->query(q{SELECT inventory.settle('shop.items')});
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_resume()');
$primary->wait_for_catchup($standby);
is(answers($reader), '885, 885', 'resumed: the standby answers as the primary');
is($standby->safe_psql('shop', q{SELECT available, reserved, on_hand FROM items_stock.levels ORDER BY item_id}), "885|5|890\n885|5|890",
    'resumed: what is held');

# a hold ends by the clock, without anything to replay: on the primary no worker expires it
set_workers(0);
$shop->query(map { "SELECT shop.reserve_stock('$user', '$item[$_]', 85, '2 s')" } 1, 2);
$primary->wait_for_catchup($standby);
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_pause()');
$standby->poll_query_until('postgres', q{SELECT pg_get_wal_replay_pause_state() = 'paused'}) or die 'replay did not pause';
Waiting::wait_until(sub { answers($reader) eq '885, 885' });
pass('an expired hold: its units are available while replay is paused');
is($standby->safe_psql('shop', q{SELECT count(*) FROM items_stock.reservations WHERE status = 'held' AND expires_at < now()}), '2',
    'an expired hold: its row has not been replayed yet');
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_resume()');
set_workers(2);
# so that the row of the cold item has these units, too
$shop->query('SELECT items_stock.expire_reservations()');
$primary->wait_for_catchup($standby);

# ---------------------------------------------------------------- while the primary sells

# What is wrong in one snapshot of the standby: $available is the expression of what is available of an item.
sub differs
{
    my ($number, $available) = @_;
    return $reader->value(
        "(SELECT $available + coalesce(sum(quantity), 0) - $shop->{expected} FROM shop.orders WHERE item_id = '$item[$number]')");
}

# units that are held now
$shop->{expected} = UNITS - 5;
my (%wrong, $checks);
my $settling = Session->new($primary, 'shop');
my $crowd = Crowd->new($primary, 'shop', 8);
my @history = $crowd->race([ map { [ map { $shop->buy($_, 1) } (1, 2) x 25 ] } 1 .. 8 ], watch => sub {
    my ($answers) = @_;
    $settling->value(q{inventory.settle('shop.items')}) if $answers % 20 == 0;
    return if $answers % 4;
    ++$checks;
    for my $number (1, 2)
    {
        my %way = (ways($number), 'column' => "(SELECT stock FROM shop.items WHERE id = '$item[$number]')");
        ++$wrong{"$_ of $number"} for grep { differs($number, $way{$_}) } keys %way;
    }
});
$crowd->quit;
cmp_ok($checks, '>=', 100, 'selling: the standby was asked');
cmp_ok($wrong{'column of 2'} || 0, '>', 0, 'selling: the stock column of the hot item lags, and the check finds it');
delete $wrong{'column of 2'};
is_deeply(\%wrong, {}, 'selling: every other answer is exact in its snapshot');
is((grep { $_->{state} ne '00000' } @history), 0, 'selling: every unit is sold');

$primary->wait_for_catchup($standby);
is(answers($reader), answers($direct), 'sold: the standby answers as the primary');
is($reader->value(q{(SELECT count(*) FROM inventory.verify('shop.items'))}), '0', 'sold: verify on the standby');

# ---------------------------------------------------------------- what writes

for my $number (1, 2)
{
    my $kind = $number == 1 ? 'cold' : 'hot';
    is($reader->ask($shop->buy($number, 1)->{call})->[0], '25006', "$kind: a purchase on the standby");
    is($reader->ask("shop.reserve_stock('$user', '$item[$number]')")->[0], '25006', "$kind: a hold on the standby");
    is($reader->ask("items_stock.restock_item('$item[$number]', 1)")->[0], '25006', "$kind: a restock on the standby");
}
is(answers($reader), answers($direct), 'refused calls change nothing');
is_deeply([ Hot::problems($shop) ], [], 'no problems');
$_->quit for $reader, $direct, $settling;

done_testing();
