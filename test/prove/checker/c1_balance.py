"""C1: initial + put in - sold and not refunded = on hand, exactly, for each item.

The sum is made twice: from what the clients were told, where only operations of unknown outcome
and the corrections of stock-takes are looked up in the final tables; and from the final tables
alone.
"""

from .history import BUYS, COMMITTED, UNKNOWN


class Balance:
    """Units on hand, by item."""

    def __init__(self, items):
        self.total = {item.id: item.stock for item in items.values()}

    def add(self, item, units):
        self.total[item] = self.total.get(item, 0) + units


def booked(tables, token, kinds):
    """The movements with a token: [(item, delta)]."""
    return [(row.item_id, row.delta) for row in tables.movements_of.get(token, ())
            if row.kind in kinds]


def sold(cycle, intent, balance):
    """A purchase."""
    if intent.outcome() == COMMITTED:
        for item, quantity in intent.first.lines():
            balance.add(item, -quantity)
    elif intent.outcome() == UNKNOWN:
        for row in cycle.tables.orders_of.get(intent.token, ()):
            balance.add(row.item_id, -row.quantity)


def put_in(cycle, intent, balance):
    """A delivery, correction, stock-take, refund or direct write."""
    op, tables, outcome = intent.first, cycle.tables, intent.outcome()
    if op.op == "direct":
        if outcome == COMMITTED or (outcome == UNKNOWN and intent.token in tables.direct_of):
            balance.add(op.args["item"], op.args["delta"])
    elif op.op in ("restock_item", "adjust_stock"):
        delta = op.args["quantity" if op.op == "restock_item" else "delta"]
        if outcome == COMMITTED or (outcome == UNKNOWN and intent.token in tables.movements_of):
            balance.add(op.args["item"], delta)
    elif op.op == "count_stock":
        for item, delta in booked(tables, intent.token, {"count"}):
            balance.add(item, delta)
    elif op.op == "refund_order" and op.args["restock"]:
        put_back(cycle, intent, balance)


def put_back(cycle, intent, balance):
    """A refund with restock; for its client the quantity may be unknown."""
    quantity = intent.first.args["quantity"]
    order = cycle.tables.order.get(intent.first.args["order"])
    if intent.outcome() == COMMITTED and quantity is not None and order is not None:
        balance.add(order.item_id, quantity)
    else:
        for item, delta in booked(cycle.tables, intent.token, {"refund"}):
            balance.add(item, delta)


def confirmed(cycle, balance):
    """Confirmed reservations, each counted once, however often it was confirmed."""
    told, unknown = {}, []
    for intent in cycle.intents.values():
        if intent.op != "confirm_reservation":
            continue
        for op in intent.done():
            told[op.args["reservation"]] = op.result or ()
        if intent.outcome() == UNKNOWN:
            unknown.append(intent)
    for lines in told.values():
        for line in lines:
            balance.add(line[0], -line[1])
    for intent in unknown:
        if intent.first.args["reservation"] not in told:
            for row in cycle.tables.orders_of.get(intent.token, ()):
                balance.add(row.item_id, -row.quantity)


def by_histories(cycle):
    """Units on hand by what the clients were told."""
    balance = Balance(cycle.items)
    for intent in cycle.intents.values():
        if intent.op in BUYS:
            sold(cycle, intent, balance)
        else:
            put_in(cycle, intent, balance)
    confirmed(cycle, balance)
    return balance.total


def by_tables(cycle):
    """Units on hand by orders, direct writes and movements of operators."""
    balance = Balance(cycle.items)
    for row in cycle.tables.orders:
        balance.add(row.item_id, -row.quantity)
    for row in cycle.tables.direct:
        balance.add(row.item_id, row.delta)
    for row in cycle.tables.movements:
        if row.kind in ("restock", "adjustment", "count", "refund", "write_off"):
            balance.add(row.item_id, row.delta)
    return balance.total


def check(cycle, report):
    told, written = by_histories(cycle), by_tables(cycle)
    for item, row in sorted(cycle.tables.items.items()):
        report.look("items")
        held = cycle.tables.held.get(item, 0)
        for source, total in (("by what clients know", told), ("by the tables", written)):
            if total.get(item) != row.stock + held:
                report.add("C1", f"item {item}: {total.get(item)} on hand {source}, but "
                                 f"{row.stock} in stock and {held} held")
    for item in sorted(set(cycle.items) - set(cycle.tables.items)):
        report.add("C1", f"item {item} is gone")
