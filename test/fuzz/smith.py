#!/usr/bin/python3
"""Lets sqlsmith call the functions in random queries, as the owner of the stores.

    smith.py [--seconds N] [--seed S] [--log FILE]

sqlsmith reads pg_proc without a schema.  A view of that name, before the catalog in
the search_path, shows it our functions and few others.  It rolls back all its
queries.  The last line is `N passed, N failed`.
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
# The log has SQLSTATE and statement of each error, and every statement ends in time.
SETTINGS = {'search_path': 'smith, pg_catalog, public',
            'log_min_messages': 'error',
            'log_error_verbosity': 'verbose',
            'log_min_error_statement': 'error', 'statement_timeout': "'20s'",
            'deadlock_timeout': "'100ms'"}


def smith(arguments):
    """Run it; its exit status and its output."""
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
    results = [('sqlsmith ran until its time was over', [] if status == 124 else [output[-2000:]]),
               ('its queries called our functions',
                [] if calls else ['the log has no error of our functions']),
               ('no crash of the server', log.crashes()),
               ('no SQLSTATE of class XX from a function of ours', log.internal_errors()),
               ('inventory.verify is empty for every store', judge.verify(cursor))]
    for words, wrong in results:
        print(f"{'FAILED' if wrong else 'ok':8}{words}")
        print(''.join(f'        {line}\n' for line in wrong[:10]), end='')
    failed = sum(bool(wrong) for _, wrong in results)
    print(f'{len(results) - failed} passed, {failed} failed')
    return failed


if __name__ == '__main__':
    sys.exit(1 if main() else 0)
