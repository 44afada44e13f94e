#!/usr/bin/env python3
"""Growth on paper: what a shop on 1 to 1,024 nodes sells, by the costs that tools/scale measures.

    scale/simulate.py                      the table of doc/scale.md
    scale/simulate.py --skew 0 --lines 3   items that sell alike, and carts of three lines

Items are drawn with the popularity 1 / rank ^ skew and lie on the node that the MD5 of their keys
names.  Buyers buy carts, whose number of lines is drawn between 1 and a largest one.  Each step of a
cart costs its node CPU time, and one item sells no faster than its row or its counter lets it.  What
the whole shop sells is what the busiest node and the most wanted item allow.  Nothing here measures
anything: it adds up.
"""

import argparse
import hashlib
import itertools
import random
from collections import Counter

SIZES = (1, 4, 16, 64, 256, 1024)


def read_arguments():
    """The parameters, with defaults as in doc/scale.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=200_000, help="number of items (200000)")
    parser.add_argument("--carts", type=int, default=50_000, help="carts that are drawn (50000)")
    parser.add_argument("--skew", type=float, default=0.7, help="exponent of the popularity (0.7)")
    parser.add_argument("--lines", type=int, default=4, help="lines of the largest cart (4)")
    parser.add_argument("--cores", type=float, default=8, help="cores of a node that sell (8)")
    parser.add_argument("--sale", type=float, default=0.11, help="CPU of a sale on its node, in ms (0.11)")
    parser.add_argument("--line", type=float, default=0.03, help="CPU of each further line of a node, in ms (0.03)")
    parser.add_argument("--part", type=float, default=0.29, help="CPU of a part of a divided cart on a node that is not its home, in ms (0.29)")
    parser.add_argument("--home", type=float, default=0.26, help="CPU of a divided cart on its home, which sells its lines with the decision, in ms (0.26)")
    parser.add_argument("--item-rate", type=float, default=5_000, help="sales of one item a second (5000, a hot one)")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def draw_carts(arguments):
    """Carts as lists of different items."""
    chosen = random.Random(arguments.seed)
    weights = list(itertools.accumulate((rank + 1) ** -arguments.skew for rank in range(arguments.items)))
    carts = []
    for _ in range(arguments.carts):
        count = chosen.randint(1, arguments.lines)
        carts.append(list(dict.fromkeys(chosen.choices(range(arguments.items), cum_weights=weights, k=count))))
    return carts


def routes(items):
    """The route of each item, as a router computes it for keys that are texts."""
    return [int(hashlib.md5(str(item).encode()).hexdigest()[:8], 16) for item in range(items)]


def simulate(arguments, carts, route, size):
    """The row of the table for this number of nodes."""
    chosen = random.Random(arguments.seed)
    work = Counter()  # ms on each node
    wanted = Counter()  # units of each item
    divided = parts = 0
    touched = Counter()  # carts that need the node
    for cart in carts:
        wanted.update(cart)
        lines = Counter(route[item] % size for item in cart)
        if len(lines) == 1:
            (node, count), = lines.items()
            work[node] += arguments.sale + arguments.line * (count - 1)
        else:
            divided += 1
            home = chosen.choice(list(lines))
            for node, count in lines.items():
                work[node] += (arguments.home if node == home else arguments.part) + arguments.line * (count - 1)
        parts += len(lines)
        touched.update(set(lines))
    # carts a second that fill the busiest node, and that sell the most wanted item as fast as it can
    by_node = len(carts) / (max(work.values()) / (1000 * arguments.cores))
    by_item = len(carts) * arguments.item_rate / max(wanted.values())
    total = sum(work.values())
    return {"nodes": size, "carts divided": f"{100 * divided / len(carts):.0f} %", "nodes of a cart": f"{parts / len(carts):.2f}",
            "CPU of a cart": f"{total / len(carts):.2f} ms", "busiest node": f"{max(work.values()) * size / total:.2f} x mean",
            "carts a second": f"{min(by_node, by_item):,.0f}", "limited by": "a node" if by_node < by_item else "an item",
            "fail while one node is down": f"{100 * sum(touched.values()) / size / len(carts):.1f} %"}


def main():
    arguments = read_arguments()
    carts = draw_carts(arguments)
    route = routes(arguments.items)
    rows = [simulate(arguments, carts, route, size) for size in SIZES]
    print("| " + " | ".join(rows[0]) + " |")
    print("|" + "---|" * len(rows[0]))
    for row in rows:
        print("| " + " | ".join(str(value) for value in row.values()) + " |")


main()
