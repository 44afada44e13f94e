# Tests the examples in SQL: each is loaded into a database of its own, and does what it says.
#
# Where sessions at the same time matter, there are many of them.

use strict;
use warnings FATAL => 'all';

use Cwd 'abs_path';
use File::Basename;
use Test::More;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

use Session;
use Shop;

my $examples = abs_path(dirname(__FILE__) . '/../../examples');
my $node = Shop::server('examples', q{shared_preload_libraries = 'inventory'}, 'max_worker_processes = 0');

# A database with an example, and products of that stock, numbered from 1.
sub example
{
    my ($name, @rows) = @_;

    $node->safe_psql('postgres', "CREATE DATABASE $name");
    $node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($name), '-f', "$examples/$name.sql" ],
        "$name: loads");
    $node->safe_psql($name, $_) for @rows;
    return $name;
}

# Compare the output of statements.
sub gives
{
    my ($database, $sql, $expected, $what) = @_;
    is($node->safe_psql($database, $sql), $expected, "$database: $what");
}

# Run scripts with many sessions; $count transactions each.
sub crowd
{
    my ($database, $clients, $count, @scripts) = @_;
    my $number = 0;
    my @files;

    for my $script (@scripts)
    {
        my $file = $node->basedir . "/$database." . ++$number;
        append_to_file($file, $script);
        push @files, '-f', $file;
    }
    $node->command_ok([ 'pgbench', '-n', '-c', $clients, '-j', 2, '-t', $count, '--max-tries=100', @files, '-p', $node->port, '-h', $node->host, $database ],
        "$database: $clients sessions");
}

# ---------------------------------------------------------------- waitlist

my $db = example('waitlist', q{INSERT INTO products (name, stock) VALUES ('guitar', 0)});

$node->safe_psql($db, "SELECT join_waitlist($_, 1)") for 1 .. 3;
$node->safe_psql($db, 'SELECT products_stock.restock_item(1, 2)');
gives($db, 'SELECT user_id FROM waitlist WHERE reservation_id IS NOT NULL ORDER BY 1', "1\n2", 'units go to the first in the queue');
gives($db, 'SELECT available_stock(1)', '0', 'and to no other buyer');
$node->safe_psql($db, 'SELECT release_reservation(reservation_id, 1) FROM waitlist WHERE user_id = 1');
gives($db, 'SELECT quantity FROM my_reservations(3)', '1', 'who gives up makes room for the next');
$node->safe_psql($db, 'SELECT confirm_reservation(reservation_id) FROM waitlist WHERE user_id IN (2, 3)');
gives($db, 'SELECT user_id FROM order_items ORDER BY 1', "2\n3", 'those who pay have it');

# A customer joins while a unit is on its way back.
my $returning = Session->new($node, $db);
my $joining = Session->new($node, $db, 'joining');
$returning->run('BEGIN');
$returning->value('products_stock.restock_item(1, 1)');
$joining->call('join_waitlist(4, 1)');
$node->poll_query_until($db, q{SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'joining'
    AND query LIKE '%join_waitlist%' AND (state = 'idle' OR wait_event_type = 'Lock')});
$returning->run('COMMIT');
$joining->await;
$_->quit for $returning, $joining;
gives($db, 'SELECT quantity FROM my_reservations(4)', '1', 'a customer who joins at the same moment is not overlooked');

# Customers join while units come back one by one, and other buyers try to be faster.
crowd($db, 24, 10, "\\set customer random(100, 1000000000)\nSELECT join_waitlist(:customer, 1);\n",
    "SELECT products_stock.restock_item(1, 1);\n", "SELECT status FROM try_buy_item(99, 1);\n");
gives($db, q{SELECT count(*) FROM waitlist WHERE reservation_id IS NULL AND (SELECT available_stock(1)) > 0}, '0',
    'no customer waits while there is a unit');
gives($db, q{SELECT count(*) FROM waitlist AS late JOIN waitlist AS early ON early.waitlist_id < late.waitlist_id
    WHERE early.reservation_id IS NULL AND late.reservation_id IS NOT NULL}, '0', 'no customer was passed over');
gives($db, q{SELECT * FROM inventory.verify('products')}, '', 'every unit is accounted for');

# ---------------------------------------------------------------- outbox

$db = example('outbox', q{INSERT INTO products (name, stock) SELECT 'product', 1000000 FROM generate_series(1, 50)});

