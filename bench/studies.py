"""Measurements other than workloads: refusals, expiry, attach, growth.

Each study is a generator of rows.  Its argument is the plan, which has the
lengths, numbers of rounds and sizes.
"""

import time
from dataclasses import replace

import cluster
import hotstudies
import instructions
import peers
import wal
import works
from cluster import BenchError
from measure import Measurement, Shop, verify

OURS = peers.BY_NAME["ours-atomic"]
BASE = peers.BY_NAME[peers.BASE]


# ---------------------------------------------------------------- the cost of a refusal

REFUSALS = 1000

# the next transaction id, without assigning one; and the last xmax of a row
XIDS = "SELECT pg_snapshot_xmax(pg_current_snapshot())"
LOCKS = "SELECT max(xmax::text::bigint) FROM {schema}.{stock}"


def refusals(plan):
    """One buyer, refused a thousand times: the transaction ids, WAL and row locks used."""
    shops = [Shop(peer, 1, 0) for peer in plan.peers("buy") if not peer.limit]
    for number in range(plan.rounds + 1):
        for shop in shops:
            row = refuse(shop)
            if number > 0:  # round 0 prunes pages and sets hint bits
                yield {**row, "work": "refusal", "latency": plan.latency, "round": number}
    for shop in shops:
        shop.peer.drop()


def refuse(shop):
    """One measurement, with the transaction ids and row locks used."""
    before = touched(shop.peer)
    row = Measurement(shop, "buy", 1, {"i": 1, "n": REFUSALS}).run()
    after = touched(shop.peer)
    if row["refused"] != REFUSALS:
        raise BenchError(f"{shop.peer.name}: only {row['refused']} of {REFUSALS} were refused")
    row.update(xids=(after[0] - before[0]) / REFUSALS, row_locked=int(after[1] != before[1]))
    return row


def touched(peer):
    """(next transaction id, last xmax of a row)"""
    xid = int(cluster.value(XIDS))
    if peer.stock == "redis":
        return xid, 0
    return xid, int(cluster.value(LOCKS.format(schema=peer.schema, stock=peer.stock)))


# ---------------------------------------------------------------- overdue holds

# holds as if made 20 minutes ago; in replica mode the guard records no movements
LOAD_HOLDS = """
SET session_replication_role = replica;
WITH held AS (
    INSERT INTO {schema}_ledger.reservations (reservation_id, item_id, quantity, user_id, status,
        expires_at, created_at, tracked)
    SELECT gen_random_uuid(), i % :items + 1, 1, i % 100000 + 1, 'held',
        now() + interval '1 hour', now() - interval '20 minutes', true
    FROM generate_series(1, :holds) AS i
    RETURNING *
), booked AS (
    INSERT INTO {schema}_ledger.movements (item_id, delta, kind, user_id, reservation_id, actor,
        created_at)
    SELECT item_id, -1, 'hold', user_id, reservation_id, 'shop', created_at FROM held
)
UPDATE {schema}.items AS i SET stock = i.stock - h.count
FROM (SELECT item_id, count(*) FROM held GROUP BY item_id) AS h WHERE h.item_id = i.id;
"""
EXPIRE_IN = """
UPDATE {schema}_ledger.reservations SET expires_at = now() + interval :'left'
WHERE status = 'held';
VACUUM ANALYZE {schema}.items, {schema}_ledger.reservations, {schema}_ledger.movements;
CHECKPOINT;
"""
HELD = "SELECT count(*) FROM {schema}_ledger.reservations WHERE status = 'held'"


def expiry(plan):
    """Buyers while the worker gives back overdue holds, and just before the holds are due.

    The sessions of a store with open holds start the worker.
    """
    shop = Shop(OURS, 10_000, works.PLENTY)
    for number in range(1, plan.rounds + 1):
        missing = plan.holds - held()
        if missing > plan.holds / 2:
            plan.say(f"loading {missing} holds")
            cluster.sql(LOAD_HOLDS.format(schema=OURS.schema), items=shop.items, holds=missing)
        due = fall_due(plan)
        for variant in ("idle", "expiring"):
            if variant == "expiring":
                wait_for_worker(due)
            plan.say(f"round {number} of {plan.rounds}: {variant}")
            rows = [row for clients in plan.clients
                    for row in buyers_beside(shop, plan, clients, number)]
            if variant == "idle" and time.monotonic() > due:
                plan.say("the holds fell due too early: this measurement is discarded")
                continue
            for row in rows:
                yield {**row, "work": "expiry", "variant": variant, "latency": plan.latency,
                       "round": number}
        verify(OURS)
    OURS.drop()


def fall_due(plan):
    """Let all holds fall due at one moment, with enough time before it; return the moment."""
    needed = len(plan.clients) * (plan.long + plan.warm_up + 2)
    left = needed + plan.holds / 20_000
    while True:
        due = time.monotonic() + left
        cluster.sql(EXPIRE_IN.format(schema=OURS.schema), left=f"{left} seconds")
        cluster.wait_for_disk()
        if time.monotonic() + needed < due:
            return due
        left *= 2


def wait_for_worker(due):
    """Wait until the holds are due and the first of them are given back."""
    before = held()
    time.sleep(max(due - time.monotonic(), 0))
    while before and held() == before:
        time.sleep(0.05)


def held():
    """The number of open holds."""
    return int(cluster.value(HELD.format(schema=OURS.schema)))


