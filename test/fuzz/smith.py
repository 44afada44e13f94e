#!/usr/bin/python3
"""Has sqlsmith call the functions within random queries, as the owner of the stores.

    smith.py [--seconds N] [--seed S] [--log FILE]

sqlsmith reads pg_proc by its bare name: a view of that name, in front of the
catalog in the search_path, lets it see our functions and few others.  It rolls
back what it does.  The last line is `N passed, N failed`.
"""

import argparse
import os
import subprocess
import sys

import judge
from campaign import connect, make_database

VIEW = """
CREATE SCHEMA smith;
CREATE VIEW smith.pg_proc AS SELECT * FROM pg_catalog.pg_proc
WHERE pronamespace = 'inventory'::regnamespace OR pronamespace::regnamespace::text ~ '^"?f[_ ]'
   OR proname ~ '^(jsonb_|array_)' OR proname IN ('gen_random_uuid', 'now', 'repeat', 'abs');
GRANT USAGE ON SCHEMA smith TO PUBLIC;
GRANT SELECT ON smith.pg_proc TO PUBLIC;
"""
# Errors with their SQLSTATE and statement in the log, and none for ever.
SETTINGS = {'search_path': 'smith, pg_catalog, public',
            'log_min_messages': 'error',
            'log_error_verbosity': 'verbose',
            'log_min_error_statement': 'error', 'statement_timeout': "'20s'",
            'deadlock_timeout': "'100ms'"}


def smith(arguments):
    """Run it; its exit status, and what it told of its queries."""
    dsn = 'dbname=fuzz_smith user=fuzz_owner' + ''.join(
        f' {key}={os.environ[name]}' for key, name in (('host', 'PGHOST'), ('port', 'PGPORT'))
        if name in os.environ)
    done = subprocess.run(['timeout', str(arguments.seconds), 'sqlsmith', f'--target={dsn}',
                           '--exclude-catalog',
                           f'--seed={arguments.seed}', '--verbose'], capture_output=True, text=True,
                           errors='replace')
    return done.returncode, done.stdout + done.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--seconds', type=int, default=20)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--log', required=True, help="the server's log")
    arguments = parser.parse_args()
    make_database('fuzz_smith')
    db = connect('fuzz_smith')
    cursor = db.cursor()
    cursor.execute(VIEW)
    for name, value in SETTINGS.items():
        cursor.execute(f'ALTER DATABASE fuzz_smith SET {name} = {value}')
    log = judge.Log(arguments.log)
    status, output = smith(arguments)
    text = log.text()
    calls = text.count('CONTEXT:') + text.count('STATEMENT:')
    cursor = connect('fuzz_smith', patience=30).cursor()
    results = [('it ran until its time was over', [] if status == 124 else [output[-2000:]]),
               ('its queries came to our functions',
                [] if calls else ['no error of ours is in the log']),
               ('no crash of the server', log.crashes()),
               ('no SQLSTATE of class XX from a function of ours', log.inside_of_ours()),
               ('inventory.verify is empty for every store', judge.verify(cursor))]
    for words, wrong in results:
        print(f"{'FAILED' if wrong else 'ok':8}{words}")
        print(''.join(f'        {line}\n' for line in wrong[:10]), end='')
    failed = sum(bool(wrong) for _, wrong in results)
    print(f'{len(results) - failed} passed, {failed} failed')
    return failed


if __name__ == '__main__':
    sys.exit(1 if main() else 0)
