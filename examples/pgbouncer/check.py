#!/usr/bin/python3
"""Fifty clients buy over five server connections, in transaction mode: README.md."""
import configparser
import os
import re
import socket
import subprocess
import threading
import time

import psycopg

PASSWORD = os.environ["PGPASSWORD"]
TMPDIR = os.environ["TMPDIR"]
CLIENTS, SERVERS, UNITS = 50, 5, 10
BUY = "SELECT buy_item(%s, %s, 1, %s)"
results = []


def ok(passed, name, found=None):
    """Writes a line of TAP."""
    results.append(bool(passed))
    print(f"{'ok' if passed else 'not ok'} {len(results)} - {name}", flush=True)
    if not passed:
        print(f"# found: {found}")


def free_port():
    """A port for PgBouncer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def version():
    """The version of PgBouncer, as a pair of numbers."""
    text = subprocess.run(["pgbouncer", "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(map(int, re.search(r"PgBouncer (\d+)\.(\d+)", text).groups()))


class Pooler:
    """PgBouncer, with the configuration of this example and the addresses of this server."""

    def __init__(self):
        self.port = free_port()
        ini = configparser.ConfigParser(comment_prefixes=";")
        ini.read("pgbouncer.ini")
        ini["databases"]["shop"] = (f"host={os.environ['PGHOST']} port={os.environ['PGPORT']} "
                                    f"dbname={os.environ['PGDATABASE']}")
        ini["pgbouncer"].update({"listen_port": str(self.port), "auth_file": f"{TMPDIR}/userlist.txt",
                                 "unix_socket_dir": "", "default_pool_size": str(SERVERS)})
        if (1, 21) <= version() < (1, 24):       # from then on it is the default
            ini["pgbouncer"]["max_prepared_statements"] = "200"
        with open(f"{TMPDIR}/pgbouncer.ini", "w", encoding="utf-8") as file:
            ini.write(file)
        with open(f"{TMPDIR}/userlist.txt", "w", encoding="utf-8") as file:
            file.write("".join(f'"{user}" "{PASSWORD}"\n' for user in ("shop", "shop_admin")))

    def __enter__(self):
        with open(f"{TMPDIR}/pgbouncer.log", "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(["pgbouncer", f"{TMPDIR}/pgbouncer.ini"], stdout=log, stderr=log)
        for _ in range(100):
            try:
                self.connect().close()
                return self
            except psycopg.OperationalError:
                time.sleep(0.1)
        raise SystemExit("PgBouncer does not answer")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def connect(self, database="shop", user="shop", prepare_threshold=None, **more):
        """A client.  Before PgBouncer 1.21, prepare_threshold must be None."""
        return psycopg.connect(host="127.0.0.1", port=self.port, dbname=database, user=user, password=PASSWORD,
                               autocommit=True, prepare_threshold=prepare_threshold, **more)


def attempt(connection, *arguments):
    """An order id, or the SQLSTATE of a refusal."""
    try:
        return connection.execute(BUY, arguments).fetchone()[0]
    except psycopg.Error as error:
        return error.sqlstate


def race(pooler, item):
    """Each client buys a unit, all at the same moment."""
    answers, start = [], threading.Barrier(CLIENTS)

    def buyer(number):
        with pooler.connect() as connection:
            start.wait()
            answers.append(attempt(connection, f"buyer {number}", item, f"click {item}/{number}"))

    threads = [threading.Thread(target=buyer, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def check_races(pooler, admin):
    """Exactly the stock is sold, of a cold and of a hot item."""
    admin.execute("SELECT inventory.heat('tickets', 2)")
    for item, kind in ((1, "an item"), (2, "a hot item")):
        answers = race(pooler, item)
        sold = [answer for answer in answers if isinstance(answer, int)]
        ok(len(sold) == UNITS and answers.count("PT409") == CLIENTS - UNITS,
           f"{CLIENTS} clients buy {UNITS} units of {kind}: {UNITS} orders, {CLIENTS - UNITS} times PT409", answers)
    used = admin.execute("SELECT count(*) FROM pg_stat_activity WHERE usename = 'shop'").fetchone()[0]
    ok(used <= SERVERS, f"over {SERVERS} server connections", used)


def check_settings(pooler, admin):
    """Which settings reach whom."""
    with pooler.connect() as one, pooler.connect() as other:
        try:
            with one.transaction():
                one.execute("SET LOCAL inventory.http_errors = off")
                outside = attempt(other, "late", 1, None)
                one.execute(BUY, ("late", 1, None))
        except psycopg.Error as error:
            inside = error.sqlstate
        after = attempt(one, "late", 1, None)
        ok((inside, outside, after) == ("IV001", "PT409", "PT409"),
           "SET LOCAL is for its transaction, and for no other client", (inside, outside, after))
        admin.execute("ALTER ROLE shop SET inventory.http_errors = off")
        before = attempt(one, "late", 1, None)
        with pooler.connect("pgbouncer", "shop_admin") as console:
            console.execute("RECONNECT shop")
        after = attempt(one, "late", 1, None)
        ok((before, after) == ("PT409", "IV001"), "ALTER ROLE SET reaches clients after RECONNECT", (before, after))
    try:
        pooler.connect(options="-c inventory.http_errors=on").close()
        ok(False, "settings in the options of a connection are refused", "connected")
    except psycopg.OperationalError as error:
        ok("options" in str(error), "settings in the options of a connection are refused", error)


def check_calls(pooler):
    """What spans several transactions, each over the server connection that is free."""
    with pooler.connect() as one, pooler.connect() as other:
        hold = one.execute("SELECT reserve_stock('ann', 3, 2)").fetchone()[0]
        order = attempt(one, "ann", 3, "click")
        with one.transaction():          # keeps the server connection that was used
            one.execute("SELECT available_stock(3)")
            again = attempt(other, "ann", 3, "click")
            lines = other.execute("SELECT * FROM confirm_reservation(%s, 'ann')", (hold,)).fetchall()
        ok(isinstance(order, int) and again == order, "a retry with its key over another connection is the same order",
           (order, again))
        ok(len(lines) >= 1, "a hold is confirmed over another connection", lines)


def check_prepared(pooler):
    """A statement that was prepared over one server connection, executed over another."""
    works = version() >= (1, 21)
    with pooler.connect(prepare_threshold=0) as one, pooler.connect() as other:
        attempt(one, "bob", 3, "prepared")
        with other.transaction():        # takes the server connection on which it was prepared
            other.execute("SELECT 1")
            found = attempt(one, "bob", 3, "prepared")
        ok(isinstance(found, int) if works else found == "26000",
           "PgBouncer 1.21 and newer knows prepared statements" if works
           else "PgBouncer before 1.21 does not know prepared statements", found)


def main():
    with psycopg.connect("", autocommit=True) as admin:
        with open("shop.sql", encoding="utf-8") as file:
            admin.execute(file.read())
        admin.execute("INSERT INTO tickets VALUES (1, %s), (2, %s), (3, 100)" % (UNITS, UNITS))
        admin.execute(psycopg.sql.SQL("ALTER ROLE shop PASSWORD {}").format(PASSWORD))
        with Pooler() as pooler:
            check_races(pooler, admin)
            check_calls(pooler)
            check_prepared(pooler)
            check_settings(pooler, admin)
        ok(admin.execute("SELECT * FROM inventory.verify('tickets')").fetchall() == [], "stock, ledger and orders agree")
    print(f"1..{len(results)}")
    raise SystemExit(not all(results))


main()
