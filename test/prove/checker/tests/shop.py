"""A small shop that writes the files of a cycle, correct until a test changes them.

Each operation is a line in the history of a client, a commit in the stream and rows in the final
tables.  A test calls operations, falsifies something (`self.orders`, `self.movements`, a line of a
history), and runs the checker.
"""

import csv
import io
import json
import os
import tempfile
import uuid
from contextlib import contextmanager
from datetime import datetime, timezone

from ..main import check

MS = 1_000_000
AHEAD = 1_795_000_000_000_000_000    # the server's clock minus that of the histories
TYPES = {"id": "uuid", "order_id": "uuid", "reservation_id": "uuid", "user_id": "text",
         "token": "text", "kind": "text", "reason": "text", "status": "text", "actor": "text",
         "delta": "bigint", "epoch": "bigint", "settled_epoch": "bigint", "number": "bigint",
         "hot": "boolean", "movement_id": "bigint", "tracked": "boolean",
         "expires_at": "timestamp with time zone", "created_at": "timestamp with time zone"}
EMPTY = {"orders": "id,user_id,item_id,quantity,token,created_at",
         "direct": "token,item_id,delta",
         "movements": "movement_id,item_id,delta,kind,user_id,order_id,reservation_id,reason,epoch",
         "hot": "item_id,number,hot,settled_epoch,incarnation",
         "reservations": "reservation_id,item_id,quantity,user_id,status,expires_at,order_id",
         "requests": "operation,user_id,key,result",
         "verify": "item_id,problem,expected,actual"}


