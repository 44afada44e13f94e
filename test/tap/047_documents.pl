# What a reader pastes from the documents gives what they say: the first sale of README.md, the examples of
# doc/reference.md, and the recipes that are not taken from a file of examples/.

use strict;
use warnings FATAL => 'all';

use FindBin;
use PostgreSQL::Test::Utils;
use Test::More;

use Shop;

my $node = Shop::server('documents', q{shared_preload_libraries = 'inventory'}, 'max_worker_processes = 0', q{timezone = 'UTC'});
my $uuid = qr/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;
my $time = qr/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?\+00/;

# The text of a section of a page, and its code blocks: a language and a text for each.
sub section
{
    my ($page, $title) = @_;
    my ($text) = slurp_file("$FindBin::RealBin/../../$page") =~ /^## \Q$title\E\n(.*?)(?=^## |\z)/ms
        or die "$page has no section $title";
    return $text;
}

sub blocks
{
    my @found = section(@_) =~ /^```(\w*)\n(.*?)^```$/msg;
    my @blocks;

    while (my ($language, $text) = splice @found, 0, 2)
    {
        push @blocks, [ $language, $text ];
    }
    return @blocks;
}

# Paste statements into psql: what it prints, and its messages.
sub paste
{
    my ($database, $sql) = @_;
    my ($out, $messages);

    $node->psql($database, $sql, stdout => \$out, stderr => \$messages, on_error_stop => 0,
        extra_params => [ map { ('-P', $_) } qw(format=aligned tuples_only=off footer=off) ]);
    $messages =~ s/^psql:<stdin>:\d+: //mg;
    s/\s+\z// for $out, $messages;
    return ($out, $messages);
}

# Output without what differs each time, and without the widths of columns.
sub plain
{
    my ($text) = @_;
    my @lines = grep { !/^-[-+]*$/ } split /\n/, $text;

    for (@lines)
    {
        s/$time/TIME/g;
        s/ *\| */|/g;
        s/^ +| +$//g;
    }
    return join "\n", @lines;
}

# Paste statements that succeed without a warning.
sub succeeds
{
    my ($database, $sql, $what) = @_;
    my ($out, $messages) = paste($database, $sql);

    unlike($messages, qr/^(?:ERROR|WARNING|FATAL)/m, $what);
    return $out;
}

sub database
{
    my ($name, @sql) = @_;
    $node->safe_psql('postgres', "CREATE DATABASE $name");
    $node->safe_psql($name, $_) for 'CREATE EXTENSION inventory', @sql;
    return $name;
}

$node->safe_psql('postgres', "CREATE ROLE $_") for qw(web webhook authenticated);

# ---------------------------------------------------------------- README.md

{
    my $db = database('readme');
    my @blocks = blocks('README.md', 'From your tables to the first sale');

    cmp_ok(scalar(grep { $_->[0] eq 'sql' } @blocks), '>=', 5, 'README.md: has statements');
    while (my $block = shift @blocks)
    {
        my ($out, $messages) = paste($db, $block->[1]);
        my ($first) = $block->[1] =~ /^(.*)/;
        my $shown = @blocks && $blocks[0][0] eq '' ? (shift @blocks)->[1] : undef;

        if (!defined $shown)
        {
            is($messages, '', "README.md: $first");
        }
        else
        {
            is(plain($shown =~ /^[A-Z]+: / ? $messages : $out), plain($shown), "README.md: $first");
        }
    }
    is($node->safe_psql($db, q{SELECT count(*) FROM inventory.verify('products')}), '0', 'README.md: every unit is accounted for');
    is($node->safe_psql($db, q{SELECT has_function_privilege('web', p.oid, 'EXECUTE') FROM pg_proc AS p WHERE proname = 'buy_item'
        AND pronamespace = 'public'::regnamespace}), 't', 'README.md: the role may buy');
}

# ---------------------------------------------------------------- doc/reference.md

my $reference = database('reference');
my %id;     # the reservations that the page names, by the beginning of their ids

# One statement, and what the page shows of it: a value behind an arrow, or the lines below.
sub example
{
    my ($sql, $value, $lines) = @_;
    my ($first) = $sql =~ /^(.*)/;

    $sql =~ s/'([0-9a-f]{8})-…'/'$id{$1}'/g;
    my ($out, $messages) = paste($reference, $sql);
    if (!defined $value)
    {
        is(plain($lines =~ /^[A-Z]+: / ? $messages : $out), plain($lines), "reference: $first");
        return;
    }
    $value =~ s/\s{2,}\(.*\)$//;
    my ($actual) = $out =~ /([^\n]*)\z/;
    $actual =~ s/^ +| +$//g;
    if ($value =~ /^([0-9a-f]{8})-/)
    {
        like($actual, qr/^$uuid$/, "reference: $first");
        $id{$1} = $actual;
    }
    else
    {
        is(plain($actual), plain($value), "reference: $first");
    }
}

