"""C2: what was acknowledged is stored exactly once, as it was asked for; what was refused or rolled
back is not stored; an operation of unknown outcome is stored as a whole or not at all.  Nothing is
stored that no operation asked for.
"""

from collections import Counter

from .history import BUYS, COMMITTED, GONE, RESERVES, UNKNOWN
from . import presence_of_holds


class Expected:
    """The facts, a multiset, that an operation should have stored."""

    def __init__(self, intent, what, facts):
        self.intent = intent
        self.what = what
        self.facts = facts

    def judge(self, report, found):
        """Compare with the facts that were found."""
        outcome, op = self.intent.outcome(), self.intent.acknowledged()
        report.look(f"{outcome} {self.what}")
        if found == self.facts and outcome != GONE or not found and outcome != COMMITTED:
            return      # by far the most frequent case
        found, self.facts = Counter(found), Counter(self.facts)
        if outcome == GONE and found:
            report.add("C2", f"{refusal(op)}, but {self.what} {show(found)}", op)
        elif outcome == COMMITTED and not found:
            report.add("C2", f"acknowledged, but no {self.what}", op)
        elif found and outcome != GONE and found != self.facts:
            self.differ(report, found, op)

    def differ(self, report, found, op):
        times = found.total() / max(1, self.facts.total())
        rule, more = "C2", ""
        if times > 1 and all(found[fact] == times * n for fact, n in self.facts.items()):
            rule = "C3" if self.intent.first.key else "C2"
            more = f" {int(times)} times"
        report.add(rule, f"asked for {self.what} {show(self.facts)}, there is "
                         f"{show(found)}{more}", op)


def refusal(op):
    """The end of an operation that stored nothing."""
    return f"{op.state} {op.code}" if op.state in ("refused", "error") else "rolled back"


def show(facts):
    """Facts in words."""
    parts = [f"{' '.join(map(str, fact))}" + (f" (x{n})" if n > 1 else "")
             for fact, n in sorted(facts.items(), key=str)]
    return "[" + ", ".join(parts[:6]) + (", ..." if len(parts) > 6 else "") + "]"


def purchase(cycle, intent, report):
    """The orders of buy_item and carts: item, quantity, user."""
    op = intent.first
    rows = cycle.tables.orders_of.get(intent.token, ())
    facts = [("item", item, "quantity", quantity, "user", op.user) for item, quantity in op.lines()]
    Expected(intent, "orders", facts).judge(
        report, [("item", r.item_id, "quantity", r.quantity, "user", r.user_id) for r in rows])
    for done in intent.done():
        answered(cycle, done, rows, report)


def answered(cycle, op, rows, report):
    """The orders that a client was told of must be those that are stored."""
    told = [op.result] if op.op == "buy_item" else [line[2] for line in op.result or ()]
    there = {row.id for row in rows}
    for order in told:
        if order not in there:
            found = cycle.tables.order.get(order)
            report.add("C2", f"was told of order {order}, "
                       + ("which is not there" if found is None else
                          f"which is of token {found.token}"), op)
    if op.op != "buy_item":
        lines = Counter((line[0], line[1]) for line in op.result or ())
        if lines != Counter(op.lines()):
            report.add("C2", f"asked for {op.args['lines']}, was told of {op.result}", op)


def moved(cycle, intent, report):
    """Operator functions: one movement each, with the token as its reason."""
    op, kind = intent.first, KINDS[intent.op]
    rows = cycle.tables.movements_of.get(intent.token, ())
    found = [(r.kind, "item", r.item_id, "delta", r.delta) for r in rows if r.kind != "write_off"]
    item, delta = op.args.get("item"), op.args.get("delta", op.args.get("quantity"))
    if op.op == "refund_order":
        order = cycle.tables.order.get(op.args["order"])
        item = order.item_id if order else None
    if delta is None and found:     # a refund of the rest, or a stock-take: c7_ledger checks sums
        delta = found[0][4]
    Expected(intent, "movements", [(kind, "item", item, "delta", delta)]).judge(report, found)
    if op.op == "refund_order":
        written_off(intent, rows, report)


def written_off(intent, rows, report):
    """A refund without restock has a second movement that takes the units off again."""
    back = Counter((r.item_id, r.order_id, r.delta) for r in rows if r.kind == "refund")
    lost = Counter((r.item_id, r.order_id, -r.delta) for r in rows if r.kind == "write_off")
    if lost != (Counter() if intent.first.args["restock"] else back):
        report.add("C2", f"restock {intent.first.args['restock']}, but refunds {dict(back)} and "
                         f"written off {dict(lost)}", intent.acknowledged())
    for _, order, _ in back:
        if order != intent.first.args["order"]:
            report.add("C2", f"order {intent.first.args['order']} was to be refunded, "
                             f"but {order} was", intent.acknowledged())


KINDS = {"refund_order": "refund", "restock_item": "restock", "adjust_stock": "adjustment",
         "count_stock": "count"}


def direct(cycle, intent, report):
    op = intent.first
    rows = cycle.tables.direct_of.get(intent.token, ())
    Expected(intent, "direct writes", [("item", op.args["item"], "delta", op.args["delta"])]).judge(
        report, [("item", r.item_id, "delta", r.delta) for r in rows])


def unexplained(cycle, report):
    """Orders, movements and direct writes that belong to no operation."""
    tables = cycle.tables
    for token, rows in tables.orders_of.items():
        intent = cycle.intents.get(token)
        if intent is None or not (intent.op in BUYS or intent.op == "confirm_reservation"):
            for row in rows:
                report.add("C2", f"order {row.id} of token {token}: no operation asked for it")
    for token, rows in tables.movements_of.items():
        intent = cycle.intents.get(token)
        if token is not None and (intent is None or intent.op not in KINDS):
            for row in rows:
                report.add("C2", f"movement {row.movement_id} with reason {token}: no operation "
                                 "asked for it")
    for token in tables.direct_of:
        if token not in cycle.intents:
            report.add("C2", f"direct write {token}: no operation asked for it")


def traces(cycle, token):
    """Is anything stored with this token?"""
    tables = cycle.tables
    return any(token in found for found in (tables.orders_of, tables.movements_of,
                                            tables.direct_of, tables.holds_of)) or \
        (cycle.following is not None and token in cycle.following.written)


TRACED = BUYS | set(KINDS) | {"direct", "insert_header", "insert_lines", "follow_buy_cart"}


def half_transactions(cycle, report):
    """A transaction of unknown outcome must be stored as a whole or not at all."""
    unknown = {}
    for op in cycle.operations:
        if op.tx is not None and op.fate == UNKNOWN and op.state == "ok" and op.op in TRACED \
                and len(cycle.intents[op.token].tries) == 1:
            unknown.setdefault((op.client, op.tx), []).append(op)
    for (client, tx), members in unknown.items():
        there = [op.token for op in members if traces(cycle, op.token)]
        if there and len(there) < len(members):
            report.add("C2", f"client {client} transaction {tx}: of {len(members)} operations only "
                             f"{', '.join(there)} is there", members[0])


def check(cycle, report):
    for intent in cycle.intents.values():
        if intent.op in BUYS:
            purchase(cycle, intent, report)
        elif intent.op in KINDS:
            moved(cycle, intent, report)
        elif intent.op == "direct":
            direct(cycle, intent, report)
        elif intent.op in RESERVES:
            presence_of_holds.reserved(cycle, intent, report)
        elif intent.op == "confirm_reservation":
            presence_of_holds.confirmed(cycle, intent, report)
    unexplained(cycle, report)
    presence_of_holds.unexplained(cycle, report)
    half_transactions(cycle, report)
