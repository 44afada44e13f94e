"""The stream of commits, as test_decoding prints it, in commit order.

Only the columns that rules need are read, by a regular expression made from the first line of each
table, because a cycle has a million such lines.
"""

import glob
import os
import re

from .clock import nanoseconds

WANTED = {
    "shop.items": ("id", "stock", "stock_floor"),
    "shop.orders": ("id", "user_id", "item_id", "quantity", "token"),
    "shop.direct": ("token", "item_id", "delta"),
    "items_stock.movements": ("item_id", "delta", "kind", "user_id", "reason", "epoch"),
    "items_stock.hot": ("item_id", "hot", "settled_epoch"),
    "follow.goods": ("id", "stock", "stock_floor"),
    "follow.orders": ("id", "user_id", "status", "token"),
    "follow.lines": ("id", "order_id", "item_id", "quantity", "cancelled", "token"),
    "goods_stock.movements": ("item_id", "delta", "kind", "user_id", "reason", "epoch", "order_id"),
    "goods_stock.hot": ("item_id", "hot", "settled_epoch"),
    "items_stock.reservations": ("reservation_id", "item_id", "quantity", "user_id", "status",
                                 "expires_at"),
}
PARTITIONS = {"follow.lines_0": "follow.lines", "follow.lines_1": "follow.lines"}
DELETED = {"follow.orders": ("id",), "follow.lines": ("id",)}   # of which rows may be deleted
NUMBERS = {"items.id", "goods.id", "stock", "stock_floor", "item_id", "quantity", "cancelled",
           "delta", "epoch", "settled_epoch"}
COLUMN = re.compile(r"(\w+)\[((?:[^\[\]]|\[\])*)\]:('(?:[^']|'')*'|\S+)(?: |$)")
VALUE = r"('(?:[^']|'')*'|\S+)"
ENDED = re.compile(r"COMMIT (?:PREPARED '.*', txid )?(\d+) \(at (.*)\)")


class Commit:
    """One transaction: the rows that it wrote."""

    __slots__ = ("segment", "xid", "at", "items", "orders", "direct", "movements", "holds",
                 "new_holds", "hot", "totals", "deleted", "from_", "until", "following", "changes")

    def __init__(self, segment):
        self.segment = segment
        self.xid = self.at = None
        self.items = {}         # id: (stock, floor) at the end
        self.orders = []        # (id, user, item, quantity, token)
        self.direct = []        # (token, item, delta)
        self.movements = []     # (item, delta, kind, user, reason, epoch)
        self.holds = []         # (reservation, item, quantity, user, status, expires_at)
        self.new_holds = {}     # users by new reservations
        self.hot = {}           # item: (hot, settled epoch) at the end
        self.totals = {}        # item: (before, after), set by totals.py
        self.deleted = []       # names of tables
        self.following = None   # the same of the store that follows its orders, a Commit
        self.changes = []       # (table, action, row) of its headers, lines and movements
        self.from_ = self.until = None      # between which times it became visible: timeline.py

    def name(self):
        return f"transaction {self.xid}"


def unquote(text):
    """The text of a value that test_decoding printed."""
    if text == "null":
        return None
    if text.startswith("'"):
        return text[1:-1].replace("''", "'")
    return text


class TableReader:
    """Reads the lines of one table; of a DELETE, only its key."""

    def __init__(self, table, line, wanted_columns):
        short = table.split(".")[1]
        columns = COLUMN.findall(line)
        names = [name for name, _, _ in columns]
        missing = set(wanted_columns) - set(names)
        if missing:
            raise ValueError(f"{table} has no {', '.join(sorted(missing))}: {line}")
        pattern, order = "", []
        last = max(names.index(name) for name in wanted_columns)
        for name, kind, _ in columns[:last + 1]:
            wanted = name in wanted_columns
            pattern += f"{name}\\[{re.escape(kind)}\\]:" + (VALUE if wanted else f"(?:{VALUE[1:]}")
            pattern += "(?: |$)"
            if wanted:
                order.append(name)
        self.match = re.compile(pattern).match
        self.pick = [order.index(name) for name in wanted_columns]
        self.numbers = [name in NUMBERS or f"{short}.{name}" in NUMBERS for name in wanted_columns]
        self.times = [name == "expires_at" for name in wanted_columns]

    def read(self, line):
        """The wanted values, in the order of WANTED."""
        found = self.match(line)
        if found is None:
            raise ValueError(f"cannot read: {line}")
        groups = found.groups()
        row = []
        for index, number, time in zip(self.pick, self.numbers, self.times):
            text = groups[index]
            if number:
                row.append(None if text == "null" else int(text))
            elif time:
                row.append(nanoseconds(text[1:-1]))
            else:
                row.append(unquote(text))
        return tuple(row)