my $count = 0;

for my $section ('For buyers', 'For operators')
{
    for my $block (blocks('doc/reference.md', $section))
    {
        my ($language, $text) = @$block;

        if ($language eq 'sql')
        {
            succeeds($reference, $text, "reference: the store of the examples");
            next;
        }
        # a statement can have several lines, and so can what is shown below it
        while ($text =~ /\G(SELECT .*?;)(?: *→ *([^\n]*?))? *\n((?:(?!SELECT )[^\n]*\n)*)/gs)
        {
            example($1, $2, $3);
            $count++;
        }
    }
}
cmp_ok($count, '>=', 20, 'reference: has examples');
is($node->safe_psql($reference, q{SELECT count(*) FROM inventory.verify('items')}), '0', 'reference: every unit is accounted for');

# ---------------------------------------------------------------- doc/recipes.md

# The statements in SQL of a recipe, without those that are taken from files.
sub recipe
{
    my $text = section('doc/recipes.md', @_);

    $text =~ s/^<!-- from \S+ -->\n```.*?^```$//msg;
    return join '', $text =~ /^```sql\n(.*?)^```$/msg;
}

my $products = q{CREATE TABLE products (id bigint PRIMARY KEY, name text NOT NULL, price numeric, max_per_order int, stock int NOT NULL);
    INSERT INTO products VALUES (1, 'Guitar', 1200, 2, 3), (42, 'Mug', 9, NULL, 7);
    CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id uuid, shipping_address text, total_amount numeric, status text);
    CREATE TABLE order_items (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, order_id bigint REFERENCES orders,
        product_id bigint NOT NULL REFERENCES products, quantity int NOT NULL, unit_price numeric, product_name text)};

{
    my $db = database('header', $products);
    succeeds($db, recipe('An order with a header by one RPC call'), 'recipe: a header by one RPC call');

    $db = database('webhook', $products, q{SELECT inventory.attach('products', 'order_items')});
    succeeds($db, recipe('Checkout with a hold and a payment webhook'), 'recipe: grants of a webhook');
    is($node->safe_psql($db, q{SELECT count(*) FROM pg_proc WHERE proname IN ('confirm_reservation', 'refund_order')
        AND pronamespace <> 'inventory'::regnamespace AND has_function_privilege('webhook', oid, 'EXECUTE')}), '2',
        'recipe: the webhook may confirm and refund');

    $db = database('replaced', q{CREATE SCHEMA shop;
        CREATE TABLE shop.items (id uuid PRIMARY KEY, stock int NOT NULL);
        CREATE TABLE shop.orders (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), user_id uuid, item_id uuid);
        CREATE FUNCTION shop.buy_item(p_user_id uuid, p_item_id uuid) RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid'});
    succeeds($db, recipe('Replacing a hand-written function'), 'recipe: a hand-written function is replaced');

    $db = database('own_orders', 'CREATE TABLE warehouse_stock (id bigint PRIMARY KEY, quantity int NOT NULL);
        INSERT INTO warehouse_stock VALUES (42, 5)');
    succeeds($db, recipe('A shop that inserts its own orders'), 'recipe: a shop that inserts its own orders');
    is($node->safe_psql($db, 'SELECT quantity FROM warehouse_stock'), '5', 'recipe: sold and refunded');

    $db = database('promised', 'CREATE TABLE partner_stockrecord (id bigint PRIMARY KEY, num_in_stock int, num_allocated int);
        INSERT INTO partner_stockrecord VALUES (42, 100, 100)');
    like(succeeds($db, recipe('Units that are promised in another column'), 'recipe: promised units'), qr/^ *42 \| +0 \|/m,
        'recipe: nothing is available');

    $db = database('whole_rows', $products);
    like(succeeds($db, recipe('Pages that save whole rows'), 'recipe: whole rows'), qr/Mug, blue \| +7\n/,
        'recipe: the stock stays');
    is($node->safe_psql($db, 'SELECT stock FROM products WHERE id = 42'), '12', 'recipe: then it is restocked');
}

$node->stop;
done_testing();
