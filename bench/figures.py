"""The figures that the row path is to reach, and what a run says of them."""

from dataclasses import dataclass

import peers
import report
from ratios import Ratio, groups, pick, ratio

OURS = "ours-atomic"


@dataclass(frozen=True)
class Figure:
    """What is wanted, and what was found; low: the least that will do, high: the most."""
    text: str
    found: Ratio
    low: float = None
    high: float = None

    @property
    def reached(self):
        """By the median?"""
        if self.low is not None:
            return self.found.median >= self.low
        return self.found.median <= self.high

    @property
    def wanted(self):
        """In words."""
        return f"≥ {self.low}" if self.low is not None else f"≤ {self.high}"


def of_races(rows, work, text, low):
    """A figure for each latency and number of clients of a race."""
    for latency, clients in groups(pick(rows, work=work), "latency", "clients"):
        mine = pick(rows, work=work, latency=latency, clients=clients)
        way = "cart" if work == "cart" else "buy"
        found = ratio(pick(mine, peer=OURS, way=way), pick(mine, peer=peers.BASE, way=way),
                      "per_second")
        if found:
            yield Figure(f"{text}, {report.crowd(clients)}, {report.LATENCY[latency]}", found,
                         low=low)


def of_expiry(rows):
    """The buyers' p99."""
    rows = pick(rows, work="expiry", way="buy")
    for latency, clients in groups(rows, "latency", "clients"):
        mine = pick(rows, latency=latency, clients=clients)
        found = ratio(pick(mine, variant="expiring"), pick(mine, variant="idle"), "p99_us")
        yield Figure(f"p99 while holds expire / without, {report.crowd(clients)}, "
                     f"{report.LATENCY[latency]}", found, high=1.5)


def of_growth(rows):
    """The largest shop."""
    for choice, text in (("uniform", "any item"), ("spread", "1,000 of the items")):
        points = report.growth_points(rows, OURS, choice)
        for what in ("items", "movements"):
            largest = [point for point in points if point.what == what and point.size > 1000][-1:]
            for point in largest:
                yield Figure(f"cost of a purchase with {point.size:,} {what} / with 1,000 items, "
                             f"{text}", point.cpu, high=1.3)


def figures(rows):
    """All that the run has numbers for."""
    return [*of_races(rows, "uniform", "10,000 items: inventory / hand-written", 1.0),
            *of_races(rows, "soldout", "sold-out storm: inventory / hand-written", 3.0),
            *of_races(rows, "cart", "cart of 10: inventory / ten calls", 3.0),
            *of_expiry(rows), *of_growth(rows)]


def table(rows):
    """As a table; None if the run has none."""
    found = figures(rows)
    return report.Table("Figures", ["figure", "wanted", "found", "from–to", "reached"],
                        [[figure.text, figure.wanted, report.of_median(figure.found),
                          report.spread(figure.found), "yes" if figure.reached else "no"]
                         for figure in found]) if found else None
