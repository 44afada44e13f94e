"""C5: each refusal was right at some instant of its call.

The stream has every stock that an item had, in order; the histories say between which times each
of them became visible.  A refusal is wrong if every stock that may have been visible during its
call was sufficient, counting the units of holds that were certainly overdue.  Where the stock is
unknown (in a gap in the stream, or because of earlier operations of the same transaction), the
refusal is accepted.

    levels.py       the stocks of an item over time, and its overdue holds
    c5_limits.py    refusals because of purchase limits
    c5_states.py    refusals because of what a reservation or order is
"""

import re
from bisect import bisect_left, bisect_right

from .c5_limits import check_limits
from .c5_states import check_states
from .history import BUYS, CONTROL, FOLLOWS, HEATS, RESERVES, summed
from .levels import Levels

TAKING = BUYS | RESERVES
SHORT = re.compile(r'Item "(\d+)": (\d+) asked for')


class Claim:
    """The statement of a refusal that an item had fewer than a number of units."""

    __slots__ = ("op", "item", "units", "own", "touched", "overdue", "judged")

    def __init__(self, op, item, units, overdue=True):
        self.op = op
        self.item = item
        self.units = units
        self.own = min_own(op, item)
        # holds that its own transaction may have confirmed or extended
        # (other sessions see them overdue)
        self.touched = {other.args["reservation"] for other in op.own
                        if "reservation" in other.args}
        self.overdue = overdue      # do overdue holds count as available?
        self.judged = None


def given(other, units):
    """The minimum that a call gave: with a key it may be nothing, if an earlier try gave it."""
    return min(units, 0) if other.key else units


def min_own(op, item):
    """The minimum by which earlier operations of the transaction may have changed a stock."""
    least = 0
    for other in op.own:
        if other.state != "ok" or other.op in HEATS | FOLLOWS:
            continue
        if other.op in TAKING:
            least -= summed(other.lines()).get(item, 0)
        elif other.args.get("item") == item:
            if other.op == "change_reservation":
                least -= other.args["quantity"]
            elif other.op == "restock_item":
                least += given(other, other.args["quantity"])
            elif other.op == "count_stock":
                least -= 1 << 40    # the correction is unknown
            else:
                least += given(other, other.args["delta"])
    return least


def claims(op):
    """The claims of a refusal, and `all` or `any`, for how many of them must be right."""
    if op.op == "try_buy_cart":
        asked = summed(op.lines())
        short = {line[0] for line in op.result or () if line[3] == "out_of_stock"}
        return [Claim(op, item, asked[item]) for item in sorted(short)], all
    if op.op in ("adjust_stock", "direct"):
        return [Claim(op, op.args["item"], -op.args["delta"], overdue=False)], all
    if op.op == "change_reservation":   # how many units it held is not known here
        return [Claim(op, op.args["item"], op.args["quantity"])], all
    asked = summed(op.lines())
    named = {int(item) for item, _ in SHORT.findall(op.message or "")}
    if named and named <= asked.keys():
        return [Claim(op, item, asked[item]) for item in sorted(named)], all
    return [Claim(op, item, units) for item, units in sorted(asked.items())], any


def out_of_stock(op):
    if op.op == "try_buy_cart" and op.refused_softly():
        return any(line[3] == "out_of_stock" for line in op.result or ())
    return op.state == "refused" and op.code == "IV001" and op.op != "count_stock" and \
        op.op not in FOLLOWS | CONTROL


def check_stock(cycle, levels, report):
    """Check refusals because of insufficient stock."""
    groups = []
    for op in cycle.operations:
        if out_of_stock(op) and not cycle.may_be_repeated(op):
            of_op, how = claims(op)
            groups.append((op, of_op, how))
            for claim in of_op:
                levels.put(claim)
    levels.judge()
    for op, of_op, how in groups:
        report.look("refusals for stock", len(of_op))
        if how(claim.judged is not False for claim in of_op):
            continue
        for claim in of_op:
            if claim.judged is False:
                report.add("C5", f"refused {claim.units} of item {claim.item}, but at every "
                                 "instant of the call there was enough: "
                                 f"{levels.show(claim)}", op)


def check_busy(cycle, report):
    """IV014 requires another operation, or the worker's expiry, at the same time."""
    begun = sorted(op.at for op in cycle.operations)
    ended = sorted(op.end for op in cycle.operations)
    for op in cycle.operations:
        if op.state != "refused" or op.code != "IV014":
            continue
        report.look("busy")
        others = bisect_right(begun, op.end) - bisect_left(ended, op.at) - 1
        if others < 1 and not any(commit.holds and commit.from_ <= op.end and
                                  commit.until >= op.at for commit in cycle.commits):
            report.add("C5", "busy, but no other operation was in progress", op)


def check(cycle, report):
    levels = Levels(cycle)
    check_stock(cycle, levels, report)
    check_limits(cycle, report)
    check_states(cycle, report)
    check_busy(cycle, report)
