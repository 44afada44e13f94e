"""Histories: the calls of each client, and their answers.

An Operation is one try.  Its fate says whether its effect can be stored:

    COMMITTED   its transaction was committed, and the client was told so
    GONE        its transaction was rolled back, or its commit was never sent
    UNKNOWN     no client was told

An Intent is all tries with one token, which together must have one effect.
"""

import glob
import json
import os

COMMITTED, GONE, UNKNOWN = "committed", "gone", "unknown"
NEVER = 1 << 62     # later than any time

CONTROL = {"begin", "commit", "rollback", "savepoint", "rollback_to"}
TRY = {"try_buy_cart", "try_reserve_cart"}
BUYS = {"buy_item", "buy_cart", "try_buy_cart"}
RESERVES = {"reserve_stock", "reserve_cart", "try_reserve_cart"}
HEATS = {"heat", "cool", "settle"}
ROWS = {"insert_header", "update_header", "delete_header", "insert_lines", "update_line",
        "delete_line"}      # statements of the shop that follows its orders
FOLLOWS = ROWS | {"follow_buy_cart", "follow_refund_order", "follow_change_order",
                  "follow_exchange_order", "follow_restock_item", "follow_heat", "follow_cool"}
ON_HOLD = {"change_reservation", "extend_reservation", "confirm_reservation",
           "release_reservation"}


class Operation:
    """One try of one client."""

    __slots__ = ("client", "n", "op", "iso", "tx", "user", "key", "token", "args", "strategy",
                 "pid", "at", "end", "state", "code", "result", "message", "fate", "from_", "until",
                 "own")

    def __init__(self, client, line):
        self.client = client
        self.n = line["n"]
        self.op = line["op"]
        self.iso = line.get("iso")
        self.tx = line.get("tx")
        self.user = line.get("user")
        self.key = line.get("key")
        self.token = line.get("token")
        self.args = line.get("args") or {}
        self.strategy = line.get("strategy")
        self.pid = line.get("pid")
        self.at = line["at"]
        self.end = NEVER
        self.state, self.code, self.result, self.message = "unknown", None, None, None
        self.fate = UNKNOWN
        self.from_, self.until = self.at, NEVER     # when its commit became visible
        self.own = ()       # earlier operations of its transaction

    def answer(self, line):
        self.end = line["at"]
        self.state = line["state"]
        self.code = line.get("code")
        self.result = line.get("result")
        self.message = line.get("message")

    def took_effect(self):
        """Was the client told that it succeeded?"""
        return self.fate == COMMITTED and self.state == "ok"

    def answered(self):
        """Was the client given an answer without an error, if only a refusal?"""
        return self.state == "ok" or self.refused_softly()

    def refused_softly(self):
        """Was a try_ form refused by its status, without an error?"""
        return self.state == "refused" and self.op in TRY and not self.message

    def lines(self):
        """What a purchase or reservation asks for: [(item, quantity)]."""
        if "lines" in self.args:
            return [(item, quantity) for item, quantity in self.args["lines"]]
        return [(self.args["item"], self.args["quantity"])]

    def name(self):
        token = f" token {self.token}" if self.token else ""
        return f"client {self.client} operation {self.n} {self.op}{token}"


def summed(lines):
    """The lines summed by item: {item: quantity}."""
    total = {}
    for item, quantity in lines:
        total[item] = total.get(item, 0) + quantity
    return total


class Intent:
    """All tries of one token."""

    __slots__ = ("token", "tries", "known")

    def __init__(self, token):
        self.token = token
        self.tries = []
        self.known = None   # the outcome, after the first call of outcome()

    @property
    def first(self):
        return self.tries[0]

    @property
    def op(self):
        return self.tries[0].op

    def done(self):
        """The tries that succeeded, or were told the answer of one that did."""
        return [op for op in self.tries if op.took_effect()]

    def outcome(self):
        if self.known is None:
            if self.done():
                self.known = COMMITTED
            elif all(op.fate == GONE or op.state == "refused" for op in self.tries):
                self.known = GONE
            else:
                self.known = UNKNOWN
        return self.known

    def acknowledged(self):
        """The operation to name: the first that succeeded, or the first."""
        done = self.done()
        return done[0] if done else self.first

    def from_(self):
        return min((op.from_ for op in self.tries if op.fate != GONE), default=self.first.at)

    def until(self):
        return min((op.until for op in self.tries if op.took_effect()), default=NEVER)


def read_client(path):
    """The operations of one client, in their order.  A last line may be cut off."""
    client = int(os.path.basename(path).split(".")[0])
    operations, by_n = [], {}
    with open(path, encoding="utf-8") as file:
        lines = file.readlines()
    for number, text in enumerate(lines):
        if number == len(lines) - 1 and not text.endswith("\n"):
            break
        line = json.loads(text)
        if line["e"] == "invoke":
            op = Operation(client, line)
            operations.append(op)
            by_n[op.n] = op
        else:
            by_n[line["n"]].answer(line)
    return operations


def settle_single(op):
    """The fate of a statement that was its own transaction."""
    if op.state == "unknown":
        op.fate = UNKNOWN
    elif op.answered():
        op.fate = COMMITTED
    else:
        op.fate = GONE
    op.from_, op.until = op.at, op.end


def settle_transaction(operations):
    """The fate of operations in one transaction, from begin to its end."""
    commit = next((op for op in operations if op.op == "commit"), None)
    fate = GONE
    if commit is not None:
        fate = {"ok": COMMITTED, "unknown": UNKNOWN}.get(commit.state, GONE)
    alive, kept = [], None      # not rolled back so far; how many of them at the savepoint
    for op in operations:
        op.fate = GONE
        if op.op == "savepoint":
            kept = len(alive)
        elif op.op == "rollback_to" and kept is not None:
            del alive[kept:]
        elif op.op not in CONTROL:
            op.own = tuple(alive)
            if op.answered():
                alive.append(op)
    for op in alive:
        op.fate = fate
        op.from_ = commit.at if commit else op.at
        op.until = commit.end if commit else NEVER
    if commit is not None:
        commit.fate = fate


def settle(operations):
    """Set the fate of each operation of a client."""
    transactions = {}
    for op in operations:
        if op.tx is None:
            settle_single(op)
        else:
            transactions.setdefault(op.tx, []).append(op)
    for members in transactions.values():
        settle_transaction(members)


def read_histories(directory):
    """All operations of a cycle, and the intents by token."""
    operations, intents = [], {}
    for path in sorted(glob.glob(os.path.join(directory, "history", "*.jsonl"))):
        of_client = read_client(path)
        settle(of_client)
        operations.extend(of_client)
    for op in operations:
        if op.token is not None:
            intents.setdefault(op.token, Intent(op.token)).tries.append(op)
    for intent in intents.values():
        if len(intent.tries) > 1:
            intent.tries.sort(key=lambda op: op.at)
    return operations, intents
