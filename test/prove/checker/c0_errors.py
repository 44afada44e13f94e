"""C0: only errors and refusals that the interface documents.

A violation is an error that neither the client nor a fault explains (XX000, P0001, a deadlock
between single calls, a serialization failure in READ COMMITTED, a constraint violation that the
engine should have prevented), or a refusal that the operation cannot have.  Transactions of several
operations lock in any order, so that a single call may deadlock with them.
"""

import re

from .history import CONTROL, FOLLOWS

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
    "insert_header": set(), "update_header": TAKES, "delete_header": set(),
    "insert_lines": TAKES, "update_line": TAKES, "delete_line": set(),
    "follow_buy_cart": TAKES, "follow_refund_order": {"IV003", "IV008"},
    "follow_change_order": TAKES | {"IV003", "IV008", "IV013"},
    "follow_exchange_order": TAKES | {"IV003", "IV008"}, "follow_restock_item": set(),
    "follow_heat": set(), "follow_cool": set(),
}

# operations that may be refused with IV014 because of transactions in flight on a hot item
MAY_BE_BUSY = set(REFUSALS) - {"heat", "settle", "extend_reservation", "insert_header",
                               "follow_heat"}

# statements that lock a line before its header, or a header and then its lines
LINES_FIRST = {"update_line", "delete_line"}
HEADER_FIRST = {"delete_header", "follow_change_order", "follow_exchange_order"}

# heating without room, without shared memory, or with hot items switched off
NO_HEAT = {"53400", "55000"}

# calls that need a line to be of one item and one user
PARTS = {"follow_refund_order", "follow_change_order", "follow_exchange_order"}

CANCELLED = {"57014", "57P01", "57P02", "57P03", "57P05", "25P03", "25P04"}
UNDER_FAULTS = {"25006", "53100", "53200", "53300", "58030"}    # a standby, no room, no memory
PROCESS = re.compile(r"[Pp]rocess (\d+)")


class Transactions:
    """The times at which each backend was in a transaction of several operations, or in one that
    locks lines and headers in another order than others."""

    def __init__(self, operations):
        spans = {}
        for op in operations:
            if op.tx is not None:
                span = spans.setdefault((op.client, op.tx), [op.at, op.end, op.pid])
                span[1] = op.end
        self.spans = list(spans.values())
        self.with_lines = [[op.at, op.end, op.pid] for op in operations if op.op in LINES_FIRST]
        self.with_headers = [[op.at, op.end, op.pid] for op in operations if op.op in HEADER_FIRST]
        self.following = {(op.client, op.tx) for op in operations
                          if op.tx is not None and op.op in FOLLOWS}

    def met(self, op, spans=None):
        """Can this call have been in a deadlock with such a transaction?"""
        pids = {int(pid) for pid in PROCESS.findall(op.message or "")}
        return any(at <= op.end and end >= op.at and (not pids or pid in pids)
                   for at, end, pid in (self.spans if spans is None else spans))

    def met_lines(self, op):
        """Can it have been in one of a line and its header?"""
        return self.met(op, self.with_lines) and self.met(op, self.with_headers)

    def may_follow(self, op):
        """May the ledger follow here what the transaction wrote before?"""
        return (op.client, op.tx) in self.following


def excused(op, transactions, faults, ever_hot):
    """Is this an error that a correct store may have?"""
    code = op.code or ""
    if code in CANCELLED or code.startswith("08"):
        return True
    if code == "40001":
        # READ COMMITTED does not wait for a row that moves to another partition
        return op.iso != "rc" or (op.op in FOLLOWS and "another partition" in op.message)
    if op.op in ("heat", "follow_heat") and code in NO_HEAT:
        return True
    if code == "23503":     # the header has been deleted
        return op.op in ("insert_lines", "update_line")
    if code == "22023":     # the units of a final line may be of several users or items
        return op.op in PARTS and "several" in op.message
    if code == "55006":     # its own transaction has units in flight
        return op.op in ("cool", "settle", "follow_cool") and op.tx is not None
    if code == "40P01":
        # settle, cool and the worker lock several rows, too
        return op.tx is not None or ever_hot or transactions.met(op) or \
            (op.op in FOLLOWS and transactions.met_lines(op))
    if code == "25P02":
        return op.tx is not None
    if code == "XX000":
        # of the server: one who locks a row does not wait for an update that is aborted by pg_xact, and
        # keeps it among the members as in progress, which it is until its transaction has ended
        return "new multixact has more than one updating member" in op.message
    if op.op == "commit" and code in ("", "00000"):     # answered with ROLLBACK
        return True
    return code in UNDER_FAULTS and faults


def may_be_refused(cycle, transactions, op):
    """Is this a refusal that the operation can have?"""
    if op.code in TAKES and (op.op == "commit" or op.op in FOLLOWS) and transactions.may_follow(op):
        return True
    if op.op in CONTROL:
        return False
    return op.code in REFUSALS[op.op] or \
        bool(op.code == "IV014" and cycle.was_hot(op) and op.op in MAY_BE_BUSY)


def check(cycle, report):
    transactions = Transactions(cycle.operations)
    for op in cycle.operations:
        if op.state == "error":
            report.look("errors")
            if not excused(op, transactions, bool(cycle.faults), cycle.was_hot(op)):
                report.add("C0", f"unexpected error {op.code}: {op.message}", op)
        elif op.state == "refused":
            report.look("refusals")
            if not may_be_refused(cycle, transactions, op):
                report.add("C0", f"unexpected refusal {op.code}: {op.message}", op)
