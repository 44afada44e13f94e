"""Instructions of the server per call, counted by callgrind.

The server runs under valgrind, without background workers.  Each call is made by one session, in
two lengths; their difference has no start and no end of a session.  Instructions depend neither on
the load of the machine nor, much, on its processor.  Those of the kernel do not count.
"""

import os
import shutil
from dataclasses import dataclass, replace

import callgrind
import cluster
import peers
import works
from cluster import BenchError
from measure import Shop

LENGTHS = (40, 140)  # calls
CART_LENGTHS, BULK_LENGTHS = (10, 30), (2, 4)
ITEMS = 1000  # with fewer, PostgreSQL finds a row by reading the whole table
HOT_ITEMS = 10  # so few that the first session uses each
STORES = 1000
ORDERS = 10_000  # sold before, to be refunded

HAND = peers.BY_NAME[peers.BASE]
COLD = peers.BY_NAME["ours-atomic"]
HOT = replace(peers.BY_NAME["ours-hot"], only=())
INSERTS = peers.BY_NAME["inserts"]


@dataclass(frozen=True)
class Call:
    """A call that is counted: how a peer sells, and what."""
    name: str
    peer: peers.Peer
    way: str = "buy"
    stock: int = works.PLENTY
    items: int = ITEMS
    lines: int = 1

    @property
    def sells_out(self):
        """Is it refused?"""
        return self.stock == 0

    def lengths(self):
        """The two numbers of calls."""
        if self.lines > 10:
            return BULK_LENGTHS
        return CART_LENGTHS if self.lines > 1 else LENGTHS


SINGLE = (("buy", {}), ("buy with key", {"way": "key"}), ("reserve", {"way": "reserve"}),
          ("reserve, confirm", {"way": "hold"}), ("refund", {"way": "refund"}),
          ("refusal", {"stock": 0}))
CARTS = (("cart of 10", {"lines": 10}), ("1,000 lines", {"lines": 1000}))


def calls():
    """All calls, those of one shop together."""
    yield Call("round trip", peers.BY_NAME["select1"])
    yield Call("buy", INSERTS)
    for name, rest in SINGLE:
        yield from (Call(name, peer, **rest) for peer in (HAND, COLD))
    yield Call("refusal by status", COLD, "status", stock=0)
    yield from (Call(name, HOT, items=HOT_ITEMS, **rest) for name, rest in SINGLE[:2] + SINGLE[-1:])
    for name, rest in CARTS:
        for peer, way in ((INSERTS, "cart"), (HAND, "cart_statement"), (COLD, "cart")):
            yield Call(name, peer, way, **rest)
    hand, cold, hot = (replace(peer, layout="real_shop.sql", suffix="-real")
                       for peer in (HAND, COLD, HOT))
    yield from (Call("buy", peer) for peer in (hand, cold))
    yield Call("buy", hot, items=HOT_ITEMS)
    yield from (Call("cart of 10", peer, way, lines=10)
                for peer, way in ((hand, "cart_statement"), (cold, "cart")))


# ---------------------------------------------------------------- the counted server

def start_counting():
    """Restart the server under callgrind, which counts in sessions only."""
    program = os.path.join(os.environ["WORK"], "counted-postgres")
    callgrind.write_program(program)
    cluster.configure(max_worker_processes=0, max_logical_replication_workers=0, jit="off")
    cluster.control("stop")
    cluster.control("start", "-t", "120", "-p", program)


def stop_counting():
    """Restart the server without it."""
    cluster.sql("ALTER SYSTEM RESET max_worker_processes; ALTER SYSTEM RESET jit;"
                "ALTER SYSTEM RESET max_logical_replication_workers;")
    cluster.control("stop")
    cluster.control("start")


# ---------------------------------------------------------------- measuring

def run(call, shop, number):
    """Instructions of a session that makes a number of calls."""
    client = cluster.Client(shop.peer.schema, shop.peer.settings, shop.peer.steps(call.way),
                            {"c": 1, "n": number, "b": shop.next, "i": shop.items,
                             "x": "uniform", "l": call.lines})
    ended = client.wait()
    instructions = callgrind.counted(ended["pid"])
    shop.next += ended["total_ended"]
    wanted = "total_sold" if not call.sells_out or call.way == "status" else "total_ended"
    if ended[wanted] != number or (call.sells_out and call.way != "status" and ended["total_sold"]):
        raise BenchError(f"{shop.peer.name}, {call.name}: not as planned")
    return instructions


