"""The final tables, with rows as objects and numbers as integers."""

import csv
import os
from types import SimpleNamespace

from .clock import nanoseconds

NUMBERS = {"id": {"items", "follow_goods"}, "stock": None, "version": None, "stock_floor": None,
           "purchase_limit": None, "item_id": None, "quantity": None, "delta": None,
           "movement_id": None, "available": None, "reserved": None, "on_hand": None,
           "epoch": None, "settled_epoch": None, "unsettled": None, "holders": None,
           "held": {"counters", "follow_counters"}, "cancelled": None}
TIMES = {"expires_at"}


class Item:
    """An item as it was at the start."""

    def __init__(self, line):
        self.id = line["id"]
        self.stock = line["stock"]
        self.floor = line["floor"] or 0
        self.limit = line["limit"]


def read_items(lines):
    return {line["id"]: Item(line) for line in lines}


def converter(table, column):
    """The function that reads a column; an empty text is null."""
    if column in NUMBERS and (NUMBERS[column] is None or table in NUMBERS[column]):
        return lambda text: int(text) if text != "" else None
    if column in TIMES:
        return lambda text: nanoseconds(text) if text != "" else None
    return lambda text: text if text != "" else None


def read_table(directory, name, where="final"):
    """The rows of final/<name>.csv."""
    with open(os.path.join(directory, where, name + ".csv"), encoding="utf-8",
              newline="") as file:
        reader = csv.reader(file)
        columns = next(reader)
        convert = [converter(name, column) for column in columns]
        return [SimpleNamespace(**{column: as_(text)
                                   for column, as_, text in zip(columns, convert, row)})
                for row in reader]


def group(rows, *columns):
    """Rows grouped by one column, or by a tuple of several."""
    found = {}
    for row in rows:
        key = tuple(getattr(row, column) for column in columns)
        found.setdefault(key if len(columns) > 1 else key[0], []).append(row)
    return found


class Tables:
    """The final tables, with the look-ups that rules need."""

    def __init__(self, directory):
        self.items = {row.id: row for row in read_table(directory, "items")}
        self.orders = read_table(directory, "orders")
        self.direct = read_table(directory, "direct")
        self.movements = read_table(directory, "movements")
        self.reservations = read_table(directory, "reservations")
        self.requests = read_table(directory, "requests")
        self.levels = read_table(directory, "levels")
        self.verify = read_table(directory, "verify")
        self.hot = {row.item_id: row for row in read_table(directory, "hot")}
        self.order = {row.id: row for row in self.orders}
        self.orders_of = group(self.orders, "token")
        self.direct_of = group(self.direct, "token")
        self.movements_of = group(self.movements, "reason")
        self.movements_by_order = group(self.movements, "order_id")
        self.movements_by_hold = group(self.movements, "reservation_id")
        self.holds = group(self.reservations, "reservation_id")
        self.holds_of = group(self.reservations, "user_id")
        self.requests_of = group(self.requests, "key")
        self.held = {}
        for row in self.reservations:
            if row.status == "held":
                self.held[row.item_id] = self.held.get(row.item_id, 0) + row.quantity
