# A shop in a database of its own, ways to sell from it, and an auditor.
#
# `naive` reads and then writes, `hand_written` is a correct PL/pgSQL function as many
# shops have one, `attached` is inventory.  All sell from the same tables through
# functions of the same names, so that the same test runs with each.
#
# The auditor shares no code with the engine: it compares the answers of the clients
# with the rows.

package Shop;

use strict;
use warnings FATAL => 'all';

use JSON::PP;
use PostgreSQL::Test::Cluster;

use Session;

my $tables = <<'END';
CREATE SCHEMA shop;
CREATE TABLE shop.items (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), stock int NOT NULL);
CREATE TABLE shop.orders (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL,
    item_id uuid NOT NULL REFERENCES shop.items,
    quantity int NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now());
END

# Reads, waits, writes.  The shared lock is the gate Crowd::THINKING.
my $naive = <<'END';
CREATE FUNCTION shop.buy_item(user_id uuid, item_id uuid, quantity int DEFAULT 1) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    seen int;
    order_id uuid;
BEGIN
    SELECT stock INTO seen FROM shop.items WHERE id = buy_item.item_id;
    IF seen < buy_item.quantity THEN
        RAISE 'out_of_stock' USING ERRCODE = 'IV001';
    END IF;
    PERFORM pg_advisory_xact_lock_shared(2);
    INSERT INTO shop.orders (user_id, item_id, quantity)
        VALUES (buy_item.user_id, buy_item.item_id, buy_item.quantity) RETURNING id INTO order_id;
    UPDATE shop.items SET stock = stock - buy_item.quantity WHERE id = buy_item.item_id;
    RETURN order_id;
END $$;
END

# Takes each line safely, but in the order of the cart, and waits after the first.
my $naive_cart = <<'END';
CREATE FUNCTION shop.buy_cart(user_id uuid, lines jsonb)
RETURNS TABLE (status text, item_id uuid, quantity int, order_id uuid)
LANGUAGE plpgsql AS $$
BEGIN
    FOR item_id, quantity IN SELECT l->>'item_id', l->>'quantity' FROM jsonb_array_elements(lines) l LOOP
        UPDATE shop.items SET stock = stock - buy_cart.quantity
            WHERE id = buy_cart.item_id AND stock >= buy_cart.quantity;
        IF NOT FOUND THEN
            RAISE 'out_of_stock' USING ERRCODE = 'IV001';
        END IF;
        PERFORM pg_advisory_xact_lock_shared(2);
        INSERT INTO shop.orders AS o (user_id, item_id, quantity)
            VALUES (buy_cart.user_id, buy_cart.item_id, buy_cart.quantity) RETURNING o.id INTO order_id;
        status := 'ok';
        RETURN NEXT;
    END LOOP;
END $$;
END

# A correct function without inventory.
my $hand_written = <<'END';
CREATE FUNCTION shop.buy_item(p_user_id uuid, p_item_id uuid) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    order_id uuid;
BEGIN
    UPDATE shop.items SET stock = stock - 1 WHERE id = p_item_id AND stock >= 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'out_of_stock';
    END IF;
    INSERT INTO shop.orders (user_id, item_id) VALUES (p_user_id, p_item_id) RETURNING id INTO order_id;
    RETURN order_id;
END $$;
END

# ---------------------------------------------------------------- the shop

# A server with room for a crowd.  Unless it preloads the library no background worker runs,
# which from PostgreSQL 17 on does not need that.
sub server
{
    my ($name, @settings) = @_;
    my $node = PostgreSQL::Test::Cluster->new($name);

    unshift @settings, 'max_worker_processes = 0', 'max_logical_replication_workers = 0'
      unless grep { /^shared_preload_libraries/ } @settings;
    $node->init;
    $node->append_conf('postgresql.conf', join "\n", 'max_connections = 100', @settings, '');
    $node->start;
    return $node;
}

