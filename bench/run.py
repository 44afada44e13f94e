"""The main program of the benchmark; tools/bench prepares the server and calls it.

The peers are measured in turn (A B C A B C ...), so that changes of the machine's
load affect all of them.
"""

import argparse
import os
import signal
import sys
import time

import cluster
import document
import figures
import peers
import report
import studies
import works
from callgrind import CountsMissing
from cluster import BenchError
from measure import Measurement, Shop

QUICK = ("hot", "uniform", "soldout", "cart", "refusal", "expiry", "growth", "touch", "crash")
QUICK_PEERS = ("handwritten,statement,skiplocked,redis,naive,ours-atomic,ours-hot,"
               "inserts,raising,select1")


class Plan:
    """The workloads, peers, lengths and sizes of a run; and its progress messages."""

    def __init__(self, options):
        quick = options.quick
        self.works = options.work or list(QUICK if quick else
                                          [*works.BY_NAME, *studies.STUDIES])
        self.names = options.peers or (QUICK_PEERS.split(",") if quick else list(peers.BY_NAME))
        self.rounds = options.rounds or 3
        self.seconds = options.seconds or 0.5
        self.long = 3 * self.seconds  # for percentiles that need more purchases
        self.warm_up = self.seconds / 4
        self.clients = options.clients or ([8, 64] if quick else [1, 8, 64])
        self.latencies = options.latency or (["2ms"] if quick else list(cluster.LATENCIES))
        self.latency = None
        self.holds = 200_000 if quick else 1_000_000
        self.items = 100_000 if quick else 1_000_000
        self.unsettled = options.unsettled or (100_000 if quick else 1_000_000)
        self.sizes = [10 ** n for n in range(3, 6 if quick else 8)]
        if options.largest:
            self.sizes = [size for size in self.sizes if size <= options.largest]
        self.begin = time.monotonic()

    def peers(self, way):
        """The chosen peers that implement this way to sell."""
        return [peer for peer in peers.PEERS if peer.name in self.names and peer.sells_by(way)]

    def say(self, text):
        """Print a line of progress."""
        print(f"[{time.monotonic() - self.begin:5.0f} s] {text}", flush=True)


# ---------------------------------------------------------------- workloads

def open_shops(plan, work):
    """[(shop, way)] of a workload, with filled tables."""
    shops = []
    plan.say(f"{work.name}: filling")
    for way in work.ways:
        for peer in plan.peers(way):
            if peer.limit and peer.sold and work.limit != peer.name:
                continue  # a limit of another workload
            if peer.works and work.name not in peer.works:
                continue
            shop = next((shop for shop, _ in shops if shop.peer is peer), None)
            if shop is None:
                shop = Shop(peer, work.items, work.stock)
                if work.orders:
                    shop.sell(work.orders)
                    peer.vacuum()
            shops.append((shop, way))
    return shops


def measure_round(plan, work, shops, clients, number):
    """Measure every peer once."""
    for shop, way in shops:
        crowd = {**work.crowd(), "t": plan.seconds, "w": plan.warm_up, "s": number,
                 "b": shop.next}
        measurement = Measurement(shop, way, clients, crowd, units=work.units)
        row = measurement.run()
        yield {"work": work.name, "latency": plan.latency, "round": number, **row}


def race(plan, work):
    """The rows of a workload, for all latencies and numbers of clients."""
    shops = open_shops(plan, work)
    for latency in plan.latencies:
        plan.latency = latency
        cluster.set_latency(latency)
        for clients in plan.clients:
            rows = []
            for number in range(1, plan.rounds + 1):
                plan.say(f"{work.name}: {latency} latency, {clients} clients, "
                         f"round {number} of {plan.rounds}")
                rows += measure_round(plan, work, shops, clients, number)
            show(report.race(rows, work.name, latency, clients))
            yield from rows
    for shop in {id(shop): shop for shop, _ in shops}.values():
        shop.peer.drop()


def study(plan, name):
    """The rows of a study, with the last of the chosen latencies."""
    plan.latency = plan.latencies[-1]
    cluster.set_latency(plan.latency)
    plan.say(name)
    rows = []
    for row in studies.STUDIES[name](plan):
        rows.append(row)
        yield row
    show(report.STUDIES[name](rows))


def show(table):
    """Print a table."""
    if table:
        print("\n" + table.text(), flush=True)


# ---------------------------------------------------------------- command line

def listed(known, kind=str):
    """An argument type: a comma-separated list of known words."""
    def parse(text):
        found = [kind(word) for word in text.split(",")]
        for word in found:
            if known and word not in known:
                raise argparse.ArgumentTypeError(f"{word}: choose from {', '.join(known)}")
        return found
    return parse


def read_options():
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="tools/bench", description="See the head of tools/bench.")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--clients", type=listed(None, int))
    parser.add_argument("--peers", type=listed(list(peers.BY_NAME)))
    parser.add_argument("--latency", type=listed(cluster.LATENCIES))
    parser.add_argument("--largest", type=int)
    parser.add_argument("--unsettled", type=int)
    parser.add_argument("--from", dest="source")
    parser.add_argument("--write-doc", action="store_true")
    parser.add_argument("--check", action="store_true")  # only check the arguments
    parser.add_argument("work", nargs="*",
                        choices=[*works.BY_NAME, *studies.STUDIES, []])  # []: without arguments
    return parser.parse_args()


def measure(options):
    """(rows, machine) of a run."""
    plan = Plan(options)
    if "redis" in plan.names and not os.environ.get("BENCH_REDIS"):
        plan.names.remove("redis")
        plan.say("Redis is not installed: its peer is skipped")
    cluster.create_database()
    machine = cluster.describe_machine()
    plan.say(", ".join(f"{key}: {value}" for key, value in machine.items()))
    rows = []
    try:
        for name in plan.works:
            work = works.BY_NAME.get(name)
            for row in race(plan, work) if work else study(plan, name):
                rows.append(row)
    finally:  # keep the measurements of an interrupted run
        report.write_csv(rows, machine, results())
    return rows, machine


def results():
    """The path at which tools/bench expects the CSV."""
    return os.path.join(os.environ["WORK"], "bench.csv")


def main():
    """Measure, or read an earlier run; then print and write the results."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = read_options()
    if options.check:
        return
    if options.source:
        rows, machine = report.read_csv(options.source)
        for table in report.tables(rows):
            show(table)
    else:
        rows, machine = measure(options)
    show(figures.table(rows))
    if options.write_doc:
        document.write(rows, machine, os.path.join(os.environ["WORK"], "doc"))


if __name__ == "__main__":
    try:
        main()
    except (BenchError, CountsMissing) as error:
        sys.exit(f"bench: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
