"""C1 in the store that follows its orders: initial + put in - what customers have = on hand, for
each item, so that no unit is twice.

What customers have of an open line is its worth without what was refunded; of a line that is final
or gone, what is booked (c8_worth.py).  Deliveries are those that clients were told of; those of
unknown outcome are looked up, as are units that were written off.
"""

from .c8_worth import REFUNDED, is_final, worth_of
from .history import COMMITTED, UNKNOWN


def put_in(following, total):
    """Deliveries."""
    for intent in following.intents.values():
        if intent.op != "follow_restock_item":
            continue
        outcome, (item, quantity) = intent.outcome(), intent.first.lines()[0]
        if outcome == COMMITTED or (outcome == UNKNOWN and
                                    intent.token in following.tables.movements_of):
            total[item] += quantity


def taken(following, ledger, total):
    """What customers have."""
    tables = following.tables
    for line_id in ledger.parts.keys() | tables.lines.keys():
        line = tables.lines.get(line_id)
        header = tables.headers.get(line.order_id) if line else None
        units = ledger.booked(line_id)
        if line is not None and not is_final(header):
            units = {line.item_id: worth_of(line, header)}
        for item, has in units.items():
            total[item] -= has
        for item, part in ledger.parts.get(line_id, {}).items():
            total[item] += part[REFUNDED]
    for row in tables.movements:
        if row.kind == "write_off":
            total[row.item_id] += row.delta


def check(following, ledger, report):
    total = {item.id: item.stock for item in following.items.values()}
    put_in(following, total)
    taken(following, ledger, total)
    for item, row in sorted(following.tables.items.items()):
        report.look("items")
        if total.get(item) != row.stock:
            report.add("C1", f"item {item}: {total.get(item)} on hand by the lines, but "
                             f"{row.stock} in stock")
