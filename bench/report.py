"""The tables of a run, and its CSV."""

import csv
from collections import namedtuple

import costreport
import hotreport
import peers
import wal
import works
from cells import LATENCY, Table, crowd, of_median, plain, share, spread, times
from measure import COLUMNS
from ratios import groups, middle, pick, ratio

EXTRA = ("xids", "row_locked", "unsettled", "instructions")
TEXT = ("work", "variant", "latency", "peer", "way")


# ---------------------------------------------------------------- CSV

def write_csv(rows, machine, path):
    """Write the machine as comments, then one line per measurement."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        file.writelines(f"# {key}: {value}\n" for key, value in machine.items())
        writer = csv.DictWriter(file, COLUMNS + EXTRA, restval="", lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({key: f"{value:.6g}" if isinstance(value, float) else value
                             for key, value in row.items()})


def read_csv(path):
    """(rows, machine) of an earlier run."""
    with open(path, newline="", encoding="utf-8") as file:
        lines = file.readlines()
    machine = dict(line[2:].rstrip("\n").split(": ", 1) for line in lines if line[0] == "#")
    rows = [{key: value if key in TEXT else number(value) for key, value in row.items()
             if value != ""} for row in csv.DictReader(line for line in lines if line[0] != "#")]
    return rows, machine


def number(text):
    """A number; an int if it is integral."""
    value = float(text)
    return int(value) if value.is_integer() else value


# ---------------------------------------------------------------- tables

def label(peer, way, work):
    """The label of a peer, with the way to sell if it is not the first of the workload."""
    text = peers.BY_NAME[peer].label
    first = works.BY_NAME[work].ways[0] if work in works.BY_NAME else way
    return text if way == first else f"{text}, one statement"


HEAD = ["", "rate", "from–to", "of limit", "p50", "p95", "p99", "CPU", "WAL bytes", "dead rows",
        "session kB", "retries", "oversold"]


def race(rows, work, latency, clients):
    """The table of a workload, for a latency and a number of clients; None without rows."""
    rows = pick(rows, work=work, latency=latency, clients=clients)
    if not rows:
        return None
    first = works.BY_NAME[work].ways[0]
    base = pick(rows, peer=peers.BASE, way=first)
    limit = pick(rows, peer=works.BY_NAME[work].limit, way=first)
    lines = []
    for peer, way in groups(rows, "peer", "way"):
        mine = pick(rows, peer=peer, way=way)
        rate = ratio(mine, base, "per_second")
        lines.append([
            label(peer, way, work), of_median(rate), spread(rate),
            of_median(ratio(mine, limit, "per_second")),
            *(of_median(ratio(mine, base, key)) for key in ("p50_us", "p95_us", "p99_us")),
            of_median(ratio(mine, base, "server_cpu_us")),
            plain(middle(mine, "wal_bytes")), plain(middle(mine, "dead_rows"), 2),
            plain(middle(mine, "session_bytes") / 1024), share(mine),
            f"{sum(row['oversold'] for row in mine):,}"])
    return Table(f"{works.BY_NAME[work].title}: {crowd(clients)}, {LATENCY[latency]}", HEAD, lines)


def rates(rows, work):
    """The rates of a workload in all conditions."""
    rows = pick(rows, work=work)
    first = works.BY_NAME[work].ways[0]
    conditions = groups(rows, "latency", "clients")
    lines = []
    for peer, way in groups(rows, "peer", "way"):
        cells = []
        for latency, clients in conditions:
            here = pick(rows, latency=latency, clients=clients)
            cells.append(of_median(ratio(pick(here, peer=peer, way=way),
                                         pick(here, peer=peers.BASE, way=first), "per_second")))
        lines.append([label(peer, way, work), *cells])
    return Table(works.BY_NAME[work].title,
                 ["", *(f"{latency}, {clients}" for latency, clients in conditions)], lines)


def refusal(rows):
    """The cost of a refusal."""
    rows = pick(rows, work="refusal")
    lines = []
    for peer, in groups(rows, "peer"):
        mine = pick(rows, peer=peer)
        # the minimum: other processes occasionally use xids and write WAL, too
        lines.append([peers.BY_NAME[peer].label,
                      times(min(row["xids"] for row in mine)),
                      plain(min(row["wal_bytes"] for row in mine)),
                      "yes" if any(row["row_locked"] for row in mine) else "no",
                      of_median(ratio(mine, pick(rows, peer=peers.BASE), "mean_us"))])
    return Table("The cost of a refusal (one client)",
                 ["", "transaction ids", "WAL bytes", "locks the row", "time"],
                 lines) if lines else None


def expiry(rows):
    """Buyers while the worker gives back overdue holds."""
    rows = pick(rows, work="expiry")
    lines = []
    for latency, clients in groups(pick(rows, way="buy"), "latency", "clients"):
        mine = pick(rows, latency=latency, clients=clients, way="buy")
        idle, busy = pick(mine, variant="idle"), pick(mine, variant="expiring")
        worst = ratio(busy, idle, "p99_us")
        lines.append([f"{crowd(clients)}, {LATENCY[latency]}",
                      of_median(ratio(busy, idle, "per_second")),
                      of_median(ratio(busy, idle, "p50_us")),
                      of_median(ratio(busy, idle, "p95_us")), of_median(worst), spread(worst)])
    return Table("Buyers while overdue holds are given back, as multiples of those without",
                 ["", "rate", "p50", "p95", "p99", "from–to"], lines) if lines else None


def attach(rows):
    """attach compared with a plain INSERT."""
    rows = pick(rows, work="attach")
    if not rows:
        return None
    found = ratio(pick(rows, variant="attach"), pick(rows, variant="insert"), "mean_us")
    return Table("Attaching, as a multiple of inserting as many movements",
                 ["items", "time", "from–to"],
                 [[plain(rows[0]["sold"]), of_median(found), spread(found)]])


Point = namedtuple("Point", "size what cpu p50 wal")


def growth_points(rows, peer, choice):
    """The results by size, as multiples of those of the smallest shop."""
    rows = pick(rows, work="growth", peer=peer)
    base = pick(rows, variant="1000 items uniform")
    points = []
    for variant, in groups(rows, "variant"):
        size, what, how = variant.split(" ")
        mine = pick(rows, variant=variant)
        if how == choice:
            points.append(Point(int(size), what, ratio(mine, base, "server_cpu_us"),
                                ratio(mine, base, "p50_us"), middle(mine, "wal_bytes")))
    return points


def growth(rows):
    """Cost of a purchase as the tables grow."""
    lines = []
    for choice, bought in (("uniform", "any item"), ("spread", "1,000 of the items")):
        for peer in (peers.BASE, "ours-atomic"):
            for point in growth_points(rows, peer, choice):
                lines.append([f"{peers.BY_NAME[peer].label}, {bought}",
                              f"{point.size:,} {point.what}", of_median(point.cpu),
                              spread(point.cpu), of_median(point.p50), plain(point.wal)])
    return Table("Cost of a purchase, as a multiple of that with 1,000 items (one client, "
                 "synchronous_commit off)",
                 ["", "tables with", "CPU", "from–to", "p50", "WAL bytes"],
                 lines) if lines else None


STUDIES = {"refusal": refusal, "expiry": expiry, "attach": attach, "growth": growth,
           **hotreport.STUDIES, **costreport.STUDIES,
           "wal": wal.table}


def tables(rows):
    """All tables of a run."""
    found = [race(rows, work, latency, clients)
             for work, latency, clients in groups(rows, "work", "latency", "clients")
             if work in works.BY_NAME]
    return [table for table in found + [make(rows) for make in STUDIES.values()] if table]
