#!/usr/bin/python3
"""Calls every function of inventory at random, from several sessions.

    run.py [--seconds N] [--seed S] [--functions PATTERN] [--sessions N] [--log FILE] [--selftest]

The environment names the server (PGHOST, PGUSER).  Databases `fuzz` and `fuzz_*`
there are replaced.  PATTERN is a regular expression on the qualified name of
functions.  With --selftest faults are planted, and the run has to find each.

There are three phases: first all roles; then only roles that may not do what
they try, and nothing may change; then all roles again.  The last line is
`N passed, N failed`: functions that were called often enough, and the criteria.
"""

import argparse
import random
import sys
from collections import Counter, defaultdict

import judge
import selftest
from campaign import Options, Run, make_database

SHOWN = 12           # how many findings of a kind are printed


def show(run):
    """Print calls by function, and findings with the statements that repeat them."""
    merged = defaultdict(Counter)
    for key, states in run.by_function.items():
        name = key.split('(')[0]
        merged[name if name.startswith('inventory.') else name.split('.')[-1]].update(states)
    for name, states in sorted(merged.items()):
        others = ' '.join(f'{state}:{number}' for state,
                          number in states.most_common() if state != '00000')
        print(f"{name:40} {sum(states.values()):7d} calls, {states['00000']:6d} ok  {others}")
    for kind, found in run.findings.items():
        for what, (times, detail, statements) in list(found.items())[:SHOWN]:
            print(f'\nFAILED {kind}: {what} ({times} times)')
            if detail:
                print('    ' + detail.replace('\n', '\n    ')[:3000])
            for statement in statements:
                print('    | ' + statement.replace('\n', '\n    | ')[:2000])
        if len(found) > SHOWN:
            print(f'\n... and {len(found) - SHOWN} more of {kind}')
    if run.findings.get('crash') or run.findings.get('lost'):
        print('\n--- the end of the server log\n' + '\n'.join(run.log.text().splitlines()[-40:]))


CRITERIA = [('crash', 'no crash of the server'), ('lost', 'no lost connection'),
            ('internal', 'no SQLSTATE of class XX'), ('slow', 'no statement beyond its time limit'),
            ('verify', 'inventory.verify is empty for every store'),
            ('trespass', 'no change by a role without the right')]


def fuzz(arguments):
    make_database('fuzz')
    print(f'fuzzing for {arguments.seconds} s with seed {arguments.seed}, '
          f'{arguments.sessions} sessions', flush=True)
    run = Run(Options(arguments, 'fuzz'), judge.Log(arguments.log), arguments.seconds).go()
    show(run)
    unreached = len(run.findings.get('reach', {}))
    passed, failed = len(run.wanted) - unreached, unreached
    print()
    for kind, words in CRITERIA:
        good = not run.findings.get(kind)
        print(f"{'ok' if good else 'FAILED':8}{words}")
        passed, failed = passed + good, failed + (not good)
    print(f'{run.calls} calls of {len(run.wanted)} functions; '
          f'to repeat: --seed {arguments.seed} --sessions {arguments.sessions}')
    return passed, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--seconds', type=int, default=60)
    parser.add_argument('--seed', type=int, default=random.randrange(10 ** 6))
    parser.add_argument('--functions', default='.', metavar='PATTERN')
    parser.add_argument('--sessions', type=int, default=3)
    parser.add_argument('--limit', type=float, default=60, help='seconds a statement may take')
    parser.add_argument('--log', help="the server's log")
    parser.add_argument('--selftest', action='store_true')
    arguments = parser.parse_args()
    passed, failed = selftest.run(arguments) if arguments.selftest else fuzz(arguments)
    print(f'{passed} passed, {failed} failed')
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == '__main__':
    sys.exit(main())
