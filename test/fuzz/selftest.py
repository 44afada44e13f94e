"""Shows that the fuzzer finds faults: each planted one must be found, by its own criterion.

Every fault is planted in a new database, which is then fuzzed for some seconds.
"""

import copy

from campaign import Options, Run, connect, make_database
from judge import Log

# Name, statements that plant the fault, functions to call, criterion that must find it.
PLANTS = [
    ('nothing is planted', 'SELECT 1', 'base_type', None),
    ('an internal error', """
        CREATE FUNCTION inventory.planted(quantity bigint) RETURNS int LANGUAGE plpgsql AS
        $$ BEGIN RAISE 'planted' USING ERRCODE = 'XX000'; END $$""", 'planted', 'internal'),
    ('an internal error in one call of twenty, in a transaction with a handler', """
        CREATE FUNCTION inventory.planted(quantity bigint) RETURNS int LANGUAGE plpgsql AS
        $$ BEGIN IF random() < 0.05 THEN RAISE 'planted' USING ERRCODE = 'XX001'; END IF;
           RETURN 1; END $$""",
     'planted', 'internal'),
    ('stock changed without the guard', """
        SET session_replication_role = replica;
        UPDATE f_int.items SET stock = stock + 1 WHERE id = 1""",
     'base_type', 'verify'),
    ('a movement deleted', """
        DELETE FROM f_uuid.movements
        WHERE movement_id = (SELECT min(movement_id) FROM f_uuid.movements)""",
     'base_type', 'verify'),
    ('a statement that does not end', """
        CREATE FUNCTION inventory.planted() RETURNS int LANGUAGE plpgsql AS
        $$ BEGIN LOOP PERFORM pg_sleep(0.01); END LOOP; END $$""", 'planted', 'slow'),
    ('a function with which any role may change stock', """
        CREATE FUNCTION inventory.planted(items regclass) RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER AS
        $$ BEGIN UPDATE f_int.items SET stock = stock + 1; END $$""", 'planted', 'trespass'),
    ('an engine function that does not look who calls', """
        CREATE FUNCTION inventory.planted(store_name text) RETURNS int
        LANGUAGE plpgsql SECURITY DEFINER AS
        $$ BEGIN RETURN f_int_stock.restock_item(2, 1); END $$""", 'planted', 'trespass'),
    ('a buyer who may restock', """
        SELECT inventory.grant_api('f_int.items', 'fuzz_buyer', 'operator')""", 'f_int_stock',
        'trespass'),
    ('a function that was not called often enough', """
        CREATE FUNCTION inventory.planted() RETURNS void LANGUAGE sql AS 'SELECT pg_sleep(4)';
        GRANT USAGE ON SCHEMA inventory TO PUBLIC""",
        'planted', 'reach'),
    ('a generated function that never succeeds',
     'ALTER TABLE f_int_stock.requests RENAME TO hidden',
     'f_int_stock.prune', 'reach'),
    ('a shop without items', 'DELETE FROM f_int.items', 'f_int_stock.prune', None),
    ('a crash', """
        CREATE FUNCTION inventory.planted() RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS
        $$ BEGIN COPY (SELECT) TO PROGRAM 'kill -SEGV $PPID'; END $$""", 'planted', 'crash'),
]

SECONDS = 3          # for each fault
LIMIT = 2            # of a statement, in seconds
# criteria that may also find a fault
ALSO = {'crash': {'lost', 'reach'}, 'trespass': {'verify', 'reach'}, 'slow': {'reach'},
        'reach': {'slow'}}


def judge_plant(arguments, what, statement, functions, expected):
    """Plant a fault and fuzz; what is wrong, or an empty text."""
    make_database('fuzz_selftest', 'fuzz_shops')
    db = connect('fuzz_selftest')
    db.cursor().execute(statement)
    db.close()
    chosen = copy.copy(arguments)
    chosen.functions, chosen.limit = functions, LIMIT if expected == 'slow' else 60
    run = Run(Options(chosen, 'fuzz_selftest'), Log(arguments.log), SECONDS, quiet=True)
    if expected == 'reach':
        run.patience = 1     # else the run goes on until the function was called often enough
    run.go()
    found = {kind for kind, findings in run.findings.items() if findings}
    if expected and expected not in found:
        return f'{expected} was not found, but {sorted(found)}'
    if found - {expected} - ALSO.get(expected, set()):
        return f'found {dict(run.findings)}'
    return ''


def run(arguments):
    """Run all faults; (passed, failed)."""
    make_database('fuzz_shops')
    failed = 0
    for plant in PLANTS:
        wrong = judge_plant(arguments, *plant)
        print(f"{'FAILED' if wrong else 'ok':8}{plant[0]}: {plant[3] or 'nothing'} is found",
              flush=True)
        if wrong:
            print('        ' + wrong[:2000])
            failed += 1
    return len(PLANTS) - failed, failed
