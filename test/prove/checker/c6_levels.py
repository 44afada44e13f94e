"""C6: at rest, what the store says is available is what is there.

`levels` says what can be sold, what is held and what is on hand; for a hot item these numbers come
from where its units are counted in flight, and at rest nothing may be in flight.  They have to be
those of the item's row and its open holds.  What else is known of hot items belongs here.
"""


def check(cycle, report):
    rows = {row.item_id: row for row in cycle.tables.levels}
    for item, row in sorted(cycle.tables.items.items()):
        level = rows.get(item)
        if level is None:
            report.add("C6", f"item {item} is not in levels")
            continue
        report.look("levels")
        held = cycle.tables.held.get(item, 0)
        expected = max(0, row.stock + held - level.reserved - row.stock_floor)
        if level.on_hand != row.stock + held or not 0 <= level.reserved <= held:
            report.add("C6", f"item {item}: levels say {level.on_hand} on hand and "
                             f"{level.reserved} held, there are {row.stock} and {held}")
        elif level.available != expected:
            report.add("C6", f"item {item}: levels say {level.available} available, it is "
                             f"{expected}")
