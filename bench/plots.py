"""Plots of a run, as SVG, by gnuplot.  All show ratios, as the tables do."""

import os
import subprocess

import peers
import works
from cells import crowd
from ratios import middle, pick, ratio
from report import growth_points

HEAD = """
set terminal svg size {width},{height} font 'sans-serif,12' background rgb 'white'
set output '{path}'
set border 3 lc rgb '#666666'
set tics nomirror
set grid ytics lc rgb '#dddddd' lt 1
"""
COLOURS = {"handwritten": "#888888", "statement": "#5b9bd5", "optimistic": "#a5c8e8",
           "serializable": "#c9b1d9", "skiplocked": "#e8b36a", "redis": "#d98880",
           "naive": "#c0392b", "ours-atomic": "#1e8449", "ours-pessimistic": "#52be80",
           "ours-optimistic": "#a9dfbf", "ours-hot": "#d35400",
           "raising": "#555555", "inserts": "#222222", "select1": "#000000"}
EXTRA_COLOURS = ("#7d3c98", "#b7950b", "#117a65")  # for peers that are added later


def colour(peer):
    """The colour of a peer."""
    extra = [name for name in peers.BY_NAME if name not in COLOURS]
    return COLOURS.get(peer) or EXTRA_COLOURS[extra.index(peer) % len(EXTRA_COLOURS)]


def draw(path, text, width=900, height=420):
    """Run gnuplot."""
    program = HEAD.format(path=path, width=width, height=height) + text
    subprocess.run(["gnuplot"], input=program, text=True, check=True)
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    with open(path, "w", encoding="utf-8") as file:  # gnuplot writes trailing blanks
        file.writelines(line.rstrip() + "\n" for line in lines)


def block(name, lines):
    """A data block within the gnuplot program."""
    return f"${name} << END\n" + "\n".join(lines) + "\nEND\n"


def cell(value):
    """A number for gnuplot; '-' if it is missing."""
    return "-" if value is None else f"{value:.4f}"


def known(rows):
    """The peers of these rows, in the order of PEERS."""
    names = {row["peer"] for row in rows}
    return [peer for peer in peers.PEERS if peer.name in names]


def bars(path, title, names, peer_list, values):
    """Clusters of bars on a logarithmic axis; values[name][peer]."""
    lines = ['"{}" {}'.format(name, " ".join(cell(values[name].get(peer.name))
                                           for peer in peer_list)) for name in names]
    columns = ", ".join(f"$data using {i + 2}:xtic(1) title '{peer.label}' "
                        f"lc rgb '{colour(peer.name)}'" for i, peer in enumerate(peer_list))
    draw(path, block("data", lines) + f"""
set style data histogram
set style histogram clustered gap 1.5
set style fill solid 0.9 noborder
set boxwidth 0.95
set logscale y
set datafile missing '-'
set title "{title}"
set key outside right
set arrow from graph 0, first 1 to graph 1, first 1 nohead lc rgb '#444444' dt 2
plot {columns}
""", width=1100)


def rates(rows, path):
    """The peers in each workload, with the largest number of clients."""
    rows = [row for row in rows if row["work"] in works.BY_NAME]
    if not rows:
        return False
    clients, latency = max(row["clients"] for row in rows), rows[-1]["latency"]
    rows = [row for row in pick(rows, clients=clients, latency=latency)
            if row["way"] == works.BY_NAME[row["work"]].ways[0] and row["peer"] != "select1"]
    values = {}
    for name in dict.fromkeys(row["work"] for row in rows):
        mine = pick(rows, work=name)
        found = {peer.name: ratio(pick(mine, peer=peer.name), pick(mine, peer=peers.BASE),
                                  "per_second") for peer in known(mine)}
        values[name] = {peer: value.median for peer, value in found.items() if value}
    bars(path, f"Rate, as a multiple of the hand-written function's ({crowd(clients)}, "
         f"{latency} latency)", list(values), [peer for peer in known(rows)
                                               if peer.name != peers.BASE], values)
    return True


def percentiles(rows, path):
    """The time of a purchase, for 10,000 items."""
    rows = pick(rows, work="uniform")
    if not rows:
        return False
    clients, latency = max(row["clients"] for row in rows), rows[-1]["latency"]
    rows = [row for row in pick(rows, clients=clients, latency=latency) if row["peer"] != "select1"]
    base = pick(rows, peer=peers.BASE)
    values = {}
    for name in ("p50", "p95", "p99"):
        found = {peer.name: ratio(pick(rows, peer=peer.name), base, f"{name}_us")
                 for peer in known(rows)}
        values[name] = {peer: value.median for peer, value in found.items() if value}
    bars(path, f"10,000 items: time of a purchase, as a multiple of the hand-written function's "
         f"({crowd(clients)}, {latency} latency)", list(values),
         [peer for peer in known(rows) if peer.name != peers.BASE], values)
    return True


def lines_plot(path, title, xlabel, series, options=""):
    """Curves with a logarithmic x axis; series: (label, colour, [(x, y)])."""
    text, plots = "", []
    for i, (label, rgb, points) in enumerate(series):
        text += block(f"d{i}", [f"{x} {y:.4f}" for x, y in points])
        plots.append(f"$d{i} using 1:2 with linespoints lw 2 pt 7 ps 0.6 lc rgb '{rgb}' "
                     f"title '{label}'")
    draw(path, text + f"""
set title "{title}"
set xlabel "{xlabel}"
set logscale x
set key outside right
{options}
plot {", ".join(plots)}
""")


def crowds(rows, path):
    """One hot item: the rate by number of clients, relative to one client of the base peer."""
    rows = pick(rows, work="hot")
    if not rows:
        return False
    rows = [row for row in pick(rows, latency=rows[-1]["latency"]) if row["peer"] != "select1"]
    counts = sorted({row["clients"] for row in rows})
    unit = middle(pick(rows, peer=peers.BASE, clients=counts[0]), "per_second")
    if len(counts) < 2 or not unit:
        return False
    series = [(peer.label, colour(peer.name),
               [(count, middle(pick(rows, peer=peer.name, clients=count), "per_second") / unit)
                for count in counts]) for peer in known(rows)]
    tics = ", ".join(str(count) for count in counts)
    lines_plot(path, f"One hot item: rate, as a multiple of the hand-written function's with "
               f"{crowd(counts[0])} ({rows[0]['latency']} latency)", "clients", series,
               f"set logscale y\nset xtics ({tics})")
    return True


def growth(rows, path):
    """Cost of a purchase as the tables grow."""
    series = []
    for peer in (peers.BASE, "ours-atomic"):
        for choice, label in (("uniform", "any item"), ("spread", "1,000 of the items")):
            points = [(point.size, point.cpu.median) for point in growth_points(rows, peer, choice)
                      if point.what == "items" and point.cpu]
            if points:
                series.append((f"{peers.BY_NAME[peer].label}, {label}",
                               colour(peer if choice == "uniform" else
                                      {"handwritten": "statement"}.get(peer, "ours-pessimistic")),
                               points))
    if not series:
        return False
    lines_plot(path, "Cost of a purchase, as a multiple of that with 1,000 items", "items", series,
               "set yrange [0:*]\nset format x '10^{%L}'")
    return True


PLOTS = {"benchmarks-rates": rates, "benchmarks-percentiles": percentiles,
         "benchmarks-crowds": crowds, "benchmarks-growth": growth}


def write(rows, directory):
    """Draw all plots that the run has measurements for; return their names."""
    return [name for name, plot in PLOTS.items()
            if plot(rows, os.path.join(directory, name + ".svg"))]
