"""The peers: ways to sell that are compared, each with an SQL file in bench/peers.

To add a peer, add a file there and a line in PEERS.  The file has sections:
`-- @setup` is run once in a schema with the tables of bench/shop.sql.  Every
other section, such as `-- @buy`, is a way to sell that workloads refer to, with
one statement per round trip.  bench/client/script.c documents its syntax.
"""

import os
import re
from dataclasses import dataclass, field

import cluster

HERE = os.path.dirname(__file__)
BASE = "handwritten"  # the peer that ratios refer to


@dataclass(frozen=True)
class Peer:
    """A way to sell."""
    name: str
    label: str
    file: str = ""  # in bench/peers; default: the name
    settings: dict = field(default_factory=dict)  # for the buyers' sessions
    after_fill: str = ""  # statements of the owner after the tables are filled
    before_check: str = ""  # before the stock is compared with the units sold
    before_drop: str = ""  # before the tables are dropped
    stock: str = "items"  # the relation with the stock; or "redis"
    sold: str = "orders"  # the relation with the orders; empty: the peer writes none
    oversells: bool = False
    only: tuple = ()  # the ways to sell to measure; default: all of its file
    works: tuple = ()  # the workloads to measure; default: all that use these ways
    layout: str = ""  # a file of bench that adds to the tables
    suffix: str = ""  # of its schema, if the peer has several
    limit: bool = False  # not a way to sell, but an upper limit for the others

    @property
    def schema(self):
        """The schema of the peer's own tables."""
        return (self.name + self.suffix).replace("-", "_")

    @property
    def ours(self):
        """Is this peer inventory?"""
        return self.name.startswith("ours")

    def sections(self):
        """The sections of its file, by name."""
        path = os.path.join(HERE, "peers", (self.file or self.name) + ".sql")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        text = text.replace("{schema}", self.schema)
        text = text.replace("{redis_take}", cluster.redis_sha("redis_take"))
        parts = re.split(r"^-- @(\w+)\n", text, flags=re.M)
        return dict(zip(parts[1::2], parts[2::2]))

    def sells_by(self, way):
        """Is this way to sell to be measured with this peer?"""
        return way in (self.only or self.sections())

    def steps(self, way):
        """The round trips of a sale, as one line each."""
        lines = (line for line in self.sections()[way].splitlines() if not line.startswith("--"))
        statements = re.split(r";\s*(?:\n|$)", "\n".join(lines))
        return [" ".join(statement.split()) for statement in statements if statement.strip()]

    def set_up(self, items, stock):
        """Recreate its schema: tables, items with the given stock, functions."""
        self.drop()
        cluster.sql(f"CREATE SCHEMA {self.schema} AUTHORIZATION {cluster.OWNER}")
        with open(os.path.join(HERE, "shop.sql"), encoding="utf-8") as file:
            self.run(file.read(), items=items, stock=stock)
        if self.layout:
            with open(os.path.join(HERE, self.layout), encoding="utf-8") as file:
                self.run(file.read())
        self.run(self.sections().get("setup", ""))
        if self.stock == "redis":
            with cluster.Redis() as redis:
                redis.fill(items, stock)
        self.vacuum()
        self.run(self.after_fill)

    def vacuum(self):
        """Set hint bits and statistics, so that the first measurement is like the others."""
        tables = cluster.sql(f"SELECT format('%I.%I', schemaname, tablename) FROM pg_tables "
                             f"WHERE schemaname IN ('{self.schema}', '{self.schema}_ledger')")
        cluster.sql("".join(f"VACUUM ANALYZE {table};\n" for table, in tables))

    def run(self, text, **variables):
        """Run statements as the owner, in its schema."""
        cluster.sql(text, user=cluster.OWNER, path=self.schema, **variables)

    def drop(self):
        """Remove its schema, if it has one."""
        if self.before_drop and cluster.sql(f"SELECT WHERE to_regclass('{self.schema}.items') "
                                            "IS NOT NULL"):
            self.run(self.before_drop)
        cluster.sql(f"DROP SCHEMA IF EXISTS {self.schema} CASCADE;\n"
                    f"DROP SCHEMA IF EXISTS {self.schema}_ledger CASCADE;")


def ours(name, label, strategy, **rest):
    """inventory, with one of its strategies."""
    return Peer(name, label, file="ours", settings={"inventory.strategy": strategy}, **rest)


# makes all items of the workload hot
HEAT = "SELECT count(inventory.heat('items', id)) FROM items;"

PEERS = (
    Peer(BASE, "hand-written function"),
    Peer("statement", "single statement"),
    Peer("optimistic", "version and retry"),
    Peer("serializable", "SERIALIZABLE and retry", file="naive",
         settings={"default_transaction_isolation": "serializable"}),
    Peer("skiplocked", "SKIP LOCKED, 16 stripes", stock="stripes"),
    Peer("redis", "Redis, then INSERT (not atomic)", stock="redis"),
    Peer("naive", "read, then write (oversells)", oversells=True),
    ours("ours-atomic", "inventory, atomic", "atomic"),
    ours("ours-hot", "inventory, hot", "atomic", after_fill=HEAT,
         before_check="SELECT inventory.settle('items')",
         before_drop="SELECT inventory.cool('items')", only=("buy",),
         works=("hot", "soldout", "thousand")),
    ours("ours-pessimistic", "inventory, pessimistic", "pessimistic", only=("buy",)),
    ours("ours-optimistic", "inventory, optimistic", "optimistic", only=("buy",)),
    Peer("handwritten-real", "hand-written, shop with constraints", file="handwritten",
         layout="real_shop.sql", works=("uniform",)),
    ours("ours-real", "inventory, shop with constraints", "atomic", layout="real_shop.sql",
         works=("uniform",)),
    Peer("inserts", "limit: the inserts alone", sold="order_copy", limit=True),
    Peer("raising", "limit: the error alone", sold="", limit=True, works=("soldout",)),
    Peer("select1", "limit: SELECT 1", sold="", limit=True),
)
BY_NAME = {peer.name: peer for peer in PEERS}
