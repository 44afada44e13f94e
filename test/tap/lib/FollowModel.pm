# What order_writes => 'follow' must do, as a model that shares no code with the engine.
#
# A state has the rows of headers and lines as the shop writes them, and what the ledger must
# have: per line, item and user the units sold, cancelled and refunded.  `settle` is the state
# machine: it compares the rows that have changed since it was last called with the ledger.  A
# refusal is the set of the SQLSTATEs that are right, since a change can have several reasons.

package FollowModel;

use strict;
use warnings FATAL => 'all';

use Storable qw(dclone);

# A new state.  Items are hashes with stock (undef: not tracked), floor, limit and live.
sub new
{
    my ($class, %option) = @_;
    return bless {
        has_headers => $option{headers},
        items       => $option{items},
        headers     => {},
        lines       => {},
        ledger      => {},
        used        => {},               # units of a user and item that count against its limit
        base        => { headers => {}, lines => {} },
        touched     => {},
        events      => {},
        gone        => {}
    }, $class;
}

# A copy, to return to.
sub copy
{
    return dclone($_[0]);
}

# ---------------------------------------------------------------- rows

# Write a line; the columns that are given.
sub put_line
{
    my ($self, $id, %row) = @_;
    my $old = $self->{lines}{$id};

    push @{ $self->{events}{$id} }, ['insert'] unless $old;
    $self->{lines}{$id} = { %{ $old || { canceled => 0 } }, %row };
    $self->{touched}{$id} = 1 if !$old || grep { !same($old->{$_}, $row{$_}) } keys %row;
}

sub delete_line
{
    my ($self, $id) = @_;
    my $row = delete $self->{lines}{$id};

    push @{ $self->{events}{$id} }, [ 'delete', $row ];
    $self->{touched}{$id} = 1;
}

sub put_header
{
    my ($self, $id, %row) = @_;
    my $old = $self->{headers}{$id};

    $self->{headers}{$id} = { %{ $old || {} }, %row };
    return if $old && !grep { !same($old->{$_}, $row{$_}) } keys %row;
    $self->{touched}{$_} = 1 for $self->lines_of($id);
}

# With its lines, as ON DELETE CASCADE does.
sub delete_header
{
    my ($self, $id) = @_;

    $self->{gone}{$id} = delete $self->{headers}{$id};
    $self->delete_line($_) for $self->lines_of($id);
}

sub lines_of
{
    my ($self, $header) = @_;
    return grep { same($self->{lines}{$_}{header}, $header) } sort { $a <=> $b } keys %{ $self->{lines} };
}

sub same
{
    my ($a, $b) = @_;
    return defined $a && defined $b ? $a eq $b : !defined $a && !defined $b;
}

# ---------------------------------------------------------------- worth

# The row that has the status of a line, and its user.
sub governor
{
    my ($self, $line, $rows) = @_;
    return $line unless $self->{has_headers};
    return undef unless defined $line->{header};
    return $rows->{headers}{ $line->{header} } || $self->{gone}{ $line->{header} };
}

sub worth
{
    my ($self, $line, $rows) = @_;
    my $governor = $self->governor($line, $rows || $self);

    return 0 if !$governor || $governor->{status} =~ /^(?:cart|cancelled)$/ || !defined $line->{quantity};
    my $units = $line->{quantity} - $line->{canceled};
    return $units > 0 ? $units : 0;
}

sub is_final
{
    my ($self, $line) = @_;
    my $governor = $self->governor($line, $self);
    return $governor && $governor->{status} eq 'shipped';
}

sub user_of
{
    my ($self, $line) = @_;
    my $governor = $self->governor($line, $self);
    return $governor ? $governor->{user} : undef;
}

# ---------------------------------------------------------------- the ledger

# The part of a line of an item and user.
sub part
{
    my ($self, $line, $item, $user) = @_;
    my $parts = $self->{ledger}{$line} ||= [];
    my ($part) = grep { $_->{item} eq $item && same($_->{user}, $user) } @$parts;

    push @$parts, $part = { item => $item, user => $user, sold => 0, cancelled => 0, refunded => 0 } unless $part;
    return $part;
}

sub units
{
    my ($part) = @_;
    return $part->{sold} - $part->{cancelled};
}

sub open_units
{
    my ($part) = @_;
    return units($part) - $part->{refunded};
}

sub parts_of
{
    my ($self, $line) = @_;
    return grep { units($_) > 0 } @{ $self->{ledger}{$line} || [] };
}

