"""What a call costs: CPU time of the sessions of all servers, as the kernel counts it.

The ways are measured in turn, several rounds in one run, and the ratios are those of the medians: the
load of the machine changes all of them alike.
"""

import json
import statistics

ROUNDS = 5
CALLS = 200
WORN_IN = 50  # calls before: plans and catalogs are cached
NODE = 1  # whose items are sold
ITEM = 1
CART = (1, 5, 9)  # on one node
DIVIDED = (1, 2, 3)  # on three
TOO_MANY = 1_000_000


def cpu(server, pid):
    """Nanoseconds that a process has run."""
    with open(f"/proc/{pid}/schedstat", encoding="utf-8") as file:
        return int(file.read().split()[0])


class Way:
    """How a call is made."""

    def __init__(self, name, server, statement, arguments, prepared=False):
        self.name, self.server, self.prepared = name, server, prepared
        self.statement, self.arguments = statement, arguments
        self.number = 0
        self.costs = []

    def open(self):
        """Open the session, and make calls before counting."""
        self.session = self.server.connect("buyer")
        self.cursor = self.session.cursor()
        if self.prepared:
            self.cursor.execute("PREPARE call AS " + self.statement)
        self.make(WORN_IN)

    def make(self, calls):
        """Make calls."""
        statement = self.statement
        if self.prepared:
            statement = "EXECUTE call(" + ", ".join(["%s"] * len(self.arguments("x"))) + ")"
        for _ in range(calls):
            self.number += 1
            self.cursor.execute(statement, self.arguments(f"{self.name}-{self.number}"))

    def processes(self, shop):
        """The sessions that work for this one."""
        if self.server is not shop.router:
            return [(self.server, self.session.info.backend_pid)]
        pids = [(self.server, self.session.info.backend_pid)]
        for node in shop.nodes:
            pids += [(node, pid) for pid, in node.query("SELECT pid FROM pg_stat_activity WHERE usename = 'inventory_router'")]
        return pids

    def measure(self, shop):
        """Add the microseconds of a call."""
        self.open()
        pids = self.processes(shop)
        before = sum(cpu(*pid) for pid in pids)
        self.make(CALLS)
        self.costs.append((sum(cpu(*pid) for pid in pids) - before) / CALLS / 1000)
        self.session.close()

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
    text, number, cart = ("%s", "%s", "%s")
    statement = buy.format(text, number)

    def sale(_):
        return ("ann", ITEM)

    def refused(_):
        return ("ann", ITEM, TOO_MANY)

    def keyed(call):
        return ("ann", lines(DIVIDED), call)

    def local(call):
        return ("ann", lines(CART), call)

    refusal = "SELECT status FROM api.try_buy_item(%s, %s, %s)"
    bought = f"SELECT status FROM api.buy_cart(%s, {cart}, %s)"
    return {
        "a sale": [Way("direct", node, statement, sale), Way("router", router, statement, sale)],
        "a sale, prepared": [Way("direct", node, buy.format("$1", "$2"), sale, True), Way("router", router, buy.format("$1", "$2"), sale, True)],
        "a refusal as a status": [Way("direct", node, refusal, refused), Way("router", router, refusal, refused)],
        "a cart of three": [Way("direct, on one node", node, bought, local), Way("router, on one node", router, bought, local),
                            Way("router, over three nodes", router, bought, keyed)],
    }


def costs(shop):
    """Measure; yields lines of the report."""
    for node in shop.nodes:
        node.script("CREATE ROLE buyer LOGIN; SELECT inventory.grant_api('shop.items', 'buyer', 'buyer');")
    compared = ways(shop)
    for _ in range(ROUNDS):
        for group in compared.values():
            for way in group:
                way.measure(shop)
    for name, group in compared.items():
        for way in group:
            yield name, way.name, way.cost, way.cost / group[0].cost
