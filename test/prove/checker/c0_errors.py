"""C0: nothing but what the interface promises.

An error that is nobody's fault (XX000, P0001, a deadlock between single calls, a serialization
failure in READ COMMITTED, a constraint that caught what the engine should have), or a refusal that
the operation cannot have.  Transactions of several operations lock in any order, and a single call
may be caught between them.
"""

import re

from .history import CONTROL

# what a statement may be refused with; the load asks for nothing that IV002, IV009 or IV013 fit
TAKES = {"IV001", "IV010", "IV014"}
CLOSED = {"IV004", "IV005", "IV006", "IV007"}
REFUSALS = {
    "buy_item": TAKES, "buy_cart": TAKES, "try_buy_cart": TAKES,
    "reserve_stock": TAKES, "reserve_cart": TAKES, "try_reserve_cart": TAKES,
    "change_reservation": TAKES | CLOSED, "extend_reservation": CLOSED,
    "confirm_reservation": {"IV004", "IV005", "IV007"},
    "release_reservation": {"IV004", "IV006"},
    "expire_reservations": set(),
    "refund_order": {"IV003", "IV008"},
    "restock_item": set(),
    "adjust_stock": {"IV001", "IV011"},
    "count_stock": {"IV001"},
    "direct": {"IV001"},
    "heat": set(), "cool": set(), "settle": set(),
}

# who meets others in flight at a hot item may be told so
MAY_BE_BUSY = set(REFUSALS) - {"heat", "settle", "extend_reservation"}

# heating where there is no room, or no shared memory, or hot items are switched off
NO_HEAT = {"53400", "55000"}

CANCELLED = {"57014", "57P01", "57P02", "57P03", "57P05", "25P03", "25P04"}
UNDER_FAULTS = {"25006", "53100", "53200", "53300", "58030"}    # a standby, no room, no memory
PROCESS = re.compile(r"[Pp]rocess (\d+)")


class Transactions:
    """When which backend was in a transaction of several operations."""

    def __init__(self, operations):
        spans = {}
        for op in operations:
            if op.tx is not None:
                span = spans.setdefault((op.client, op.tx), [op.at, op.end, op.pid])
                span[1] = op.end
        self.spans = list(spans.values())

    def met(self, op):
        """Could this call have been caught between the locks of such a transaction?"""
        pids = {int(pid) for pid in PROCESS.findall(op.message or "")}
        return any(at <= op.end and end >= op.at and (not pids or pid in pids)
                   for at, end, pid in self.spans)


def excused(op, transactions, faults, ever_hot):
    """May this error happen though nothing is wrong?"""
    code = op.code or ""
    if code in CANCELLED or code.startswith("08"):
        return True
    if code == "40001":
        return op.iso != "rc"
    if op.op == "heat" and code in NO_HEAT:
        return True
    if code == "55006":     # what is in flight is its own transaction's
        return op.op in ("cool", "settle") and op.tx is not None
    if code == "40P01":
        # who settles, cools or works in the background has several rows locked, too
        return op.tx is not None or ever_hot or transactions.met(op)
    if code == "25P02":
        return op.tx is not None
    if op.op == "commit" and code in ("", "00000"):     # answered with ROLLBACK
        return True
    return code in UNDER_FAULTS and faults


def may_be_refused(cycle, op):
    """Can this operation have this refusal?"""
    if op.op in CONTROL:
        return False
    return op.code in REFUSALS[op.op] or \
        bool(op.code == "IV014" and cycle.ever_hot and op.op in MAY_BE_BUSY)


def check(cycle, report):
    transactions = Transactions(cycle.operations)
    for op in cycle.operations:
        if op.state == "error":
            report.look("errors")
            if not excused(op, transactions, bool(cycle.faults), cycle.ever_hot):
                report.add("C0", f"unexpected error {op.code}: {op.message}", op)
        elif op.state == "refused":
            report.look("refusals")
            if not may_be_refused(cycle, op):
                report.add("C0", f"unexpected refusal {op.code}: {op.message}", op)