# Units go to a user (or come back, where they are negative), and leave the stock.
sub move
{
    my ($self, $part, $units, $stock) = @_;

    $self->{moves}{stock}{ $part->{item} } -= $stock;
    $self->{moves}{used}{ $part->{item} }{ $part->{user} // '' } += $units;
}

sub sell
{
    my ($self, $line, $item, $user, $units) = @_;
    return if $units <= 0;
    my $part = $self->part($line, $item, $user);

    $part->{sold} += $units;
    $self->move($part, $units, $units);
}

# The units of a line of an item fall: what was refunded has come back before.
sub fall
{
    my ($self, $line, $item, $units) = @_;
    my @parts = grep { $_->{item} eq $item } $self->parts_of($line);

    for my $part (@parts)
    {
        my $refunded = $part->{refunded} < $units ? $part->{refunded} : $units;
        $part->{refunded} -= $refunded;
        $part->{cancelled} += $refunded;
        $units -= $refunded;
    }
    for my $part (@parts)
    {
        my $open = open_units($part);
        my $some = $open < $units ? $open : $units;
        next if $some <= 0;
        $part->{cancelled} += $some;
        $self->move($part, -$some, -$some);
        $units -= $some;
    }
}

sub fall_to_nothing
{
    my ($self, $line) = @_;
    my %items = map { $_->{item} => 1 } $self->parts_of($line);

    for my $item (sort keys %items)
    {
        my $units = 0;
        $units += units($_) for grep { $_->{item} eq $item } $self->parts_of($line);
        $self->fall($line, $item, $units);
    }
}

# Another line has the key: nothing comes back, and the users keep what they have.
sub close_line
{
    my ($self, $line) = @_;

    for my $part ($self->parts_of($line))
    {
        $part->{cancelled} += units($part);
        $part->{refunded} = 0;
    }
}

# ---------------------------------------------------------------- the state machine

sub settle_known
{
    my ($self, $id) = @_;
    my $line = $self->{lines}{$id};
    my ($first) = $self->parts_of($id);
    my $item = $line->{item} // ($first ? $first->{item} : undef);
    my $user = $self->user_of($line) // ($first ? $first->{user} : undef);
    my $worth = $self->worth($line);
    my ($booked, $others) = (0, 0);

    return unless defined $item;
    for my $part ($self->parts_of($id))
    {
        $booked += units($part) if $part->{item} eq $item;
        $others++ if $part->{item} ne $item;
    }
    if ($self->is_final($line))
    {
        $self->sell($id, $item, $user, $worth - $booked) unless $others;
        return;
    }
    for my $other (grep { $_->{item} ne $item } $self->parts_of($id))
    {
        $self->fall($id, $other->{item}, units($other));
    }
    $self->fall($id, $item, $booked - $worth) if $worth < $booked;
    for my $part (grep { $_->{item} eq $item && !same($_->{user}, $user) } $self->parts_of($id))
    {
        my $open = open_units($part);
        next if $open <= 0;
        $part->{cancelled} += $open;
        $self->move($part, -$open, -$open);
        $self->sell($id, $item, $user, $open);
    }
    $self->sell($id, $item, $user, $worth - $booked);
}

sub settle_unknown
{
    my ($self, $id) = @_;
    my $line = $self->{lines}{$id};
    my $old = $self->{base}{lines}{$id};

    return unless $line && defined $line->{item};
    my $worth = $self->worth($line);
    my $before = $old && same($old->{item}, $line->{item}) ? $self->worth($old, $self->{base}) : 0;
    return if $before == $worth;
    $self->book_unknown($id, $before < $worth ? $before : $worth);
    $self->sell($id, $line->{item}, $self->user_of($line), $worth - $before);
}

# What was there before is sold, and supplied by an opening.
sub book_unknown
{
    my ($self, $id, $units) = @_;
    my $line = $self->{lines}{$id};

    $self->part($id, $line->{item}, $self->user_of($line))->{sold} += $units if $units > 0;
}

sub settle_line
{
    my ($self, $id) = @_;
    my @events = @{ $self->{events}{$id} || [] };
    my $is_new = grep { $_->[0] eq 'insert' } @events;

    return $self->settle_unknown($id) unless $self->{ledger}{$id};
    if ($is_new)
    {
        $events[0][0] eq 'delete' && !$self->is_final($events[0][1])
          ? $self->fall_to_nothing($id)
          : $self->close_line($id);
    }
    if ($self->{lines}{$id})
    {
        $self->settle_known($id);
    }
    elsif (!$is_new && !$self->is_final($events[-1][1]))
    {
        $self->fall_to_nothing($id);
    }
}

# Follow what has changed; the SQLSTATEs of a refusal.
sub settle
{
    my ($self) = @_;

    $self->{moves} = { stock => {}, used => {} };
    $self->settle_line($_) for sort { $a <=> $b } keys %{ $self->{touched} };
    my @reasons = $self->move_stock;
    $self->{base} = dclone({ headers => $self->{headers}, lines => $self->{lines} });
    $self->{$_} = {} for qw(touched events gone);
    return @reasons;
}

# What was written is the engine's, and the ledger has it.
sub forget_changes
{
    my ($self) = @_;
    $self->{base} = dclone({ headers => $self->{headers}, lines => $self->{lines} });
    $self->{$_} = {} for qw(touched events gone);
}

# Move the stock by the sums of the items; the reasons why that is refused.
sub move_stock
{
    my ($self) = @_;
    my %reasons;

    for my $id (keys %{ $self->{moves}{stock} })
    {
        my $units = $self->{moves}{stock}{$id};
        my $item = $self->{items}{$id};
        if ($units < 0)
        {
            $reasons{IV002} = 1 if !$item || !$item->{live};
            $reasons{IV001} = 1 if $item && defined $item->{stock} && $item->{stock} + $units < $item->{floor};
        }
        $item->{stock} += $units if $item && defined $item->{stock};
    }
    for my $id (keys %{ $self->{moves}{used} })
    {
        my $item = $self->{items}{$id};
        for my $user (keys %{ $self->{moves}{used}{$id} })
        {
            my $units = $self->{moves}{used}{$id}{$user};
            my $used = $self->{used}{$id}{$user} += $units;
            next if !$item || !defined $item->{limit} || $units <= 0;
            $reasons{ $user eq '' ? '22004' : 'IV010' } = 1 if $user eq '' || $used > $item->{limit};
        }
    }
    return sort keys %reasons;
}

# ---------------------------------------------------------------- calls of the engine

# The parts of a line by which it can be refunded, and the reason why it cannot.
sub sold
{
    my ($self, $id) = @_;
    my $line = $self->{lines}{$id};

    return ([ $self->parts_of($id) ]) if $self->{ledger}{$id};
    return ([], 'IV003') unless $line;
    return ([]) unless defined $line->{item} && $self->worth($line);
    $self->book_unknown($id, $self->worth($line));
    return ([ $self->parts_of($id) ]);
}

# refund_order; $units is undef for all.
sub refund
{
    my ($self, $id, $units, $restock) = @_;
    my ($parts, $reason) = $self->sold($id);
    my $left = 0;

    return $reason if $reason;
    $left += open_units($_) for @$parts;
    return '22023' if defined $units && @$parts > 1;
    return 'IV008' if $left <= 0 || ($units // 0) > $left;
    $self->{moves} = { stock => {}, used => {} };
    for my $part (@$parts)
    {
        my $some = $units // open_units($part);
        $part->{refunded} += $some;
        $self->move($part, -$some, $restock ? -$some : 0);
    }
    return $self->move_stock;
}

# exchange_order of a line for others, each [id, item, units]; they are under the same header.
sub exchange
{
    my ($self, $id, @lines) = @_;
    my ($parts, $reason) = $self->sold($id);
    my @open = grep { open_units($_) > 0 } @$parts;

    return $reason if $reason;
    return '22023' if @open > 1;
    return 'IV008' unless @open;
    $self->{moves} = { stock => {}, used => {} };
    my $units = open_units($open[0]);
    $open[0]{refunded} += $units;
    $self->move($open[0], -$units, -$units);
    return $self->insert_sold($self->{lines}{$id}{header}, $open[0]{user}, @lines);
}

# Insert lines that the engine sells.
sub insert_sold
{
    my ($self, $header, $user, @lines) = @_;
    my @reasons;

    for my $line (@lines)
    {
        my ($id, $item, $units) = @$line;
        $self->put_line($id, header => $header, item => $item, quantity => $units, canceled => 0,
            $self->{has_headers} ? () : (user => $user, status => 'placed'));
        $self->sell($id, $item, $user, $units);
        push @reasons, '55000' if $self->worth($self->{lines}{$id}) != $units;
    }
    push @reasons, $self->move_stock;
    $self->forget_changes;
    return @reasons;
}

# ---------------------------------------------------------------- what can be compared

# The stock of each item; then units sold, cancelled and refunded per line and item, and those
# that each user has.
sub text
{
    my ($self) = @_;
    my @stock = map { "$_=" . ($self->{items}{$_}{stock} // '-') } sort { $a <=> $b } keys %{ $self->{items} };
    my @booked;

    for my $id (sort { $a <=> $b } keys %{ $self->{ledger} })
    {
        my %sum;
        for my $part (@{ $self->{ledger}{$id} })
        {
            $sum{ $part->{item} }[0] += $part->{sold};
            $sum{ $part->{item} }[1] += $part->{cancelled};
            $sum{ $part->{item} }[2] += $part->{refunded};
            push @{ $sum{ $part->{item} }[3] }, ($part->{user} // '-') . '*' . open_units($part) if open_units($part);
        }
        for my $item (sort { $a <=> $b } keys %sum)
        {
            my ($sold, $cancelled, $refunded, $users) = @{ $sum{$item} };
            push @booked, "$id/$item:$sold-$cancelled-$refunded(" . join(',', sort @{ $users || [] }) . ')';
        }
    }
    return "@stock | @booked";
}

1;
