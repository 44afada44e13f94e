"""Tables of the studies of hot items."""

import peers
from cells import Table, of_median, plain, spread, times
from ratios import Ratio, groups, middle, pick, ratio


def seconds(rows, key="seconds"):
    """An absolute value and its range, not a ratio."""
    values = [row[key] for row in rows]
    return Ratio(middle(rows, key), min(values), max(values)) if values else None


def modes(rows):
    """Cold items under each hot_mode."""
    rows = pick(rows, work="modes")
    off = pick(rows, variant="off")
    lines = []
    for mode in ("manual", "auto"):
        mine = pick(rows, variant=mode)
        cpu = ratio(mine, off, "server_cpu_us")
        lines.append([mode, of_median(cpu), spread(cpu), of_median(ratio(mine, off, "per_second")),
                      of_median(ratio(mine, off, "p50_us"))])
    return Table("10,000 cold items (8 clients, synchronous_commit off), as multiples of "
                 "hot_mode off", ["hot_mode", "CPU", "from–to", "rate", "p50"],
                 lines) if rows else None


def versions(rows):
    """The effect of purchases on the item's row."""
    rows = pick(rows, work="versions")
    lines = []
    for peer, in groups(rows, "peer"):
        mine = pick(rows, peer=peer)
        lines.append([peers.BY_NAME[peer].label, plain(sum(row["sold"] for row in mine)),
                      plain(max(row["dead_rows"] for row in mine), 2),
                      "yes" if any(row["row_locked"] for row in mine) else "no"])
    return Table("The row of a bought item, nothing settled",
                 ["", "purchases", "dead rows per purchase", "row written or locked"],
                 lines) if lines else None


def touch(rows):
    """All buyers at the same moment, after a restart and again."""
    rows = pick(rows, work="touch")
    lines = []
    for peer, in groups(rows, "peer"):
        for variant in ("first", "again"):
            mine = pick(rows, peer=peer, variant=variant)
            base = pick(rows, peer=peers.BASE, variant=variant)
            found = ratio(mine, base, "seconds")
            lines.append([f"{peers.BY_NAME[peer].label}, {variant}",
                          times(middle(mine, "seconds") * 1000), of_median(found), spread(found)])
    return Table("64 buyers at the same instant, one purchase each: until all are answered",
                 ["", "ms", "of hand-written", "from–to"], lines) if lines else None


def crash(rows):
    """The first sale after a crash."""
    rows = pick(rows, work="crash")
    lines = []
    for unsettled, variant in groups(rows, "unsettled", "variant"):
        found = seconds(pick(rows, unsettled=unsettled, variant=variant))
        lines.append([{"first": "the first sale", "again": "the next"}[variant],
                      plain(unsettled), times(found.median, 3),
                      f"{times(found.low, 3)}–{times(found.high, 3)}"])
    return Table("Sales after a crash, in seconds",
                 ["", "unsettled movements", "seconds", "from–to"], lines) if lines else None


STUDIES = {"modes": modes, "versions": versions, "touch": touch, "crash": crash}
