# A shop on four databases with a router in PL/Proxy, for each type of key.
#
# The nodes are databases of one server.  The same calls must answer as on one database, with the
# same SQLSTATE; a cart over several nodes is sold as a whole or not at all, wherever it stops; and
# the roles may do nothing beside what they need.  tools/scale has the nodes on servers of their own
# and kills them.

use strict;
use warnings FATAL => 'all';

use Cwd 'abs_path';
use File::Basename;
use Test::More;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

use Session;
use Shop;

my $scale = abs_path(dirname(__FILE__) . '/../../scale/plproxy');
my $node = Shop::server('scale', q{shared_preload_libraries = 'inventory'}, 'max_worker_processes = 0');

plan skip_all => 'no PL/Proxy for this PostgreSQL'
  unless $node->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'plproxy'});

$node->safe_psql('postgres', 'CREATE ROLE "the Router" LOGIN; CREATE ROLE shop_owner; CREATE ROLE buyer; CREATE ROLE operator; CREATE ROLE nobody_else');

# The stores that are divided: the types of items, users and orders, items of each node, and names to be quoted.
my %shops = (
    bigint => { item => 'bigint', user => 'text', order => q{bigint GENERATED ALWAYS AS IDENTITY (START %d INCREMENT 4)}, schema => 'scale', items => 'items',
        keys => [ 4, 1, 2, 3, 8 ], ann => 'ann' },
    uuid => { item => 'uuid', user => 'uuid', order => 'uuid DEFAULT gen_random_uuid()', schema => 'scale_2', items => 'The Items',
        keys => [], ann => '11111111-1111-4111-8111-111111111111' },
    text => { item => 'text', key => 'text COLLATE shop.ci', user => 'bigint', order => 'uuid DEFAULT gen_random_uuid()', schema => 'scale', items => 'items', keys => [], ann => 7 });

my ($router, $shop);

# Run psql with a file.
sub load
{
    my ($database, $file, $what, @variables) = @_;
    $node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', map({ ('-v', $_) } @variables), '-d', $node->connstr($database), '-f', $file ], $what);
}

