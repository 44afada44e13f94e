"""The command: reads cycles, applies every rule, prints violations."""

import gc
import sys

from . import (c0_errors, c1_balance, c2_presence, c3_keys, c4_bounds, c5_refusals, c6_levels,
               c7_holds, c7_ledger)
from .cycle import Cycle
from .report import Report

RULES = (c0_errors, c1_balance, c2_presence, c3_keys, c4_bounds, c5_refusals, c6_levels,
         c7_ledger, c7_holds)


def check(directory):
    """Apply every rule to a cycle."""
    cycle = Cycle(directory)
    report = Report(cycle.run["seed"], cycle.run["cycle"])
    for rule in RULES:
        rule.check(cycle, report)
    return cycle, report


def main(arguments, usage):
    directories = [argument for argument in arguments if not argument.startswith("-")]
    options = {argument for argument in arguments if argument.startswith("-")}
    if not directories or options - {"--all", "--explain"}:
        print(usage.strip(), file=sys.stderr)
        return 2
    gc.disable()    # nearly nothing is freed before the end
    operations = violations = 0
    for directory in directories:
        try:
            cycle, report = check(directory)
        except (OSError, ValueError, KeyError, TypeError) as problem:
            print(f"{directory}: cannot be read: {problem!r}", file=sys.stderr)
            return 2
        operations += len(cycle.operations)
        violations += report.count()
        for line in report.show("--all" in options):
            print(line)
        if "--explain" in options:
            looked = ", ".join(f"{n} {what}" for what, n in sorted(report.looked.items()))
            print(f"{directory}: {looked}", file=sys.stderr)
    print(f"{operations} operations, {violations} violations")
    return 1 if violations else 0