# A shop in a new database; $stock has the units of each item, by its number.
sub new
{
    my ($class, $node, $database, $stock) = @_;
    my $self = bless { node => $node, database => $database, stock => {%$stock}, prefix => '' }, $class;
    my @items = map { sprintf "('%s', %d)", item_id($_), $stock->{$_} } sort keys %$stock;

    $node->safe_psql('postgres', "CREATE DATABASE $database");
    $self->query($tables, 'INSERT INTO shop.items VALUES ' . join(', ', @items));
    return $self;
}

# Run statements; their output.
sub query
{
    my ($self, @statements) = @_;
    return $self->{node}->safe_psql($self->{database}, join ";\n", @statements);
}

# The three ways to sell.  Each returns the shop.
sub naive
{
    my ($self) = @_;
    $self->query($naive, $naive_cart);
    return $self;
}

sub hand_written
{
    my ($self) = @_;
    $self->query($hand_written);
    $self->{prefix} = 'p_';
    return $self;
}

sub attached
{
    my ($self, @options) = @_;
    $self->query('CREATE EXTENSION IF NOT EXISTS inventory',
        'SELECT inventory.attach(' . join(', ', "'shop.items'", "'shop.orders'", @options) . ')');
    $self->{attached} = 1;
    return $self;
}

# Make a role the owner of the tables and their database.
sub owned_by
{
    my ($self, $role) = @_;
    $self->query("ALTER SCHEMA shop OWNER TO $role", "ALTER TABLE shop.items OWNER TO $role",
        "ALTER TABLE shop.orders OWNER TO $role", "ALTER DATABASE $self->{database} OWNER TO $role");
    return $self;
}

# Create shop.state(), a digest of all tables and of the findings of verify.
sub add_state
{
    my ($self) = @_;
    $self->query(<<'END');
CREATE FUNCTION shop.state() RETURNS text LANGUAGE sql AS $$
    SELECT md5(concat_ws(' ', (SELECT json_agg(t ORDER BY t.id) FROM shop.items AS t),
        (SELECT json_agg(t ORDER BY t.id) FROM shop.orders AS t),
        (SELECT json_agg(t ORDER BY t.movement_id) FROM items_stock.movements AS t),
        (SELECT json_agg(t ORDER BY t.reservation_id, t.item_id) FROM items_stock.reservations AS t),
        (SELECT json_agg(t ORDER BY t.key) FROM items_stock.requests AS t),
        (SELECT json_agg(t) FROM inventory.verify('shop.items') AS t)))
$$
END
}

# ---------------------------------------------------------------- calls

my $last_user = 0;

# The key of an item, by its number.
sub item_id
{
    return sprintf '00000000-0000-4000-8000-%012d', $_[0];
}

# A new user, so that the orders of each call can be told apart.
sub new_user
{
    return sprintf 'aaaaaaaa-0000-4000-8000-%012d', ++$last_user;
}

# The purchase of an item by a new user, for Crowd::race and `audit`.
sub buy
{
    my ($self, $item, $quantity, $key) = @_;
    my $user = new_user();
    my $p = $self->{prefix};
    my @arguments = ("${p}user_id => '$user'", "${p}item_id => '" . item_id($item) . "'");

    push @arguments, "${p}quantity => $quantity" if $quantity != 1;
    push @arguments, "${p}idempotency_key => '$key'" if $key;
    return {
        call  => 'shop.buy_item(' . join(', ', @arguments) . ')',
        user  => $user,
        key   => $key,
        lines => [ [ item_id($item), $quantity ] ]
    };
}

# The purchase of several lines, [item, quantity], by a new user; $function is buy_cart or try_buy_cart.
sub buy_cart
{
    my ($self, $lines, $function, $key) = @_;
    my $user = new_user();
    my @lines = map { [ item_id($_->[0]), $_->[1] ] } @$lines;
    my $json = encode_json([ map { { item_id => $_->[0], quantity => 0 + $_->[1] } } @lines ]);
    my $more = $key ? ", idempotency_key => '$key'" : '';

    return {
        call => "(SELECT jsonb_agg(l) FROM shop.$function(user_id => '$user', lines => '$json'$more) l)",
        user => $user,
        key  => $key,
        cart => 1,
        lines => \@lines
    };
}

