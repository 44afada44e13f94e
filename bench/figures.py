"""The figures that are to be reached, and the results of a run."""

from dataclasses import dataclass

import costreport
import hotreport
import peers
import report
import works
from cells import LATENCY, Table, crowd, of_median, spread
from ratios import Ratio, groups, pick, ratio

OURS = "ours-atomic"
HOT = "ours-hot"


@dataclass(frozen=True)
class Figure:
    """A target and a result; low: the required minimum, high: the allowed maximum."""
    text: str
    found: Ratio
    low: float = None
    high: float = None

    @property
    def reached(self):
        """Does the median reach the target?"""
        if self.low is not None:
            return self.found.median >= self.low
        return self.found.median <= self.high

    @property
    def wanted(self):
        """The target, as text."""
        return f"≥ {self.low}" if self.low is not None else f"≤ {self.high}"


def of_races(rows, work, text, low, peer=OURS, base=peers.BASE, base_way=None):
    """A figure for each latency and number of clients of a workload."""
    for latency, clients in groups(pick(rows, work=work), "latency", "clients"):
        mine = pick(rows, work=work, latency=latency, clients=clients)
        way = works.BY_NAME[work].ways[0]
        found = ratio(pick(mine, peer=peer, way=way), pick(mine, peer=base, way=base_way or way),
                      "per_second")
        if found:
            yield Figure(f"{text}, {crowd(clients)}, {LATENCY[latency]}", found, low=low)


def of_crowds(rows, latency, *rest):
    """The same, for one latency (or all: None) and only for many clients."""
    return of_races([row for row in rows if row.get("latency") == (latency or row.get("latency"))
                     and row["clients"] > 8], *rest)


def of_processor(rows, text, low, peer, base):
    """The processor time of one buyer's purchase: the other peer's, in multiples of ours."""
    rows = pick(rows, work="uniform", latency="own", clients=1)
    found = ratio(pick(rows, peer=base), pick(rows, peer=peer), "server_cpu_us")
    if found:
        yield Figure(f"{text}: processor time of hand-written / inventory, 1 client", found, low)


def of_cold(rows):
    """Cold items, without and with the constraints of most shops."""
    for suffix, text, processor, rate in (("", "10,000 items", 1.3, 1.1),
                                          ("-real", "10,000 items, constraints", 1.2, 1.05)):
        mine = "ours-real" if suffix else OURS
        yield from of_processor(rows, text, processor, mine, peers.BASE + suffix)
        yield from of_crowds(rows, None, "uniform", f"{text}: inventory / hand-written", rate,
                             mine, peers.BASE + suffix)


# calls, and the goal for hand-written / inventory
COSTS = (("buy", 1.45), ("buy with key", 1.1), ("reserve, confirm", 1.2), ("refund", 1.4),
         ("cart of 10", 1.7), ("refusal", 1.2), ("refusal by status", 2.0), ("1,000 lines", 2.3))


def of_costs(rows):
    """Instructions: those of another way, in multiples of ours."""
    def figure(text, low, *numbers):
        found = costreport.quotient(rows, *numbers)
        return [Figure(f"instructions: {text}", found, low)] if found else []

    hand, cold, hot, inserts = (costreport.HAND, costreport.COLD, costreport.HOT,
                                costreport.INSERTS)
    for name, low in COSTS:
        other = "refusal" if name == "refusal by status" else name
        yield from figure(f"{name}, hand-written / inventory", low, (other, hand), (name, cold))
    real = costreport.REAL
    yield from figure("buy, constraints, hand-written / inventory", 1.3, ("buy", hand + real),
                      ("buy", cold + real))
    yield from figure("refusal of a hot item, hand-written / inventory", 1.5, ("refusal", hand),
                      ("refusal", hot))
    yield from figure("1,000 lines, the inserts alone / inventory", 0.65, ("1,000 lines", inserts),
                      ("1,000 lines", cold))


