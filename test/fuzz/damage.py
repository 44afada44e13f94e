"""What the owner of a store may do to it without the engine.

`HARMLESS` statements leave a store intact and are committed: writes that the guard
books or refuses, and maintenance.  `HARMFUL` ones break it and are rolled back; after
them every function must raise an error of its own, never an internal error of the
server.
"""

from values import quote

# {items}, {orders}, {ledger}, {api}, {key}, {key_type}, {stock}: of the store;
# {n}: a number; {item}: a key
HARMLESS = [
    'UPDATE {items} SET {stock} = {stock} + {n}',
    'UPDATE {items} SET {stock} = {n} WHERE {key}::text = {item}',
    'UPDATE {items} SET {stock} = NULL WHERE {key}::text = {item}',
    'UPDATE {items} SET {stock} = 60',
    'UPDATE {items} SET {key} = {key} WHERE {key}::text = {item}',
    'UPDATE {items} SET {key} = {key} || {item}::text WHERE {key}::text = {item}',
    'DELETE FROM {items} WHERE {key}::text = {item}',
    'WITH gone AS (DELETE FROM {items} WHERE {key}::text = {item} RETURNING *) '
    'INSERT INTO {items} SELECT * FROM gone',
    'INSERT INTO {items} SELECT * FROM {items} WHERE {key}::text = {item} '
    'ON CONFLICT ({key}) DO UPDATE SET {stock} = excluded.{stock} + {n}',
    'MERGE INTO {items} AS i USING (SELECT {item} AS k) AS m ON i.{key}::text = m.k '
    'WHEN MATCHED AND i.{stock} > 100 THEN UPDATE SET {stock} = 50 '
    'WHEN MATCHED THEN UPDATE SET {stock} = {n}',
    'INSERT INTO {items} ({key}, {stock}) SELECT {item}::{key_type}, 100 ON CONFLICT DO NOTHING',
    'INSERT INTO {items} ({key}, {stock}) SELECT {item}::{key_type}, 100 ON CONFLICT DO NOTHING',
    'TRUNCATE {items} CASCADE',
    'ANALYZE {items}',
    'ALTER TABLE {items} SET (fillfactor = 70)',
    'ALTER TABLE {items} ALTER {stock} SET STATISTICS 10',
    'COMMENT ON TABLE {items} IS NULL',
    'UPDATE {items} SET {stock} = 9223372036854775807 WHERE {key}::text = {item}',
    'UPDATE {items} SET {stock} = -9223372036854775808 WHERE {key}::text = {item}',
    'SELECT * FROM {ledger}.levels',
    'SELECT * FROM {items} FOR UPDATE SKIP LOCKED',
    'SELECT * FROM inventory.stats',
    'SELECT inventory.refresh({items_text}::regclass)',
    'REINDEX TABLE {ledger}.movements',
]

