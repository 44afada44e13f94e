"""C3: a key has at most one effect and one answer for all its tries; two keys share no effect."""

from .history import BUYS, COMMITTED, RESERVES, UNKNOWN


def told(op):
    """The answer of a try, without its flag `replayed`."""
    if isinstance(op.result, list):
        return op.state, op.code, tuple(tuple(line[:4]) for line in op.result)
    return op.state, op.code, op.result


def is_replay(op):
    """Does an answer say that it is replayed?"""
    return bool(op.result) and all(line[4] for line in op.result)


def same_answer(intent, report):
    """All tries must have the same answer, but that a hold can have ended since (C5)."""
    answered = [op for op in intent.tries if op.fate == COMMITTED
                and not (intent.op in RESERVES and op.code == "IV005")]
    if len(answered) > 1:
        report.look("keys tried again")
    for op in answered[1:]:
        if told(op) != told(answered[0]):
            report.add("C3", f"was told {told(op)}, at first {told(answered[0])}", op)


def one_does_it(intent, report):
    """One try of a cart sells it; the answers of all others must say `replayed`."""
    answered = [op for op in intent.tries if op.fate == COMMITTED]
    doers = [op for op in answered if not is_replay(op)]
    for op in doers[1:]:
        report.add("C3", f"was done again: operation {doers[0].n} of client {doers[0].client} "
                         "had done it", op)
    if answered and not doers and all(op.fate != UNKNOWN for op in intent.tries):
        report.add("C3", "was told of an earlier answer, and there was none", answered[0])


def another_effect(intents, report):
    """No order may be the answer to two keys."""
    owner = {}
    for intent in intents:
        if intent.op not in BUYS:
            continue
        for op in intent.done():
            orders = [op.result] if op.op == "buy_item" else [line[2] for line in op.result or ()]
            for order in orders:
                other = owner.setdefault(order, intent)
                if other is not intent:
                    report.add("C3", f"was told of order {order}, and so was token {other.token}",
                               op)


def check(cycle, report):
    for intent in cycle.intents.values():
        if intent.first.key is None:
            continue
        same_answer(intent, report)
        if intent.op in ("buy_cart", "try_buy_cart"):
            one_does_it(intent, report)
    another_effect(cycle.intents.values(), report)
