"""What is special about hot items: cold ones beside them, restarts, crashes, row versions.

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

CROWD = 64  # buyers at the same instant
NEVER, USUALLY = "1h", "1s"  # settle_interval


# ---------------------------------------------------------------- cold items

MODES = ("off", "manual", "auto")
FEW = 8  # buyers: enough for every processor, and soon there
MORE_ROUNDS = 10  # times as many: a hundredth is to be seen


def modes(plan):
    """10,000 items that nobody fights over, with inventory.hot_mode off, manual and auto."""
    shop = Shop(replace(COLD, before_check=HOT.before_check, before_drop=HOT.before_drop),
                10_000, works.PLENTY)
    for number in range(1, MORE_ROUNDS * plan.rounds + 1):
        if number % MORE_ROUNDS == 1:
            plan.say(f"round {number} of {MORE_ROUNDS * plan.rounds}")
        first = number % len(MODES)  # nobody is always the first
        for mode in MODES[first:] + MODES[:first]:
            cluster.configure(inventory__hot_mode=mode)
            crowd = {"i": shop.items, "x": "uniform", "t": plan.seconds, "w": plan.warm_up,
                     "s": number}
            measurement = Measurement(shop, "buy", FEW, crowd, {"synchronous_commit": "off"})
            measurement.check = False  # once, at the end
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
    """What purchases leave of the item's row while nothing is settled."""
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
    """A crowd, each buying once at the same instant: first after a restart, and then again."""
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
    """So many buyers, one purchase each; `seconds` is the time until all are answered."""
    measurement = Measurement(shop, "buy", clients, {"i": 1, "n": clients})
    measurement.check = False  # a look at the stock would settle it
    return measurement.run()


# ---------------------------------------------------------------- after a crash

TEN = 10  # purchases in a transaction, so that it does not take all day
UNSETTLED = "SELECT count(*) FROM {schema}_ledger.movements WHERE epoch IS NOT NULL"


def crash(plan):
    """The first sales after a crash that found many movements unsettled, and the next.

    The same crash every time: the data directory as the server left it.
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
    """So many purchases, and none settled."""
    plan.say(f"{plan.unsettled} purchases")
    measurement = Measurement(shop, "ten", 8, {"i": 1, "n": plan.unsettled // TEN},
                              {"synchronous_commit": "off"})
    measurement.check = False
    measurement.run()
    found = int(cluster.value(UNSETTLED.format(schema=shop.peer.schema)))
    if found != plan.unsettled:
        raise BenchError(f"{found} movements, not {plan.unsettled}")
    cluster.sql("CHECKPOINT")  # what the server itself has to recover is not our business


def fall_back(left_behind):
    """End the server without a checkpoint, or go back to where it was ended first; start it."""
    data = cluster.data_directory()
    cluster.control("stop", "-m", "immediate")
    if os.path.exists(left_behind):
        shutil.rmtree(data)
    else:
        os.rename(data, left_behind)
    shutil.copytree(left_behind, data)
    cluster.control("start")


STUDIES = {"modes": modes, "versions": versions, "touch": touch, "crash": crash}
