"""Studies of hot items: their effect on cold items, row versions, restarts, crashes.

Each study is a generator of rows, as in studies.py.
"""

import os
import shutil
from dataclasses import replace

import cluster
import peers
import works
from cluster import BenchError
from measure import Measurement, Shop, verify

COLD = peers.BY_NAME["ours-atomic"]
HOT = peers.BY_NAME["ours-hot"]
BASE = peers.BY_NAME[peers.BASE]

CROWD = 64  # concurrent buyers
NEVER, USUALLY = "1h", "1s"  # settle_interval


# ---------------------------------------------------------------- cold items

MODES = ("off", "manual", "auto")
FEW = 8  # buyers: enough to use every processor, and quickly connected
MORE_ROUNDS = 10  # factor: differences of one percent have to be visible


def modes(plan):
    """10,000 items without contention, with inventory.hot_mode off, manual and auto."""
    shop = Shop(replace(COLD, before_check=HOT.before_check, before_drop=HOT.before_drop),
                10_000, works.PLENTY)
    for number in range(1, MORE_ROUNDS * plan.rounds + 1):
        if number % MORE_ROUNDS == 1:
            plan.say(f"round {number} of {MORE_ROUNDS * plan.rounds}")
        first = number % len(MODES)  # the modes take turns in being first
        for mode in MODES[first:] + MODES[:first]:
            cluster.configure(inventory__hot_mode=mode)
            crowd = {"i": shop.items, "x": "uniform", "t": plan.seconds, "w": plan.warm_up,
                     "s": number}
            measurement = Measurement(shop, "buy", FEW, crowd, {"synchronous_commit": "off"})
            measurement.check = False  # done once, at the end
            yield {**measurement.run(), "work": "modes", "variant": mode,
                   "latency": plan.latency, "round": number}
    cluster.configure(inventory__hot_mode="manual")
    check(shop)
    shop.peer.drop()


def check(shop):
    """Every unit is in the stock or in an order."""
    left, _ = shop.stock()
    if left + shop.sold() != shop.items * works.PLENTY:
        raise BenchError(f"{shop.peer.name}: {left} units left and {shop.sold()} sold")
    verify(shop.peer)


# ---------------------------------------------------------------- row versions

ROW = "SELECT ctid, xmin, xmax FROM {schema}.items"


def versions(plan):
    """The effect of purchases on the item's row while nothing is settled."""
    cluster.configure(inventory__settle_interval=NEVER)
    shops = [Shop(peer, 1, works.PLENTY) for peer in (BASE, COLD, HOT)]
    for number in range(1, plan.rounds + 1):
        for shop in shops:
            before = cluster.sql(ROW.format(schema=shop.peer.schema))
            measurement = Measurement(shop, "buy", CROWD, {"i": 1, "t": plan.seconds, "s": number})
            measurement.check = False
            row = measurement.run()
            touched = cluster.sql(ROW.format(schema=shop.peer.schema)) != before
            yield {**row, "work": "versions", "latency": plan.latency, "round": number,
                   "row_locked": int(touched)}
    for shop in shops:
        check(shop)
        shop.peer.drop()
    cluster.configure(inventory__settle_interval=USUALLY)


# ---------------------------------------------------------------- after a restart

def touch(plan):
    """Many buyers, each buying once at the same moment: after a restart, and then again."""
    shops = [Shop(peer, 1, works.PLENTY) for peer in (BASE, COLD, HOT)]
    for number in range(1, plan.rounds + 1):
        plan.say(f"round {number} of {plan.rounds}")
        for shop in shops:
            cluster.control("restart")
            for variant in ("first", "again"):
                yield {**once_each(shop, CROWD), "work": "touch", "variant": variant,
                       "latency": plan.latency, "round": number}
    for shop in shops:
        check(shop)
        shop.peer.drop()


def once_each(shop, clients):
    """One purchase by each of the clients; `seconds` is the time until all have an answer."""
    measurement = Measurement(shop, "buy", clients, {"i": 1, "n": clients})
    measurement.check = False  # the check settles, and this must not be settled
    return measurement.run()


# ---------------------------------------------------------------- after a crash

TEN = 10  # purchases in a transaction, to save time
UNSETTLED = "SELECT count(*) FROM {schema}_ledger.movements WHERE epoch IS NOT NULL"


def crash(plan):
    """The first sale after a crash that left many movements unsettled, and the next sale.

    Every round uses a copy of the same crashed data directory.
    """
    cluster.configure(inventory__settle_interval=NEVER)
    shop = Shop(HOT, 1, works.PLENTY)
    left_behind = os.path.join(os.environ["WORK"], "crashed")
    pile_up(shop, plan)
    for number in range(1, plan.rounds + 1):
        plan.say(f"round {number} of {plan.rounds}: {plan.unsettled} unsettled")
        fall_back(left_behind)
        for variant, clients in (("first", 1), ("again", 1)):
            yield {**once_each(shop, clients), "work": "crash", "variant": variant,
                   "latency": plan.latency, "round": number, "unsettled": plan.unsettled}
        check(shop)
    shutil.rmtree(left_behind)
    shop.peer.drop()
    cluster.configure(inventory__settle_interval=USUALLY)


def pile_up(shop, plan):
    """Make the planned number of purchases, all unsettled."""
    plan.say(f"{plan.unsettled} purchases")
    measurement = Measurement(shop, "ten", 8, {"i": 1, "n": plan.unsettled // TEN},
                              {"synchronous_commit": "off"})
    measurement.check = False
    measurement.run()
    found = int(cluster.value(UNSETTLED.format(schema=shop.peer.schema)))
    if found != plan.unsettled:
        raise BenchError(f"{found} movements, not {plan.unsettled}")
    cluster.sql("CHECKPOINT")  # keeps the recovery of the server itself short


def fall_back(left_behind):
    """Crash the server, or restore the data directory of the first crash; then start it."""
    data = cluster.data_directory()
    cluster.control("stop", "-m", "immediate")
    if os.path.exists(left_behind):
        shutil.rmtree(data)
    else:
        os.rename(data, left_behind)
    shutil.copytree(left_behind, data)
    cluster.control("start")


STUDIES = {"modes": modes, "versions": versions, "touch": touch, "crash": crash}
