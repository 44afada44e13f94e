"""C7 for reservations: each ends once, and the ledger agrees with what is held.

A line is held, and then exactly one of confirmed, released or expired.  Its movements must agree:
held units have left the stock, units of a line that was not sold have returned, confirmed units are
sold, each once.  After expires_at a hold must not be changed except by its expiry.
"""

from collections import Counter

from .history import GONE, UNKNOWN
from .timeline import SLACK


def check_movements(cycle, report):
    """The movements of each line, against its final state."""
    for reservation, rows in cycle.tables.movements_by_hold.items():
        if reservation is not None and reservation not in cycle.tables.holds:
            report.add("C7", f"reservation {reservation} has movements, but does not exist")
    for reservation, lines in cycle.tables.holds.items():
        moves = {}
        for row in cycle.tables.movements_by_hold.get(reservation, ()):
            moves.setdefault(row.item_id, []).append(row)
        for line in lines:
            report.look("lines of reservations")
            for fact in wrong_movements(cycle, line, moves.pop(line.item_id, ())):
                report.add("C7", f"reservation {reservation}, {line.quantity} of item "
                                 f"{line.item_id}, {line.status}: {fact}",
                           cycle.operation(line.user_id))
        for item in moves:
            report.add("C7", f"reservation {reservation} has movements of item {item}, and no such "
                             "line", cycle.operation(lines[0].user_id))


def wrong_movements(cycle, line, moves):
    """What is wrong with the movements of one line."""
    units, rows = Counter(), Counter()
    for row in moves:
        units[row.kind] += row.delta
        rows[row.kind] += 1
        if row.user_id != line.user_id:
            yield f"movement {row.movement_id} is of user {row.user_id}, not {line.user_id}"
    out = -(units["hold"] + units["release"] + units["expiry"])
    if out != (line.quantity if line.status == "held" else 0):
        yield f"the ledger says that {out} are held"
    if rows["expiry"] != (line.status == "expired"):
        yield f"it expired {rows['expiry']} times"
    if line.status == "expired" and units["expiry"] != line.quantity:
        yield f"{units['expiry']} came back when it expired"
    sold = line.quantity if line.status == "confirmed" else 0
    if -units["sale"] != sold or rows["sale"] != (line.status == "confirmed"):
        yield f"{-units['sale']} sold in {rows['sale']} movements"
    if set(units) - {"hold", "release", "expiry", "sale"}:
        yield f"movements of kinds {sorted(units)}"
    yield from wrong_order(cycle, line, moves)


def wrong_order(cycle, line, moves):
    """What is wrong with the order of a confirmed line."""
    if line.status != "confirmed":
        if line.order_id is not None:
            yield f"it has order {line.order_id}"
        return
    order = cycle.tables.order.get(line.order_id)
    if order is None:
        yield f"its order {line.order_id} does not exist"
    elif (order.item_id, order.quantity, order.user_id) != \
            (line.item_id, line.quantity, line.user_id):
        yield f"its order is {order.quantity} of item {order.item_id} to {order.user_id}"
    if any(row.kind == "sale" and row.order_id != line.order_id for row in moves):
        yield "its sale is of another order"


def check_one_end(cycle, report):
    """Compare what clients were told of the end of a reservation with its state."""
    for reservation, ops in cycle.on_hold.items():
        rows = cycle.tables.holds.get(reservation)
        if rows is None:
            for op in ops:
                if op.took_effect():
                    report.add("C7", f"reservation {reservation} does not exist", op)
            continue
        states = {row.status for row in rows}
        released = [op for op in ops if op.op == "release_reservation" and op.took_effect()
                    and op.result is True]
        confirmed = [op for op in ops if op.op == "confirm_reservation" and op.took_effect()]
        report.look("ends of reservations", len(released) + len(confirmed))
        for op in released[1:]:
            report.add("C7", f"was told to have released what operation {released[0].n} of client "
                             f"{released[0].client} had released", op)
        for op in released:
            if states != {"released"}:
                report.add("C7", f"released, but the reservation is {sorted(states)}", op)
        for op in confirmed:
            if "confirmed" not in states or states & {"held", "expired"}:
                report.add("C7", f"confirmed, but the reservation is {sorted(states)}", op)
        unexplained_end(rows, ops, report, cycle)


def unexplained_end(rows, ops, report, cycle):
    """A reservation that is confirmed or released needs an operation that did it."""
    may = {op.op for op in ops if op.fate != GONE and op.state in ("ok", "unknown")}
    for row in rows:
        by = {"confirmed": {"confirm_reservation"},
              "released": {"release_reservation", "change_reservation"}}.get(row.status)
        if by is not None and not by & may:
            report.add("C7", f"reservation {row.reservation_id} is {row.status}, and no operation "
                             "did that", cycle.operation(row.user_id))


MOVES = {"held": ("change_reservation", "extend_reservation"),
         "confirmed": ("confirm_reservation",),
         "released": ("release_reservation", "change_reservation")}


def movers(cycle, commit, reservation, status):
    """The operations that may have made this commit, which set the state of a line."""
    return [op for op in cycle.on_hold.get(reservation, ())
            if op.op in MOVES[status] and op.fate != GONE and op.state in ("ok", "unknown")
            and op.from_ <= commit.until and (op.fate == UNKNOWN or op.until >= commit.from_)]


def check_times(cycle, report):
    """No expired hold may be changed, and none may expire before its time."""
    if not cycle.clock.good:
        return
    lines = {}      # (quantity, status, expires_at) by (reservation, item)
    for commit in cycle.commits:
        after = {hold[:2]: (hold[2], hold[4], hold[5]) for hold in commit.holds}
        for line, now in after.items():
            before = lines.get(line)
            if before is not None and before != now:
                report.look("moves of reservations")
                wrong, op = wrong_move(cycle, commit, line[0], before, now)
                if wrong:
                    report.add("C7", f"reservation {line[0]}, item {line[1]}: {wrong}, in "
                                     f"{commit.name()}", op)
        lines.update(after)


def wrong_move(cycle, commit, reservation, before, now):
    """What is wrong with a change of a line's state, and the operation that made it."""
    (_, was, expires_at), (_, status, expires_then) = before, now
    if was != "held":
        wrong = was != "released" or status not in ("held", "released")
        return f"{status} after {was}" if wrong else None, None
    early = (expires_at - commit.at - SLACK) / 1e6
    if status == "expired":
        return f"expired {early:.0f} ms too early" if early > 0 else None, None
    if status == "held" and expires_then < expires_at:
        return "it expires earlier than before", None
    by = movers(cycle, commit, reservation, status)
    if not by:
        return f"{status}, and no operation did that", None
    if status != "held":    # its own transaction may have extended it
        expires_at = max(expires_at, expires_then)
    late = min(cycle.clock.wall(op.at) - SLACK - expires_at for op in by) / 1e6
    wrong = f"{status} by a call that began {late:.0f} ms after it expired" if late > 0 else None
    return wrong, by[0]


def check(cycle, report):
    check_movements(cycle, report)
    check_one_end(cycle, report)
    check_times(cycle, report)
