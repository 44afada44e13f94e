"""Arguments of calls: SQL expressions of any type, sane or nasty.

A sane value is what a caller would pass for an argument of this name to this
store; a nasty one is anything that the parser accepts.  Expressions are short
even if their values are long, so that statements can be printed.
"""

import json


def quote(text):
    """A literal that does not depend on standard_conforming_strings."""
    return "E'" + text.replace('\\', '\\\\').replace("'", "\\'") + "'"


TEXTS = ['', ' ', "'", '"', '\\', '%s%n%x', '{}', '[]', '$1', '%', ';', '--', 'null', 'NaN', '0',
         '-1', '1e3',
         '2.7', 'abc', "'; DROP TABLE f_int.items; --", '\u00e9\u4e16\U0001f600', '\t\n\r',
         'a\u0301', 'k' * 255,
         'k' * 256, 'k' * 63, 'k' * 64, '\u00e9' * 127 + 'x', '9223372036854775808', 'f_int.items',
         'public',
         '00000000-0000-0000-0000-000000000000', '{"a":1}', '1 day', 'buyer', 'operator',
         '\x01\x7f']
LONG_TEXTS = ["repeat('x', 1000000)", "repeat(E'\\\\', 300000)", "repeat('%s', 300000)",
              "(SELECT string_agg(chr(n), '') FROM generate_series(1, 3000) AS n)"]
INTEGERS = {
    'smallint': [0, 1, -1, 2, 7, 32767, -32768],
    'integer': [0, 1, -1, 2, 7, 1000, 32767, 32768, -32769, 2147483647, -2147483648],
    'bigint': [0, 1, -1, 2, 7, 1000, 32768, 2147483647, 2147483648, -2147483649,
               9223372036854775806,
               9223372036854775807, -9223372036854775808, -9223372036854775807],
}
INTERVALS = ["'0'", "'-1 s'", "'1 us'", "'1 ms'", "'1 day'", "'178000000 years'",
             "'-178000000 years'",
             "'300000 years'", "'2147483647 months -2147483648 days'", "'1 month -30 days'",
             "'100 years'",
             "'9223372036854775807 us'", "'-9223372036854775807 us'",
             "'2147483647 days 9223372036 s'"]
TIMES = ["'infinity'", "'-infinity'", "'epoch'", "'294276-12-31 23:59:59'", "'4713-01-01 BC'",
         'now()',
         "now() - interval '1 hour'", "now() + interval '1 year'", "'2024-06-01'",
         'clock_timestamp()']
TYPES = ['integer', 'bigint', 'smallint', 'text', 'uuid', 'varchar', 'jsonb', 'point', 'f_text.sku',
         'inventory.store_binding',
         'other.pair', 'int4range', '"any"', 'anyelement', 'record', 'void', 'trigger', 'cstring',
         'integer[]',
         'other.plain', 'unknown', 'name', 'numeric', 'bytea']
RELATIONS = ['other.plain', 'other.lines', 'other.keyless', 'other.parted', 'other.unlogged',
             'other.view',
             'other.matview', 'other.sequence', 'other.pair', 'other.heirs', 'other.plain_pkey',
             'pg_class',
             'pg_catalog.pg_attribute', 'information_schema.tables', 'inventory.store',
             'inventory.stats',
             'inventory.store_binding', 'f_int_stock.movements', 'f_int_stock.reservations',
             'f_int_stock.requests',
             'f_int_stock.levels', 'f_part.orders_new', 'f_int.orders', 'pg_toast.pg_toast_2619']
NAMES = ['id', 'stock', 'version', 'item_id', 'user_id', 'quantity', 'price', 'note', 'tags',
         'nothing', 'ctid', 'tableoid',
         'xmin', '', 'a b', 'stock_floor', 'purchase_limit', 'order_id', 'created_at', 'k' * 63,
         '"', '%s', "it's",
         'public', 'other', 'f_int', 'inventory', 'pg_catalog', 'pg_temp', 'fuzz_outsider',
         'fuzz_buyer', 'fuzz_owner', 'postgres',
         'buy_item', 'close_ledger', 'items', 'orders', 'movements', 'pg_toast', 'pg_monitor',
         'none', 'public']
# values for "any" and anyelement, of every length and storage
ANYTHING = ["1", "1.5", "'x'::text", "'x'", "NULL", "NULL::integer", "'\\x00ff'::bytea",
            "ARRAY[1,2]", "ROW(1,'x')",
            "'(1,2)'::point", "true", "'a'::\"char\"", "'n'::name", "now()", "interval '1 day'",
            "'{\"a\":1}'::jsonb",
            "NULL::inventory.store_binding", "'[1,3)'::int4range", "'NaN'::numeric", "'NaN'::float8",
            "1::smallint",
            "9223372036854775807", "gen_random_uuid()", "'pg_class'::regclass", "0::oid",
            "'1'::f_text.sku",
            "NULL::f_text.sku", "ROW(1,'a')::other.pair", "repeat('x', 100000)", "'{}'::text[]",
            "'1'::xml", "B'101'",
            "'127.0.0.1'::inet", "'a'::varchar(3)", "'1'::char(5)", "$$1$$", "'5'::money"]
