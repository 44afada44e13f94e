"""What must hold after any calls.

Uses connections and queries of its own, and shares only the names of roles with
the sessions.
"""

import re
import time

import psycopg2

# The movements that each role may make.  The call of a buyer may expire overdue holds
# of others, and books the balance of untracked items; a trigger of the shop may write
# the stock of other items.
ALLOWED = {
    'fuzz_buyer': ("kind IN ('sale', 'hold', 'release', 'expiry') "
                   "OR kind = 'adjustment' AND reason = 'untracked' "
                   "OR kind = 'direct' AND {meddled}"),
    'fuzz_outsider': 'false',
}
# The users in the tokens of buyers, and so the only ones that the store with a claim may have.
TOKENS = "('1', '2')"

CRASH = re.compile(r'was terminated by signal|TRAP:|PANIC:')
INTERNAL = re.compile(r'(?:ERROR|FATAL):  XX')
# C functions have no context; neither have errors of the server inside a query
OURS = re.compile(r'function (inventory\.|"?f[_ ])|inventory\.')


def stores(cursor):
    cursor.execute("""
        SELECT s.store_name, s.items::regclass::text, s.movements::regclass::text, s.user_claim,
               EXISTS (SELECT FROM pg_trigger AS t JOIN pg_proc AS p ON p.oid = t.tgfoid
                       WHERE t.tgrelid IN (s.items, s.orders) AND NOT t.tgisinternal
                       AND p.pronamespace <> 'inventory'::regnamespace)
        FROM inventory.store AS s ORDER BY 1""")
    return cursor.fetchall()


def verify(cursor):
    """The findings of inventory.verify, for every store."""
    found = []
    for label, items, *_ in stores(cursor):
        cursor.execute('SELECT * FROM inventory.verify(%s::regclass)', (items,))
        found += [f'{label}: {row}' for row in cursor.fetchall()]
    return found


def trespasses(cursor):
    """Movements of roles that may not make them."""
    found = []
    for label, _, movements, claim, meddled in stores(cursor):
        for role, allowed in ALLOWED.items():
            wrong = f"actor = '{role}' AND ({allowed.format(meddled=meddled)}) IS NOT TRUE"
            if claim and role == 'fuzz_buyer':
                wrong += (f" OR actor = '{role}' AND kind IN ('sale', 'hold', 'release')"
                          f" AND (user_id::text IN {TOKENS}) IS NOT TRUE")
            cursor.execute(f'SELECT m::text FROM {movements} AS m WHERE {wrong} LIMIT 5')
            found += [f'{label}: {row[0]}' for row in cursor.fetchall()]
    return found


def fingerprint(cursor):
    """A digest of each table, and of the catalog rows of our objects."""
    cursor.execute("""
        SELECT c.oid::regclass::text FROM pg_class AS c
        JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'm')
        AND (n.nspname IN ('inventory', 'other') OR n.nspname ~ '^f[_ ]')""")
    digests = {}
    for (table,) in cursor.fetchall():
        cursor.execute("SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), ''))"
                       f' FROM {table} AS t')
        digests[table] = cursor.fetchone()[0]
    for catalog, columns in (('pg_class',
                              'relname, relnamespace, relowner, relacl, relkind, relnatts'),
                             ('pg_proc', 'proname, pronamespace, proowner, proacl, prosrc'),
                             ('pg_trigger', 'tgrelid, tgname, tgenabled, tgattr, tgargs'),
                             ('pg_namespace', 'nspname, nspowner, nspacl'),
                             ('pg_authid', 'rolname, rolsuper')):
        # sessions create temporary tables, and schemas for them
        where = {'pg_class': "WHERE t.relpersistence <> 't' "
                             "AND t.relnamespace <> 'pg_toast'::regnamespace",
                 'pg_namespace': "WHERE t.nspname !~ '^pg_(toast_)?temp_'"}.get(catalog, '')
        cursor.execute(f"""
            SELECT md5(string_agg(r::text, '|' ORDER BY r::text))
            FROM (SELECT {columns} FROM pg_catalog.{catalog} AS t {where}) AS r""")
        digests[catalog] = cursor.fetchone()[0]
    return digests


def changed(before, after):
    names = sorted(before.keys() | after.keys())
    return [name for name in names if before.get(name) != after.get(name)]


def settle_holds(cursor):
    """Expire overdue holds, extend the others, and settle hot items: the worker must find nothing to do
    while outsiders call."""
    time.sleep(0.05)
    for label, items, movements, *_ in stores(cursor):
        reservations = re.sub('movements$', 'reservations', movements)
        extend = f"UPDATE {reservations} SET expires_at = now() + interval '1 day' WHERE status = 'held'"
        cursor.execute(extend + ' AND expires_at > now()')
        for _ in range(50):    # a trigger of the shop may raise an error, or keep some holds
            try:
                cursor.execute('SELECT inventory.expire_reservations(%s, 2147483647)', (label,))
                cursor.execute(f"SELECT FROM {reservations} WHERE status = 'held' AND expires_at <= now() LIMIT 1")
                if cursor.rowcount == 0:
                    break
            except psycopg2.Error:
                pass
        cursor.execute(extend)
        try:
            cursor.execute('SELECT inventory.settle(%s::regclass)', (items,))
        except psycopg2.Error:
            pass


class Log:
    """The server's log from the time of creation on."""

    def __init__(self, path):
        self.path = path
        self.start = self.size()

    def size(self):
        if not self.path:
            return 0
        with open(self.path, 'rb') as log:
            return log.seek(0, 2)

    def text(self):
        if not self.path:
            return ''
        with open(self.path, 'rb') as log:
            log.seek(self.start)
            return log.read().decode('utf-8', 'replace')

    def crashes(self):
        return [line for line in self.text().splitlines() if CRASH.search(line)]

    def internal_errors(self):
        """Errors of class XX whose context, up to the next message, is in our functions."""
        found = []
        for entry in re.split(r'\n(?=\S.*?(?:ERROR|FATAL|LOG|PANIC|NOTICE|WARNING):  )',
                              self.text()):
            where = re.search(r'CONTEXT:  (.*?)\n\S.*?(?:LOCATION|STATEMENT):', entry, re.S)
            if INTERNAL.search(entry.split('\n')[0]) and (not where or OURS.search(where.group(1))):
                found.append(entry[:1500])
        return found
