"""C7: the ledger explains every unit.

The movements of an item sum to its stock at the end, and to its total at every commit.  Only hot
items have epochs, which are settled in order.  Every order has one sale, every sale one order.
Refunds never exceed the order, and agree with what clients were told.  The result that is stored
under a key is the answer of the call.  `verify` finds nothing.
"""

import json
from collections import Counter

from .history import COMMITTED, RESERVES, UNKNOWN

KINDS = {"opening", "sale", "hold", "release", "expiry", "refund", "restock", "adjustment", "count",
         "write_off", "direct", "cancellation"}


def check_sums(cycle, report):
    """The final movements, per item."""
    total, direct, opening = Counter(), Counter(), {}
    for row in cycle.tables.movements:
        total[row.item_id] += row.delta
        if row.kind == "direct":
            direct[row.item_id, row.delta] += 1
        elif row.kind == "opening":
            opening.setdefault(row.item_id, []).append(row.delta)
        elif row.kind not in KINDS:
            report.add("C7", f"movement {row.movement_id} is of kind {row.kind}")
    for item, row in sorted(cycle.tables.items.items()):
        report.look("sums of movements")
        if total[item] != row.stock:
            report.add("C7", f"item {item}: {row.stock} in stock, its movements say {total[item]}")
        if item in cycle.items and opening.get(item) != [cycle.items[item].stock]:
            report.add("C7", f"item {item}: openings {opening.get(item)}, it began with "
                             f"{cycle.items[item].stock}")
    written = Counter((row.item_id, row.delta) for row in cycle.tables.direct)
    for fact in sorted((written - direct) | (direct - written)):
        report.add("C7", f"item {fact[0]}: {written[fact]} direct writes of {fact[1]}, "
                         f"{direct[fact]} booked")


def check_commits(cycle, report):
    """At every commit the totals must change by the movements."""
    for commit in cycle.commits:
        moves = Counter()
        for item, delta, _, _, _, _ in commit.movements:
            moves[item] += delta
        for item, (before, after) in commit.totals.items():
            if before is not None and after is not None and after - before != moves[item]:
                report.add("C7", f"item {item} goes from {before} to {after}, the movements say "
                                 f"{moves[item]}, in {commit.name()}",
                           next((cycle.operation(order[4]) for order in commit.orders), None))
        report.look("commits")
        for table in commit.deleted:
            report.add("C7", f"a row of {table} was deleted, in {commit.name()}")


def check_epochs(cycle, report):
    """Only movements of hot items may have an epoch; epochs must be settled in order."""
    hot, settled, segment = {item: False for item in cycle.items}, {}, 0
    for commit in cycle.commits:
        if commit.segment != segment:
            hot, settled, segment = {}, {}, commit.segment
        for item, _, kind, _, _, epoch in commit.movements:
            if epoch is None:
                continue
            report.look("movements of hot items")
            if not hot.get(item, True):
                report.add("C7", f"item {item} is cold, its {kind} has epoch {epoch}, in "
                                 f"{commit.name()}", cycle.operation(commit.movements[0][4]))
        for item, (is_hot, through) in commit.hot.items():
            report.look("changes of what is hot")
            if through < settled.get(item, 0):
                report.add("C7", f"item {item} was settled to epoch {settled[item]}, now it is "
                                 f"{through}, in {commit.name()}")
            hot[item], settled[item] = is_hot, through


def check_sales(cycle, report):
    """Every order has exactly one sale, and every sale an order."""
    sales = {}
    for row in cycle.tables.movements:
        if row.kind == "sale":
            if row.order_id in sales:
                report.add("C7", f"order {row.order_id} was sold twice: movements "
                                 f"{sales[row.order_id].movement_id}, {row.movement_id}")
            sales[row.order_id] = row
    for order in cycle.tables.orders:
        report.look("sales")
        sale, op = sales.pop(order.id, None), cycle.operation(order.token)
        if sale is None:
            report.add("C7", f"order {order.id} has no sale", op)
        elif (sale.item_id, sale.delta, sale.user_id) != \
                (order.item_id, -order.quantity, order.user_id):
            report.add("C7", f"order {order.id}: {order.quantity} of item {order.item_id} to "
                             f"{order.user_id}, its sale is {sale.delta} of item {sale.item_id} to "
                             f"{sale.user_id}", op)
    for sale in sales.values():
        report.add("C7", f"movement {sale.movement_id} sells under order {sale.order_id}, which "
                         "does not exist")


