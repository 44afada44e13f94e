"""Carts over three nodes that are cut: a server is killed while the cart is at one of its steps."""

import json
import threading
import time

import psycopg2

from servers import PATIENCE

STEPS = ("begin", "reserve", "sell", "decide", "confirm", "release", "end")
VICTIMS = ("router", "home", "other")
HOME, OTHER, THIRD = 0, 1, 2  # nodes, and the items 4, 1 and 2 are on them
AT_HOME = ("begin", "sell", "decide", "end")  # the steps of the home, which sells its lines in the transaction that decides
GATE = 4400

# A session that is at a step waits while another one holds the lock of that step.
GATES = """
CREATE FUNCTION scale.gate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(4400 + CASE
        WHEN TG_TABLE_NAME = 'orders' THEN 2
        WHEN TG_TABLE_NAME = 'carts' AND TG_OP = 'INSERT' THEN 0
        WHEN TG_TABLE_NAME = 'carts' THEN CASE to_jsonb(OLD) ->> 'state' WHEN 'open' THEN 3 ELSE 6 END
        WHEN TG_OP = 'INSERT' THEN 1
        WHEN current_query() NOT LIKE '%finish_part%' THEN 7  -- a rehearsal
        ELSE CASE to_jsonb(NEW) ->> 'status' WHEN 'confirmed' THEN 4 ELSE 5 END END);
    RETURN NEW;
END $$;
CREATE TRIGGER gate BEFORE INSERT OR UPDATE ON scale.carts FOR EACH ROW EXECUTE FUNCTION scale.gate();
CREATE TRIGGER gate BEFORE INSERT OR UPDATE ON ledger.reservations FOR EACH ROW EXECUTE FUNCTION scale.gate();
CREATE TRIGGER gate BEFORE INSERT ON shop.orders FOR EACH ROW EXECUTE FUNCTION scale.gate();
"""
DROP_GATES = "DROP FUNCTION scale.gate() CASCADE"


def buy(shop, call, lines):
    """Buy a cart through the router: ok, refused, or None if there was no answer."""
    cart = json.dumps([{"item_id": item, "quantity": quantity} for item, quantity in lines.items()])
    try:
        rows = shop.router.query("SELECT status FROM api.try_buy_cart('cut', %s, %s, %s)",
                                 (cart, call, json.dumps({"call": call})), user="buyer")
        return "ok" if all(status == "ok" for (status,) in rows) else "refused"
    except psycopg2.Error:
        return None


def at_home(shop, name):
    """A key for a cart whose home is node 0."""
    for number in range(1000):
        key = f"{name}-{number}"
        if shop.router.query("SELECT scale.route_of(api.cart_id('cut', %s)) & 3", (key,))[0][0] == HOME:
            return key
    raise RuntimeError("no key")


def wait_at_gate(node, caller):
    """Wait until a session is at the gate; false if the call has ended before."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if node.query("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")[0][0]:
            return True
        if not caller.is_alive():
            return False
        time.sleep(0.01)
    return False


def wait_for_other_parts(node):
    """Wait until no part is held on a node."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if not node.query("SELECT count(*) FROM ledger.reservations WHERE status = 'held'")[0][0]:
            return
        time.sleep(0.01)


def resolve(shop):
    """Call resolve once."""
    try:
        shop.router.query("SELECT scale.resolve('0')", user="operator")
    except psycopg2.Error:
        pass


def lines_of(step, victim):
    """A cart: one that is to be released is too large for the third node, and some have no line of their home."""
    lines = {1: 2, 2: 1_000_000 if step == "release" else 1}
    return lines if victim == "other" and step in ("begin", "decide", "confirm") else {4: 1, **lines}


def cut(shop, history, name, step, victim, how, retry=True):
    """Kill the victim while a cart is at the step, and finish.  Returns what went wrong."""
    call, lines = at_home(shop, name), lines_of(step, victim)
    gate = shop.nodes[HOME if step in AT_HOME else OTHER]
    dying = {"router": shop.router, "home": shop.nodes[HOME], "other": shop.nodes[OTHER]}[victim]
    answers = []
    history.note(call, lines, None)
    if step == "end":  # resolve takes it, after the call
        answers.append(buy(shop, call, lines))
    for node in shop.nodes:
        node.script(GATES)
    holder = gate.connect()
    holder.cursor().execute("SELECT pg_advisory_lock(%s)", (GATE + STEPS.index(step),))
    caller = threading.Thread(target=lambda: resolve(shop) if answers else answers.append(buy(shop, call, lines)), daemon=True)
    caller.start()
    reached = wait_at_gate(gate, caller)
    if step == "confirm":  # so that the cart is half sold
        wait_for_other_parts(shop.nodes[THIRD])
    dying.kill(how)
    holder.close()
    caller.join()
    if answers[0]:
        history.note(call, lines, answers[0])
    dying.start()
    wrong = [] if reached else [f"the cart did not come to the step {step}"]
    if not shop.resolve():
        wrong.append("resolve has not finished the cart")
    for node in shop.nodes:
        node.script(DROP_GATES)
    if retry:
        yield from wrong
        yield None  # the caller checks here that the cart is whole or absent
        answer = buy(shop, call, lines)
        history.note(call, lines, answer)
        if answer != ("refused" if step == "release" else "ok"):
            yield f"the call again, with the same key: {answer}"
        shop.resolve()
    else:
        yield from wrong