JSONS = ['null', 'true', '0', '-1', '"x"', '{}', '[]', '[{}]', '[[]]', '[null]', '[1]', '["x"]',
         '[{"item_id": null}]',
         '{"item_id": 1}', '[{"item_id": 1, "quantity": null}]',
         '[{"item_id": 1, "quantity": 1.5}]',
         '[{"item_id": 1, "quantity": "2"}]', '[{"item_id": 1, "quantity": 1e400}]',
         '[{"item_id": 1, "quantity": 9223372036854775808}]', '[{"item_id": 1, "quantity": 1.0}]',
         '[{"item_id": 1, "quantity": -1}]', '[{"item_id": 1, "item_id": 2}]', '[{"item_id": [1]}]',
         '[{"item_id": {"a": 1}}]', '[{"item_id": true}]', '[{"item_id": 1, "nothing": 1}]',
         '[{"item_id": ""}]',
         '[{"": 1}]', '[{"item_id": "%s%n"}]', '[{"item_id": 1, "quantity": 9223372036854775807}]',
         '[{"item_id": 1, "quantity": 1, "id": 1, "price": {"a": [1]}, "tags": ["a", null]}]']
BIG_JSONS = ["(repeat('[', 3000) || repeat(']', 3000))::jsonb", "(repeat('[', 100000))::jsonb",
             "(repeat('{\"a\":', 2000) || '1' || repeat('}', 2000))::jsonb",
             "(SELECT jsonb_agg(jsonb_build_object('item_id', n % 8 + 1))"
             " FROM generate_series(1, 300) AS n)",
             "(SELECT jsonb_agg(jsonb_build_object('item_id', n))"
             " FROM generate_series(1, 1001) AS n)",
             "(SELECT jsonb_object_agg('c' || n, n) FROM generate_series(1, 2000) AS n)",
             "jsonb_build_array(jsonb_build_object('item_id', repeat('1', 200000)))",
             "jsonb_build_object(repeat('k', 100000), 1)"]
# sane values of columns that a caller may set
COLUMNS = {'numeric': [1, '9.90', -1], 'character varying': ['note', '', 'x' * 21],
           'date': ['2026-01-01', 'infinity'],
           'text[]': [['a', 'b'], '{a}', []], 'timestamp without time zone': ['2026-01-01', None],
           'timestamp with time zone': ['2024-06-01', '2026-06-01', '2000-01-01'],
           'jsonb': [{'a': [1]}, None, 'x']}
USERS = {'uuid': ["00000000-0000-0000-0000-00000000000%d" % n for n in range(5)],
         'text': ['ann', "b'ob", '%s', ''],
         'smallint': ['1', '2'], 'integer': ['1', '2', '3'], 'bigint': ['1', '2', '3']}


# Arguments whose type is one of the store's, or any type.
IDS = ('item', 'item_id', 'user_id', 'order_id', 'result_type')
ANY_TYPES = ('"any"', 'anyelement', 'anyarray', 'anynonarray')


