"""C0: only errors and refusals that the interface documents.

A violation is an error that neither the client nor a fault explains (XX000, P0001, a deadlock
between single calls, a serialization failure in READ COMMITTED, a constraint violation that the
engine should have prevented), or a refusal that the operation cannot have.  Transactions of several
operations lock in any order, so that a single call may deadlock with them.
"""

import re

from .history import CONTROL

# the refusals of each operation; the load does nothing that causes IV002, IV009 or IV013
TAKES = {"IV001", "IV010", "IV014"}
CLOSED = {"IV004", "IV005", "IV006", "IV007"}
REFUSALS = {
    "buy_item": TAKES, "buy_cart": TAKES, "try_buy_cart": TAKES,
    # IV005: the key's hold has ended; C5 looks at that
    "reserve_stock": TAKES | {"IV005"}, "reserve_cart": TAKES | {"IV005"},
    "try_reserve_cart": TAKES | {"IV005"},
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

# operations that may be refused with IV014 because of transactions in flight on a hot item
MAY_BE_BUSY = set(REFUSALS) - {"heat", "settle", "extend_reservation"}

# heating without room, without shared memory, or with hot items switched off
NO_HEAT = {"53400", "55000"}

CANCELLED = {"57014", "57P01", "57P02", "57P03", "57P05", "25P03", "25P04"}
UNDER_FAULTS = {"25006", "53100", "53200", "53300", "58030"}    # a standby, no room, no memory
PROCESS = re.compile(r"[Pp]rocess (\d+)")


class Transactions:
    """The times at which each backend was in a transaction of several operations."""

    def __init__(self, operations):
        spans = {}
        for op in operations:
            if op.tx is not None:
                span = spans.setdefault((op.client, op.tx), [op.at, op.end, op.pid])
                span[1] = op.end
        self.spans = list(spans.values())

    def met(self, op):
        """Can this call have been in a deadlock with such a transaction?"""
        pids = {int(pid) for pid in PROCESS.findall(op.message or "")}
        return any(at <= op.end and end >= op.at and (not pids or pid in pids)
                   for at, end, pid in self.spans)


def excused(op, transactions, faults, ever_hot):
    """Is this an error that a correct store may have?"""
    code = op.code or ""
    if code in CANCELLED or code.startswith("08"):
        return True
    if code == "40001":
        return op.iso != "rc"
    if op.op == "heat" and code in NO_HEAT:
        return True
    if code == "55006":     # its own transaction has units in flight
        return op.op in ("cool", "settle") and op.tx is not None
    if code == "40P01":
        # settle, cool and the worker lock several rows, too
        return op.tx is not None or ever_hot or transactions.met(op)
    if code == "25P02":
        return op.tx is not None
    if op.op == "commit" and code in ("", "00000"):     # answered with ROLLBACK
        return True
    return code in UNDER_FAULTS and faults


def may_be_refused(cycle, op):
    """Is this a refusal that the operation can have?"""
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