def stamp(at):
    """A time of the histories as the server prints it."""
    at += AHEAD
    moment = datetime.fromtimestamp(at // 1_000_000_000, timezone.utc)
    return moment.strftime("%Y-%m-%d %H:%M:%S") + f".{at // 1000 % 1_000_000:06d}+00"


def decoded(value):
    """A value as test_decoding prints it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return "'" + value.replace("'", "''") + "'"


class Shop:
    """The data of a cycle, with items 1 (5 units), 2 (5, floor 2), 3 (5, limit 3)."""

    def __init__(self):
        self.now = 1000 * MS
        self.items = {i: {"id": i, "stock": 5, "version": 0, "stock_floor": 2 if i == 2 else 0,
                          "purchase_limit": 3 if i == 3 else None} for i in (1, 2, 3)}
        self.start = [{"id": i["id"], "stock": i["stock"], "floor": i["stock_floor"],
                       "limit": i["purchase_limit"]} for i in self.items.values()]
        self.histories = {}
        self.orders, self.direct, self.movements = [], [], []
        self.reservations, self.requests, self.verify = [], [], []
        self.levels = None
        self.hot, self.stages, self.stage_verify = {}, {}, []
        self.stream, self.changes = [], None
        self.segments = [0]     # where each begins
        self.snapshots, self.faults = [], []
        for item in self.items:
            self.movements.append(self.movement(item, 5, "opening"))

    # ---- time, histories, commits

    def tick(self, ms=1):
        self.now += ms * MS
        return self.now

    def invoke(self, op, args, client=1, user=None, key=False, tx=None, token=None, iso="rc"):
        """The first line of an operation; with `key`, it has an idempotency key."""
        lines = self.histories.setdefault(client, [])
        n = 1 + sum(line["e"] == "invoke" for line in lines)
        control = op in ("begin", "commit", "rollback", "savepoint", "rollback_to")
        token = None if control else token or f"{client}-{n}"
        lines.append({"e": "invoke", "n": n, "at": self.tick(), "client": client, "pid": client,
                      "op": op, "iso": iso, "strategy": "atomic", "tx": tx, "user": user,
                      "key": f"k-{token}" if key else None, "token": token, "args": args})
        return lines[-1]

    def answer(self, op, state="ok", result=None, code=None, message=None):
        """The second line of an operation."""
        line = {"e": "return", "n": op["n"], "at": self.tick(), "state": state, "code": code,
                "result": result}
        if message:
            line["message"] = message
        self.histories[op["client"]].append(line)
        return op

    def refuse(self, op, code="IV001"):
        return self.answer(op, "refused", None, code, "refused")

    @contextmanager
    def commit(self):
        """All changes inside are one commit; a nested commit is part of the outer one."""
        if self.changes is not None:
            yield
            return
        self.changes = []
        yield
        if self.changes:
            xid = 700 + len(self.stream)
            self.stream.append([f"BEGIN {xid}"] + self.changes +
                               [f"COMMIT {xid} (at {stamp(self.tick())})"])
        self.changes = None

    def decode(self, table, action, row):
        columns = " ".join(f"{name}[{TYPES.get(name, 'integer')}]:{decoded(value)}"
                           for name, value in row.items())
        self.changes.append(f"table {table}: {action}: {columns}")

    # ---- rows

    def movement(self, item, delta, kind, **more):
        row = {"movement_id": len(getattr(self, "movements", ())) + 1, "item_id": item,
               "delta": delta, "kind": kind, "user_id": None, "order_id": None,
               "reservation_id": None, "reason": None, "epoch": None}
        row.update(more)
        return row

    def book(self, item, delta, kind, **more):
        if self.is_hot(item):
            more.setdefault("epoch", self.hot[item]["settled_epoch"] + 1)
        self.movements.append(self.movement(item, delta, kind, **more))
        self.decode("items_stock.movements", "INSERT", self.movements[-1])

    def is_hot(self, item):
        return item in self.hot and self.hot[item]["hot"]

    def unsettled(self, item):
        """The units of a hot item that are not in its row."""
        settled = self.hot[item]["settled_epoch"] if item in self.hot else 0
        return sum(m["delta"] for m in self.movements
                   if m["item_id"] == item and (m["epoch"] or 0) > settled)

    def mark(self, item, **to):
        """Change an item's row in `hot`."""
        self.hot.setdefault(item, {"item_id": item, "number": len(self.hot) + 1, "hot": False,
                                   "settled_epoch": 0, "incarnation": 1}).update(to)
        self.decode("items_stock.hot", "UPDATE", self.hot[item])

    def change_stock(self, item, delta):
        if self.is_hot(item):
            return      # its row does not change
        row = self.items[item]
        row["stock"] += delta
        self.decode("shop.items", "UPDATE", row)

    def add_order(self, user, item, quantity, token):
        row = {"id": str(uuid.uuid4()), "user_id": user, "item_id": item, "quantity": quantity,
               "token": token, "created_at": stamp(self.now)}
        self.orders.append(row)
        self.decode("shop.orders", "INSERT", row)
        return row["id"]

    def keep(self, op, result):
        if op["key"]:
            self.requests.append({"operation": op["op"], "user_id": op["user"], "key": op["key"],
                                  "result": json.dumps(result)})

    def promote(self):
        """Start another segment of the stream."""
        self.segments.append(len(self.stream))
        self.tick(10)

    # ---- hot items

    def heat(self, item):
        with self.commit():
            self.mark(item, hot=True)

    def settle(self, item, hot=True):
        """Add the unsettled units to the row; with hot False, cool the item."""
        with self.commit():
            self.items[item]["stock"] += self.unsettled(item)
            self.decode("shop.items", "UPDATE", self.items[item])
            self.mark(item, hot=hot, settled_epoch=self.hot[item]["settled_epoch"] + 1)

    def rest(self, stage):
        """Record a stage of rest; returns the rows, which a test may change."""
        self.stages[stage] = [
            {"item_id": item, "stock": row["stock"], "stock_floor": row["stock_floor"],
             "hot": "t" if self.is_hot(item) else "f", "unsettled": self.unsettled(item),
             "state": "hot" if self.is_hot(item) else None,
             "available": row["stock"] + self.unsettled(item) - row["stock_floor"],
             "held": 0, "holders": 0} for item, row in self.items.items()]
        return self.stages[stage]

    # ---- operations

    def sell(self, op, item, quantity, user):
        self.change_stock(item, -quantity)
        order = self.add_order(user, item, quantity, op["token"])
        self.book(item, -quantity, "sale", user_id=user, order_id=order)
        return order

    def buy(self, item=1, quantity=1, user="u1", answered=True, **how):
        op = self.invoke("buy_item", {"item": item, "quantity": quantity}, user=user, **how)
        with self.commit():
            order = self.sell(op, item, quantity, user)
            self.keep(op, order)
        if answered:
            self.answer(op, result=order)
        return order

    def buy_cart(self, lines, user="u1", name="buy_cart", **how):
        op = self.invoke(name, {"lines": [list(line) for line in lines]}, user=user, **how)
        with self.commit():
            told = [[item, quantity, self.sell(op, item, quantity, user), "ok", False]
                    for item, quantity in lines]
            self.keep(op, [{"item_id": i, "quantity": q, "order_id": o, "status": s}
                           for i, q, o, s, _ in told])
        self.answer(op, result=told)
        return op, told

    def reserve(self, item=1, quantity=1, ttl=600_000, **how):
        client = how.get("client", 1)
        n = 1 + sum(line["e"] == "invoke" for line in self.histories.get(client, ()))
        user = how.pop("user", f"{client}-{n}")
        op = self.invoke("reserve_stock", {"item": item, "quantity": quantity, "ttl_ms": ttl},
                         user=user, **how)
        row = {"reservation_id": str(uuid.uuid4()), "item_id": item, "quantity": quantity,
               "user_id": user, "status": "held", "expires_at": stamp(self.now + ttl * MS),
               "order_id": None, "tracked": True}
        with self.commit():
            self.change_stock(item, -quantity)
            self.reservations.append(row)
            self.decode("items_stock.reservations", "INSERT", row)
            self.book(item, -quantity, "hold", user_id=user, reservation_id=row["reservation_id"])
            self.keep(op, row["reservation_id"])
        self.answer(op, result=row["reservation_id"])
        return row

    def move_hold(self, row, **to):
        row.update(to)
        self.decode("items_stock.reservations", "UPDATE", row)

    def give_back(self, row, status, kind):
        self.move_hold(row, status=status)
        self.change_stock(row["item_id"], row["quantity"])
        self.book(row["item_id"], row["quantity"], kind, user_id=row["user_id"],
                  reservation_id=row["reservation_id"])

    def release(self, row, **how):
        op = self.invoke("release_reservation", {"reservation": row["reservation_id"]}, **how)
        with self.commit():
            self.give_back(row, "released", "release")
        return self.answer(op, result=True)

    def expire(self, row):
        with self.commit():
            self.give_back(row, "expired", "expiry")

    def extend(self, row, ttl, **how):
        op = self.invoke("extend_reservation", {"reservation": row["reservation_id"],
                                                "ttl_ms": ttl}, **how)
        with self.commit():
            self.move_hold(row, expires_at=stamp(self.now + ttl * MS))
        return self.answer(op, result=row["expires_at"])

    def confirm(self, row, **how):
        op = self.invoke("confirm_reservation", {"reservation": row["reservation_id"]}, **how)
        item, quantity, user = row["item_id"], row["quantity"], row["user_id"]
        with self.commit():
            order = self.add_order(user, item, quantity, op["token"])
            self.move_hold(row, status="confirmed", order_id=order)
            of = {"user_id": user, "reservation_id": row["reservation_id"]}
            self.book(item, quantity, "release", **of)
            self.book(item, -quantity, "sale", order_id=order, **of)
        self.answer(op, result=[[item, quantity, order, "ok", False]])
        return order

    def restock(self, item=1, quantity=1, **how):
        op = self.invoke("restock_item", {"item": item, "quantity": quantity}, **how)
        with self.commit():
            self.change_stock(item, quantity)
            self.book(item, quantity, "restock", reason=op["token"])
            after = max(0, self.items[item]["stock"] - self.items[item]["stock_floor"])
            self.keep(op, after)
        return self.answer(op, result=after)

    def count(self, item, stock, **how):
        """A stock-take after which the item has this stock."""
        op = self.invoke("count_stock", {"item": item, "counted": stock}, **how)
        delta = stock - self.items[item]["stock"] - self.unsettled(item)
        with self.commit():
            self.change_stock(item, delta)
            self.book(item, delta, "count", reason=op["token"])
        return self.answer(op, result=max(0, stock - self.items[item]["stock_floor"]))

    def write(self, item=1, delta=1, **how):
        op = self.invoke("direct", {"item": item, "delta": delta}, **how)
        with self.commit():
            self.direct.append({"token": op["token"], "item_id": item, "delta": delta})
            self.decode("shop.direct", "INSERT", self.direct[-1])
            self.change_stock(item, delta)
            self.book(item, delta, "direct")
        return self.answer(op, result=self.items[item]["stock"])

    def refund(self, order, quantity, restock=True, **how):
        row = next(row for row in self.orders if row["id"] == order)
        op = self.invoke("refund_order", {"order": order, "quantity": quantity,
                                          "restock": restock}, **how)
        of = {"order_id": order, "reason": op["token"]}
        with self.commit():
            if restock:
                self.change_stock(row["item_id"], quantity)
            self.book(row["item_id"], quantity, "refund", user_id=row["user_id"], **of)
            if not restock:
                self.book(row["item_id"], -quantity, "write_off", **of)
            so_far = sum(m["delta"] for m in self.movements
                         if m["order_id"] == order and m["kind"] == "refund")
            self.keep(op, so_far)
        return self.answer(op, result=so_far)

    def snapshot(self):
        total = {item: sum(m["delta"] for m in self.movements if m["item_id"] == item)
                 for item in self.items}
        self.snapshots.append({"at0": self.tick(), "at1": self.tick(), "server": "primary",
                               "items": {str(item): [row["stock"] + self.unsettled(item),
                                                     row["stock_floor"], total[item]]
                                         for item, row in self.items.items()}})

    # ---- files

    def final_levels(self):
        for item, row in self.items.items():
            held = sum(r["quantity"] for r in self.reservations
                       if r["item_id"] == item and r["status"] == "held")
            yield {"item_id": item, "available": max(0, row["stock"] - row["stock_floor"]),
                   "reserved": held, "on_hand": row["stock"] + held, "hot": "f"}

    def run(self):
        return {"seed": 42, "cycle": 7, "store": "test", "items": self.start,
                "clock": {"monotonic": 0, "realtime": AHEAD}}

    def empty(self, name):
        """The columns of a table without rows."""
        return EMPTY.get(name)

    def tables(self):
        return {"items": list(self.items.values()), "orders": self.orders, "direct": self.direct,
                "movements": self.movements, "reservations": self.reservations,
                "requests": self.requests, "verify": self.verify, "hot": list(self.hot.values()),
                "levels": list(self.final_levels()) if self.levels is None else self.levels}

    def write_files(self, directory):
        for name in ("history", "stream", "final"):
            os.mkdir(os.path.join(directory, name))

        def put(name, text):
            with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
                file.write(text)

        def lines(objects):
            return "".join(json.dumps(line) + "\n" for line in objects)

        def table(name, rows, empty):
            text = io.StringIO()
            writer = csv.DictWriter(text, list(rows[0]) if rows else empty.split(","))
            writer.writeheader()
            writer.writerows(rows)
            put(f"{name}.csv", text.getvalue())

        put("run.json", json.dumps(self.run()))
        put("snapshots.jsonl", lines(self.snapshots))
        put("faults.jsonl", lines(self.faults))
        for client, history in self.histories.items():
            put(f"history/{client}.jsonl", lines(history))
        for k, begin in enumerate(self.segments):
            end = self.segments[k + 1] if k + 1 < len(self.segments) else None
            put(f"stream/{k}.txt", "".join(line + "\n" for commit in self.stream[begin:end]
                                           for line in commit))
        for name, rows in self.tables().items():
            table(f"final/{name}", rows, self.empty(name))
        for stage, rows in self.stages.items():
            os.makedirs(os.path.join(directory, "rest", stage))
            table(f"rest/{stage}/counters", rows, None)
            table(f"rest/{stage}/verify", self.stage_verify, EMPTY["verify"])

    def violations(self):
        """The lines that the checker finds."""
        with tempfile.TemporaryDirectory() as directory:
            self.write_files(directory)
            _, report = check(directory)
            return list(report.show(everything=True))
