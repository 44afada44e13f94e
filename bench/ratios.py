"""Medians and ratios of the rows of a run.

A ratio is computed within each round, between measurements made shortly after
each other, and the median of the rounds is shown.  Changes of the machine's speed
between rounds therefore have little effect.
"""

from collections import namedtuple
from statistics import median

Ratio = namedtuple("Ratio", "median low high")


def pick(rows, **wanted):
    """The rows that have these values."""
    return [row for row in rows if all(row.get(key) == value for key, value in wanted.items())]


def middle(rows, key):
    """The median of a column; None if no row has it."""
    values = [row[key] for row in rows if row.get(key) is not None]
    return median(values) if values else None


def ratio(rows, base, key):
    """The ratio to the rows of another peer or variant, by round; None if no round has both."""
    of_base = {row["round"]: row[key] for row in base if row.get(key)}
    found = sorted(row[key] / of_base[row["round"]] for row in rows
                   if row.get(key) is not None and row["round"] in of_base)
    return Ratio(median(found), found[0], found[-1]) if found else None


def groups(rows, *keys):
    """The distinct values of these columns, in the order of their first appearance."""
    return list(dict.fromkeys(tuple(row.get(key) for key in keys) for row in rows))