def check_refunds(cycle, report):
    """The refunds of each order, and the sums that clients were told."""
    for order_id, rows in cycle.tables.movements_by_order.items():
        refunds = [row for row in rows if row.kind == "refund"]
        if order_id is None or not refunds:
            continue
        order, so_far = cycle.tables.order.get(order_id), 0
        for row in sorted(refunds, key=lambda row: row.movement_id):
            report.look("refunds")
            so_far += row.delta
            op = cycle.operation(row.reason)
            if order is None or so_far > order.quantity or row.delta <= 0:
                report.add("C7", f"order {order_id} of {order.quantity if order else 'nothing'}: "
                                 f"{so_far} refunded", op)
            elif row.item_id != order.item_id:
                report.add("C7", f"order {order_id} of item {order.item_id}: a refund of item "
                                 f"{row.item_id}", op)
            if op is not None and op.took_effect() and op.result != so_far:
                report.add("C7", f"was told of {op.result} refunded, it was {so_far}", op)


def as_answered(op, result):
    """The result that is stored under a key, in the form of an answer in a history."""
    if isinstance(result, list):
        return [[line["item_id"], line["quantity"], line["order_id"], line["status"]]
                for line in result]
    if isinstance(result, dict):
        return result.get("reservation_id")
    return result


def check_requests(cycle, report):
    """The keys that are stored, and their results."""
    for key, rows in cycle.tables.requests_of.items():
        intent = cycle.intents.get(key[2:])
        if intent is None or intent.first.key != key:
            report.add("C7", f"key {key}: no operation had it")
        elif all(op.fate not in (COMMITTED, UNKNOWN) for op in intent.tries):
            report.add("C7", f"key {key} is kept, but its operation was rolled back", intent.first)
        elif len(rows) > 1 or rows[0].operation != intent.op:
            report.add("C7", f"key {key} is kept as {[row.operation for row in rows]}",
                       intent.first)
    for intent in cycle.intents.values():
        if intent.first.key is not None:
            kept(cycle, intent, report)


def kept(cycle, intent, report):
    """What is kept for each try that was answered."""
    rows = [row for row in cycle.tables.requests_of.get(intent.first.key, ())
            if row.operation == intent.op]
    for op in intent.tries:
        if op.fate != COMMITTED or (intent.op in RESERVES and op.code == "IV005"):
            continue
        report.look("kept answers")
        if not rows:
            report.add("C7", f"was answered, but nothing is kept under key {op.key}", op)
            continue
        answer = op.result
        if isinstance(answer, list):
            answer = [line[:4] for line in answer]
        found = as_answered(op, json.loads(rows[0].result))
        if found != answer:
            report.add("C7", f"was told {answer}, under key {op.key} is {found}", op)
        if op.user is not None and rows[0].user_id != op.user:
            report.add("C7", f"key {op.key} is kept for user {rows[0].user_id}", op)


def check_answers(cycle, report):
    """The stock that a client was told must be the stock at the commit."""
    for commit in cycle.commits:
        tokens = {d[0] for d in commit.direct} | {m[4] for m in commit.movements if m[4]}
        for intent in filter(None, map(cycle.intents.get, tokens)):
            op = intent.first
            if op.op not in ("direct", "restock_item", "adjust_stock", "count_stock"):
                continue
            for done in intent.done():
                if any(other.tx is not None for other in intent.tries):
                    continue
                report.look("answers of stock")
                stock, floor = commit.items.get(op.args["item"], (None, None))
                expected = stock if op.op == "direct" or stock is None else max(0, stock - floor)
                if stock is not None and done.result != expected:
                    report.add("C7", f"was told of {done.result} afterwards, it was {expected}",
                               done)


def check_verify(cycle, report):
    for row in cycle.tables.verify:
        report.add("C7", f"verify: item {row.item_id} {row.problem}, expected {row.expected}, "
                         f"actual {row.actual}")


def check(cycle, report):
    check_verify(cycle, report)
    check_sums(cycle, report)
    check_commits(cycle, report)
    check_epochs(cycle, report)
    check_sales(cycle, report)
    check_refunds(cycle, report)
    check_requests(cycle, report)
    check_answers(cycle, report)
