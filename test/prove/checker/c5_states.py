"""C5 for reservations and orders: a refusal must agree with their final state.

A reservation that was confirmed, released or expired stays so, and refunds only grow.  So a refusal
that names another state than the final one was wrong at every instant.  Two kinds of refusals are
not checked: in a transaction, because the cause may be its own work that was rolled back later; and
before a promotion, because a commit that stopped waiting for the standby was visible, and is lost
with the old primary.
"""

import json

from .history import COMMITTED, RESERVES
from .timeline import SLACK

SECOND = 10 ** 9


def ended(rows):
    """The final state of a reservation; a removed line, which is released, does not count."""
    states = {row.status for row in rows}
    for state in ("confirmed", "expired", "held"):
        if state in states:
            return state
    return "released"


def hold_refused(cycle, op, acknowledged, report):
    rows = cycle.tables.holds.get(op.args["reservation"])
    if op.code == "IV004":
        made = acknowledged.get(op.args["reservation"])
        if made is not None and made.until < op.at:
            report.add("C5", f"reservation_not_found, but client {made.client} was told of it "
                             f"in operation {made.n}", op)
        return
    if rows is None:
        report.add("C5", f"{op.code} of a reservation that does not exist", op)
        return
    end = ended(rows)
    if op.code == "IV006" and end != "confirmed":
        report.add("C5", f"reservation_confirmed, but it ended {end}", op)
    elif op.code == "IV007" and end != "released":
        report.add("C5", f"reservation_released, but it ended {end}", op)
    elif op.code == "IV005":
        too_early(cycle, op, rows, end, report)


def too_early(cycle, op, rows, end, report):
    if end in ("confirmed", "released"):
        report.add("C5", f"reservation_expired, but it ended {end}", op)
    latest = max(row.expires_at for row in rows)
    if cycle.clock.good and latest > cycle.clock.wall(op.end) + SLACK:
        ms = (latest - cycle.clock.wall(op.end)) / 1e6
        report.add("C5", f"reservation_expired {ms:.0f} ms before it did", op)


def key_refused(cycle, op, report):
    """A call that made a hold is repeated: only a hold that has ended is refused."""
    kept = [json.loads(row.result) for row in cycle.tables.requests_of.get(op.key, ())
            if row.operation == op.op]
    rows = [line for hold in kept for line in
            cycle.tables.holds.get(hold.get("reservation_id") if isinstance(hold, dict) else hold, ())]
    if not rows:
        report.add("C5", "reservation_expired, but no hold was made under the key", op)
    elif ended(rows) != "released":
        too_early(cycle, op, rows, ended(rows), report)


def refund_refused(cycle, op, report):
    order = cycle.tables.order.get(op.args["order"])
    if op.code == "IV003":
        if order is not None and early_order(cycle, order, op):
            report.add("C5", "order_not_found, but it is there, and was before the call", op)
    elif op.code == "IV008":
        if order is None:
            report.add("C5", "refund_exceeds_order, but there is no such order", op)
            return
        refunded = sum(row.delta for row in cycle.tables.movements_by_order.get(order.id, ())
                       if row.kind == "refund")
        quantity = op.args["quantity"]
        if refunded + (quantity or 1) <= order.quantity:
            report.add("C5", f"refund_exceeds_order, but of {order.quantity} only {refunded} "
                             "were ever refunded", op)


def early_order(cycle, order, op):
    intent = cycle.intents.get(order.token)
    return intent is not None and intent.outcome() == COMMITTED and intent.until() < op.at


def promoted_at(cycle):
    """When the last primary took over; until it was killed, the previous one answered."""
    return max((fault["at"] + SECOND for fault in cycle.faults if fault["fault"] == "promotion"),
               default=0)


def check_states(cycle, report):
    acknowledged = {op.result: op for op in cycle.operations
                    if op.op in RESERVES and op.took_effect()}
    promoted = promoted_at(cycle)
    for op in cycle.operations:
        if op.state != "refused" or op.tx is not None or op.at < promoted:
            continue
        if "reservation" in op.args and op.code in ("IV004", "IV005", "IV006", "IV007"):
            report.look("refusals of reservations")
            hold_refused(cycle, op, acknowledged, report)
        elif op.op in RESERVES and op.code == "IV005":
            report.look("repeated calls of holds that have ended")
            key_refused(cycle, op, report)
        elif op.op == "refund_order":
            report.look("refusals of refunds")
            refund_refused(cycle, op, report)