# A slow transaction whose movement has a lower number than one that is read before it.
my $slow = Session->new($node, $db);
$slow->run('BEGIN');
$slow->value('buy_item(1, 1)');
gives($db, 'SELECT buy_item(2, 2)', '2', 'a later sale commits first');
my $last = $node->safe_psql($db, 'SELECT max(movement_id) FROM products_stock.movements');
gives($db, q{SELECT count(*) FROM read_events('warehouse') WHERE event->>'kind' = 'sale'}, '0', 'its event waits');
$slow->run('COMMIT');
$slow->quit;
gives($db, "SELECT count(*) FROM products_stock.movements WHERE kind = 'sale' AND movement_id > $last", '0',
    'a reader that goes by movement_id would have missed a sale');
gives($db, q{SELECT event->>'order_id' FROM read_events('warehouse') WHERE event->>'kind' = 'sale'}, "1\n2", 'both are read');
gives($db, q{SELECT count(*) FROM read_events('warehouse')}, '0', 'once');

# Sales hold their transactions open for different times, while three processes read.
my $sale = "\\set product random(1, 50)\n\\set slow random(0, 10)\nBEGIN;\nSELECT buy_item(7, :product);\n\\sleep :slow ms\nCOMMIT;\n";
my $read = q{INSERT INTO handled SELECT event_id, (event->>'movement_id')::bigint FROM read_events('warehouse', 20);} . "\n";
$node->safe_psql($db, q{CREATE TABLE handled AS SELECT event_id, (event->>'movement_id')::bigint AS movement_id FROM outbox});
crowd($db, 16, 40, $sale, $sale, $sale, $read);
$node->safe_psql($db, $read =~ s/20/1000000/r);
gives($db, 'SELECT count(*) - count(DISTINCT event_id) FROM handled', '0', 'no event is read twice');
gives($db, q{SELECT count(*) FROM products_stock.movements AS m WHERE m.kind = 'sale'
    AND NOT EXISTS (SELECT FROM handled AS h WHERE h.movement_id = m.movement_id)}, '0', 'no event is missed');

# ---------------------------------------------------------------- incoming

$db = example('incoming', q{INSERT INTO products (name, stock) VALUES ('guitar', 1)},
    q{INSERT INTO deliveries (product_id, quantity, expected_on) VALUES (1, 5, '2030-01-01')});
gives($db, 'SELECT available_stock(1)', '6', 'announced units can be sold');
crowd($db, 10, 1, "SELECT status FROM try_buy_item(1, 1);\n");
gives($db, 'SELECT count(*) FROM order_items', '6', 'no more than there are and come');
gives($db, 'SELECT * FROM backorders', '1|5', 'sold, and not there yet');
$node->safe_psql($db, 'SELECT receive_delivery(1, 4)');
gives($db, 'SELECT * FROM backorders', '1|1', 'too few have arrived');
gives($db, 'SELECT available_stock(1)', '0', 'nothing is left');
$node->safe_psql($db, q{INSERT INTO deliveries (product_id, quantity, expected_on) VALUES (1, 3, '2030-02-01');
    UPDATE deliveries SET quantity = 2});
gives($db, 'SELECT available_stock(1)', '1', 'a delivery that is changed');
isnt($node->psql($db, 'SELECT receive_delivery(1, 4)'), 0, 'incoming: a delivery arrives once');
gives($db, q{SELECT * FROM inventory.verify('products')}, '', 'every unit is accounted for');

# ---------------------------------------------------------------- seats

$db = example('seats', q{INSERT INTO seats (event_id, seat_row, number, price) SELECT 1, 'A', n, 40 FROM generate_series(1, 20) AS n});
gives($db, q{SELECT status FROM hold_seats(1, 1, 'A', '{3,4}')}, 'ok', 'two seats are held');
gives($db, q{SELECT status, gone FROM hold_seats(2, 1, 'A', '{2,3}')}, 'out_of_stock|{A3}', 'a taken seat is named');
gives($db, q{SELECT count(*) FROM hold_seats(2, 1, 'A', '{20,21}')}, '0', 'a seat that does not exist');
gives($db, 'SELECT count(*) FROM seat_plan WHERE free', '18', 'the plan');
crowd($db, 16, 10, "\\set n random(1, 18)\nSELECT * FROM hold_seats(:client_id + 10, 1, 'A', ARRAY[:n + 2, :n, :n + 1]);\n");
gives($db, q{SELECT count(*) FROM (SELECT FROM seats_stock.reservations WHERE status = 'held' GROUP BY item_id HAVING count(*) > 1) AS t},
    '0', 'no seat is held twice');
