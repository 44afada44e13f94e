"""C6: at rest the store reports exactly the units that there are.

The view `levels` must agree with the item's row and its open holds.  The counter of a hot item must
agree with the row and the unsettled movements, and have nothing in flight.  A restart and settling
must not change the total, and after settling nothing is unsettled.
"""


def check_counter(row, stage, report):
    """One item at one stage."""
    where = f"when all is {stage.name}"
    if row.state == "hot":
        report.look("counters at rest")
        if row.hot != "t":
            report.add("C6", f"item {row.item_id} is cold, and has a counter, {where}")
        if row.held != 0 or row.holders != 0:
            report.add("C6", f"item {row.item_id}: the counter says that {row.held} are in flight "
                             f"in {row.holders} processes, {where}")
        if row.available != row.stock + row.unsettled - row.stock_floor:
            report.add("C6", f"item {row.item_id}: the counter says {row.available}, there are "
                             f"{row.stock} and {row.unsettled} unsettled, the floor is "
                             f"{row.stock_floor}, {where}")
    if stage.name == "settled" and row.unsettled != 0:
        report.add("C6", f"item {row.item_id}: {row.unsettled} unsettled, {where}")


def check_stages(cycle, report):
    there = {}
    for stage in cycle.stages:
        for row in stage.verify:
            report.add("C6", f"verify: item {row.item_id} {row.problem}, expected {row.expected}, "
                             f"actual {row.actual}, when all is {stage.name}")
        for row in stage.counters:
            check_counter(row, stage, report)
            total = row.stock + row.unsettled
            if there.setdefault(row.item_id, total) != total:
                report.add("C6", f"item {row.item_id}: {there[row.item_id]} became {total}, when "
                                 f"all is {stage.name}")


def check(cycle, report):
    check_stages(cycle, report)
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