class Reader:
    """Reads segments into commits."""

    def __init__(self):
        self.readers = {}
        self.seen = set()       # reservations
        self.commits = []
        self.commit = None

    def row(self, line):
        """A line `table schema.name: ACTION: columns`."""
        table, action, rest = line[6:].split(": ", 2) if line.count(": ") > 1 else \
            (line[6:].split(":")[0], line.split(" ")[-1], "")
        table = PARTITIONS.get(table, table)
        if table not in WANTED:
            return
        deleted = action == "DELETE"
        if deleted and table not in DELETED:
            self.commit.deleted.append(table)
            return
        if rest.startswith("old-key: "):
            rest = rest[rest.index("new-tuple: ") + 11:]
        if (table, deleted) not in self.readers:
            self.readers[table, deleted] = TableReader(
                table, rest, DELETED[table] if deleted else WANTED[table])
        row = self.readers[table, deleted].read(rest)
        if table.startswith(("follow.", "goods_stock.")):
            self.following_row(table, action, row)
            return
        if table == "shop.items":
            self.commit.items[row[0]] = row[1:]
        elif table == "shop.orders":
            self.commit.orders.append(row)
        elif table == "shop.direct":
            self.commit.direct.append(row)
        elif table == "items_stock.movements":
            self.commit.movements.append(row)
        elif table == "items_stock.hot":
            self.commit.hot[row[0]] = row[1] == "true", row[2]
        else:
            self.commit.holds.append(row)
            if row[0] not in self.seen:
                self.seen.add(row[0])
                self.commit.new_holds[row[0]] = row[3]

    def following_row(self, table, action, row):
        """A row of the store that follows its orders."""
        if self.commit.following is None:
            self.commit.following = Commit(self.commit.segment)
        commit = self.commit.following
        if table == "follow.goods":
            commit.items[row[0]] = row[1:]
        elif table == "goods_stock.hot":
            commit.hot[row[0]] = row[1] == "true", row[2]
        else:
            if table == "goods_stock.movements":
                commit.movements.append(row[:6])
            commit.changes.append((table.split(".")[1], action, row))

    def end(self, line):
        found = ENDED.match(line)
        if found is None:
            raise ValueError(f"cannot read: {line}")
        self.commit.xid = int(found.group(1))
        self.commit.at = nanoseconds(found.group(2))
        self.commits.append(self.commit)
        if self.commit.following is not None:
            self.commit.following.xid, self.commit.following.at = self.commit.xid, self.commit.at
        self.commit = None

    def segment(self, number, path):
        """Read one file.  A transaction without its end is an error."""
        with open(path, encoding="utf-8") as file:
            for line in file:
                line = line.rstrip("\n")
                if line.startswith("table "):
                    self.row(line)
                elif line.startswith("BEGIN"):
                    self.commit = Commit(number)
                elif line.startswith("COMMIT"):
                    self.end(line)
        if self.commit is not None:
            raise ValueError(f"{path} ends within a transaction")


def read_stream(directory):
    """All commits of a cycle, in their order."""
    reader = Reader()
    paths = glob.glob(os.path.join(directory, "stream", "*.txt"))
    for path in sorted(paths, key=lambda path: int(os.path.basename(path)[:-4])):
        reader.segment(int(os.path.basename(path)[:-4]), path)
    return reader.commits
