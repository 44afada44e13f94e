"""One measurement: counters before, concurrent buyers, counters after, the check.

A row of the result, and of the CSV, is a dict with the keys of COLUMNS.
"""

import cluster
from cluster import BenchError

COLUMNS = ("work", "variant", "latency", "clients", "round", "peer", "way", "per_second", "seconds",
           "sold", "refused", "retried", "gave_up", "mean_us", "p50_us", "p95_us", "p99_us",
           "wal_bytes", "dead_rows", "server_cpu_us", "client_cpu_share", "session_bytes",
           "oversold")

# bytes of WAL written so far, and row versions made dead by updates and deletes so far
COUNTERS = """
SELECT pg_current_wal_insert_lsn() - '0/0',
       (SELECT coalesce(sum(n_tup_upd + n_tup_del), 0) FROM pg_stat_user_tables
        WHERE schemaname IN ('{schema}', '{schema}_ledger'))
"""
STOCK = "SELECT sum(stock), sum(greatest(-stock, 0)) FROM {schema}.{stock}"
SOLD = "SELECT coalesce(sum(quantity), 0) FROM {schema}.{sold}"
SELL = """
SELECT count(buy_item(i % 1000 + 1, i % :items + 1, 1)) FROM generate_series(1, :orders) AS i;
"""
VERIFY = "SELECT count(*), min(problem) FROM inventory.verify('{schema}.items')"


class Shop:
    """A peer with filled tables, and functions to read its stock and counters."""

    def __init__(self, peer, items, stock):
        self.peer = peer
        self.items = items
        self.next = 1  # next number for :next, which is unique
        peer.set_up(items, stock)

    def sell(self, orders):
        """Make orders, one unit each, for refunds."""
        self.peer.run(SELL, items=self.items, orders=orders)

    def stock(self):
        """(sum of all stock, sum of all negative stock)"""
        if self.peer.before_check:
            self.peer.run(self.peer.before_check)
        if self.peer.stock == "redis":
            with cluster.Redis() as redis:
                return redis.stock(self.items), 0
        left, below = cluster.sql(STOCK.format(schema=self.peer.schema, stock=self.peer.stock))[0]
        return int(left), int(below)

    def sold(self):
        """Units in the orders, if the peer writes any."""
        if not self.peer.sold:
            return 0
        return int(cluster.value(SOLD.format(schema=self.peer.schema, sold=self.peer.sold)))

    def counters(self):
        """(bytes of WAL, dead rows), after the end of earlier sessions."""
        row = cluster.sql(cluster.SETTLE + COUNTERS.format(schema=self.peer.schema))[0]
        return [int(number) for number in row]


def verify(peer):
    """Run inventory.verify, which compares the ledger with stock and holds."""
    if not peer.ours:
        return
    count, problem = cluster.sql(VERIFY.format(schema=peer.schema))[0]
    if count != "0":
        raise BenchError(f"{peer.name}: verify finds {count} × {problem}")


class Measurement:
    """A shop and its buyers: start, then finish; or run for both."""

    def __init__(self, shop, way, clients, crowd, settings=None, units=1):
        self.shop = shop
        self.way = way
        self.clients = clients
        self.crowd = crowd  # options of the client program
        self.settings = {**shop.peer.settings, **(settings or {})}
        self.units = units  # taken from the stock by a success; negative: given back
        self.check = True  # of units sold; reads every row
        self.before = self.client = None

    def start(self):
        """Start the buyers."""
        self.before = self.shop.counters(), *(self.accounts() if self.check else ())
        self.client = cluster.Client(self.shop.peer.schema, self.settings,
                                     self.shop.peer.steps(self.way),
                                     {"c": self.clients, **self.crowd})
        return self

    def accounts(self):
        """The stock that is left, and the units sold."""
        return self.shop.stock(), self.shop.sold()

    def finish(self):
        """Wait for the buyers; return the row of measurements."""
        counted = self.client.wait()
        wal, dead = (after - before for after, before
                     in zip(self.shop.counters(), self.before[0]))
        self.shop.next += counted["total_ended"]
        ended = counted["sold"] + counted["refused"] + counted["gave_up"]
        calls = max(counted["total_ended"], 1)
        row = {key: counted[key] for key in ("seconds", "sold", "refused", "retried", "gave_up",
                                             "mean_us", "p50_us", "p95_us", "p99_us",
                                             "session_bytes")}
        row.update(peer=self.shop.peer.name, way=self.way, clients=self.clients,
                   per_second=ended / counted["seconds"],
                   wal_bytes=wal / calls, dead_rows=dead / calls,
                   server_cpu_us=counted["server_cpu_s"] * 1e6 / max(ended, 1),
                   client_cpu_share=counted["client_cpu_s"] / counted["seconds"],
                   oversold=self.oversold(counted["total_sold"]) if self.check else 0)
        return row

    def run(self):
        """Start, and wait for the end."""
        return self.start().finish()

    def oversold(self, successes):
        """Check the units sold against the stock; return the units that the peer oversold."""
        peer = self.shop.peer
        if not peer.sold:
            return 0
        (left, below), sold = self.accounts()
        (left_before, below_before), sold_before = self.before[1:]
        sold -= sold_before
        if sold != max(self.units, 0) * successes:
            raise BenchError(f"{peer.name}: {successes} purchases, but {sold} units in orders")
        if peer.limit:
            return 0
        oversold = self.units * successes - (left_before - left) + below - below_before
        if oversold and not peer.oversells:
            raise BenchError(f"{peer.name}: {successes} purchases, but the stock went from "
                             f"{left_before} to {left}")
        verify(peer)
        return oversold
