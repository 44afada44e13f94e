# Tests that an error reports the file and line of the code that raises it.
#
# The server's verbose log and psql's \errverbose show them.  All errors are worded in
# base/error.c, which must not be the location that they report.

use strict;
use warnings FATAL => 'all';

use Test::More;

use Shop;

my $node = Shop::server('error_location');
my $shop = Shop->new($node, 'error_location', { 1 => 1 })->attached;
my ($item, $user) = (Shop::item_id(1), Shop::new_user());

# Where a call was refused: function and file.
sub location
{
    my ($call) = @_;
    my (undef, undef, $errors) = $node->psql('error_location', "\\set VERBOSITY verbose\nSELECT $call;");

    return $errors =~ /^LOCATION:  (\w+), (\w+\.c):\d+$/m ? "$1, $2" : $errors;
}

is(location("shop.buy_item('$user', '$item', 2)"), 'refuse, refusal.c', 'a refusal of stock');
is(location("items_stock.refund_order('$user')"), 'inv_check_sold, sold.c', 'a refusal of a refund');
is(location("shop.extend_reservation('$user')"), 'inv_hold_find_id, hold.c', 'a reservation that does not exist');
is(location("shop.buy_item('$user', '$item', 0)"), 'inv_getarg_quantity, argument.c', 'a bad argument');
is(location(q{inventory.cool('shop.items', gen_random_uuid())}), 'inv_check_stock_row, locked_row.c', 'an unknown item of an administrator');

done_testing();
