"""The table of instructions per call, and the ratios of it that are figures."""

import peers
from cells import Table, times
from ratios import Ratio, groups, pick

HAND, COLD, HOT, INSERTS = peers.BASE, "ours-atomic", "ours-hot", "inserts"
REAL = "-real"  # the suffix of peers whose tables have constraints
# instructions of two inserts without the start and the end of their statements, on PostgreSQL 15
FLOOR = 67_500


def cost(rows, name, peer, access="direct"):
    """Instructions per call, or None.  To confirm costs what a confirmed hold costs in addition."""
    if name == "confirm":
        both, one = (cost(rows, call, peer, access)
                     for call in ("reserve, confirm", "reserve"))
        return both - one if both and one else None
    found = pick(rows, work="instructions", peer=peer, variant=f"{name}, {access}")
    return found[0]["instructions"] if found else None


def quotient(rows, above, below):
    """A ratio of two numbers, each given as the arguments of cost()."""
    first, second = cost(rows, *above), cost(rows, *below)
    value = first / second if first and second else None
    return value and Ratio(value, value, value)


def with_many_stores(rows, peer):
    """A purchase in a database with many more stores, in multiples of one without."""
    found = [row["instructions"] for row in pick(rows, work="instructions", peer=peer)
             if row["variant"].startswith("buy, ") and row["variant"].endswith(" stores")]
    few = cost(rows, "buy", peer)
    value = found[0] / few if found and few else None
    return value and Ratio(value, value, value)


def names(rows, suffix):
    """The calls of a layout, with confirm."""
    found = []
    for peer, variant in groups(pick(rows, work="instructions"), "peer", "variant"):
        name, access = variant.rsplit(", ", 1)
        if peer in (COLD + suffix, HOT + suffix) and access == "direct" and name not in found:
            found += [name, "confirm"] if name == "reserve, confirm" else [name]
    return found


def thousands(value):
    """Instructions."""
    return "-" if value is None else f"{value / 1000:,.1f}"


def line(rows, name, suffix):
    """The numbers of a call in a layout."""
    hand = cost(rows, "refusal" if name == "refusal by status" else name, HAND + suffix)
    cold, slow = (cost(rows, name, COLD + suffix, access) for access in ("direct", "statements"))
    hot = cost(rows, name, HOT + suffix)
    inserts = None if suffix else cost(rows, name, INSERTS)
    return [name + (", constraints" if suffix else ""),
            *map(thousands, (inserts, hand, cold, slow, hot)),
            *(times(hand / ours if hand and ours else None) for ours in (cold, hot))]


def instructions(rows):
    """Instructions per call."""
    lines = [line(rows, name, suffix) for suffix in ("", REAL) for name in names(rows, suffix)]
    return Table("Thousands of instructions of the server per call",
                 ["", "inserts alone", "hand-written", "cold", "cold, statements", "hot",
                  "hand-written / cold", "hand-written / hot"],
                 lines) if lines else None


STUDIES = {"instructions": instructions}