gives($db, q{SELECT DISTINCT count(*) FROM seats_stock.reservations WHERE user_id >= '10' AND status = 'held' GROUP BY reservation_id}, '3',
    'all three seats or none') if $node->safe_psql($db, q{SELECT count(*) FROM seats_stock.reservations}) > 2;
gives($db, q{SELECT * FROM inventory.verify('seats')}, '', 'every seat is accounted for');

# ---------------------------------------------------------------- nights

$db = example('nights', q{INSERT INTO room_nights (room_type, night, price, stock)
    SELECT 'double', date '2030-01-01' + n, 80, 3 FROM generate_series(0, 9) AS n});
gives($db, q{SELECT book_stay(1, 'double', '2030-01-01', '2030-01-04', 2)}, '1', 'three nights');
gives($db, q{SELECT count(*), sum(quantity), sum(price) FROM booked_nights WHERE stay_id = 1}, '3|6|480.00', 'at the price of the hotel');
gives($db, q{SELECT free_rooms('double', '2030-01-02', '2030-01-06')}, '1', 'free rooms');
gives($db, q{SELECT free_rooms('double', '2030-01-09', '2030-01-13')}, '0', 'nights that are not for sale');
crowd($db, 16, 5, "\\set a random(0, 7)\n\\set b random(1, 3)\nDO \$\$BEGIN PERFORM book_stay(:client_id, 'double', date '2030-01-01' + :a, "
      . "date '2030-01-01' + :a + :b); EXCEPTION WHEN SQLSTATE 'IV001' THEN END\$\$;\n");
gives($db, 'SELECT min(stock), max(stock) <= 3 FROM room_nights', '0|t', 'booked out, and not overbooked');
gives($db, q{SELECT count(*) FROM stays AS s WHERE NOT EXISTS (SELECT FROM booked_nights AS n WHERE n.stay_id = s.id)}, '0', 'no stay without nights');
gives($db, q{SELECT * FROM inventory.verify('room_nights')}, '', 'every night is accounted for');

# ---------------------------------------------------------------- stock at a time

$db = example('stock_at', q{INSERT INTO products (name, stock) VALUES ('guitar', 10)});
$node->safe_psql($db, q{CREATE TABLE instant (number int, at timestamptz DEFAULT clock_timestamp())});
my $number = 0;
my $note = sub { $number++; return $node->safe_psql($db, "INSERT INTO instant VALUES ($number)") };
$note->();
$node->safe_psql($db, 'SELECT buy_item(1, 1, 3)');
my $hold = $node->safe_psql($db, 'SELECT reserve_stock(1, 1, 2)');
$note->();
$node->safe_psql($db, "SELECT confirm_reservation('$hold')");
$note->();
$node->safe_psql($db, 'SELECT products_stock.refund_order(1, 1)');
gives($db, 'SELECT s.* FROM instant AS i, stock_at(1, i.at) AS s ORDER BY i.number', "10|10\n5|7\n5|5", 'before, with a hold, and after it');
gives($db, 'SELECT available, on_hand FROM stock_at(1, clock_timestamp())',
    $node->safe_psql($db, 'SELECT available, on_hand FROM products_stock.levels'), 'now, it is what levels has');
gives($db, q{SELECT kind, units FROM stock_report(1, current_date - 1, current_date + 1) ORDER BY kind},
    "hold|-2\nopening|10\nrefund|1\nrelease|2\nsale|-5", 'the report');

# ---------------------------------------------------------------- low stock

$db = example('low_stock', q{INSERT INTO products (name, stock) VALUES ('guitar', 7), ('mug', 40)});
gives($db, 'SELECT * FROM new_low_stock()', '', 'nothing is low');
$node->safe_psql($db, 'SELECT buy_item(1, 1, 2)');
gives($db, 'SELECT * FROM new_low_stock()', '1|guitar|5|5', 'an alert');
$node->safe_psql($db, 'SELECT buy_item(1, 1, 2)');
gives($db, 'SELECT * FROM new_low_stock()', '', 'once');
$node->safe_psql($db, 'SELECT products_stock.restock_item(1, 10)');
gives($db, 'SELECT * FROM new_low_stock()', '', 'there is enough again');
$node->safe_psql($db, 'SELECT buy_item(1, 1, 9)');
gives($db, 'SELECT product_id, available FROM new_low_stock()', '1|4', 'and low again');

# ---------------------------------------------------------------- checkout

$db = example('checkout', q{INSERT INTO products (name, stock) VALUES ('guitar', 1), ('mug', 9)},
    q{INSERT INTO carts (user_id) VALUES (1), (2)},
    q{INSERT INTO cart_lines VALUES (1, 1, 1), (1, 2, 2), (2, 1, 1)});