class Maker:
    """Makes the arguments of calls with one random generator."""

    def __init__(self, random, catalog):
        self.random = random
        self.catalog = catalog

    def any(self, values):
        return values[self.random.randrange(len(values))]

    def chance(self, probability):
        return self.random.random() < probability

    @staticmethod
    def identifier(name):
        return '"' + name.replace('"', '""') + '"'

    # ------------------------------------------------------------ sane

    def sane(self, store, function, argument):
        """What a caller would pass; None if the name is not known."""
        maker = getattr(self, 'sane_' + argument.hint, None)
        # arguments of these names are columns in administrative functions
        if maker and (argument.hint not in IDS or function.kind == 'facade'
                      or argument.type in ANY_TYPES):
            return maker(store, function)
        if argument.type in self.catalog.rows:
            return self.row(argument.type, store)
        return None

    def sane_store_name(self, store, function):
        return quote(store.label)

    def sane_items(self, store, function):
        if function.kind == 'administration' and self.chance(0.3):
            return "'other.plain'::regclass"
        return quote(store.items) + '::regclass'

    def sane_orders(self, store, function):
        if self.chance(0.4):
            return "'other.lines'::regclass"
        return quote(store.orders) + '::regclass' if store.orders else 'NULL::regclass'

    def item(self, store):
        """The id of an item as text, or one that could be, if the table has no rows."""
        return self.any(store.found['item_id'] or USERS.get(store.types['I'], ['1']))

    def sane_item_id(self, store, function):
        return f"{quote(self.item(store))}::{store.types['I']}"

    sane_item = sane_item_id

    def sane_item_ids(self, store, function):
        ids = ', '.join(quote(self.item(store)) for _ in range(self.random.randint(0, 4)))
        return f"ARRAY[{ids}]::{store.types['I']}[]"

    def sane_user_id(self, store, function):
        users = USERS.get(store.types['U'], ['1'])
        return f"{quote(self.any(users))}::{store.types['U']}"

    def sane_order_id(self, store, function):
        orders = store.found['order_id'] or ['1']
        return f"{quote(self.any(orders))}::{store.types['O']}"

    def sane_order_ids(self, store, function):
        orders = store.found['order_id'] or ['1']
        ids = ', '.join(quote(self.any(orders)) for _ in range(self.random.randint(0, 4)))
        return f"ARRAY[{ids}]::{store.types['O']}[]"

    def sane_reservation_id(self, store, function):
        known = store.found['reservation_id']
        return quote(self.any(known)) + '::uuid' if known else 'gen_random_uuid()'

    def sane_quantity(self, store, function):
        return f'{self.random.randint(1, 4)}::bigint'

    def sane_delta(self, store, function):
        return f'{self.random.randint(-5, 9)}::bigint'

    def sane_counted(self, store, function):
        return f'{self.random.randint(20, 150)}::bigint'

    def sane_unshipped(self, store, function):
        return f'{self.random.randint(0, 3)}::bigint'

    def sane_expected(self, store, function):
        return 'NULL::bigint' if self.chance(0.8) else f'{self.random.randint(0, 150)}::bigint'

    def sane_max_rows(self, store, function):
        return str(self.random.randint(1, 1000))

    def sane_idempotency_key(self, store, function):
        return self.any(['NULL::text', 'NULL::text', f"'key {self.random.randrange(30)}'",
                         f"'{self.random.getrandbits(60)}'"])

    def sane_reason(self, store, function):
        return self.any(['NULL::text'] + ["'because'"] * 5)

    def sane_kind(self, store, function):
        return self.any(["'adjustment'", "'write_off'"])

    def sane_restock(self, store, function):
        return self.any(['true', 'false'])

    def sane_ttl(self, store, function):
        return 'interval ' + self.any(["'1 ms'", "'20 ms'", "'1 s'", "'1 hour'", "'1 day'"])

    def sane_older_than(self, store, function):
        return 'interval ' + self.any(["'1 ms'", "'1 s'", "'1 hour'"])

    def sane_before(self, store, function):
        return "now() - interval '1 s'"

    def sane_counted_at(self, store, function):
        return self.any(['NULL::timestamptz', 'now()', "clock_timestamp() - interval '1 s'"])

    def sane_part(self, store, function):
        return self.any(["'buyer'", "'operator'"])

    def sane_role(self, store, function):
        return self.any(["'fuzz_buyer'", "'fuzz_operator'"])

    def sane_schema(self, store, function):
        return f"'z{self.random.randrange(10 ** 9)}'"

    def sane_result_type(self, store, function):
        return 'NULL::' + store.result_types.get(function.base, store.types['Q'])

    def line(self, store, columns):
        """A line of a cart as a dict."""
        line = {'item_id': self.item(store)}
        if store.types['I'] in INTEGERS:
            line['item_id'] = int(line['item_id'])
        if self.chance(0.7):
            line['quantity'] = self.random.randint(1, 4)
        if columns and (self.chance(0.5) or 'id' in store.order_columns):
            line.update(self.columns(store))
        return line

    def columns(self, store):
        """Columns of the order row that callers may set, and its key if they make it."""
        given = {}
        for name, kind in store.order_columns.items():
            if kind == 'uuid':
                given[name] = '%032x' % self.random.getrandbits(128)
            elif name == 'id':
                given[name] = self.random.getrandbits(50)
            elif self.chance(0.5):
                given[name] = self.any(COLUMNS.get(kind.split('(')[0], [None]))
        return given

    def sane_lines(self, store, function):
        number = self.any([1, 1, 2, 2, 3, 5, 40])
        columns = 'reserve' not in function.call or self.chance(0.05)
        return quote(json.dumps([self.line(store, columns) for _ in range(number)])) + '::jsonb'

    def sane_order_data(self, store, function):
        if not store.order_columns or self.chance(0.4) and 'id' not in store.order_columns:
            return self.any(['NULL::jsonb', "'{}'::jsonb"])
        return quote(json.dumps(self.columns(store))) + '::jsonb'

    def row(self, kind, store):
        """A row of a type of the extension, perhaps with some fields changed."""
        where = f'FROM inventory.store AS s WHERE s.store_name = {quote(store.label)}'
        if kind == 'inventory.store_binding':
            value = f'(SELECT inventory.read_binding(s) {where})'
        elif kind == 'inventory.store':
            value = f'(SELECT s {where})'
        else:
            return f'NULL::{kind}'
        if self.chance(0.5):
            return value
        changed = ', '.join(f'{quote(name)}, {self.nasty(type_name)}' for name, type_name in
                            self.random.sample(self.catalog.rows[kind], self.any([1, 1, 2, 4])))
        return f'jsonb_populate_record({value}, jsonb_build_object({changed}))'

    # ------------------------------------------------------------ nasty

    def nasty(self, kind, depth=0):
        """Any value of a type."""
        if self.chance(0.12):
            return 'NULL' if self.chance(0.3) else f'NULL::{self.castable(kind)}'
        if kind in ANY_TYPES:
            return self.any(ANYTHING)
        if kind in INTEGERS:
            return f'({self.any(INTEGERS[kind])})::{kind}'
        if kind.endswith('[]'):
            return self.array(kind[:-2], depth)
        if kind in self.catalog.rows and depth < 3:
            fields = [self.nasty(type_name, depth + 1) for _, type_name in self.catalog.rows[kind]]
            return f"ROW({', '.join(fields)})::{kind}"
        maker = {'text': self.text, 'character varying': self.text, 'name': self.name,
                 'jsonb': self.json,
                 'regclass': self.relation, 'regtype': lambda: quote(self.any(TYPES)) + '::regtype',
                 'oid': lambda: self.any(['0', '1', '1259', '4294967295',
                                          "'fuzz_owner'::regrole::oid",
                                          "'f_int.items'::regclass::oid"]) + '::oid',
                 'interval': lambda: self.any(INTERVALS) + '::interval',
                 'timestamp with time zone': lambda: self.any(TIMES) + '::timestamptz',
                 'boolean': lambda: self.any(['true', 'false']),
                 'uuid': lambda: self.any(['gen_random_uuid()', f"'{'0' * 32}'::uuid",
                                           f"'{'f' * 32}'::uuid"]),
                 'double precision': lambda: self.any(["'NaN'", "'Infinity'", '0', "'-0'",
                                                       '1e308']) + '::float8',
                 'numeric': lambda: self.any(["'NaN'", "'Infinity'", '0', '1e400',
                                              '1e-400']) + '::numeric',
                 }.get(kind)
        return maker() if maker else f'NULL::{self.castable(kind)}'

    @staticmethod
    def castable(kind):
        """A type to which NULL can be cast."""
        return 'text' if kind in ANY_TYPES + ('internal', 'cstring') else kind

    def text(self):
        if self.chance(0.06):
            return self.any(LONG_TEXTS)
        return quote(self.any(TEXTS))

    def name(self):
        return quote(self.any(NAMES)) + '::name'

    def relation(self):
        if self.chance(0.15):
            return self.any(['0', '1', '16000', '4294967295', '1262']) + '::oid::regclass'
        return quote(self.any(RELATIONS)) + '::regclass'

    def array(self, kind, depth):
        if depth > 2 or self.chance(0.15):
            return self.any([f"'{{}}'::{kind}[]", f'ARRAY[[NULL,NULL],[NULL,NULL]]::{kind}[]',
                             f'array_fill(NULL::{kind}, ARRAY[100])',
                             f"'[5:5]={{NULL}}'::{kind}[]"])
        items = [self.nasty(kind, depth + 1) for _ in range(self.any([1, 1, 2, 5]))]
        return f"ARRAY[{', '.join(items)}]::{kind}[]"

    def json(self):
        if self.chance(0.08):
            return self.any(BIG_JSONS)
        if self.chance(0.3):
            return quote(json.dumps(self.json_value(0))) + '::jsonb'
        return quote(self.any(JSONS)) + '::jsonb'

    def json_value(self, depth):
        """JSON of any shape, often with keys that have a meaning."""
        kind = self.random.randrange(4 if depth < 4 else 2)
        if kind == 0:
            return self.any([None, True, 0, 1, -1, 2.5, 10 ** 30, 1, 2])
        if kind == 1:
            return self.any(TEXTS)
        if kind == 2:
            return [self.json_value(depth + 1) for _ in range(self.random.randrange(4))]
        keys = ['item_id', 'quantity', 'id', 'price', 'created_at', 'x', '', 'order_id']
        return {self.any(keys): self.json_value(depth + 1) for _ in range(self.random.randrange(4))}

    # ------------------------------------------------------------ both

    def value(self, store, function, argument, sanity):
        """A sane value with this probability, else a nasty one; None leaves the argument out."""
        if self.chance(sanity):
            made = self.sane(store, function, argument)
            if made is not None or argument.has_default and self.chance(0.9):
                return made
        return self.nasty(argument.type)