HARMFUL = [
    'DROP TRIGGER inventory_guard ON {items}',
    'DROP TRIGGER inventory_binding ON {items}',
    'ALTER TABLE {items} DISABLE TRIGGER ALL',
    'ALTER TABLE {items} ENABLE REPLICA TRIGGER inventory_guard',
    'ALTER TABLE {items} DISABLE TRIGGER USER',
    'ALTER TABLE {items} ADD {n_name} text NOT NULL DEFAULT {item}',
    'ALTER TABLE {items} RENAME {stock} TO renamed',
    'ALTER TABLE {items} RENAME {key} TO renamed',
    'ALTER TABLE {items} RENAME TO renamed',
    'ALTER TABLE {items} SET SCHEMA other',
    'ALTER TABLE {items} OWNER TO fuzz_outsider',
    'ALTER TABLE {items} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY',
    'ALTER TABLE {items} DROP {key} CASCADE',
    'ALTER TABLE {items} DROP {stock} CASCADE',
    'ALTER TABLE {items} ADD CHECK ({stock} < 5) NOT VALID',
    'ALTER TABLE {items} ALTER {stock} TYPE {type} USING 1',
    'ALTER TABLE {items} ALTER {key} TYPE {type} USING NULL',
    'CREATE RULE fuzz AS ON UPDATE TO {items} DO INSTEAD NOTHING',
    'CREATE RULE fuzz AS ON INSERT TO {orders} DO INSTEAD NOTHING',
    'CREATE RULE fuzz AS ON INSERT TO {ledger}.movements DO INSTEAD NOTHING',
    'ALTER TABLE {orders} ADD {n_name} int NOT NULL DEFAULT 1',
    'ALTER TABLE {orders} DISABLE TRIGGER ALL',
    'ALTER TABLE {orders} RENAME TO renamed',
    'ALTER TABLE {orders} OWNER TO fuzz_outsider',
    'ALTER TABLE {orders} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY',
    'ALTER TABLE {orders} ADD CHECK (false) NOT VALID',
    'DROP TABLE {orders} CASCADE',
    'DROP TABLE {items} CASCADE',
    'DROP TABLE {ledger}.{table} CASCADE',
    'DROP SCHEMA {ledger} CASCADE',
    'DROP SCHEMA {api} CASCADE',
    'ALTER SCHEMA {ledger} RENAME TO renamed',
    'ALTER SCHEMA {api} RENAME TO renamed',
    'DROP VIEW {ledger}.levels CASCADE',
    'DROP TYPE {ledger}.line CASCADE',
    'ALTER TYPE {ledger}.line ADD ATTRIBUTE {n_name} int',
    'ALTER TYPE {ledger}.line DROP ATTRIBUTE quantity',
    'ALTER TYPE {ledger}.hold DROP ATTRIBUTE status',
    'ALTER TYPE {ledger}.held_line ALTER ATTRIBUTE quantity TYPE text',
    'ALTER TABLE {ledger}.{table} DROP {column} CASCADE',
    'ALTER TABLE {ledger}.{table} DROP {column} CASCADE, ADD {column} {type}',
    'ALTER TABLE {ledger}.{table} ALTER {column} TYPE {type} USING NULL',
    'ALTER TABLE {ledger}.{table} ALTER {column} DROP NOT NULL',
    'ALTER TABLE {ledger}.{table} RENAME {column} TO renamed',
    'ALTER TABLE {ledger}.{table} RENAME TO renamed',
    'ALTER TABLE {ledger}.{table} OWNER TO fuzz_outsider',
    'ALTER TABLE {ledger}.{table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY',
    'UPDATE {ledger}.{table} SET {column} = NULL',
    'UPDATE {ledger}.reservations SET quantity = 9223372036854775807',
    'UPDATE {ledger}.reservations SET quantity = -1',
    "UPDATE {ledger}.reservations SET status = {item}",
    "UPDATE {ledger}.reservations SET expires_at = 'infinity'",
    "UPDATE {ledger}.reservations SET created_at = '-infinity'",
    'UPDATE {ledger}.reservations SET item_id = (SELECT max(item_id) FROM {ledger}.reservations)',
    'UPDATE {ledger}.movements SET delta = 9223372036854775807',
    'UPDATE {ledger}.movements SET kind = {item}',
    "UPDATE {ledger}.requests SET fingerprint = '', result = {json}",
    'UPDATE {ledger}.requests SET result = {json}',
    'DELETE FROM {ledger}.{table}',
    'TRUNCATE {ledger}.{table}',
    'INSERT INTO {ledger}.{table} SELECT * FROM {ledger}.{table}',
    'ALTER TABLE {ledger}.{table} DROP CONSTRAINT {table}_pkey CASCADE',
    'INSERT INTO inventory.store '
    'SELECT * FROM jsonb_populate_record({store}, jsonb_build_object({changes}))',
    'SELECT inventory.delete_store_row({items_text}::regclass)',
    'SELECT inventory.detach({items_text}::regclass)',
    "CREATE TRIGGER fuzz {when} ON {items} FOR EACH {each} EXECUTE FUNCTION inventory.{trigger}",
    "CREATE TRIGGER fuzz {when} ON other.plain FOR EACH {each} "
    "EXECUTE FUNCTION inventory.{trigger}; INSERT INTO other.plain VALUES (77, 7);"
    " UPDATE other.plain SET stock = 2; DELETE FROM other.plain",
    'SELECT inventory.attach({relation}, {relation2}, api_schema => NULL)',
    "CREATE SCHEMA y AUTHORIZATION fuzz_owner;"
    " SELECT inventory.attach('other.plain', 'other.lines', api_schema => 'y');"
    " SELECT y.buy_item(gen_random_uuid(), 1), other.close_ledger(now())",
    'CREATE OR REPLACE VIEW {ledger}.sellable AS SELECT 1 AS item_id',
    'ALTER EXTENSION inventory DROP TABLE inventory.store',
    'DROP EXTENSION inventory CASCADE',
    'DROP OWNED BY fuzz_owner CASCADE',
    'UPDATE inventory.store SET movements = {relation}, items = {relation2}',
    "UPDATE inventory.store SET max_ttl = '178000000 years'",
    "UPDATE inventory.store SET settings = ARRAY['TimeZone=nowhere', 'DateStyle=', 'work_mem=1']",
    "UPDATE inventory.store SET settings = ARRAY[['TimeZone=Asia/Tokyo'], ['lc_time=x'], [NULL]]",
    'DELETE FROM inventory.store',
]

