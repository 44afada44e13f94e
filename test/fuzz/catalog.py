"""The functions and stores to fuzz, read from the catalogs of the database.

Every function in pg_proc is fuzzed: those of schema inventory, and the generated
ones of each store.  No function is listed here by name.
"""

from dataclasses import dataclass, field


@dataclass
class Argument:
    name: str
    type: str
    has_default: bool
    hint: str            # its name without the prefix of the store


@dataclass
class Function:
    """A function as SQL calls it; `name` is its name in the summary."""
    name: str
    call: str
    arguments: list
    returns_set: bool
    kind: str            # facade, engine or administration
    store: object = None
    part: str = ''       # of the facade: buyer or operator

    @property
    def base(self):
        return self.call.split('.')[-1]

    @property
    def key(self):
        types = ','.join(a.type for a in self.arguments)
        return f'{self.call}({types})'


@dataclass
class Store:
    """A store: its types, and ids that exist in it."""
    label: str
    items: str
    orders: str
    ledger: str
    api: str
    types: dict
    prefix: str
    order_columns: dict
    key_column: str
    stock_column: str
    result_types: dict = field(default_factory=dict)
    found: dict = field(default_factory=dict)


STORES = """
SELECT s.store_name, s.items::regclass::text, coalesce(s.orders::regclass::text, ''),
       quote_ident(n.nspname), quote_ident(s.api_schema), s.argument_prefix,
       (SELECT format_type(a.atttypid, NULL) FROM pg_attribute AS a
        WHERE a.attrelid = s.movements AND a.attname = 'item_id'),
       (SELECT format_type(a.atttypid, NULL) FROM pg_attribute AS a
        WHERE a.attrelid = s.movements AND a.attname = 'user_id'),
       (SELECT format_type(a.atttypid, NULL) FROM pg_attribute AS a
        WHERE a.attrelid = s.movements AND a.attname = 'order_id'),
       p.stock_type::text, p.item_id::text, p.stock::text,
       (SELECT jsonb_object_agg(a.attname, format_type(a.atttypid, NULL)) FROM pg_attribute AS a
        WHERE a.attrelid = s.orders AND a.attname = ANY (p.order_columns))
FROM inventory.store AS s JOIN pg_class AS c ON c.oid = s.movements
JOIN pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL inventory.read_binding(s) AS p ORDER BY 1
"""

FUNCTIONS = """
SELECT quote_ident(n.nspname), p.proname, quote_ident(p.proname), p.proretset, p.pronargdefaults,
       (SELECT array_agg(format_type(t, NULL) ORDER BY o)
        FROM unnest(p.proargtypes) WITH ORDINALITY AS u(t, o)),
       CASE WHEN p.proargmodes IS NULL THEN p.proargnames ELSE
           (SELECT array_agg(p.proargnames[o] ORDER BY o)
            FROM unnest(p.proargmodes) WITH ORDINALITY AS u(m, o) WHERE m IN ('i', 'b', 'v')) END,
       format_type(p.prorettype, NULL)
FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE p.pronamespace = 'inventory'::regnamespace
   OR n.nspname ~ '^f[_ ]' AND p.prolang = (SELECT l.oid FROM pg_language AS l WHERE l.lanname = 'inventory')
ORDER BY 1, 2, 6
"""

# Queries for ids in the ledger.
FOUND = {
    'reservation_id': 'SELECT DISTINCT reservation_id::text FROM {0}.reservations LIMIT 300',
    'order_id': 'SELECT DISTINCT order_id::text FROM {0}.movements '
                'WHERE order_id IS NOT NULL LIMIT 300',
}


class Catalog:
    """The functions and stores of a database, and its row types."""

    def __init__(self, cursor):
        cursor.execute(STORES)
        self.stores = [Store(*row[:5], types=dict(zip('IUOQ', row[6:10])), prefix=row[5],
                             key_column=row[10], stock_column=row[11],
                             order_columns=row[12] or {}) for row in cursor.fetchall()]
        cursor.execute(
            "SELECT function_name FROM inventory.facade_functions() WHERE part = 'buyer'")
        self.buyers = {row[0] for row in cursor.fetchall()}
        cursor.execute(FUNCTIONS)
        self.functions = [self.function(*row) for row in cursor.fetchall()]
        cursor.execute("""
            SELECT format_type(c.reltype, NULL),
                   array_agg(ARRAY[a.attname::text, format_type(a.atttypid, NULL)]
                             ORDER BY a.attnum)
            FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
            WHERE c.relnamespace = 'inventory'::regnamespace AND c.relkind IN ('c', 'r', 'v')
            AND NOT a.attisdropped GROUP BY 1""")
        self.rows = dict(cursor.fetchall())
        # a library that is not preloaded defines its settings when a session loads it
        cursor.execute("LOAD 'inventory'")
        cursor.execute("""
            SELECT name, vartype, enumvals, min_val, max_val FROM pg_settings
            WHERE name LIKE 'inventory.%' AND context IN ('user', 'superuser')""")
        self.settings = cursor.fetchall()
        cursor.execute("SELECT current_setting('server_version_num')::int")
        self.version = cursor.fetchone()[0]
        for store in self.stores:
            self.find(cursor, store, items=True)

    def function(self, schema, name, quoted, returns_set, defaults, types, names, result_type):
        """A function from its row of pg_proc."""
        types = types or []
        names = (names or []) + [''] * len(types)
        arguments = [Argument(n, t, i >= len(types) - defaults, n)
                     for i, (n, t) in enumerate(zip(names, types))]
        call = f'{schema}.{quoted}'
        if schema != 'inventory':
            store = next((s for s in self.stores if schema in (s.api, s.ledger)), None)
            if store:
                store.result_types[name] = result_type
            for argument in arguments if store else []:
                argument.hint = argument.name[len(store.prefix):]
            return Function(call, call, arguments, returns_set,
                            'facade' if store else 'administration', store,
                            'buyer' if name in self.buyers else 'operator')
        engine = bool(arguments) and arguments[0].name == 'store_name'
        return Function(call, call, arguments, returns_set,
                        'engine' if engine else 'administration')

    @staticmethod
    def find(cursor, store, items=False):
        """Read the ids that exist."""
        queries = dict(FOUND)
        if items:
            queries['item_id'] = 'SELECT "{1}"::text FROM {2} LIMIT 20'
        for what, query in queries.items():
            cursor.execute(query.format(store.ledger, store.key_column.replace('"', '""'),
                                        store.items))
            store.found[what] = [row[0] for row in cursor.fetchall()]
