"""Writes calls of functions in SQL, in many forms."""

from values import quote

# How calls are written, and how often.
STYLES = [('select', 8), ('from', 8), ('do', 3), ('prepare', 3), ('cursor', 2), ('many', 2),
          ('lateral', 1),
          ('limit', 1), ('nested', 1), ('into', 1), ('variadic', 0.3), ('returning', 1),
          ('function', 1)]

# Internal errors and corrupted data are never caught.
BLOCK = """DO $fuzz$
DECLARE fuzz record;
BEGIN
    FOR fuzz IN SELECT {call} AS answer LOOP NULL; END LOOP;
    {more}
EXCEPTION
    WHEN internal_error OR data_corrupted OR index_corrupted THEN RAISE;
    WHEN OTHERS THEN RAISE NOTICE 'fuzz_state %', SQLSTATE;
END $fuzz$"""


class Writer:
    """Writes calls, with arguments made by `maker`."""

    def __init__(self, maker):
        self.maker = maker
        self.number = 0

    def arguments(self, function, store, sanity, nested=None):
        """Arguments, (name or None, expression, type): some by name, some left out."""
        maker = self.maker
        given = []
        named = maker.chance(0.3)
        for argument in function.arguments:
            if argument.has_default and maker.chance(0.4):
                named = True
                continue
            if argument.has_default and named and not argument.name:
                break
            value = maker.value(store, function, argument, sanity)
            if value is None:
                named = True
                continue
            if nested and argument.type == 'bigint' and maker.chance(0.5):
                value = f'({nested})::bigint'
            given.append((argument.name if named and argument.name else None, value, argument.type))
        if not named and not maker.chance(sanity) and maker.chance(0.05):
            given.append((None, maker.nasty('text'), 'text'))
        return given

    @staticmethod
    def call(function, given):
        words = ', '.join(f'"{name}" => {value}' if name else value for name, value, _ in given)
        return f'{function.call}({words})'

    def statements(self, function, store, sanity):
        """The statements of one call, the last of which is the call itself."""
        style = self.maker.random.choices([s for s, _ in STYLES], [w for _, w in STYLES])[0]
        return getattr(self, 'as_' + style)(function, store, sanity)

    def plain(self, function, store, sanity):
        return self.call(function, self.arguments(function, store, sanity))

    def as_select(self, function, store, sanity):
        return [f'SELECT {self.plain(function, store, sanity)}']

    def as_from(self, function, store, sanity):
        return [f'SELECT * FROM {self.plain(function, store, sanity)} AS answer']

    def as_do(self, function, store, sanity):
        more = self.maker.any(['', '', "RAISE 'undo' USING ERRCODE = 'ZZ002';",
                               f'PERFORM {self.plain(function, store, sanity)};'])
        return [BLOCK.format(call=self.plain(function, store, sanity), more=more)]

    def as_prepare(self, function, store, sanity):
        """Executed until the plan is generic; arguments of pseudo-types are not parameters."""
        given = self.arguments(function, store, sanity)
        types, values, words = [], [], []
        for name, value, kind in given:
            if not kind.startswith(('"any"', 'any')):
                types.append(kind)
                values.append(value)
                value = f'${len(types)}'
            words.append((name, value, kind))
        self.number += 1
        name = f'p{self.number}'
        declared = f"({', '.join(types)})" if types else ''
        execute = f"EXECUTE {name}({', '.join(values)})" if values else f'EXECUTE {name}'
        return [f'PREPARE {name}{declared} AS SELECT {self.call(function, words)}'] + \
            [execute] * self.maker.any([1, 2, 7])

    def as_cursor(self, function, store, sanity):
        """A cursor that is read in part and left open; WITH HOLD needs no transaction block."""
        self.number += 1
        name = f'c{self.number}'
        hold = self.maker.any(['WITH HOLD', 'SCROLL CURSOR WITH HOLD'])
        hold = hold if 'CURSOR' in hold else 'CURSOR ' + hold
        call = self.plain(function, store, sanity)
        return [f'DECLARE {name} {hold} FOR SELECT * FROM {call} AS answer',
                self.maker.any([f'FETCH 1 FROM {name}', f'MOVE ALL FROM {name}',
                                f'FETCH ALL FROM {name}'])]

    def as_many(self, function, store, sanity):
        return [f'SELECT {self.plain(function, store, sanity)} FROM generate_series(1, 3)']

    def as_lateral(self, function, store, sanity):
        call = self.plain(function, store, sanity)
        other = self.plain(function, store, sanity)
        return [f'SELECT * FROM generate_series(1, 2) AS n, LATERAL '
                f'(SELECT CASE n WHEN 1 THEN ({call})::text ELSE ({other})::text END) AS answer']

    def as_limit(self, function, store, sanity):
        return [f'SELECT * FROM {self.plain(function, store, sanity)} AS answer LIMIT 1']

    def as_nested(self, function, store, sanity):
        """An argument that calls a function of the same store."""
        inner = f"{store.api}.available_stock({self.maker.sane_item_id(store, function)})"
        return [f'SELECT {self.call(function, self.arguments(function, store, sanity, inner))}']

    def as_into(self, function, store, sanity):
        self.number += 1
        return [f'CREATE TEMP TABLE t{self.number} ON COMMIT DROP AS '
                f'SELECT ({self.plain(function, store, sanity)})::text AS answer']

    def as_variadic(self, function, store, sanity):
        given = self.arguments(function, store, sanity)
        if given:
            name, value, kind = given[-1]
            given[-1] = (None, f'VARIADIC ARRAY[{value}]', kind)
        return [f'SELECT {self.call(function, given)}']

    def as_returning(self, function, store, sanity):
        return [f'WITH w AS (DELETE FROM other.plain WHERE false RETURNING 1), x AS MATERIALIZED '
                f'(SELECT {self.plain(function, store, sanity)}) SELECT count(*) FROM w, x '
                f'UNION ALL SELECT count(*) FROM x']

    def as_function(self, function, store, sanity):
        """Called dynamically in a block that catches errors."""
        call = quote(f'SELECT {self.plain(function, store, sanity)}')
        return [BLOCK.replace('SELECT {call} AS answer', 'EXECUTE {call}').format(
            call=call, more=f"EXECUTE {call};")]
