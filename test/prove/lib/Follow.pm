# The store whose stock follows its orders: its items, and what is read of it at the end.

package Follow;

use strict;
use warnings FATAL => 'all';

use constant {
    ITEMS => 12,
    SHARE => 30    # how many percent of the operations of a cycle work in it
};

# Queries for its final state, by file.
sub final
{
    return (
        follow_goods => 'SELECT * FROM follow.goods ORDER BY id',
        follow_orders => 'SELECT * FROM follow.orders ORDER BY id',
        follow_lines => 'SELECT * FROM follow.lines ORDER BY id',
        follow_movements => 'SELECT * FROM goods_stock.movements ORDER BY movement_id',
        follow_hot => 'SELECT * FROM goods_stock.hot ORDER BY item_id',
        follow_levels => 'SELECT * FROM goods_stock.levels ORDER BY item_id',
        follow_verify => q{SELECT * FROM inventory.verify('follow.goods')});
}

# Items: some have a safety stock, some take backorders, some have a purchase limit.
sub make_items
{
    return map {
        {
            id => $_,
            stock => 20 + int rand 40,
            floor => $_ % 7 == 3 ? 5 : $_ % 7 == 4 ? -10 : 0,
            limit => $_ % 5 == 2 ? 12 : undef
        }
    } 1 .. ITEMS;
}

1;
