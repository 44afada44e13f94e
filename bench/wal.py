"""WAL of a purchase by kind of record, and its table."""

from collections import defaultdict

import cluster
import peers
import works
from cells import Table, plain
from measure import Shop
from ratios import pick

WARM_UP, CALLS = 200, 1000
PEERS = tuple(peers.BY_NAME[name] for name in (peers.BASE, "inserts", "ours-atomic", "ours-hot"))
# without images of whole pages, which depend on the time since the last checkpoint
RECORDS = """
SELECT "resource_manager/record_type", count, record_size
FROM pg_get_wal_stats('{first}', '{last}', true) WHERE count > 0;
"""


def records(plan):
    """A row per peer and kind of record: its bytes per purchase, with nothing settled."""
    cluster.sql("CREATE EXTENSION IF NOT EXISTS pg_walinspect")
    cluster.configure(inventory__settle_interval="1h")
    for peer in PEERS:
        shop = Shop(peer, 100, works.PLENTY)
        buy(shop, WARM_UP)
        first = position()
        buy(shop, CALLS)
        last = position()
        sizes = defaultdict(int)
        for kind, count, size in cluster.sql(RECORDS.format(first=first, last=last)):
            sizes[kind if int(count) > CALLS / 20 else "others"] += int(size)
        for kind, size in sizes.items():
            yield {"work": "wal", "variant": kind, "latency": plan.latency, "round": 1,
                   "peer": peer.name, "way": "buy", "clients": 1, "sold": CALLS,
                   "wal_bytes": size / CALLS}
        peer.drop()
    cluster.configure(inventory__settle_interval="1s")


def buy(shop, number):
    """A number of purchases by one session."""
    cluster.Client(shop.peer.schema, shop.peer.settings, shop.peer.steps("buy"),
                   {"c": 1, "n": number, "i": shop.items, "x": "uniform"}).wait()


def position():
    """Where the WAL that is flushed ends."""
    cluster.sql("SELECT pg_switch_wal()")
    return cluster.value("SELECT pg_current_wal_flush_lsn()")


def table(rows):
    """The kinds of records, the largest first, and their sum."""
    rows = pick(rows, work="wal")
    size = {(row["variant"], row["peer"]): row["wal_bytes"] for row in rows}
    names = [peer.name for peer in PEERS]
    lines = [[kind, *(plain(size.get((kind, name))) for name in names)]
             for kind in sorted({row["variant"] for row in rows},
                                key=lambda kind: -max(size.get((kind, name), 0) for name in names))]
    lines.append(["all", *(plain(sum(row["wal_bytes"] for row in pick(rows, peer=name)))
                           for name in names)])
    return Table("Bytes of WAL per purchase, by kind of record",
                 ["", *(peer.label for peer in PEERS)], lines) if rows else None
