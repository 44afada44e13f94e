"""A session that calls functions at random, in transactions of every kind.

It is a process with one connection, and acts as one role after another.  It sends
messages to its parent in a queue: counts of calls by function and SQLSTATE, and
findings, each with the statements of its transaction.
"""

import random
import re
import time
from collections import Counter, deque

import psycopg2

import damage
from catalog import Catalog
from statements import Writer
from values import Maker, quote

# The roles that call, and how often.
ROLES = [('postgres', 3), ('fuzz_owner', 4), ('fuzz_operator', 3), ('fuzz_buyer', 4),
         ('fuzz_outsider', 1)]
OWNERS = ('postgres', 'fuzz_owner')
OUTSIDERS = [('fuzz_outsider', 1), ('fuzz_buyer', 1)]
ISOLATION = ['READ COMMITTED', 'READ COMMITTED', 'READ COMMITTED', 'READ COMMITTED',
             'REPEATABLE READ', 'REPEATABLE READ',
             'SERIALIZABLE', 'SERIALIZABLE', 'READ UNCOMMITTED',
             'REPEATABLE READ READ ONLY', 'SERIALIZABLE READ ONLY DEFERRABLE']
CLAIMS = ['{"sub": "1"}', '{"sub": 2}', '{"sub": "1", "role": "x"}', '', '{', '[]', '{"sub": null}',
          '{"sub": "x"}',
          '{"sub": {}}', '{"sub": 1e400}', '"sub"', '{"sub": "1\\u0000"}']
# Settings of the server that change how statements are run.
SETTINGS = ["plan_cache_mode = force_generic_plan", "plan_cache_mode = force_custom_plan",
            "work_mem = '64kB'",
            "DateStyle = 'SQL, DMY'", "IntervalStyle = iso_8601", "TimeZone = 'Asia/Kathmandu'",
            "search_path = pg_temp, other, f_int", "search_path = ''", "row_security = off",
            "extra_float_digits = -15", "bytea_output = escape", "lock_timeout = '50ms'",
            "default_transaction_isolation = 'serializable'", "enable_seqscan = off",
            "enable_indexscan = off",
            "standard_conforming_strings = off", "quote_all_identifiers = on", "xmlbinary = hex",
            "transform_null_equals = on", "default_transaction_deferrable = on",
            "constraint_exclusion = on"]
# Internal errors of the server, and corrupted data.  None is allowed, because the server's
# own functions are called only through ours; except that two sessions which GRANT or ALTER
# the same object at the same time, as attach and refresh do, may get one.
INTERNAL = re.compile('XX')
SAME_OBJECT = re.compile('simple_heap_(update|delete)')
TIMEOUT = '57014'


class Lost(Exception):
    """The connection has ended."""


