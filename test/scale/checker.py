"""Compares what the clients were told with what is on the nodes.

The clients write their histories into files outside of the databases.  This shares no code with the
engine, and reads the tables of the shop as any client of PostgreSQL.
"""

import collections
import glob
import json
import os

from servers import ITEMS, NODES, STOCK


class History:
    """The calls of one client: each is written before it is made, and with its answer afterwards."""

    def __init__(self, directory, name):
        self.file = open(os.path.join(directory, f"{name}.history"), "a", encoding="utf-8")

    def note(self, call, lines, told):
        """told: None before the call, then `ok` or `refused`."""
        self.file.write(json.dumps({"call": call, "lines": lines, "told": told}) + "\n")
        self.file.flush()


def read_histories(directory):
    """By call: its lines, and the last answer."""
    calls = {}
    for path in sorted(glob.glob(os.path.join(directory, "*.history"))):
        with open(path, encoding="utf-8") as file:
            for line in file:
                entry = json.loads(line)
                if entry["told"] or entry["call"] not in calls:
                    calls[entry["call"]] = entry
    return calls


def sold(shop):
    """By call and item: the units in the tables of orders."""
    found = collections.defaultdict(lambda: collections.defaultdict(list))
    for node in shop.nodes:
        for call, item, quantity in node.query("SELECT call, item_id, quantity FROM shop.orders"):
            found[call][item].append(quantity)
    return found


def check_calls(calls, found):
    """Every call has what it was told, once."""
    for call, entry in calls.items():
        wanted = {int(item): [quantity] for item, quantity in entry["lines"].items()}
        have = {item: quantities for item, quantities in found.get(call, {}).items()}
        if entry["told"] == "ok" and have != wanted:
            yield f"{call} was told ok: has {have}, not {wanted}"
        elif entry["told"] == "refused" and have:
            yield f"{call} was refused: has {have}"
        elif entry["told"] is None and have and have != wanted:
            yield f"{call} got no answer: has {have}, a part of {wanted}"
    for call in set(found) - set(calls):
        yield f"{call} was not called by any client"


def check_nodes(shop, found):
    """What is missing from the stock is in the orders, and nothing is held."""
    gone = collections.Counter()
    for items in found.values():
        for item, quantities in items.items():
            gone[item] += sum(quantities)
    seen = 0
    for number, node in enumerate(shop.nodes):
        node.query("SELECT inventory.cool('shop.items')")
        for item, stock in node.query("SELECT id, stock FROM shop.items"):
            seen += 1
            if item % NODES != number:
                yield f"item {item} is on node {number}"
            if stock + gone[item] != STOCK or stock < 0:
                yield f"item {item}: {stock} in stock and {gone[item]} sold of {STOCK}"
        for item, problem in node.query("SELECT item_id, problem FROM inventory.verify('shop.items')"):
            yield f"node {number}: verify: {item} {problem}"
        for what, count in node.query("SELECT 'held', count(*) FROM ledger.reservations WHERE status = 'held' UNION ALL "
                                      "SELECT 'unresolved carts', count(*) FROM scale.carts WHERE done_at IS NULL"):
            if count:
                yield f"node {number}: {count} {what}"
    if seen != ITEMS:
        yield f"{seen} of {ITEMS} items"


def violations(shop, directory):
    """Everything that is wrong."""
    found = sold(shop)
    return [*check_calls(read_histories(directory), found), *check_nodes(shop, found)]
