"""What a call costs: instructions that callgrind counts in the sessions of all servers, and their CPU time.

Instructions do not depend on the load of the machine; those of the kernel do not count.  CPU time, as the
kernel counts it, has them; there the ways are measured in turn, several rounds in one run, and the ratios
are those of the medians: the load of the machine changes all of them alike.
"""

import json
import os
import shutil
import statistics

import callgrind

ROUNDS = 3
CALLS = 100
WORN_IN = 20  # calls before: plans and catalogs are cached
COUNTS = 2  # of each length; the fewest, because what is rare, as reading catalogs again, only adds
LENGTHS = (20, 60)  # calls of two sessions: their difference has no start and no end of a session
NODE = 1  # whose items are sold
ITEM = 1
CART = (1, 5, 9)  # on one node
DIVIDED = (1, 2, 3)  # on three
TOO_MANY = 1_000_000

# The least that PL/Proxy costs, and a router that does not write orders before carts are decided.
PROBE = """
CREATE SCHEMA probe;
GRANT USAGE ON SCHEMA probe TO buyer, inventory_router;
CREATE FUNCTION probe.one(node integer) RETURNS integer LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER 'shop';
    RUN ON node;
    SELECT 1;
$$;
ALTER FUNCTION probe.one(integer) OWNER TO inventory_router;
"""


def cpu(server, pid):
    """Nanoseconds that a process has run."""
    with open(f"/proc/{pid}/schedstat", encoding="utf-8") as file:
        return int(file.read().split()[0])


# ---------------------------------------------------------------- instructions

def start_counting(shop):
    """Restart all servers under callgrind, which counts in sessions only."""
    for server in shop.servers:
        server.query("ALTER SYSTEM SET max_worker_processes = 0")
        server.query("ALTER SYSTEM SET jit = off")
        server.stop()
        server.program = os.path.join(server.directory, "counted-postgres")
        callgrind.write_program(server.program)
        server.start()


# ---------------------------------------------------------------- ways

class Way:
    """How a call is made."""

    def __init__(self, name, server, statement, arguments, prepared=False, database="shop"):
        self.name, self.server, self.prepared, self.database = name, server, prepared, database
        self.statement, self.arguments = statement, arguments
        self.number = 0
        self.costs = []
        self.instructions = None  # of the client's session, and of others that work for it

    def open(self):
        """Open the session."""
        self.session = self.server.connect("buyer", self.database)
        self.cursor = self.session.cursor()
        if self.prepared:
            self.cursor.execute("PREPARE call AS " + self.statement)

    def make(self, calls):
        """Make calls."""
        statement = self.statement
        if self.prepared:
            statement = "EXECUTE call(" + ", ".join(["%s"] * len(self.arguments("x"))) + ")"
        for _ in range(calls):
            self.number += 1
            self.cursor.execute(statement, self.arguments(f"{self.name}-{self.number}"))

    def processes(self, shop):
        """The client's session, and those that work for it."""
        pids = [(self.server, self.session.info.backend_pid)]
        if self.server is shop.router:
            for node in shop.nodes:
                pids += [(node, pid) for pid, in node.query("SELECT pid FROM pg_stat_activity WHERE usename = 'inventory_router'")]
        return pids

    def measure(self, shop):
        """Add the microseconds of a call."""
        self.open()
        self.make(WORN_IN)
        pids = self.processes(shop)
        before = sum(cpu(*pid) for pid in pids)
        self.make(CALLS)
        self.costs.append((sum(cpu(*pid) for pid in pids) - before) / CALLS / 1000)
        self.session.close()

    def run(self, shop, calls):
        """The instructions of sessions that make so many calls."""
        self.open()
        self.make(calls)
        pids = [pid for _, pid in self.processes(shop)]
        self.session.close()
        counts = [callgrind.counted(pid) for pid in pids]
        return counts[0], sum(counts[1:])

    def count(self, shop):
        """Set the instructions of a call."""
        less, more = (map(min, *(self.run(shop, calls) for _ in range(COUNTS))) for calls in LENGTHS)
        self.instructions = [(b - a) / (LENGTHS[1] - LENGTHS[0]) for a, b in zip(less, more)]

    @property
    def cost(self):
        """Microseconds, the median of the rounds."""
        return statistics.median(self.costs)


def lines(items):
    """A cart as JSON."""
    return json.dumps([{"item_id": item, "quantity": 1} for item in items])


def ways(shop):
    """The ways, those of one comparison together, the first of which is the measure."""
    node, router = shop.nodes[NODE], shop.router
    buy = "SELECT api.buy_item({0}, {1})"
    plain, prepared = buy.format("%s", "%s"), buy.format("$1", "$2")
    refusal = "SELECT status FROM api.try_buy_item(%s, %s, %s)"
    bought = "SELECT status FROM api.buy_cart(%s, %s, %s)"

    def sale(_):
        return ("ann", ITEM)

    def refused(_):
        return ("ann", ITEM, TOO_MANY)

    def cart(items, keyed):
        return lambda call: ("ann", lines(items), call if keyed else None)

    def carts(keyed):
        local, divided = cart(CART, keyed), cart(DIVIDED, keyed)
        return [Way("direct, on one node", node, bought, local), Way("router, on one node", router, bought, local),
                Way("router, over three nodes", router, bought, divided),
                Way("the same without rehearsal", router, bought, divided, database="plain")]

    return {
        "SELECT 1": [Way("direct", node, "SELECT 1", lambda _: ()), Way("router", router, "SELECT probe.one(1)", lambda _: ())],
        "a sale": [Way("direct", node, plain, sale), Way("router", router, plain, sale)],
        "a sale, prepared": [Way("direct", node, prepared, sale, True), Way("router", router, prepared, sale, True)],
        "a refusal as a status": [Way("direct", node, refusal, refused), Way("router", router, refusal, refused)],
        "a cart of three": carts(False),
        "a cart of three with a key": carts(True),
    }


def costs(shop):
    """Measure; yields the name of a comparison, a way, and the first way of the comparison."""
    for node in shop.nodes:
        node.script("CREATE ROLE buyer LOGIN; SELECT inventory.grant_api('shop.items', 'buyer', 'buyer');")
    shop.router.query("CREATE DATABASE plain", database="postgres")
    shop.make_router("plain", "--no-rehearsal")
    shop.router.script(PROBE)
    compared = ways(shop)
    for _ in range(ROUNDS):
        for group in compared.values():
            for way in group:
                way.measure(shop)
    if shutil.which("valgrind"):
        start_counting(shop)
        compared["a cart of three"][2].run(shop, 1)  # the first sessions fill caches of the servers
        for group in compared.values():
            for way in group:
                way.count(shop)
    for name, group in compared.items():
        for way in group:
            yield name, way, group[0]