class Session:
    """A connection and its recent statements."""

    def __init__(self, number, options, queue):
        self.number, self.options, self.queue = number, options, queue
        self.random = random.Random(
            f'{options.seed}/{number}/{options.phase}/{len(options.only or ())}')
        self.db = psycopg2.connect(options.dsn)
        self.db.autocommit = True
        self.cursor = self.db.cursor()
        self.catalog = read_catalog(self.cursor)
        self.maker = Maker(self.random, self.catalog)
        self.writer = Writer(self.maker)
        self.functions = [f for f in self.catalog.functions if re.search(options.functions, f.call)
                          and (options.only is None or f.key in options.only)]
        self.facade = [f for f in self.functions if f.kind == 'facade']
        self.buying = [f for f in self.facade if f.part == 'buyer']
        self.deck = []
        self.counts = Counter()
        self.history = deque(maxlen=80)
        self.calls = 0
        self.role = 'postgres'
        self.last_found = 0

    # ------------------------------------------------------------ statements

    def run(self, sql):
        """Run a statement; returns its SQLSTATE."""
        self.history.append(f'{sql};')
        started = time.monotonic()
        state, error = '00000', None
        try:
            self.cursor.execute(sql)
        except psycopg2.Error as caught:
            error = caught
            state = caught.pgcode or '08000'
        took = time.monotonic() - started
        self.history[-1] += f'  -- {state}'
        if took > self.options.limit or state == TIMEOUT:
            called = re.search(r'(?:inventory|f[\w" \']+)\.\w+', sql)
            self.finding('slow',
                         f'more than {self.options.limit:g} s: '
                         f'{called.group() if called else sql[:80]}', sql)
        diag = error.diag if error else None
        if INTERNAL.match(state) and not SAME_OBJECT.match(diag.source_function or ''):
            self.finding('internal',
                         f'{state} {diag.message_primary} '
                         f'({diag.source_file}: {diag.source_function})',
                         diag.context or '')
        if self.db.closed:
            self.finding('lost', f'the connection ended: {error}', sql)
            raise Lost
        return state

    def finding(self, kind, what, detail):
        """Send a finding, with the statements since the role was set."""
        statements = list(self.history)
        begins = [i for i, s in enumerate(statements) if s.startswith('SET SESSION AUTHORIZATION')]
        self.queue.put(('finding', kind, self.number, what, detail,
                        statements[begins[-1] if begins else 0:]))

    def as_role(self, roles):
        """Become another role, without settings and prepared statements of the last."""
        names, weights = zip(*roles)
        self.role = self.random.choices(names, weights)[0]
        self.history.append('DISCARD ALL;')
        self.cursor.execute('DISCARD ALL')
        self.run(f'SET SESSION AUTHORIZATION {self.role}')
        self.run(f"SET statement_timeout = {int(self.options.limit * 1000)}")
        if self.maker.chance(0.8):
            self.run(f"SET request.jwt.claims = {quote(self.maker.any(CLAIMS[:3]))}")
        else:
            self.run(f"SET request.jwt.claims = {quote(self.maker.any(CLAIMS))}")
        while self.maker.chance(0.3):
            self.run('SET ' + self.maker.any([self.maker.any(SETTINGS), self.setting()]))

    def setting(self):
        """A setting of the extension, as pg_settings describes it."""
        name, kind, values, min_value, max_value = self.maker.any(self.catalog.settings)
        if kind == 'bool':
            value = self.maker.any(['on', 'off'])
        elif kind == 'enum':
            value = self.maker.any(values)
        elif kind in ('integer', 'real'):
            value = self.maker.any([min_value, max_value, '1', '3'])
        else:
            value = self.maker.text()
        return f'{name} = {value}'

    # ------------------------------------------------------------ calls

    def next_function(self):
        """Each function in turn; a role with few rights calls mostly what it may."""
        mine = {'fuzz_buyer': self.buying, 'fuzz_operator': self.facade}.get(self.role)
        if mine and self.maker.chance(0.8) and self.options.phase != 'outsiders':
            return self.maker.any(mine)
        if not self.deck:
            self.deck = self.random.sample(self.functions, len(self.functions))
        return self.deck.pop()

    def call(self, function, sanity, store=None):
        """Make a call, and count its result."""
        store = function.store or store or self.maker.any(self.catalog.stores)
        *before, last = self.writer.statements(function, store, sanity)
        state = '00000'
        for statement in before:
            state = self.run(statement)
            if state != '00000':
                break
        if state == '00000':
            state = self.run(last)
        while self.db.notices:
            caught = re.search(r'fuzz_state (\w{5})', self.db.notices.pop())
            state = caught.group(1) if caught else state
        self.counts[function.key, state] += 1
        self.calls += 1
        return state

    def transaction(self):
        """Run a transaction of a random kind."""
        sanity = self.maker.any([1, 0.97, 0.9, 0.6])
        kinds = [(self.single, 10), (self.block, 8), (self.prepared, 0.5)]
        if self.role in OWNERS:
            kinds += [(self.damaged, 4), (self.written, 2)]
        kind = self.random.choices(*zip(*kinds))[0]
        kind(sanity)

    def single(self, sanity):
        """A single call; administration by an owner, which could remove a store, is rolled back."""
        function = self.next_function()
        if function.kind == 'administration' and self.role in OWNERS:
            self.run('BEGIN')
            self.call(function, sanity)
            self.run('ROLLBACK')
        else:
            self.call(function, sanity)

    def block(self, sanity):
        """Several calls in a transaction with savepoints."""
        functions = [self.next_function() for _ in range(self.random.randint(1, 6))]
        keep = self.role not in OWNERS or all(f.kind != 'administration' for f in functions)
        self.run('BEGIN ISOLATION LEVEL ' + self.maker.any(ISOLATION))
        self.calls_with_savepoints(functions, sanity)
        self.run('COMMIT' if keep and self.maker.chance(0.7) else 'ROLLBACK')

    def calls_with_savepoints(self, functions, sanity, store=None):
        for n, function in enumerate(functions):
            self.run(f'SAVEPOINT s{n}')
            state = self.call(function, sanity, store)
            if state != '00000' or self.maker.chance(0.1):
                self.run(f'ROLLBACK TO s{n}')
            elif self.maker.chance(0.5):
                self.run(f'RELEASE s{n}')

    def damaged(self, sanity):
        """Calls of a store that its owner has damaged; rolled back."""
        store = self.maker.any(self.catalog.stores)
        own = [f for f in self.functions if f.store is store]
        functions = [self.maker.any(own) if own and self.maker.chance(0.7) else self.next_function()
                     for _ in range(self.random.randint(1, 5))]
        self.run('BEGIN')
        if self.maker.chance(0.7):    # so that plans and binding are cached
            self.calls_with_savepoints(functions[:2], 1, store)
        for _ in range(self.maker.any([1, 1, 1, 2, 3])):
            self.run('SAVEPOINT damage')
            if self.run(damage.harmful(self.maker, store)) != '00000':
                self.run('ROLLBACK TO damage')
        self.calls_with_savepoints(functions, sanity, store)
        self.run('ROLLBACK')

    def written(self, sanity):
        """A write without the engine, perhaps after calls; mostly committed."""
        store = self.maker.any(self.catalog.stores)
        statement = damage.harmless(self.maker, store)
        if self.maker.chance(0.5):
            self.run(statement)
            return
        self.run('BEGIN')
        functions = [f for f in [self.next_function()] if f.kind != 'administration']
        self.calls_with_savepoints(functions, sanity, store)
        self.run(statement)
        self.run(self.maker.any(['COMMIT', 'ROLLBACK']))

    def prepared(self, sanity):
        """A two-phase transaction."""
        functions = [f for f in [self.next_function(),
                                 self.next_function()] if f.kind != 'administration']
        name = f"'fuzz {self.number}'"
        self.run('BEGIN')
        self.calls_with_savepoints(functions, sanity)
        if self.run(f'PREPARE TRANSACTION {name}') == '00000':
            self.run(f"{self.maker.any(['COMMIT', 'ROLLBACK'])} PREPARED {name}")
        else:
            self.run('ROLLBACK')

    # ------------------------------------------------------------ all of it

    def work(self, until):
        """Run transactions as one role after another until a time."""
        roles = OUTSIDERS if self.options.phase == 'outsiders' else ROLES
        told = looked = time.monotonic()
        while time.time() < until and not self.options.stop.is_set():
            self.as_role(roles)
            for _ in range(self.random.randint(3, 12)):
                self.outside() if roles is OUTSIDERS else self.transaction()
                if time.time() > until:
                    break
            self.run('RESET SESSION AUTHORIZATION')
            # a lock_timeout or isolation level of the role must not fail the queries below
            self.run('RESET ALL')
            if time.monotonic() - looked > 0.5:
                looked = time.monotonic()
                for store in self.catalog.stores:
                    Catalog.find(self.cursor, store)
            if time.monotonic() - told > 1:
                told = time.monotonic()
                self.report()

    def outside(self):
        """A call or statement that the role may not make; a buyer calls no buyer function."""
        function = self.next_function()
        if self.maker.chance(0.05):
            self.run(damage.harmful(self.maker, self.maker.any(self.catalog.stores)))
        elif self.role != 'fuzz_buyer' or function.part != 'buyer':
            self.call(function, self.maker.any([1, 0.9, 0.6]))

    def report(self):
        self.queue.put(('counts', dict(self.counts), self.calls))
        self.counts.clear()
        self.calls = 0


def read_catalog(cursor):
    """Read functions and stores; sessions that started earlier lock them in any order."""
    for _ in range(10):
        try:
            return Catalog(cursor)
        except psycopg2.errors.DeadlockDetected:
            pass
    return Catalog(cursor)


def work(number, options, queue, until):
    """The body of the process."""
    session = None
    try:
        session = Session(number, options, queue)
        session.work(until)
    except (Lost, psycopg2.Error) as error:
        if not isinstance(error, Lost):
            queue.put(('finding', 'lost', number, f'{type(error).__name__}: {error}', '',
                       list(session.history) if session else []))
    finally:
        if session:
            session.report()
        queue.put(('done', number))