def measure(call, shop, access):
    """The row of a call."""
    short, long = call.lengths()
    if call.peer.after_fill:
        run(call, shop, short)  # publishes the counters of hot items
    less, more = run(call, shop, short), run(call, shop, long)
    return {"work": "instructions", "variant": f"{call.name}, {access}", "round": 1,
            "peer": call.peer.name + call.peer.suffix, "way": call.way, "clients": 1,
            "sold": long - short, "instructions": (more - less) / (long - short)}


def open_shop(call, shops):
    """The shop of a call; calls of a peer share one where their tables are alike."""
    key = (call.peer.schema, call.stock, call.items)
    if key not in shops:
        part = f"{call.peer.suffix}-{len(shops)}"
        shops[key] = Shop(replace(call.peer, suffix=part), call.items, call.stock)
        if call.stock:
            wear_in(shops[key])
    return shops[key]


def wear_in(shop):
    """Sell and reserve, so that pages have room for versions of rows, and tables statistics."""
    settings = {**shop.peer.settings, "synchronous_commit": "off"}
    for way in ("buy", "key", "reserve"):
        if way in shop.peer.sections():
            client = cluster.Client(shop.peer.schema, settings, shop.peer.steps(way),
                                    {"c": 1, "n": 2 * ITEMS, "i": shop.items, "x": "uniform",
                                     "b": shop.next})
            shop.next += client.wait()["total_ended"]
    if "refund" in shop.peer.sections():
        shop.sell(ORDERS)
    shop.peer.vacuum()


def instructions(plan):
    """Every call; those of inventory without direct access, too, where nothing is constrained."""
    if not shutil.which("valgrind"):
        plan.say("valgrind is not installed: no instructions are counted")
        return
    shops = {}
    made = [(call, open_shop(call, shops)) for call in calls()]
    start_counting()
    for access in ("direct", "statements"):
        cluster.configure(inventory__direct_access="on" if access == "direct" else "off")
        for call, shop in made:
            if access == "direct" or (shop.peer.ours and not shop.peer.layout):
                plan.say(f"{shop.peer.label}: {call.name}, {access}")
                yield measure(call, shop, access)
    cluster.sql("ALTER SYSTEM RESET inventory.direct_access; SELECT pg_reload_conf();")
    yield from many_stores(plan, [(call, shop) for call, shop in made
                                  if call.name == "buy" and shop.peer.ours])
    for shop in shops.values():
        shop.peer.drop()


# ---------------------------------------------------------------- many stores

MORE_STORES = """
CREATE TABLE items_{n} (id bigint PRIMARY KEY, stock integer NOT NULL);
CREATE TABLE orders_{n} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint NOT NULL, item_id bigint NOT NULL, quantity integer NOT NULL);
CREATE SCHEMA many_{n};
SELECT inventory.attach('items_{n}', 'orders_{n}', ledger_schema => 'many_{n}',
    api_schema => 'many_{n}');
"""
FEWER_STORES = "SELECT inventory.detach('items_{n}'); DROP SCHEMA many_{n} CASCADE;\n"


def many_stores(plan, made):
    """The same calls, when the database has many more stores.

    They have some 34,000 files.  To shut down, the server would sync each of them, which can take
    longer than pg_ctl waits.
    """
    stop_counting()
    cluster.configure(fsync="off")
    plan.say(f"attaching {STORES} stores")
    cluster.sql(f"CREATE SCHEMA many AUTHORIZATION {cluster.OWNER};"
                f"GRANT CREATE ON DATABASE {cluster.DATABASE} TO {cluster.OWNER}")
    for_each_store(MORE_STORES)
    start_counting()
    run(*made[0], LENGTHS[0])  # fills what the server keeps of its catalogs
    for call, shop in made:
        plan.say(f"{shop.peer.label}: {call.name}, with {STORES} stores")
        yield {**measure(call, shop, "direct"), "variant": f"{call.name}, {STORES} stores"}
    stop_counting()
    for_each_store(FEWER_STORES)
    cluster.sql("DROP SCHEMA many CASCADE; ALTER SYSTEM RESET fsync; SELECT pg_reload_conf();")


def for_each_store(text):
    """Run statements for each of the additional stores."""
    cluster.sql("".join(text.format(n=n) for n in range(STORES)), user=cluster.OWNER, path="many")


STUDIES = {"instructions": instructions}
