"""The command: reads cycles, applies every rule, prints violations."""

import gc
import sys

from . import (c0_errors, c1_balance, c1_units, c2_lines, c2_presence, c3_keys, c4_bounds,
               c5_refusals, c6_levels, c7_holds, c7_ledger, c8_worth)
from .cycle import Cycle
from .report import Part, Report

RULES = (c0_errors, c1_balance, c2_presence, c3_keys, c4_bounds, c5_refusals, c6_levels,
         c7_ledger, c7_holds)


def check_following(following, report):
    """Apply the rules of the store that follows its orders."""
    c1_units.check(following, c8_worth.check(following, report), report)
    c2_lines.check(following, report)
    c4_bounds.check_commits(following, report)
    c6_levels.check(following, report)
    c7_ledger.check_verify(following, report)
    c7_ledger.check_sums(following, report)
    c7_ledger.check_commits(following, report)
    c7_ledger.check_epochs(following, report)


def check(directory):
    """Apply every rule to a cycle."""
    cycle = Cycle(directory)
    report = Report(cycle.run["seed"], cycle.run["cycle"])
    for rule in RULES:
        rule.check(cycle, report)
    if cycle.following is not None:
        check_following(cycle.following, Part(report, "follow"))
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