# Make the hold of a cart end as if its time had passed.
sub expire
{
    my ($cart) = @_;
    $node->safe_psql($db, "UPDATE products_stock.reservations SET expires_at = now() - interval '1 minute', created_at = now() - interval '1 hour'
        WHERE reservation_id = (SELECT reservation_id FROM carts WHERE id = $cart)");
    return;
}

gives($db, 'SELECT status FROM hold_cart(1)', 'ok', 'a cart is held');
my $first = $node->safe_psql($db, 'SELECT reservation_id FROM carts WHERE id = 1');
gives($db, 'SELECT status FROM hold_cart(1)', 'ok', 'and held still');
gives($db, 'SELECT reservation_id FROM carts WHERE id = 1', $first, 'by the same hold');
gives($db, 'SELECT status, short_lines->0->>$$item_id$$ FROM hold_cart(2)', 'out_of_stock|1', 'another cart is refused');
expire(1);
gives($db, 'SELECT status FROM hold_cart(2)', 'ok', 'a hold that has expired frees the unit');
gives($db, q{SELECT payment_received('pay-1', 1)}, 'out_of_stock', 'the first customer pays too late');
expire(2);
gives($db, q{SELECT payment_received('pay-1', 1)}, 'out_of_stock', 'the same message again, when the unit is free: the same answer');
gives($db, 'SELECT count(*) FROM order_items', '0', 'no order that is not paid');
gives($db, q{SELECT payment_received('pay-2', 2)}, 'ok', 'a late payment, and the unit is still there');
gives($db, q{SELECT payment_received('pay-2', 2)}, 'ok', 'the same message again');
gives($db, q{SELECT payment_received('pay-3', 2)}, 'paid_already', 'a second payment');
gives($db, 'SELECT user_id, product_id, quantity FROM order_items', '2|1|1', 'one order');
$node->safe_psql($db, 'INSERT INTO carts (user_id) VALUES (3); INSERT INTO cart_lines VALUES (3, 2, 1); SELECT hold_cart(3)');
crowd($db, 8, 1, "SELECT payment_received('pay-4', 3);\n");
gives($db, 'SELECT count(*) FROM order_items WHERE user_id = 3', '1', 'the message of a payment in time, eight times at once');
gives($db, q{SELECT * FROM inventory.verify('products')}, '', 'every unit is accounted for');

# ---------------------------------------------------------------- migrations, archiving, tests

$db = example('migrations');
gives($db, 'SELECT quantity_in_stock FROM products', '5000000000', 'the last migration');
gives($db, 'SELECT count(*), count(unit_price) FROM lines', '3|3', 'every sale went through, with its price');
gives($db, q{SELECT * FROM inventory.verify('products')}, '', 'every unit is accounted for');
$node->safe_psql($db, q{SELECT inventory.detach('products')});
gives($db, 'SELECT count(*) FROM products_stock.movements WHERE kind = $$sale$$', '3', 'the way down keeps the ledger');

$db = example('archiving', q{INSERT INTO products (name, stock) VALUES ('guitar', 9)},
    q{INSERT INTO orders (user_id, created_at) SELECT n, now() - interval '3 years' FROM generate_series(1, 3) AS n},
    q{INSERT INTO order_items (order_id, product_id, quantity) SELECT id, 1, 2 FROM orders},
    q{UPDATE orders SET status = CASE id WHEN 1 THEN 'shipped' WHEN 2 THEN 'cancelled' ELSE 'paid' END});
gives($db, 'SELECT stock FROM products', '5', 'one order shipped, one cancelled, one paid');
gives($db, q{SELECT archive_orders(now() - interval '1 year')}, '1', 'the one that is over is moved');
gives($db, 'SELECT stock, (SELECT count(*) FROM order_items), (SELECT count(*) FROM old_order_items) FROM products', '5|2|1', 'and no stock moves');
gives($db, q{SELECT * FROM inventory.verify('products')}, '', 'every unit is accounted for');
$node->safe_psql($db, q{SELECT products_stock.close_ledger(now()); SELECT products_stock.prune('1 second')});
gives($db, q{SELECT * FROM inventory.verify('products')}, '', 'also with the ledger closed');

$node->safe_psql('template1', 'CREATE EXTENSION inventory');
$db = example('testing');
gives($db, 'SELECT stock, (SELECT count(*) FROM order_items) FROM products', '0|1', 'a key of an earlier test is forgotten');

done_testing();
