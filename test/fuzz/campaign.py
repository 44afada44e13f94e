"""A run of the fuzzer on one database: its phases, sessions and findings."""

import multiprocessing
import os
import queue as queues
import re
import subprocess
import time
from collections import Counter, defaultdict
from pathlib import Path

import psycopg2

import judge
import session
from catalog import Catalog

ENOUGH = 20          # how often each function must be called
NO_SUCH_FUNCTION = '42883'
PATIENCE = 20        # a run may take this many times the requested seconds
PHASES = [('all roles', 0.4), ('outsiders', 0.15), ('all roles again', 0.45)]


class Options:
    """Options of the sessions; the parent process sets `stop`."""

    def __init__(self, arguments, database):
        self.seed, self.functions = arguments.seed, arguments.functions
        self.sessions, self.limit = arguments.sessions, arguments.limit
        user = os.environ.get('PGUSER', 'postgres')
        self.dsn = f'dbname={database} user={user} application_name=fuzz'
        self.database, self.phase = database, ''
        self.only = None     # keys of the functions to call; None: all
        self.stop = multiprocessing.Event()


class Run:
    """The calls and the findings of a run."""

    def __init__(self, options, log, seconds, quiet=False):
        self.options, self.log, self.seconds, self.quiet = options, log, seconds, quiet
        self.patience = PATIENCE
        self.counts = Counter()
        self.by_function = defaultdict(Counter)
        self.wanted = set()
        self.calls = 0
        self.findings = defaultdict(dict)     # kind -> what -> [times, first detail, statements]

    def say(self, words):
        if not self.quiet:
            print(words, flush=True)

    def find(self, kind, what, detail='', statements=()):
        found = self.findings[kind].setdefault(what, [0, detail, list(statements)])
        found[0] += 1

    def go(self):
        """Run all phases, then check the criteria."""
        started = time.monotonic()
        for phase, share in PHASES:
            before = self.before_outsiders() if phase == 'outsiders' else None
            self.phase(phase, self.seconds * share, started)
            if before and not self.findings['lost']:
                after = judge.fingerprint(connect(self.options.database).cursor())
                for what in judge.changed(before, after):
                    self.find('trespass', f'{what} changed while only outsiders called')
            if self.options.stop.is_set():
                break
        self.rest(started)
        self.judge()
        return self

    def before_outsiders(self):
        cursor = connect(self.options.database).cursor()
        judge.settle_holds(cursor)
        return judge.fingerprint(cursor)

    def phase(self, phase, seconds, started):
        """Run sessions for some seconds, and collect their messages."""
        self.options.phase = phase
        queue = multiprocessing.Queue()
        until = time.time() + seconds
        workers = [multiprocessing.Process(target=session.work,
                                           args=(n, self.options, queue, until), daemon=True)
                   for n in range(self.options.sessions)]
        for worker in workers:
            worker.start()
        running, shown = len(workers), 0
        while running and time.time() < until + 10 + 3 * self.options.limit:
            try:
                running -= self.take(queue.get(timeout=1))
            except queues.Empty:
                pass
            elapsed = time.monotonic() - started
            if elapsed // 10 > shown:
                shown = elapsed // 10
                self.say(f'  {elapsed:4.0f} s  {phase:16} {self.calls:8d} calls, '
                         f'{sum(len(f) for f in self.findings.values())} findings')
        if running:
            self.find('slow', 'a session did not end')
        for worker in workers:
            worker.terminate()
            worker.join()

    def take(self, message):
        """Process a message of a session; true if it is the last one."""
        kind, *rest = message
        if kind == 'counts':
            self.counts.update(rest[0])
            self.calls += rest[1]
        elif kind == 'finding':
            what, number, words, detail, statements = rest
            self.find(what, words.split('\n')[0], f'session {number}: {detail}', statements)
            if what == 'lost':
                self.options.stop.set()
        return kind == 'done'

    def judge(self):
        """Check the criteria that need all sessions to have ended."""
        for line in self.log.crashes():
            self.find('crash', line)
        try:
            cursor = connect(self.options.database, patience=30).cursor()
        except psycopg2.Error as error:
            self.find('crash', f'the server does not answer: {error}')
            return
        for line in judge.verify(cursor):
            self.find('verify', line)
        for line in judge.trespasses(cursor):
            self.find('trespass', line)

    def rest(self, started):
        """Call the functions that were not called often enough, as on a slow machine."""
        functions = Catalog(connect(self.options.database, patience=30).cursor()).functions
        wanted = [f for f in functions if re.search(self.options.functions, f.call)]
        self.wanted = {f.key for f in wanted}
        while not self.options.stop.is_set():
            short = self.short(wanted)
            if not short or time.monotonic() - started > self.patience * self.seconds:
                break
            self.options.only = set(short)
            self.phase('the rest', 3, started)
        for key, why in self.short(wanted).items():
            self.find('reach', f'{key} {why}')

    def short(self, wanted):
        """Functions called too rarely, or generated ones that never succeeded; and why."""
        self.by_function = defaultdict(Counter)
        for (key, state), number in self.counts.items():
            self.by_function[key][state] += number
        worked = {f.base for f in wanted if self.by_function[f.key]['00000']}
        short = {}
        for function in wanted:
            states = self.by_function[function.key]
            number = sum(states.values()) - states[NO_SUCH_FUNCTION]
            if number < ENOUGH:
                short[function.key] = f'was called only {number} times'
            elif function.kind == 'facade' and function.base not in worked:
                short[function.key] = 'never succeeded'
        return short


def connect(database, patience=10):
    """A connection; waits for a server that is recovering."""
    deadline = time.time() + patience
    while True:
        try:
            db = psycopg2.connect(f"dbname={database} user={os.environ.get('PGUSER', 'postgres')}")
            db.autocommit = True
            return db
        except psycopg2.OperationalError:
            if time.time() > deadline:
                raise
            time.sleep(0.2)


def make_database(name, template=None):
    """Create a database with the shops, by psql for its \\gexec, or copy one."""
    shops = Path(__file__).with_name('shops.sql')
    db = connect('postgres')
    db.cursor().execute(f'DROP DATABASE IF EXISTS {name} WITH (FORCE)')
    db.cursor().execute(f'CREATE DATABASE {name} TEMPLATE {template or "template0"}')
    if template is None:
        subprocess.run(['psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', os.devnull, '-d', name,
                        '-f', str(shops)], check=True)
    # sessions keep the errors of their calls; the log is for errors of the server itself
    db.cursor().execute(f"ALTER DATABASE {name} SET log_min_messages = 'fatal'")
    db.cursor().execute(f"ALTER DATABASE {name} SET deadlock_timeout = '100ms'")
