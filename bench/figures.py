"""The figures that are to be reached, and the results of a run."""

from dataclasses import dataclass

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


def of_races(rows, work, text, low, peer=OURS, base=peers.BASE):
    """A figure for each latency and number of clients of a workload."""
    for latency, clients in groups(pick(rows, work=work), "latency", "clients"):
        mine = pick(rows, work=work, latency=latency, clients=clients)
        way = works.BY_NAME[work].ways[0]
        found = ratio(pick(mine, peer=peer, way=way), pick(mine, peer=base, way=way),
                      "per_second")
        if found:
            yield Figure(f"{text}, {crowd(clients)}, {LATENCY[latency]}", found, low=low)


def of_crowds(rows, latency, *rest):
    """The same, for one latency and only for many clients."""
    return of_races([row for row in rows if row["latency"] == latency and row["clients"] > 8],
                    *rest)


def of_hot(rows):
    """Hot items, compared with the limit and with other peers."""
    for latency, times in (("own", 5.0), ("2ms", 30.0)):
        yield from of_crowds(rows, latency, "hot", "hot item / the inserts alone", 0.9, HOT,
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
            *of_races(rows, "uniform", "10,000 items: inventory / hand-written", 1.0),
            *of_races(rows, "soldout", "sold-out storm: inventory / hand-written", 3.0),
            *of_races(rows, "cart", "cart of 10: inventory / ten calls", 3.0),
            *of_expiry(rows), *of_growth(rows)]


def table(rows):
    """The figures as a table; None if the run has none."""
    found = figures(rows)
    return Table("Figures", ["figure", "wanted", "found", "from–to", "reached"],
                        [[figure.text, figure.wanted, of_median(figure.found),
                          spread(figure.found), "yes" if figure.reached else "no"]
                         for figure in found]) if found else None