def of_hot_costs(rows):
    """Instructions and WAL of a hot purchase; the cost of many stores."""
    hot = costreport.cost(rows, "buy", costreport.HOT)
    if hot:
        found = costreport.FLOOR / hot
        yield Figure("instructions: the floor of two inserts / a hot purchase",
                     Ratio(found, found, found), low=0.7)
    wal = [row["wal_bytes"] for row in pick(rows, work="wal", peer=HOT)]
    if wal:
        yield Figure("bytes of WAL of a hot purchase", Ratio(sum(wal), sum(wal), sum(wal)), high=496)
    for peer, text in ((costreport.COLD + costreport.REAL, "cold"), (costreport.HOT, "hot")):
        found = costreport.with_many_stores(rows, peer)
        if found:
            yield Figure(f"instructions of a {text} purchase: 1,000 more stores in the database / "
                         "few", found, high=1.1)


def of_hot(rows):
    """Hot items, compared with the limit and with other peers."""
    for latency, times in (("own", 5.0), ("2ms", 30.0)):
        yield from of_crowds(rows, latency, "hot", "hot item / the inserts alone", 1.1, HOT,
                             "inserts")
        yield from of_crowds(rows, latency, "hot", "hot item / hand-written", times, HOT)
        yield from of_crowds(rows, latency, "hot", "hot item / Redis, then INSERT", 1.0, HOT,
                             "redis")
        yield from of_crowds(rows, latency, "soldout", "sold-out storm: hot item / the error alone",
                             0.7, HOT, "raising")


def of_hot_studies(rows):
    """Crashes, row versions, cold items."""
    for unsettled, in groups(pick(rows, work="crash"), "unsettled"):
        found = hotreport.seconds(pick(rows, work="crash", unsettled=unsettled, variant="first"))
        yield Figure(f"seconds to the first sale after a crash, {unsettled:,} unsettled movements",
                     found, high=2.0)
    found = hotreport.seconds(pick(rows, work="versions", peer=HOT), "dead_rows")
    if found:
        yield Figure("dead rows per purchase of a hot item between settles", found, high=0.0)
    rows = pick(rows, work="modes")
    for mode in ("manual", "auto") if rows else ():
        yield Figure(f"processor time of 10,000 cold items: hot_mode {mode} / off",
                     ratio(pick(rows, variant=mode), pick(rows, variant="off"), "server_cpu_us"),
                     high=1.02)


def of_expiry(rows):
    """The buyers' p99 while holds expire."""
    rows = pick(rows, work="expiry", way="buy")
    for latency, clients in groups(rows, "latency", "clients"):
        mine = pick(rows, latency=latency, clients=clients)
        found = ratio(pick(mine, variant="expiring"), pick(mine, variant="idle"), "p99_us")
        yield Figure(f"p99 while holds expire / without, {crowd(clients)}, "
                     f"{LATENCY[latency]}", found, high=1.5)


def of_growth(rows):
    """The cost in the largest shop."""
    for choice, text in (("uniform", "any item"), ("spread", "1,000 of the items")):
        points = report.growth_points(rows, OURS, choice)
        for what in ("items", "movements"):
            largest = [point for point in points if point.what == what and point.size > 1000][-1:]
            for point in largest:
                yield Figure(f"cost of a purchase with {point.size:,} {what} / with 1,000 items, "
                             f"{text}", point.cpu, high=1.3)


def figures(rows):
    """All figures that the run has measurements for."""
    return [*of_hot(rows), *of_hot_studies(rows),
            *of_costs(rows), *of_hot_costs(rows), *of_cold(rows),
            *of_crowds(rows, None, "soldout", "sold-out storm: inventory / hand-written", 2.5),
            *of_crowds(rows, None, "cart", "cart of 10: inventory / one hand-written statement",
                       1.7, OURS, peers.BASE, "cart_statement"),
            *of_expiry(rows), *of_growth(rows)]


def table(rows):
    """The figures as a table; None if the run has none."""
    found = figures(rows)
    return Table("Figures", ["figure", "wanted", "found", "from–to", "reached"],
                        [[figure.text, figure.wanted, of_median(figure.found),
                          spread(figure.found), "yes" if figure.reached else "no"]
                         for figure in found]) if found else None
