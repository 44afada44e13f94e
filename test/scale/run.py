#!/usr/bin/env python3
"""Sells from a shop on four nodes and kills its servers: see tools/scale."""

import argparse
import atexit
import os
import signal
import sys
import tempfile
import time

import checker
import costs
import cuts
import load
from servers import Shop, stop_all

# the mutant: the home forgets what it has confirmed
FORGETS = """
CREATE OR REPLACE FUNCTION scale.abort_cart(attempt uuid, OUT state text, OUT nodes integer[], OUT data jsonb[])
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$ SELECT 'aborted', NULL::integer[], NULL::jsonb[] $$;
"""


class Report:
    """Prints results as they come."""

    def __init__(self):
        self.passed = self.failed = 0
        self.start = time.monotonic()

    def say(self, text):
        """A line with the time."""
        print(f"{time.monotonic() - self.start:4.0f} s  {text}", flush=True)

    def result(self, name, wrong):
        """A test; `wrong` is what is wrong."""
        if wrong:
            self.failed += 1
            print(f"not ok - {name}", flush=True)
            for line in wrong[:20]:
                print(f"    {line}", flush=True)
        else:
            self.passed += 1
            print(f"ok - {name}", flush=True)


def histories(name):
    """A directory for the histories of clients."""
    return tempfile.mkdtemp(prefix=f"{name}.", dir=os.environ["WORK"])


def chosen_cuts(short):
    """All steps and victims, or each step with one of them."""
    for number, step in enumerate(cuts.STEPS):
        for victim in cuts.VICTIMS:
            if not short or cuts.VICTIMS.index(victim) == number % len(cuts.VICTIMS):
                yield step, victim


def run_cuts(report, shop, directory, short):
    """Each is all or none, and nothing is held."""
    history = checker.History(directory, "cuts")
    for number, (step, victim) in enumerate(chosen_cuts(short)):
        how = ("kill -9", "immediate")[number % 2]
        wrong = []
        for problem in cuts.cut(shop, history, f"cut-{step}-{victim}", step, victim, how):
            wrong += [problem] if problem else checker.violations(shop, directory)
        wrong += checker.violations(shop, directory)
        report.result(f"cut at {step}, {victim} killed ({how})", wrong)


def run_load(report, shop, directory, seconds):
    """Kills while clients buy, cold and hot."""
    for name, hot in (("cold", False), ("hot", True)):
        kills = max(2, seconds // 7)
        report.say(f"{name}: six clients buy for {seconds} s, and {kills} servers are killed")
        counts = load.kills_under_load(shop, directory, name, seconds, kills, hot)
        report.say(", ".join(f"{key} {value}" for key, value in counts.items()))
        wrong = [] if shop.resolve() else ["resolve has not finished all carts"]
        wrong += checker.violations(shop, directory)
        if counts["answered"] < 50:
            wrong.append("the clients got hardly any answers")
        report.result(f"kills under load, {name}", wrong)


def run_mutant(report, shop, directory):
    """The checker must see that a cart is half sold where decisions are forgotten.  The last test: it spoils the shop."""
    for node in shop.nodes:
        node.script(FORGETS)
    history = checker.History(directory, "mutant")
    list(cuts.cut(shop, history, "mutant", "confirm", "other", "kill -9", retry=False))
    found = [line for line in checker.violations(shop, directory) if "a part of" in line]
    report.result("the checker finds the half cart of a home that forgets decisions", [] if found else ["it found nothing"])


def run_costs(report, shop):
    """Print what calls cost."""
    print(f"\n{'thousands of instructions':48s} {'router':>8s} {'nodes':>8s} {'all':>8s} {'ratio':>6s} {'CPU, µs':>8s} {'ratio':>6s}")
    for name, way, measure in costs.costs(shop):
        print(f"{name + ', ' + way.name:48s}", end="")
        if way.instructions:
            first, others = (count / 1000 for count in way.instructions)
            if way.server is not shop.router:
                first, others = 0, first
            print(f" {first:8.0f} {others:8.0f} {first + others:8.0f} {(first + others) * 1000 / sum(measure.instructions):6.2f}", end="")
        else:  # without valgrind
            print(f" {'':33s}", end="")
        print(f" {way.cost:8.0f} {way.cost / measure.cost:6.2f}", flush=True)
    report.result("costs were measured", [])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--costs", action="store_true")
    parser.add_argument("--seconds", type=int)
    options = parser.parse_args()
    report = Report()
    atexit.register(stop_all)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(130))
    report.say("starting a router and four nodes")
    shop = Shop(("fsync = off",) if options.costs else ())
    if options.costs:
        run_costs(report, shop)
    else:
        directory = histories("histories")
        run_cuts(report, shop, directory, options.short)
        run_load(report, shop, directory, options.seconds or (12 if options.short else 35))
        run_mutant(report, shop, directory)
    for server in shop.servers:
        server.stop()
    print(f"{report.passed} passed, {report.failed} failed")
    return 0 if report.failed == 0 else 1


sys.exit(main())
