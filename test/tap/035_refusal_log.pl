# Tests of inventory.log_refusals: off, refusals are not in the server's log, in any format and
# with their statements, while the client gets them; every other error is there as before,
# also one that another function raises with the name and the code of a refusal.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use Test::More;

use Library;
use Session;
use Shop;

my @formats = ('stderr', 'csvlog', 'jsonlog');
my $node = Shop::server('refusal_log', 'logging_collector = on', q{log_filename = 'server.log'},
    'log_destination = ' . "'" . join(', ', @formats) . "'", 'log_rotation_age = 0', 'log_rotation_size = 0', 'log_statement = none');
my $shop = Shop->new($node, 'refusal_log', { 1 => 1 })->attached;
my ($item, $user, $none) = (Shop::item_id(1), Shop::new_user(), Shop::new_user());
my $directory = $node->data_dir . '/log';
my $marks = 0;

$shop->query(<<'END');
CREATE FUNCTION public.raises(message text, code text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '%', message USING ERRCODE = code, DETAIL = 'raises'; END $$;
CREATE FUNCTION public.raises_again(call text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN EXECUTE call; EXCEPTION WHEN OTHERS THEN RAISE; END $$;
CREATE FUNCTION public.replaces(call text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN EXECUTE call; EXCEPTION WHEN OTHERS THEN RAISE EXCEPTION '%', sqlerrm USING ERRCODE = sqlstate; END $$;
CREATE FUNCTION public.swallows(call text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN EXECUTE call; RETURN 'no error'; EXCEPTION WHEN OTHERS THEN RETURN sqlerrm; END $$;
END

# What a session's statement writes into each of the logs, and what the client gets.  A last error
# of another name shows when all of it is there: the collector writes in the order of the messages.
sub logged
{
    my ($settings, $statement) = @_;
    my %from = map { $_ => -s "$directory/server.$_" } qw(log csv json);
    my $mark = 'mark_' . ++$marks;
    my (undef, $out, $err) = $node->psql('refusal_log', join(";\n", @$settings, $statement), on_error_stop => 0);
    my %logs;

    my @marked = $node->psql('refusal_log', "SELECT $mark");
    for my $kind (sort keys %from)
    {
        for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
        {
            last if slurp_file("$directory/server.$kind", $from{$kind}) =~ /^(.*?)^[^\n]*column [\\"]+$mark[^\n]*\n/ms;
            select undef, undef, undef, 0.1;
        }
        slurp_file("$directory/server.$kind", $from{$kind}) =~ /^(.*?)^[^\n]*column [\\"]+$mark/ms or die "$kind: no $mark";
        $logs{$kind} = $1;
    }
    return ($out . $err, \%logs);
}

# The client gets the error, and the logs have it, with its statement, or nothing at all.
sub check
{
    my ($name, $settings, $statement, $error, $is_logged) = @_;
    my ($answer, $logs) = logged($settings, $statement);

    like($answer, $error, "$name: the client gets it");
    for my $kind (sort keys %$logs)
    {
        if ($is_logged)
        {
            like($logs->{$kind}, $error, "$name: it is in the $kind");
            like($logs->{$kind}, qr/\Q$is_logged\E/, "$name: so is the statement");
        }
        else
        {
            is($logs->{$kind}, '', "$name: the $kind has nothing of it");
        }
    }
    return;
}

my @on = ('SET inventory.log_refusals = on');
my @off = ('SET inventory.log_refusals = off');
my $buy = "shop.buy_item('$user', '$item', 2)";

check('by default', [], "SELECT $buy", qr/out_of_stock/, 'shop.buy_item');
check('on', \@on, "SELECT $buy", qr/out_of_stock/, 'shop.buy_item');
check('off', \@off, "SELECT $buy", qr/ERROR:  out_of_stock\nDETAIL:  Item .* 2 asked for, 1 available/, 0);
check('off, HTTP', [ @off, 'SET inventory.http_errors = on' ], "SELECT $buy", qr/out_of_stock/, 0);
check('off, an unknown item', \@off, "SELECT shop.buy_item('$user', '$none')", qr/item_not_found/, 0);
check('off, a cart', \@off, qq{SELECT * FROM shop.buy_cart('$user', '[{"item_id": "$item", "quantity": 2}]')}, qr/out_of_stock/, 0);
check('off, a refund', \@off, "SELECT items_stock.refund_order('$user')", qr/order_not_found/, 0);
check('off, a hold', \@off, "SELECT shop.extend_reservation('$user')", qr/reservation_not_found/, 0);

# it is not a refusal of what the caller asked for
check('off, bad input', \@off, "SELECT shop.buy_item('$user', '$item', 0)", qr/quantity must be at least 1/, 'shop.buy_item');
check('off, no store', \@off, q{SELECT inventory.verify('shop.orders')}, qr/not_a_store/, 'inventory.verify');
check('off, a direct write', \@off, 'UPDATE shop.items SET id = gen_random_uuid()', qr/direct_write_refused/, 'UPDATE');

# errors of others
for my $code ('IV001', 'PT409', 'P0001')
{
    check("off, another's error $code", \@off, "SELECT raises('out_of_stock', '$code')", qr/out_of_stock/, 'raises(');
}
check('off, caught and raised again', \@off, sprintf(q{SELECT raises_again($$SELECT %s$$)}, $buy), qr/out_of_stock/, 0);
check('off, caught and replaced', \@off, sprintf(q{SELECT replaces($$SELECT %s$$)}, $buy), qr/out_of_stock/, 'replaces(');
check('on, caught', \@on, sprintf(q{SELECT 'got ' || swallows($$SELECT %s$$)}, $buy), qr/got out_of_stock/, 0);
check("off, another's error after a refusal was caught", \@off,
    sprintf(q{SELECT swallows($$SELECT %s$$), raises('purchase_limit_exceeded', 'IV010')}, $buy), qr/purchase_limit_exceeded/, 'raises(');

# the settings of the log hold as before
check('on, no statements', [ @on, 'SET log_min_error_statement = panic' ], "SELECT $buy", qr/out_of_stock/, 'out_of_stock');
check('on, only what is fatal', [ @on, 'SET log_min_messages = fatal' ], "SELECT $buy", qr/out_of_stock/, 0);

# only a superuser may hide refusals, or let a role hide them
$shop->query('CREATE ROLE buyer LOGIN', "SELECT inventory.grant_api('shop.items', 'buyer', 'buyer')");
my (undef, undef, $denied) = $node->psql('refusal_log', "SELECT shop.available_stock('$item');\nSET inventory.log_refusals = off",
    extra_params => [ '-U', 'buyer' ]);
like($denied, qr/permission denied/, 'a buyer may not hide refusals');
$shop->query('ALTER ROLE buyer SET inventory.log_refusals = off');
check('off at the login of the role, which this is not', ['SET SESSION AUTHORIZATION buyer'], "SELECT $buy", qr/out_of_stock/, 'shop.buy_item');
my ($answer, $logs) = logged([], "\\connect - buyer\nSELECT $buy");
like($answer, qr/out_of_stock/, 'off for the login role: the client gets it');
is($logs->{log}, '', 'off for the login role: it is not logged');

# hooks of others see every error, loaded before and after the library
my $hook = Library::compile('log_hook');
my $inventory = "LOAD 'inventory'";
for my $load ([ "LOAD '$hook'", $inventory ], [ $inventory, "LOAD '$hook'" ])
{
    my ($answer, $logs) = logged([ @$load, @off ], "SELECT $buy;\nSELECT nothing");
    my @seen = $logs->{log} =~ /^hook: (.*)$/mg;
    is_deeply(\@seen, [ 'out_of_stock', 'column "nothing" does not exist' ], "@$load: the other hook sees both errors");
    unlike($logs->{log}, qr/ERROR:  out_of_stock/, 'and the refusal is not logged');
    like($logs->{log}, qr/ERROR:  column "nothing" does not exist/, 'the other error is');
}

done_testing();