COLUMNS = {
    'movements': ['movement_id', 'item_id', 'delta', 'kind', 'user_id', 'order_id',
                  'reservation_id', 'reason', 'actor',
                  'created_at', 'epoch'],
    'reservations': ['reservation_id', 'item_id', 'quantity', 'user_id', 'status', 'expires_at',
                     'order_id', 'created_at',
                     'tracked'],
    'hot': ['item_id', 'number', 'hot', 'settled_epoch', 'keep_cold'],
    'requests': ['operation', 'user_id', 'key', 'fingerprint', 'result', 'created_at'],
}
COLUMN_TYPES = ['text', 'bigint', 'smallint', 'jsonb', 'point', 'uuid', 'bytea', 'boolean',
                'timestamptz', 'text[]',
                'numeric', 'name', 'other.pair', '"char"']
WHEN = ['AFTER INSERT OR UPDATE OR DELETE', 'BEFORE INSERT OR UPDATE OR DELETE', 'AFTER UPDATE',
        'AFTER TRUNCATE',
        'BEFORE TRUNCATE']
TRIGGERS = ['guard()', 'binding()', "binding('x', 'item_id')", "guard('x')", 'store_changed()',
            'forget_dropped()']


def write(template, maker, store):
    """A statement from a template."""
    any_of = maker.any
    table = any_of(list(COLUMNS))
    kind = 'inventory.store'
    changes = ', '.join(f'{quote(name)}, {maker.nasty(type_name)}' for name, type_name in
                        maker.random.sample(maker.catalog.rows[kind], 2))
    return template.format(
        items=store.items, items_text=quote(store.items), orders=store.orders or 'other.lines',
        ledger=store.ledger, api=store.api, key=maker.identifier(store.key_column),
        stock=maker.identifier(store.stock_column), key_type=store.types['I'],
        n=any_of([0, 1, -1, 5, 100, 40, 20000]),
        n_name=f'n{maker.random.randrange(100)}', item=quote(maker.item(store)),
        table=table, column=any_of(COLUMNS[table]), type=any_of(COLUMN_TYPES), when=any_of(WHEN),
        each=any_of(['ROW', 'STATEMENT']), trigger=any_of(TRIGGERS), relation=maker.relation(),
        relation2=maker.relation(), json=maker.json(), changes=changes,
        store=f'(SELECT s FROM inventory.store AS s WHERE s.store_name = {quote(store.label)})')


def harmless(maker, store):
    return write(maker.any(HARMLESS), maker, store)


def harmful(maker, store):
    return write(maker.any(HARMFUL), maker, store)