def buyers_beside(shop, plan, clients, number):
    """The rows of the buyers and of the worker; none if the holds ran out."""
    crowd = {"i": shop.items, "x": "uniform", "t": plan.long, "w": plan.warm_up, "s": number}
    measurement = Measurement(shop, "buy", clients, crowd)
    measurement.check = False  # holds come back during the measurement
    before, begin = held(), time.monotonic()
    row = measurement.run()
    left, seconds = held(), time.monotonic() - begin
    if left == 0:
        plan.say("the holds ran out: this measurement is discarded")
        return
    yield row
    yield {"peer": "worker", "way": "expire", "clients": clients, "seconds": seconds,
           "sold": before - left, "per_second": (before - left) / seconds}


# ---------------------------------------------------------------- attach

COPY_ITEMS = """
CREATE TABLE movement_copy (LIKE {schema}_ledger.movements INCLUDING DEFAULTS INCLUDING IDENTITY,
    PRIMARY KEY (movement_id));
"""
FILL_COPY = """
TRUNCATE movement_copy;
INSERT INTO movement_copy (item_id, delta, kind, actor, created_at)
SELECT id, stock, 'opening', current_user, now() FROM items;
"""
ATTACH_AGAIN = "SELECT inventory.detach('items'); DROP SCHEMA {schema}_ledger CASCADE;"


def attach(plan):
    """Attaching many items, and the plain INSERT of the same number of rows."""
    peer = OURS
    plan.say(f"filling {plan.items} items")
    peer.set_up(plan.items, 100)
    peer.run(COPY_ITEMS.format(schema=peer.schema))
    for number in range(1, plan.rounds + 1):
        peer.run(ATTACH_AGAIN.format(schema=peer.schema))
        for variant, text in (("insert", FILL_COPY), ("attach", peer.sections()["setup"])):
            cluster.sql("CHECKPOINT")
            cluster.wait_for_disk()
            begin = time.monotonic()
            peer.run(text)
            seconds = time.monotonic() - begin
            yield {"work": "attach", "variant": variant, "latency": plan.latency, "round": number,
                   "peer": peer.name, "way": variant, "clients": 1, "sold": plan.items,
                   "seconds": seconds, "per_second": plan.items / seconds,
                   "mean_us": seconds * 1e6}
        verify(peer)
    peer.drop()


# ---------------------------------------------------------------- growth

FEW = 1000  # items of the smallest shop; items bought in a larger shop, with `spread`

# alternating deliveries and sales of lines that were closed, so that the stock does not change
LOAD_MOVEMENTS = """
INSERT INTO {schema}_ledger.movements (item_id, delta, kind, user_id, actor, created_at)
SELECT i / 2 % :items + 1, CASE i % 2 WHEN 0 THEN 1 ELSE -1 END,
    CASE i % 2 WHEN 0 THEN 'restock' ELSE 'sale' END,
    CASE i % 2 WHEN 1 THEN i % 100000 + 1 END, 'shop', now() - interval '1 day'
FROM generate_series(0, :movements - 1) AS i;
VACUUM ANALYZE {schema}_ledger.movements;
"""


def growth(plan):
    """The cost of a purchase by one buyer, without waiting for the disk, as tables grow."""
    shops = [grown(plan, peer, size, 0) for size in plan.sizes for peer in (BASE, OURS)]
    shops.append(grown(plan, OURS, FEW, plan.sizes[-1]))
    cluster.sql("CHECKPOINT")
    cluster.wait_for_disk()
    for shop, _ in shops:  # dirty the pages of the items of `spread`, and warm the caches
        for choice in ("uniform", "spread"):
            one_buyer(shop, plan, choice, 0, {"n": 5 * FEW})
    for number in range(1, plan.rounds + 1):
        for choice in ("uniform", "spread"):
            for shop, variant in shops:
                if choice == "spread" and shop.items == FEW:
                    continue  # the same as uniform
                yield {**one_buyer(shop, plan, choice, number), "work": "growth",
                       "variant": f"{variant} {choice}", "latency": plan.latency, "round": number}
    for shop, _ in shops:
        verify(shop.peer)
        shop.peer.drop()


def grown(plan, peer, size, movements):
    """A shop with `size` items, and `movements` movements if not 0."""
    variant = f"{movements} movements" if movements else f"{size} items"
    plan.say(f"filling {variant}: {peer.label}")
    peer = replace(peer, suffix="-" + variant.replace(" ", "-"))
    shop = Shop(peer, size, works.PLENTY)
    if movements:
        cluster.sql(LOAD_MOVEMENTS.format(schema=peer.schema), items=size, movements=movements)
    return shop, variant


def one_buyer(shop, plan, choice, number, until=None):
    """One measurement, of the planned length or until a number of purchases."""
    crowd = {"s": number, "x": "uniform", "i": shop.items,
             **(until or {"t": plan.long, "w": plan.warm_up})}
    if choice == "spread":
        crowd.update(i=FEW, e=shop.items // FEW)
    measurement = Measurement(shop, "buy", 1, crowd, {"synchronous_commit": "off"})
    measurement.check = False  # a check reads all rows; verify runs at the end
    return measurement.run()


STUDIES = {"refusal": refusals, "expiry": expiry, "attach": attach, "growth": growth,
           **hotstudies.STUDIES, **instructions.STUDIES,
           "wal": wal.records}