# What a statement returns on the router, as a buyer: the rows, or the SQLSTATE of the error.
sub told
{
    my ($sql, $role) = @_;
    my ($out, $err);
    my $status = $node->psql($router, 'SET ROLE ' . ($role // 'buyer') . ";\n\\set VERBOSITY verbose\n$sql", stdout => \$out, stderr => \$err);
    return $status ? $err =~ /ERROR:  (\w{5}):/ ? $1 : $err : $out;
}

# The error of a statement on the router, as a buyer: SQLSTATE, message, DETAIL and hint.
sub complaint
{
    my ($sql) = @_;
    my $err;
    $node->psql($router, "SET ROLE buyer;\n\\set VERBOSITY verbose\n$sql", stderr => \$err);
    return join("\n", $err =~ /^(?:psql\S* )?((?:ERROR|DETAIL|HINT): .*)$/mg);
}

# What a statement returns on the router, as the owner of its functions.
sub as_owner
{
    my ($sql) = @_;
    return $node->safe_psql($router, qq{SET ROLE "the Router"; $sql});
}

# A value of one of the nodes, or the sum over all of them.
sub all_nodes
{
    my ($sql) = @_;
    my $sum = 0;
    $sum += $node->safe_psql("$shop->{name}_$_", $sql) for 0 .. 3;
    return $sum;
}

# The first 32 bits of the MD5 of a key: its route, computed without the database.
sub route
{
    my ($key) = @_;
    require Digest::MD5;
    return hex(substr(Digest::MD5::md5_hex($key), 0, 8)) & 3;
}

# Keys so that item $i is on node $i, and item 4 on node 0.
sub make_keys
{
    my $tried = 0;
    for my $number (0, 1, 2, 3, 0)
    {
        my $key;
        do
        {
            $tried++;
            $key = $shop->{item} eq 'uuid' ? sprintf('%08x-0000-4000-8000-000000000000', $tried) : "it'em \"$tried\"";
        } until route($key) == $number;
        push @{$shop->{keys}}, $key;
    }
}

sub make_nodes
{
    my $schema = quoted($shop->{schema});
    my $items = 'shop.' . quoted($shop->{items});

    for my $number (0 .. 3)
    {
        my $database = "$shop->{name}_$number";
        my @mine = grep { ($_ & 3) == $number } 0 .. 4;
        (my $order = $shop->{order}) =~ s/%d/$number + 1/e;
        $node->safe_psql('postgres', "CREATE DATABASE $database OWNER shop_owner");
        $node->safe_psql($database, 'CREATE EXTENSION inventory; SET ROLE shop_owner; CREATE SCHEMA shop; CREATE SCHEMA "Api";'
              . q{CREATE COLLATION shop.ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);}
              . 'ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO nobody_else; ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO nobody_else; ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO nobody_else;'
              . "CREATE TABLE $items (id @{[ $shop->{key} // $shop->{item} ]} PRIMARY KEY, stock int NOT NULL, purchase_limit int);"
              . "CREATE TABLE shop.orders (id $order PRIMARY KEY, user_id $shop->{user}, item_id $shop->{item},"
              . ' quantity int NOT NULL CHECK (quantity <> 13), call text);'
              . join('', map { "INSERT INTO $items VALUES (" . literal($shop->{keys}[$_]) . ', 10, ' . ($_ == 3 ? 3 : 'NULL') . ');' } @mine)
              . "SELECT inventory.attach('$items', 'shop.orders', order_columns => '{call}', ledger_schema => 'shop_stock', api_schema => 'Api')");
        load($database, "$scale/node.sql", "$shop->{name}: node $number", "items=$items", 'router=the Router', "schema=$shop->{schema}");
    }
    # what an earlier node.sql has made, and this one replaces
    $node->safe_psql("$shop->{name}_3", 'SET ROLE shop_owner; ' . "DROP FUNCTION $schema.confirm_cart; CREATE FUNCTION $schema.stock_of(item_id point, OUT code text) LANGUAGE sql AS 'SELECT NULL'; GRANT CREATE, USAGE ON SCHEMA \"Api\" TO nobody_else;"
          . "CREATE FUNCTION $schema.confirm_cart(cart_id uuid, attempt uuid, held boolean, digest text, nodes integer[], node_data jsonb[], begun timestamptz,"
          . "user_id $shop->{user}, lines jsonb, data jsonb, OUT code text, OUT state text) LANGUAGE sql AS 'SELECT NULL, NULL';"
          . join('', map { "CREATE FUNCTION $schema.$_(nodes integer[]) RETURNS SETOF record LANGUAGE sql AS 'SELECT 1, 2';" } 'reserve_parts', 'finish_parts')
          . 'RESET ROLE; SET ROLE nobody_else;' . join('', map { "CREATE FUNCTION \"Api\".$_(point) RETURNS int LANGUAGE sql AS 'SELECT 1';" } 'buy_item', 'available_stock'));
    load("$shop->{name}_3", "$scale/node.sql", "$shop->{name}: again", "items=$items", 'router=the Router', "schema=$shop->{schema}");
    is($node->safe_psql("$shop->{name}_3", "SELECT string_agg(proname || ' ' || prorettype::regtype, ', ' ORDER BY proname) FROM pg_proc WHERE pronamespace = '$schema'::regnamespace AND proname ~ '^(confirm_cart|reserve_part|finish_part|stock_of)'"),
        'confirm_cart text, finish_part text, reserve_part text, stock_of record', "$shop->{name}: nothing is left of an earlier one");
    $router = "$shop->{name}_router";
    $node->safe_psql('postgres', "CREATE DATABASE $router");
    $node->safe_psql($router, join(';', map { "ALTER DEFAULT PRIVILEGES GRANT $_ TO nobody_else" } 'EXECUTE ON FUNCTIONS', 'SELECT ON TABLES', 'USAGE ON SCHEMAS'));
    my $file = $node->basedir . "/$router.sql";
    my @nodes = map { $node->connstr("$shop->{name}_$_") } 0 .. 3;
    my ($out, $err) = run_command([ "$scale/router", '--router', 'the Router', '--buyer', 'buyer', '--operator', 'operator', '--schema', $shop->{schema},
            '--cluster', 'shop_4', @nodes ]);
    is($err, '', "$shop->{name}: the router's SQL is generated");
    append_to_file($file, $out);
    load($router, $file, "$shop->{name}: router") for 1, 2;
}

sub quoted { my ($name) = @_; $name =~ s/"/""/g; return qq{"$name"}; }
sub literal { my ($value) = @_; $value =~ s/'/''/g; return "'$value'"; }

# A cart of items with quantities, as JSON.
sub cart
{
    my @lines = @_;
    return literal('[' . join(', ', map { my ($item, $quantity) = @$_; (my $key = $shop->{keys}[$item]) =~ s/"/\\"/g;
                qq({"item_id": "$key", "quantity": $quantity}) } @lines) . ']');
}

for my $name (sort keys %shops)
{
    $shop = $shops{$name};
    $shop->{name} = $name;
    make_keys() unless @{$shop->{keys}};
    make_nodes();
    my @item = map { literal($_) } @{$shop->{keys}};
    my $ann = literal($shop->{ann});
    my $s = quoted($shop->{schema});
    my $stock = 'SELECT coalesce(sum(stock), 0) FROM shop.' . quoted($shop->{items});

    # ------------------------------------------------------------ one item

    is(told(qq{SELECT "Api".node_of($item[$_])}), $_ & 3, "$name: the route of item $_ is as computed outside") for 0 .. 4;
    my $order = told(qq{SELECT "Api".buy_item($ann, $item[1], 2, 'k', '{"call": "c"}')});
    is(told(qq{SELECT "Api".buy_item($ann, $item[1], 2, 'k', '{"call": "c"}')}), $order, "$name: a key is the same order");
    is($node->safe_psql("${name}_1", "SELECT id, quantity, call FROM shop.orders"), "$order|2|c", "$name: the order is on its node");
    is(told(qq{SELECT "Api".buy_item($ann, $item[1], 3, 'k')}), 'IV009', "$name: the key with other arguments");
    is(told(qq{SELECT "Api".buy_item($ann, $item[2], 11)}), 'IV001', "$name: out of stock");
    is(told(qq{SELECT "Api".buy_item($ann, $item[3], 4)}), 'IV010', "$name: over the limit");
    is(told(qq{SELECT "Api".buy_item($ann, $item[3], 0)}), '22023', "$name: bad input");
    like(complaint(qq{SELECT "Api".buy_item($ann, $item[2], 11)}), qr/IV001: out_of_stock\nDETAIL:.*: 11 asked for, 10 available\.\nHINT:  Ask for less/, "$name: with the hint of one server");
    like(complaint(qq{SELECT "Api".buy_item($ann, $item[3], 4)}), qr/: 4 asked for, more than is left of the limit\.\nHINT:  Ask for no more than/, "$name: also of a limit");
    is(told(qq{SELECT status, available FROM "Api".try_buy_item($ann, $item[2], 11)}), 'out_of_stock|10', "$name: a refusal as a status");
    is(told(qq{SELECT sum(available) FROM "Api".available_stocks(ARRAY[$item[0], $item[1], $item[2]]::$shop->{item}\[])}), 28, "$name: stocks of several nodes");
    is(told(qq{SELECT "Api".available_stock($item[1])}), 8, "$name: stock of one");

    my $hold = told(qq{SELECT "Api".reserve_stock($ann, $item[2], 2, '1 hour', 'hold')});
    is(told(qq{SELECT "Api".reserve_stock($ann, $item[2], 2, '1 hour', 'hold')}), $hold, "$name: a hold with its key");
    like(told(qq{SELECT status, quantity FROM "Api".get_reservation('$hold')}), qr/^held\|2$/, "$name: the id of the hold is enough to find it");
    is(told(qq{SELECT "Api".extend_reservation('$hold', '90 minutes') > now() + interval '80 minutes'}), 't', "$name: it is extended");
    is(told(qq{SELECT status FROM "Api".confirm_reservation('$hold')}), 'ok', "$name: and confirmed");
    is(told(qq{SELECT "Api".release_reservation('$hold')}), 'IV006', "$name: an order cannot be released");
    is(told(qq{SELECT "Api".release_reservation(gen_random_uuid())}), 'IV004', "$name: an unknown hold");
    is(told(qq{SELECT "Api".reserve_stock($ann, $item[2], 1, NULL, NULL, "Api".new_reservation_id($item[1]))}), '22023', "$name: an id with another route");
    like(complaint(qq{SELECT "Api".reserve_stock($ann, $item[2], 1, NULL, NULL, "Api".new_reservation_id($item[1]))}), qr/route of its item\nHINT:  Make it with new_reservation_id\./, "$name: with its hint, and no DETAIL");
    is(told(qq{SELECT "Api".release_reservation("Api".reserve_stock($ann, $item[2], 1, NULL, NULL, "Api".new_reservation_id($item[2])))}), 't', "$name: one with the right route");
    is(told(qq{SELECT "Api".reserve_stock($ann, $item[2], 1, NULL, NULL, overlay("Api".new_reservation_id($item[2])::text PLACING '8ca7' FROM 15)::uuid)}), '22023', "$name: one of those that parts of carts have");

    # times travel between sessions of different settings
    $node->safe_psql('postgres', qq{ALTER ROLE "the Router" SET DateStyle = 'SQL, DMY'});
    $hold = told(qq{SELECT "Api".reserve_stock($ann, $item[2], 1, '1 hour')});
    is(told(qq{SET TimeZone = 'Asia/Kolkata'; SET DateStyle = 'German'; SET IntervalStyle = 'sql_standard'; SELECT "Api".extend_reservation('$hold', '90 minutes') - now() BETWEEN '80 minutes' AND '91 minutes'}), 't', "$name: its end is read as it was written");
    is(told(qq{SELECT expires_at - now() BETWEEN '80 minutes' AND '91 minutes' FROM "Api".get_reservation('$hold')}), 't', "$name: also in its lines");
    told(qq{SELECT "Api".release_reservation('$hold')});
    $node->safe_psql('postgres', qq{ALTER ROLE "the Router" RESET DateStyle});
    my $marked = $node->safe_psql("${name}_2", "SELECT 'hold' || i FROM $s.secret, generate_series(1, 1000000) AS i WHERE substr(encode(sha256(convert_to("
          . "concat_ws(' ', secret, length($ann), $ann, 'hold' || i), 'UTF8')), 'hex'), 13, 4) = '8ca7' LIMIT 1");
    $hold = told(qq{SELECT "Api".reserve_stock($ann, $item[2], 1, NULL, '$marked')});
    is(told(qq{SELECT "Api".release_reservation('$hold')}), 't', "$name: no digest of a key has the mark of a part");

    is(told(qq{SELECT "Api".refund_order('$order', $item[1])}, 'operator'), 2, "$name: a refund with its route");
    is(told(qq{SELECT "Api".refund_order('$order', $item[1])}, 'operator'), 'IV008', "$name: not twice");
    is(told(qq{SELECT "Api".refund_order('$order', $item[2])}, 'operator'), 'IV003', "$name: not with another item");

    # ------------------------------------------------------------ carts

    my $before = all_nodes($stock);
    is(told(qq{SELECT string_agg(status || quantity, ',') FROM "Api".buy_cart($ann, @{[ cart([ 0, 1 ], [ 4, 2 ]) ]}, 'one')}), 'ok1,ok2', "$name: a cart on one node");
    is(all_nodes('SELECT count(*) FROM shop_stock.reservations WHERE expires_at = \'infinity\''), 0, "$name: has no parts");
    my $three = cart([ 1, 1 ], [ 2, 2 ], [ 3, 1 ], [ 1, 1 ]);
    is(told(qq{SELECT string_agg(status || quantity || replayed, ',') FROM "Api".buy_cart($ann, $three, 'many', '{"call": "many"}')}), 'ok2false,ok2false,ok1false', "$name: a cart over three nodes");
    is(told(qq{SELECT string_agg(status || quantity || replayed, ',') FROM "Api".buy_cart($ann, $three, 'many', '{"call": "many"}')}), 'ok2true,ok2true,ok1true', "$name: again");
    is(told(qq{SELECT "Api".buy_cart($ann, @{[ cart([ 1, 1 ], [ 2, 1 ]) ]}, 'many')}), 'IV009', "$name: the key with another cart");
    like(complaint(qq{SELECT "Api".buy_cart($ann, @{[ cart([ 1, 1 ], [ 2, 1 ]) ]}, 'many')}), qr/another cart\.\nHINT:  Use a new key/, "$name: with the hint of one server");
    is(all_nodes($stock), $before - 3 - 5, "$name: each sold once");
    is(all_nodes(q{SELECT count(*) FROM shop.orders WHERE call = 'many'}), 3, "$name: an order line for each item");

    # of a key that is not known yet, and whose home is the node
    my $key_of = sub {
        my ($home) = @_;
        return as_owner(qq{SELECT k FROM (SELECT 'home ' || i, count(*) OVER () FROM generate_series(1, 100) AS i) AS t (k, n) WHERE $s.route_of("Api".cart_id($ann, k)) & 3 = $home AND n = 100 LIMIT 1});
    };
    is(told(qq{SELECT count(DISTINCT id) FROM (SELECT "Api".cart_id($ann, 'k') UNION ALL SELECT "Api".cart_id(NULL, length($ann) || ' ' || $ann || ' k')) AS c (id)}), 2, "$name: no user is not the beginning of the key");
    is(told(qq{SET DateStyle = 'SQL, DMY'; SELECT string_agg(status, ',') FROM "Api".buy_cart($ann, @{[ cart([ 1, 1 ], [ 2, 1 ]) ]})}), 'ok,ok', "$name: whatever format of dates the caller has");
    my $key = $key_of->(1);
    is(told(qq{SELECT string_agg(status, ',') FROM "Api".buy_cart($ann, @{[ cart([ 0, 1 ], [ 4, 1 ], [ 1, 1 ]) ]}, '$key', jsonb_build_object('call', repeat('long', 2000)))}), 'ok,ok,ok', "$name: long columns for all lines");
    is($node->safe_psql("${name}_1", "SELECT nodes, cardinality(data) FROM $s.carts WHERE cart_id = (SELECT '" . told(qq{SELECT "Api".cart_id($ann, '$key')}) . "'::uuid)"), '{0}|1', "$name: are kept once for each node");
    is(all_nodes('SELECT count(*) FROM shop.orders WHERE length(call) = 8000'), 3, "$name: and are in each order");
    is(told(qq{SELECT "Api".buy_cart($ann, @{[ cart([ 1, '"1"' ], [ 2, 99 ], [ 0, 1 ]) ]})}), '22023', "$name: arguments are checked before the stock") for 1 .. 3;
    if ($shop->{key})
    {
        my ($same) = grep { $_ ne $shop->{keys}[1] && route($_) == 1 } map { my $mask = $_; my $spelling = $shop->{keys}[1]; my $letter = 0;
            $spelling =~ s/([a-z])/$mask >> $letter++ & 1 ? uc $1 : $1/ge; $spelling } 1 .. 15;
        push @{$shop->{keys}}, $same;
        is(told(qq{SELECT string_agg(status || quantity, ',') FROM "Api".buy_cart($ann, @{[ cart([ 5, 1 ], [ 1, 1 ], [ 2, 1 ]) ]}, '@{[ $key_of->(0) ]}')}), 'ok2,ok1', "$name: two spellings of an item are one line");
        pop @{$shop->{keys}};
        $node->safe_psql("${name}_$_", 'UPDATE shop.' . quoted($shop->{items}) . " SET stock = stock + 3 - $_") for 1, 2;
    }
    told("SELECT $s.resolve('0')", 'operator');
    $before = all_nodes($stock) + 8;

    my $large = cart([ 1, 1 ], [ 2, 20 ], [ 3, 5 ]);
    is(told(qq{SELECT string_agg(status, ',') FROM "Api".try_buy_cart($ann, $large, 'large')}), 'not_taken,out_of_stock,purchase_limit_exceeded', "$name: a cart that is refused");
    # of several kinds, the one that one server names, with its lines alone
    like(complaint(qq{SELECT "Api".buy_cart($ann, $large, 'large')}), qr/IV010: purchase_limit_exceeded\nDETAIL:  Item "[^:]*": 5 asked for, more than is left of the limit\.\n/, "$name: as an error");
    is(told(qq{SELECT string_agg(status, ',') FROM "Api".try_buy_cart($ann, @{[ cart([ 1, 1 ], [ 2, 1 ]) ]}, 'large')}), 'ok,ok', "$name: its key can be used again, since nothing was sold");
    is(told(qq{SELECT "Api".buy_cart($ann, @{[ cart([ 0, 1 ], [ 3, 1 ]) ]}, 'bad', '{"stock": 1}')}), '42703', "$name: a column that orders do not have");
    is(told(qq{SELECT "Api".buy_cart($ann, @{[ cart([ 0, 1 ], [ 1, 3 ], [ 1, -2 ]) ]})}), '22023', "$name: each line needs a quantity, not only their sum");
    is(told(qq{SELECT "Api".buy_cart($ann, @{[ cart([ 0, 1 ], [ 1, 1.5 ], [ 1, 0.5 ]) ]})}), '22023', "$name: a whole one");
    is(told(qq{SELECT "Api".buy_cart($ann, @{[ cart([ 0, 1 ], [ 1, '"1"' ]) ]})}), '22023', "$name: a number");
    is( complaint(qq{SELECT "Api".buy_cart($ann, jsonb_set(@{[ cart([ 1, 1 ], [ 2, 1 ]) ]}, '{0,gift}', 'true'), NULL, '{"header": {"note": "x"}}')}),
        "ERROR:  22023: order_data.header cannot be combined with columns in lines in a cart over several nodes\nHINT:  Give the columns in order_data, for all lines.",
        "$name: columns of the header are not lost where lines have columns");
    is(told(qq{SELECT "Api".buy_cart($ann, @{[ cart([ 0, 1 ], [ 1, 'null' ]) ]})}), '22004', "$name: and not null");
    $node->safe_psql("${name}_$_", q{ALTER TABLE shop.orders ADD CHECK (call <> 'never')}) for 3;
    is(told(qq{SELECT "Api".buy_cart($ann, @{[ cart([ 0, 1 ], [ 3, 1 ]) ]}, 'bad', '{"call": "never"}')}), '23514', "$name: an order that one node refuses is refused before the cart is decided");
    is(all_nodes($stock), $before - 3 - 5 - 2, "$name: refused carts hold nothing");
    is(all_nodes(q{SELECT count(*) FROM shop_stock.open_reservations}), 0, "$name: no hold is left");
    is(told(qq{SELECT state || ' ' || count(*) FROM $s.unresolved_carts GROUP BY state}, 'operator'), 'confirmed 1', "$name: no cart is open");
    is(told("SELECT finished || ' ' || left_over || ' ' || unreachable FROM $s.resolve('0')", 'operator'), '0 0 0', "$name: resolve has nothing to finish");
    is(told(qq{SELECT count(*) FROM $s.unresolved_carts}, 'operator'), 0, "$name: and notes that every cart is done");

    # without a key
    $before = all_nodes($stock);
    is(told(qq{SELECT string_agg(status || quantity, ',') FROM "Api".buy_cart($ann, @{[ cart([ 1, 1 ], [ 0, 2 ], [ 2, 1 ]) ]})}), 'ok1,ok2,ok1', "$name: a cart without a key");
    is(told(qq{SELECT string_agg(status, ',') FROM "Api".try_buy_cart($ann, @{[ cart([ 1, 1 ], [ 2, 20 ], [ 3, 5 ]) ]})}), 'not_taken,out_of_stock,purchase_limit_exceeded', "$name: one that is refused");
    is(told(qq{SELECT string_agg(status || quantity, ',') FROM "Api".buy_cart($ann, ('[{"item_id": ' || to_json($item[1]::$shop->{item}) || ', "call": "line"}, {"item_id": ' || to_json($item[2]::$shop->{item}) || ', "call": "line"}]')::jsonb)}), 'ok1,ok1', "$name: lines with columns of their own");
    is(all_nodes(q{SELECT count(*) FROM shop.orders WHERE call = 'line'}), 2, "$name: on their nodes");
    is(told(qq{SELECT "Api".buy_cart($ann, @{[ cart([ 0, 1 ], [ 3, 1 ]) ]}, NULL, '{"call": "never"}')}), '23514', "$name: an order that one node refuses");
    is(all_nodes($stock), $before - 6, "$name: each sold once, or not at all");
    is(all_nodes(q{SELECT count(*) FROM shop_stock.open_reservations}), 0, "$name: nothing is held");

    # ------------------------------------------------------------ carts that stop, and what comes too late

    my $two = cart([ 1, 1 ], [ 2, 1 ]);
    my $as_router = 'SET SESSION AUTHORIZATION "the Router"';
    my $lines = join(', ', map { qq{'[{"item_id": ' || to_json($_\::$shop->{item}) || '}]'} } @item[1, 2]);
    # The steps of a cart of two parts whose home has no line of it.
    my $reserve = sub {
        my ($attempt) = @_;
        return as_owner("SELECT count(*) FILTER (WHERE (a::$s.answer).code IS NULL) FROM $s.reserve_part('{1,2}', ARRAY[$lines]::jsonb[], '{NULL,NULL}', '$attempt', $ann, true) AS a");
    };
    my $begin = sub {
        my ($key) = @_;
        return split /\|/, as_owner(qq{SELECT c, ($s.begin_cart($s.route_of(c), c, 'd', '{1,2}')::$s.decision).attempt FROM "Api".cart_id($ann, '$key') AS c});
    };
    my $confirm = sub {
        my ($cart, $attempt, $held, $digest) = @_;
        # null: this call has confirmed it, and the home has no lines
        return as_owner("SELECT coalesce(($s.confirm_cart($s.route_of('$attempt'), '$cart', '$attempt', $held, " . ($digest // 'NULL') . ", '{1,2}', NULL, date_part('epoch', clock_timestamp()), $ann, NULL, NULL)::$s.decision).state, 'confirmed')");
    };
    my $resolve = sub { return told("SELECT finished || ' ' || left_over FROM $s.resolve('0')", 'operator') };

    $resolve->();
    $node->safe_psql("${name}_2", 'UPDATE shop.' . quoted($shop->{items}) . ' SET stock = stock + 10');
    $before = all_nodes($stock);
    my ($cart, $attempt) = $begin->('open');
    is($reserve->($attempt), 2, "$name: the parts of an open cart are held");
    is($reserve->($attempt), 2, "$name: a repeated call holds the same");
    is(all_nodes($stock), $before - 2, "$name: and out of the stock");
    my $part = $node->safe_psql("${name}_1", "SELECT reservation_id FROM shop_stock.reservations WHERE status = 'held'");
    is($node->safe_psql("${name}_1", "SELECT code FROM $s.confirm_hold('$part', NULL, NULL)"), 'IV004', "$name: a part cannot be confirmed by itself");
    is($node->safe_psql("${name}_1", "SELECT code FROM $s.end_hold('$part', NULL, false, NULL)"), 'IV004', "$name: nor released");
    is(told("SELECT finished || ' ' || left_over FROM $s.resolve('1 hour')", 'operator'), '0 0', "$name: a young cart is left alone");
    $resolve->();
    is(all_nodes($stock), $before, "$name: one that is open for too long is aborted");
    is($confirm->($cart, $attempt, 'true', q{'d'}), 'aborted', "$name: the first decision wins");
    is($reserve->($attempt), 0, "$name: a late reserve of it holds nothing");

    ($cart, $attempt) = $begin->('late');
    $resolve->();
    is($reserve->($attempt), 0, "$name: a part that was released before it came holds nothing");
    is(all_nodes($stock), $before, "$name: so that the stock is whole");

    ($cart, $attempt) = $begin->('decided');
    $reserve->($attempt);
    is($confirm->($cart, $attempt, 'true', q{'d'}), 'confirmed', "$name: a cart whose parts are held is confirmed");
    as_owner(qq{SELECT * FROM $s.finish_part('{1}', '{NULL}', '$attempt', true)});
    is(as_owner(qq{SELECT ($s.abort_cart($s.route_of('$attempt'), '$attempt')::$s.verdict).state}), 'confirmed', "$name: it cannot be aborted");
    is($confirm->($cart, $attempt, 'false', q{'d'}), 'confirmed', "$name: neither by a call that finds no units");
    is($resolve->(), '1 0', "$name: a part of it that is held");
    is(all_nodes($stock), $before - 2, "$name: is confirmed");
    is($resolve->(), '0 0', "$name: and then there is nothing to do");

    ($cart, $attempt) = $begin->('lost');
    $reserve->($attempt);
    $node->safe_psql("${name}_$_", "DELETE FROM $s.carts WHERE cart_id = '$cart'") for 0 .. 3;
    $resolve->();
    is(all_nodes($stock), $before - 2, "$name: parts of a cart that its home has lost are released");
    is($confirm->($cart, $attempt, 'true', q{'d'}), 'aborted', "$name: and it cannot be confirmed any more");

    ($cart, $attempt) = $begin->('again');
    $reserve->($attempt);
    $resolve->();
    is(told(qq{SELECT string_agg(status, ',') FROM "Api".try_buy_cart($ann, $two, 'again')}), 'ok,ok', "$name: a call with the key of an aborted cart begins a new attempt");
    is($confirm->($cart, $attempt, 'true', q{'d'}), 'aborted', "$name: and the old one stays aborted");
    is(all_nodes($stock), $before - 4, "$name: sold once");

    ($cart, $attempt) = $begin->('all');
    $reserve->($attempt);
    as_owner(qq{SELECT $s.abort_cart($s.route_of('$attempt'), '$attempt')});
    my $all = told(qq{SELECT "Api".available_stock($item[1])}) + 1;
    is(told(qq{SELECT string_agg(status, ',') FROM "Api".try_buy_cart($ann, @{[ cart([ 1, $all ], [ 2, 1 ]) ]}, 'all')}), 'ok,ok', "$name: a new attempt does not miss what the old one holds");
    $node->safe_psql("${name}_1", 'UPDATE shop.' . quoted($shop->{items}) . ' SET stock = stock + 10');
    $resolve->();
    $before = all_nodes($stock);

    # a cart without a key is not begun
    my $keyless = '00000001-0000-8ca7-8000-000000010000';
    is($reserve->($keyless), 2, "$name: the parts of a cart without a key are held");
    is($resolve->(), '2 0', "$name: resolve aborts it");
    is($confirm->($keyless, $keyless, 'true'), 'aborted', "$name: so that its call cannot confirm it any more");
    $node->safe_psql("${name}_$_", "UPDATE $s.carts SET done_at = done_at - interval '29 days' WHERE done_at IS NOT NULL") for 0 .. 3;
    told("SELECT $s.resolve('0', '1 day')", 'operator');
    is($confirm->($keyless, $keyless, 'true'), 'aborted', "$name: 29 days later neither");
    is(as_owner("SELECT ($s.confirm_cart(1, '$attempt', '$attempt', true, NULL, '{2}', NULL, date_part('epoch', clock_timestamp()) - 16 * 86400, $ann, NULL, NULL)::$s.decision).state"), 'aborted', "$name: nor one that was stopped for 16 days");
    $keyless = '00000001-0000-8ca7-8000-000000020000';
    $reserve->($keyless);
    is($confirm->($keyless, $keyless, 'true'), 'confirmed', "$name: one that was not aborted is confirmed");
    is($resolve->(), '2 0', "$name: and its parts by resolve");
    is(all_nodes($stock), $before - 2, "$name: which were sold once");

    # a part that is lost
    $keyless = '00000001-0000-8ca7-8000-000000030000';
    $reserve->($keyless);
    $confirm->($keyless, $keyless, 'true');
    $resolve->();
    $node->safe_psql("${name}_1", "UPDATE $s.carts SET done_at = NULL WHERE cart_id = '$keyless'");
    $node->safe_psql("${name}_2", "DELETE FROM shop_stock.reservations WHERE reservation_id = '00000001-0000-8ca7-8000-000000030002'");
    like(told("SELECT left_over || ' ' || last_error FROM $s.resolve('0', '0')", 'operator'), qr/^1 cart $keyless is confirmed, but a part of it is not/, "$name: a part that a node has lost is reported");
    is(told("SELECT cart_id FROM $s.unresolved_carts", 'operator'), $keyless, "$name: and its cart stays unresolved");
    my $parts = q{SELECT count(*) FROM shop_stock.reservations WHERE expires_at = 'infinity'};
    is(all_nodes($parts), 1, "$name: what other nodes have of it stays, too");
    $node->safe_psql("${name}_1", "UPDATE $s.carts SET done_at = clock_timestamp() WHERE cart_id = '$keyless'");
    is(told("SELECT pruned >= 0 FROM $s.resolve('0', '0')", 'operator'), 't', "$name: what has ended is pruned");
    is(all_nodes($parts), 0, "$name: with its parts");
    is(all_nodes("SELECT count(*) FROM inventory.verify('shop.@{[ quoted($shop->{items}) ]}')"), 0, "$name: verify finds nothing on any node");

    # ------------------------------------------------------------ rights

    is(told(qq{SELECT "Api".buy_item($ann, $item[1])}, 'nobody_else'), '42501', "$name: others may not buy");
    $node->safe_psql($router, 'CREATE SCHEMA IF NOT EXISTS theirs AUTHORIZATION buyer; SET ROLE buyer;'
          . join('', map { "CREATE OR REPLACE FUNCTION theirs.$_ RETURNS text LANGUAGE plpgsql AS \$\$ BEGIN RAISE 'as %', current_user; END \$\$;" } 'md5(text)', '"left"(text, int)')
          . 'CREATE FUNCTION theirs.differ(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE \'as %\', current_user; END $$; CREATE OPERATOR theirs.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = theirs.differ)');
    is(told(qq{SET search_path = theirs, pg_catalog; SELECT status FROM "Api".try_buy_item($ann, $item[2], 1000)}), 'out_of_stock', "$name: a buyer's functions do not run as the router");
    is(told(qq{SET search_path = theirs, pg_catalog; SELECT "Api".buy_item($ann, $item[2], 1000)}), 'IV001', "$name: nor operators");
    is(told(qq{SELECT "Api".refund_order('$order', $item[1])}), '42501', "$name: buyers may not refund");
    is(told("SELECT * FROM $s.resolve()"), '42501', "$name: nor call the steps of carts");
    for my $statement ('SELECT * FROM shop.orders', "SELECT * FROM $s.carts", "SELECT * FROM $s.secret", qq{SELECT "Api".buy_item($ann, $item[1])}, "UPDATE $s.carts SET state = 'confirmed'")
    {
        my ($out, $err);
        $node->psql("${name}_1", "$as_router; $statement", stderr => \$err);
        like($err, qr/permission denied/, "$name: the router may not: " . substr($statement, 0, 30));
    }
    $node->safe_psql($router, q{CREATE SCHEMA evil AUTHORIZATION buyer; SET ROLE buyer; GRANT USAGE ON SCHEMA evil TO PUBLIC; CREATE FUNCTION evil.run(text, text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'as %', current_user; END $$;}
          . q{CREATE FUNCTION evil.md5(text) RETURNS text LANGUAGE sql AS 'SELECT evil.run($1, $1)'; CREATE FUNCTION evil."left"(text, int) RETURNS text LANGUAGE sql AS 'SELECT evil.run($1, $1)';}
          . q{CREATE OPERATOR evil.|| (FUNCTION = evil.run, LEFTARG = text, RIGHTARG = text)});
    is(told(qq{SET search_path = evil, pg_catalog; SELECT status FROM "Api".try_buy_item($ann, $item[2], 100)}), 'out_of_stock', "$name: functions and operators of a buyer are not called");
    is(told(qq{SET search_path = evil, pg_catalog; SELECT count(*) FROM "Api".available_stocks(ARRAY[$item[0], $item[1]]::$shop->{item}\[])}), 2, "$name: nor where stocks are asked for");
    is($node->safe_psql("${name}_1", "SELECT string_agg(DISTINCT proowner::regrole::text, ' ') FROM pg_proc WHERE pronamespace = '$s'::regnamespace"), 'shop_owner', "$name: functions of a node belong to the owner of the store");
    is($node->safe_psql("${name}_1", "SELECT count(*) FROM pg_proc AS p WHERE pronamespace = '$s'::regnamespace AND has_function_privilege('nobody_else', oid, 'EXECUTE') OR has_schema_privilege('nobody_else', '$shop->{schema}', 'USAGE')"), 0, "$name: default privileges of the owner do not reach them");
    is($node->safe_psql("${name}_1", "SELECT string_agg(relname, ' ') FROM pg_class AS c WHERE relnamespace = '$s'::regnamespace AND relkind <> 'i' AND has_table_privilege('nobody_else', oid, 'SELECT')"), '', "$name: nor tables");
    is(as_owner("SELECT count(*) FROM pg_proc AS p WHERE pronamespace IN ('$s'::regnamespace, '\"Api\"'::regnamespace) AND has_function_privilege('nobody_else', oid, 'EXECUTE') OR has_schema_privilege('nobody_else', '$shop->{schema}', 'USAGE') OR has_table_privilege('nobody_else', '$s.unresolved_carts', 'SELECT')"), 0, "$name: nor those of who makes the router");
    is(as_owner("SELECT count(*) FROM pg_proc AS p WHERE pronamespace IN ('$s'::regnamespace, '\"Api\"'::regnamespace) AND (proacl IS NULL OR EXISTS (SELECT FROM aclexplode(proacl) AS a WHERE a.grantee = 0) OR proowner <> '\"the Router\"'::regrole)"), 0, "$name: no function of the router is for everyone");
}

# ---------------------------------------------------------------- refusals of the scripts

my ($out, $err);
{
    my @command = ("$scale/router", '--schema', 'scale_2', $node->connstr('uuid_0'));
    local $ENV{ROUTER_PASSWORD} = q{it's};
    ($out, $err) = run_command([@command]);
    like($out, qr/password 'it''s'/, 'the password of the environment');
    ($out, $err) = run_command([ @command, '--password', 'given' ]);
    like($out, qr/password 'given'/, 'or the one that is given');
}
($out, $err) = run_command([ "$scale/router", map { $node->connstr("uuid_$_") } 0 .. 2 ]);
like($err, qr/power of two/, 'three nodes are refused');
$node->safe_psql('postgres', 'CREATE DATABASE claims');
$node->safe_psql('claims', 'CREATE EXTENSION inventory; CREATE TABLE items (id int PRIMARY KEY, stock int); CREATE TABLE orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id text, item_id int, quantity int);'
      . q{SELECT inventory.attach('items', 'orders', user_claim => 'sub', ledger_schema => 'ledger')});
$node->psql('claims', '', extra_params => [ '-v', 'items=items', '-v', 'router=buyer', '-f', "$scale/node.sql" ], stderr => \$err);
like($err, qr/user_claim cannot have routers/, 'a store with user_claim is refused');
$node->psql('claims', '', extra_params => [ '-v', 'items=pg_class', '-v', 'router=buyer', '-f', "$scale/node.sql" ], stderr => \$err);
like($err, qr/not_a_store.*HINT:  Attach the table first/s, 'a table that is not attached is refused');
is($node->psql('claims', '', extra_params => [ '-f', "$scale/node.sql" ], stderr => \$err), 3, 'node.sql without a table fails');
like($err, qr/no table of items is given/, 'and says so');
$node->psql('claims', '', extra_params => [ '-v', 'items=items', '-v', 'schema=a b', '-v', 'router=buyer', '-f', "$scale/node.sql" ], stderr => \$err);
like($err, qr/no quoted names/, 'a schema that needs quotes is refused');

# roles that may create schemas make those before the scripts do
$node->safe_psql('postgres', 'CREATE DATABASE squatted');
$node->safe_psql('squatted', 'CREATE EXTENSION inventory; CREATE SCHEMA shop AUTHORIZATION shop_owner; CREATE SCHEMA scale AUTHORIZATION nobody_else; GRANT ALL ON SCHEMA scale TO shop_owner; SET ROLE shop_owner;'
      . 'CREATE TABLE shop.items (id int PRIMARY KEY, stock int); CREATE TABLE shop.orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id text, item_id int, quantity int)');
$node->safe_psql('squatted', q{GRANT CREATE ON DATABASE squatted TO shop_owner; SET ROLE shop_owner; SELECT inventory.attach('shop.items', 'shop.orders', ledger_schema => 'ledger')});
$node->psql('squatted', '', extra_params => [ '-v', 'items=shop.items', '-v', 'router=buyer', '-f', "$scale/node.sql" ], stderr => \$err);
like($err, qr/schema scale belongs to role nobody_else/, 'a schema that another role has made is refused on a node');
$node->safe_psql('postgres', 'CREATE DATABASE router_squatted');
$node->safe_psql('router_squatted', 'CREATE SCHEMA "Api" AUTHORIZATION nobody_else');
$node->psql('router_squatted', '', extra_params => [ '-f', $node->basedir . '/text_router.sql' ], stderr => \$err);
like($err, qr/schema "Api" belongs to role nobody_else/, 'and on a router');

$node->stop;
done_testing();
