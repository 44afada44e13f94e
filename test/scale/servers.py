"""Five servers on this machine: a router and four nodes, each an ordinary store of inventory."""

import os
import signal
import subprocess
import time

import psycopg2

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NODES = 4
ITEMS = 32  # on the nodes in turn: an integer is its own route
STOCK = 100_000
PATIENCE = 60  # seconds

servers = []  # all that were made

SHOP = """
CREATE EXTENSION inventory;
CREATE ROLE inventory_router LOGIN;
CREATE ROLE shop_owner;
GRANT CREATE ON DATABASE shop TO shop_owner;
SET ROLE shop_owner;
CREATE SCHEMA shop;
CREATE SCHEMA api;
CREATE TABLE shop.items (id bigint PRIMARY KEY, stock integer NOT NULL);
CREATE TABLE shop.orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id text NOT NULL,
    item_id bigint NOT NULL, quantity integer NOT NULL, call text);
INSERT INTO shop.items SELECT i, {stock} FROM generate_series(1, {items}) AS i WHERE i & 3 = {number};
SELECT inventory.attach('shop.items', 'shop.orders', order_columns => '{{call}}',
    ledger_schema => 'ledger', api_schema => 'api');
"""


def run(*command, text=None):
    """Run a program; return its output."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]}: {done.stderr.strip()}")
    return done.stdout


def children(parent):
    """The processes that a process has started."""
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{process}/stat", encoding="utf-8", errors="replace") as file:
                if int(file.read().rpartition(")")[2].split()[1]) == parent:
                    yield int(process)
        except (FileNotFoundError, ProcessLookupError):
            pass


class Server:
    """One server with the database `shop`."""

    def __init__(self, name, settings=()):
        self.name = name
        self.program = None  # what pg_ctl starts, if it is not postgres itself
        self.directory = os.path.join(os.environ["WORK"], name)
        self.data = os.path.join(self.directory, "data")
        self.dsn = f"host={self.directory} dbname=shop"
        os.mkdir(self.directory)
        servers.append(self)
        run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        with open(os.path.join(self.data, "postgresql.conf"), "a", encoding="utf-8") as file:
            file.write("\n".join(["listen_addresses = ''", f"unix_socket_directories = '{self.directory}'",
                                  "shared_preload_libraries = 'inventory'", "max_connections = 100",
                                  "shared_buffers = 32MB", *settings]) + "\n")
        self.start()
        self.query("CREATE DATABASE shop", database="postgres")

    def start(self):
        """Start it; after a kill the remains of the old one may have to end first."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                program = ["-t", "180", "-p", self.program] if self.program else []
                subprocess.run(["pg_ctl", "-w", "-D", self.data, "-l", os.path.join(self.directory, "log"), *program, "start"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
                return
            except subprocess.CalledProcessError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)

    def kill(self, how):
        """End it at once: kill -9 of all its processes, or the immediate mode."""
        if how == "kill -9":
            with open(os.path.join(self.data, "postmaster.pid"), encoding="utf-8") as file:
                postmaster = int(file.readline())
            # a session that lives on could end what it does
            for process in [postmaster, *children(postmaster)]:
                try:
                    os.kill(process, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        else:
            run("pg_ctl", "-w", "-D", self.data, "-m", "immediate", "stop")

    def stop(self):
        """End it in order."""
        run("pg_ctl", "-w", "-t", "180", "-D", self.data, "-m", "fast", "stop")

    def connect(self, user="postgres", database="shop"):
        """A session that commits each statement."""
        session = psycopg2.connect(f"host={self.directory} dbname={database} user={user} connect_timeout={60 if self.program else 10}")
        session.autocommit = True
        return session

    def query(self, text, arguments=None, user="postgres", database="shop"):
        """Run statements in a session of their own; return the rows of the last."""
        session = self.connect(user, database)
        try:
            with session.cursor() as cursor:
                cursor.execute(text, arguments)
                return cursor.fetchall() if cursor.description else []
        finally:
            session.close()

    def script(self, text, database="shop"):
        """Run statements through psql."""
        run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", f"host={self.directory} dbname={database}", text=text)


def stop_all():
    """End those that are left, at once, whatever they do."""
    for server in servers:
        subprocess.run(["pg_ctl", "-w", "-D", server.data, "-m", "immediate", "stop"],
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


class Shop:
    """The router and its nodes."""

    def __init__(self, settings=()):
        self.nodes = [Server(f"node{number}", settings) for number in range(NODES)]
        self.router = Server("router", settings)
        for number, node in enumerate(self.nodes):
            node.script(SHOP.format(number=number, stock=STOCK, items=ITEMS))
            run("psql", "-X", "-q", "-U", "postgres", "-d", node.dsn, "-v", "items=shop.items",
                "-f", os.path.join(ROOT, "scale", "plproxy", "node.sql"))
        self.router.script("CREATE ROLE buyer LOGIN; CREATE ROLE operator LOGIN;")
        self.make_router("shop")

    def make_router(self, database, *options):
        """Make a database of the router's server a router."""
        self.router.script(run("env", "PGUSER=postgres", os.path.join(ROOT, "scale", "plproxy", "router"), "--buyer", "buyer",
                               "--operator", "operator", *options, *(node.dsn for node in self.nodes)), database)

    @property
    def servers(self):
        """All five."""
        return [self.router, *self.nodes]

    def resolve(self, open_for="0"):
        """Finish carts until nothing is left; false if something is left after a while."""
        until = time.monotonic() + PATIENCE
        quiet = 0
        while quiet < 2:
            if time.monotonic() > until:
                return False
            finished, left, unreachable = self.router.query(
                "SELECT finished, left_over, unreachable FROM scale.resolve(%s)", (open_for,), user="operator")[0]
            # a call that its router has left may still arrive: then the next look finds it
            quiet = 0 if finished or left or unreachable else quiet + 1
            if left or unreachable:
                time.sleep(0.2)
        return True