# Make a call in a session of its own; the call with its answer.
sub told
{
    my ($self, $call) = @_;
    @$call{qw(state answer)} = @{ Session::ask_once($self->{node}, $self->{database}, $call->{call}) };
    return $call;
}

# ---------------------------------------------------------------- the auditor

# The problems after a race; an empty list if there are none.  $refusal is a pattern of the
# SQLSTATEs with which a call may be refused.
sub audit
{
    my ($self, $history, $refusal) = @_;
    my %left = $self->pairs('SELECT id, stock FROM shop.items');

    return (
        $self->audit_orders($history),
        $self->audit_refusals($history, $refusal || qr/^IV001$/, \%left),
        $self->audit_stock(\%left),
        $self->{attached} ? $self->audit_ledger : ());
}

# What was acknowledged must be there exactly once, and nothing else.
sub audit_orders
{
    my ($self, $history) = @_;
    my %rows = $self->pairs(q{SELECT id, concat_ws(' ', user_id, item_id, quantity) FROM shop.orders});
    my (%told, %key, @problems);

    for my $call (grep { bought($_) } @$history)
    {
        my @orders = orders($call);
        my $first = $call->{key} ? $key{"$call->{user} $call->{key}"} ||= "@orders" : "@orders";
        push @problems, "one key, two answers: $first and @orders" if "@orders" ne $first;
        if (@orders != @{ $call->{lines} })
        {
            push @problems, 'a cart of ' . @{ $call->{lines} } . ' lines became ' . @orders . ' orders';
            next;
        }
        for my $i (0 .. $#orders)
        {
            my $id = $orders[$i];
            my $expected = join ' ', $call->{user}, @{ $call->{lines}[$i] };
            my $owner = $call->{key} ? "$call->{user} $call->{key}" : "$call";

            # a repeated call with the same key has the same order
            next if ($told{$id} || '') eq $owner;
            $told{$id} = $owner;
            my $row = delete $rows{$id};
            push @problems, "order $id was acknowledged and is not there" unless defined $row;
            push @problems, "order $id is $row, not $expected" if defined $row && $row ne $expected;
        }
    }
    for my $call (grep { $_->{state} eq 'lost' } @$history)
    {
        # the answer was lost: all of the purchase may be there, or nothing
        my %there = map { $_ => $rows{$_} } grep { $rows{$_} =~ /^$call->{user} / } keys %rows;
        my $lines = join ', ', sort map { "$call->{user} @$_" } @{ $call->{lines} };
        next unless %there;
        push @problems, "part of a purchase: " . join ', ', sort values %there
          if join(', ', sort values %there) ne $lines;
        delete @rows{ keys %there };
    }
    return @problems, map { "order $_ was never acknowledged: $rows{$_}" } sort keys %rows;
}

# Every refusal must have the right SQLSTATE, and a reason: in a race stock only goes down,
# so a call for no more than what is left at the end must not be refused.
sub audit_refusals
{
    my ($self, $history, $refusal, $left) = @_;
    my @problems;

    for my $call (grep { $_->{state} ne 'lost' && !bought($_) } @$history)
    {
        my %wanted;
        $wanted{ $_->[0] } += $_->[1] for @{ $call->{lines} };
        my $state = $call->{state} eq '00000' ? statuses($call) : $call->{state};
        push @problems, "refused with $state: $call->{answer}" if $state !~ $refusal;
        push @problems, "refused, though there is enough: $call->{call}"
          unless grep { $wanted{$_} > $left->{$_} } keys %wanted;
    }
    return @problems;
}

# No more may be sold than there was, and exactly what was sold must have left the stock.
sub audit_stock
{
    my ($self, $left) = @_;
    my %sold = $self->pairs('SELECT item_id, sum(quantity) FROM shop.orders GROUP BY item_id');
    my @problems;

    for my $number (sort { $a <=> $b } keys %{ $self->{stock} })
    {
        my $item = item_id($number);
        my ($stock, $sold) = ($self->{stock}{$number}, $sold{$item} || 0);
        my $taken = $stock - $left->{$item};
        push @problems, "item $number is oversold: $sold sold of $stock" if $sold > $stock;
        push @problems, "item $number has a stock of $left->{$item}" if $left->{$item} < 0;
        push @problems, "item $number: $sold sold, $taken taken from stock" if $sold != $taken;
    }
    return @problems;
}

# The ledger must agree with the orders, and verify must find nothing.
sub audit_ledger
{
    my ($self) = @_;
    my @different = split /\n/, $self->query(<<'END');
SELECT coalesce(o.item_id, m.item_id) || ': ' || coalesce(o.sold, 0) || ' sold, ' || coalesce(m.sold, 0) || ' in the ledger'
FROM (SELECT item_id, sum(quantity) AS sold FROM shop.orders GROUP BY item_id) o
FULL JOIN (SELECT item_id, -sum(delta) AS sold FROM items_stock.movements WHERE kind = 'sale' GROUP BY item_id) m
USING (item_id)
WHERE o.sold IS DISTINCT FROM m.sold
END
    return @different, map { "verify: $_" } split /\n/, $self->verify;
}

# Each hold must have exactly the movements of its state, and an order if it is confirmed.
sub audit_holds
{
    my ($self) = @_;
    return split /\n/, $self->query(<<'END');
SELECT format('hold %s is %s, with %s', r.reservation_id, r.status, coalesce(m.kinds, 'nothing'))
FROM items_stock.reservations AS r
LEFT JOIN (SELECT m.reservation_id, string_agg(m.kind || ' ' || m.delta, ', ' ORDER BY m.movement_id) AS kinds
           FROM items_stock.movements AS m GROUP BY m.reservation_id) AS m USING (reservation_id)
LEFT JOIN shop.orders AS o ON o.id = r.order_id AND o.user_id = r.user_id AND o.quantity = r.quantity
WHERE m.kinds IS DISTINCT FROM format(CASE r.status WHEN 'held' THEN 'hold -%1$s' WHEN 'released' THEN 'hold -%1$s, release %1$s'
    WHEN 'expired' THEN 'hold -%1$s, expiry %1$s' WHEN 'confirmed' THEN 'hold -%1$s, release %1$s, sale -%1$s' END, r.quantity)
OR (r.status = 'confirmed') <> (o.id IS NOT NULL)
END
}

# The findings of verify; empty, if it finds nothing.
sub verify
{
    my ($self) = @_;
    return $self->query(q{SELECT * FROM inventory.verify('shop.items')});
}

# The number of units sold.
sub sold
{
    my ($self) = @_;
    return $self->query('SELECT coalesce(sum(quantity), 0) FROM shop.orders');
}

# ---------------------------------------------------------------- reading answers

# Was the call answered with orders?
sub bought
{
    my ($call) = @_;
    return $call->{state} eq '00000' && (!$call->{cart} || statuses($call) eq 'ok');
}

# The ids of the orders, one for each line of the call.
sub orders
{
    my ($call) = @_;
    return ($call->{answer}) unless $call->{cart};
    return map { $_->{order_id} } @{ decode_json($call->{answer}) };
}

# The status of a cart: `ok`, or the SQLSTATE of its refusal.
sub statuses
{
    my ($call) = @_;
    my %seen = map { $_->{status} => 1 } @{ decode_json($call->{answer}) };

    delete $seen{not_taken} if keys %seen > 1;
    return 'IV001' if join(' ', keys %seen) eq 'out_of_stock';
    return join ' ', sort keys %seen;
}

# The rows of a query with two columns, as a hash.
sub pairs
{
    my ($self, $query) = @_;
    return map { split /\|/, $_, 2 } split /\n/, $self->query($query);
}

1;
