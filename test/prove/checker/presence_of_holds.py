"""C2 for reservations: each is stored once, with its lines and user, and confirmed once.

A reservation is found by its user, who is its token, or, where users buy more than once, by the
result under its key.  Its lines may have been changed: the quantity of every change that may have
been the last is accepted.
"""

import json
from collections import Counter

from .history import COMMITTED, GONE, RESERVES, UNKNOWN, summed


def kept_reservation(cycle, intent):
    """The reservation in the result under the key of an intent, or None."""
    for row in cycle.tables.requests_of.get(intent.first.key, ()):
        if row.operation == intent.op and row.user_id == intent.first.user:
            result = json.loads(row.result)
            return result.get("reservation_id") if isinstance(result, dict) else result
    return None


def made(cycle, intent):
    """The reservations of an intent that exist."""
    op = intent.first
    if op.user == op.token:
        return {row.reservation_id for row in cycle.tables.holds_of.get(op.token, ())}
    told = {done.result for done in intent.done()}
    if intent.first.key:
        told.add(kept_reservation(cycle, intent))
    return {reservation for reservation in told if reservation in cycle.tables.holds}


def reserved(cycle, intent, report):
    """Acknowledged, a reservation must exist once; unknown, at most once; refused, not at all."""
    there, outcome, op = made(cycle, intent), intent.outcome(), intent.acknowledged()
    report.look(f"{outcome} reservations")
    if outcome == GONE and there:
        report.add("C2", f"{op.state} {op.code or ''}, but reservation {', '.join(there)}", op)
    elif len(there) > 1:
        report.add("C3" if op.key else "C2", f"reserved {len(there)} times: {sorted(there)}", op)
    elif outcome == COMMITTED and not there:
        report.add("C2", f"acknowledged reservation {op.result}, but there is none", op)
    for done in intent.done():
        if there and done.result not in there:
            report.add("C2", f"was told of reservation {done.result}, there is {there}", done)
    if outcome != GONE:
        for reservation in there:
            lines_of(cycle, intent, reservation, report)


def may_be_last(changes):
    """The changes of a line that may have been the last; None stands for no change."""
    sure = [op for op in changes if op.took_effect()]
    values = [op for op in changes if op.fate == UNKNOWN]
    for op in sure:
        if not any(other.from_ > op.until for other in sure):
            values.append(op)
    return values + ([] if sure else [None])


def lines_of(cycle, intent, reservation, report):
    """Each line must have the user, and a quantity that was asked for."""
    asked = summed(intent.first.lines())
    changes = {}
    for op in cycle.on_hold.get(reservation, ()):
        if op.op == "change_reservation" and op.fate != GONE and op.state in ("ok", "unknown"):
            changes.setdefault(op.args["item"], []).append(op)
    there = {row.item_id: row for row in cycle.tables.holds[reservation]}
    for item in asked.keys() - there.keys():
        report.add("C2", f"reservation {reservation} has no line of item {item}", intent.first)
    for item, row in there.items():
        last = may_be_last(changes.get(item, ()))
        possible = {op.args["quantity"] if op else asked.get(item, 0) for op in last}
        if row.status == "released":    # a removed line keeps the quantity that it had
            possible |= {op.args["quantity"] for op in changes.get(item, ())}
            possible.add(asked.get(item, 0))
        if row.quantity not in possible:
            report.add("C2", f"reservation {reservation} {row.status} {row.quantity} of item "
                             f"{item}, asked for {sorted(possible)}", intent.first)
        if row.user_id != intent.first.user:
            report.add("C2", f"reservation {reservation} of user {intent.first.user} is "
                             f"{row.user_id}'s", intent.first)


def order_facts(rows):
    return Counter((row.item_id, row.quantity, row.user_id) for row in rows)


def confirmed(cycle, intent, report):
    """The orders of a confirmation must be the lines of its reservation, or none."""
    outcome, op = intent.outcome(), intent.acknowledged()
    rows = cycle.tables.orders_of.get(intent.token, ())
    hold = cycle.tables.holds.get(op.args["reservation"], ())
    lines = order_facts(row for row in hold if row.status == "confirmed")
    report.look(f"{outcome} confirmations")
    if outcome == GONE and rows:
        report.add("C2", f"{op.state} {op.code or ''}, but orders {dict(order_facts(rows))}", op)
    elif rows and order_facts(rows) != lines:
        report.add("C2", f"orders (item, quantity, user) {dict(order_facts(rows))}, but the "
                         f"reservation has {dict(lines)}", op)
    for done in intent.done():
        told_of_orders(cycle, done, lines, report)


def told_of_orders(cycle, op, lines, report):
    """The orders of an answer must exist, with the token of a confirmation of this reservation."""
    for item, quantity, order, _, replayed in op.result or ():
        row = cycle.tables.order.get(order)
        if row is None:
            report.add("C2", f"was told of order {order}, which is not there", op)
            continue
        if (row.item_id, row.quantity) != (item, quantity):
            report.add("C2", f"was told of {quantity} of item {item}, order {order} is of "
                             f"{row.quantity} of item {row.item_id}", op)
        by = cycle.intents.get(row.token)
        if row.token != op.token and not replayed or by is None or \
                by.first.args.get("reservation") != op.args["reservation"]:
            report.add("C2", f"was told of order {order}, which is of token {row.token}", op)
    if len(op.result or ()) != lines.total():
        report.add("C2", f"was told of {len(op.result or ())} orders, the reservation has "
                         f"{lines.total()}", op)


def unexplained(cycle, report):
    """Reservations that belong to no operation, or are the answer of two."""
    owners = {}
    for intent in cycle.intents.values():
        if intent.op in RESERVES and intent.outcome() != GONE:
            for reservation in made(cycle, intent):
                owners.setdefault(reservation, []).append(intent)
    for reservation in cycle.tables.holds:
        intents = owners.get(reservation, ())
        if not intents:
            report.add("C2", f"reservation {reservation}: no operation asked for it")
        elif len(intents) > 1:
            report.add("C3", f"reservation {reservation} is the answer to "
                             f"{', '.join(i.token for i in intents)}", intents[0].first)
