"""The throwaway cluster: statements through psql, settings, the client, Redis.

tools/bench has started it and describes it in the environment (PGHOST, PATH, WORK).
"""

import hashlib
import json
import os
import re
import socket
import subprocess
import time

DATABASE = "bench"
OWNER = "shop"
DELAY_US = 2000  # as on a cloud disk, or with a synchronous standby
LATENCIES = ("own", "2ms")

# Waits until the sessions of the last measurement have ended and reported their statistics.
SETTLE = """
DO $$ BEGIN
    WHILE EXISTS (SELECT FROM pg_stat_activity
                  WHERE datname = current_database() AND backend_type = 'client backend'
                  AND pid <> pg_backend_pid()) LOOP
        PERFORM pg_sleep(0.005);
        PERFORM pg_stat_clear_snapshot();
    END LOOP;
END $$;
"""


class BenchError(Exception):
    """An error that is shown to the user without a traceback."""


def sql(text, user="postgres", path=None, database=DATABASE, **variables):
    """Run statements; return the rows of their results, as lists of strings."""
    command = ["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1",
               "-U", user, "-d", database]
    for name, value in variables.items():
        command += ["-v", f"{name}={value}"]
    options = "-c client_min_messages=warning"
    if path:
        options += f" -c search_path={path}"
    run = subprocess.run(command, input=text, capture_output=True, text=True, check=False,
                         env={**os.environ, "PGOPTIONS": options})
    if run.returncode != 0:
        raise BenchError(run.stderr.strip())
    return [line.split("\t") for line in run.stdout.splitlines()]


def value(text, **rest):
    """The first column of the first row."""
    return sql(text, **rest)[0][0]


def create_database():
    """An empty database with the extension, and the role that owns the shops."""
    sql(f"CREATE ROLE {OWNER} LOGIN; GRANT pg_read_all_stats TO {OWNER};", database="postgres")
    sql(f"CREATE DATABASE {DATABASE} OWNER {OWNER}", database="postgres")
    sql("CREATE EXTENSION inventory")


def configure(**settings):
    """Change settings of the server, for later sessions; a__b is a.b."""
    loaded = value("SELECT pg_conf_load_time()")
    sql("".join(f"ALTER SYSTEM SET {name.replace('__', '.')} = '{setting}';\n"
                for name, setting in settings.items()) + "SELECT pg_reload_conf();")
    while value(f"SELECT pg_conf_load_time() > '{loaded}'") == "f":
        pass


def set_latency(latency):
    """Set the commit latency: the machine's own, or 2 ms more."""
    configure(commit_delay=DELAY_US if latency == "2ms" else 0, commit_siblings=0)


def data_directory():
    """The data directory that tools/bench created."""
    return os.path.join(os.environ["WORK"], "data")


def control(*words):
    """pg_ctl: stop, start, restart."""
    command = ["pg_ctl", "-w", "-D", data_directory(), *words]
    if words[0] != "stop":
        command += ["-l", os.path.join(os.environ["WORK"], "server.log")]
    run = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
    if run.returncode != 0:
        raise BenchError("pg_ctl " + " ".join(words) + " failed")


def conninfo(schema, settings):
    """How the client connects: as the owner, in the schema, with these settings."""
    options = " ".join(f"-c {name}={setting}" for name, setting
                       in {"search_path": schema, **settings}.items())
    return f"dbname={DATABASE} user={OWNER} application_name=bench options='{options}'"


class Client:
    """A running client program with its concurrent buyers."""

    def __init__(self, schema, settings, steps, arguments):
        self.script = os.path.join(os.environ["WORK"], f"steps.{schema}")
        with open(self.script, "w", encoding="utf-8") as file:
            file.write("\n".join(steps) + "\n")
        command = [os.environ["BENCH_CLIENT"], "-d", conninfo(schema, settings), "-f", self.script]
        if os.environ.get("BENCH_REDIS"):
            command += ["-R", os.environ["BENCH_REDIS"]]
        for option, argument in arguments.items():
            command += [f"-{option}", str(argument)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True)

    def wait(self):
        """Wait for its end; return its counts."""
        try:
            out, err = self.process.communicate()
        finally:
            self.process.kill()
        if self.process.returncode != 0:
            raise BenchError(err.strip())
        return json.loads(out)


# ---------------------------------------------------------------- Redis

def redis_script(name):
    """The text of a Redis script of bench/peers."""
    with open(os.path.join(os.path.dirname(__file__), "peers", name + ".lua"), "rb") as file:
        return file.read()


def redis_sha(name):
    """The SHA-1 by which EVALSHA names a script."""
    return hashlib.sha1(redis_script(name)).hexdigest()


class Redis:
    """A connection, for commands whose answers are a line or an array of bulk strings."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(os.environ["BENCH_REDIS"])
        self.file = self.socket.makefile("rb")

    def close(self):
        """Close the connection."""
        self.file.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def call(self, *words):
        """Send one command and read its answer."""
        words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        self.socket.sendall(b"*%d\r\n" % len(words)
                            + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words))
        return self.answer()

    def answer(self):
        """One answer: a number, a string or a list."""
        line = self.file.readline().rstrip()
        kind, rest = line[:1], line[1:]
        if kind == b"*":
            return [self.answer() for _ in range(int(rest))]
        if kind == b"$":
            return self.file.read(int(rest) + 2)[:-2]
        if kind == b"-":
            raise BenchError("Redis: " + rest.decode())
        return int(rest) if kind == b":" else rest

    def fill(self, items, stock):
        """Replace all data by this number of items, with this stock each."""
        self.call("FLUSHALL")
        self.call("SCRIPT", "LOAD", redis_script("redis_take"))
        for first in range(1, items + 1, 1000):
            pairs = ([item, stock] for item in range(first, min(first + 1000, items + 1)))
            self.call("MSET", *(word for pair in pairs for word in pair))

    def stock(self, items):
        """The total stock of all items."""
        total = 0
        for first in range(1, items + 1, 1000):
            keys = range(first, min(first + 1000, items + 1))
            total += sum(int(number) for number in self.call("MGET", *keys))
        return total


# ---------------------------------------------------------------- the machine

def first_match(pattern, path):
    """The first group of the pattern's match in a file, or None."""
    try:
        with open(path, encoding="utf-8") as file:
            found = re.search(pattern, file.read(), re.M)
    except OSError:
        return None
    return found.group(1).strip() if found else None


def commit_ms(commits=200):
    """The time that the machine takes for a small transaction, in milliseconds."""
    sql("CREATE TABLE commit_probe (n int)")
    begin = time.monotonic()
    sql("INSERT INTO commit_probe VALUES (1);\n" * commits)
    elapsed = time.monotonic() - begin
    sql("DROP TABLE commit_probe")
    return elapsed * 1000 / commits


def wait_for_disk(longest=60):
    """Wait until a load's dirty data is written and commits are fast again."""
    deadline = time.monotonic() + longest
    while commit_ms(20) > 20 and time.monotonic() < deadline:
        pass


def describe_machine():
    """The properties of the machine that results depend on, for the head of the report."""
    memory = first_match(r"^MemTotal: *(\d+)", "/proc/meminfo")
    return {
        "processor": first_match(r"^model name[^:]*:(.*)", "/proc/cpuinfo") or os.uname().machine,
        "cores": str(os.cpu_count()),
        "memory": f"{int(memory) / 1048576:.0f} GB" if memory else "?",
        "system": first_match(r'^PRETTY_NAME="?([^"\n]*)', "/etc/os-release") or os.uname().sysname,
        "kernel": ".".join(os.uname().release.split(".")[:2]),
        "server": value("SELECT 'PostgreSQL ' || current_setting('server_version')"),
        "commit": f"{commit_ms():.1f} ms",
        "load": f"{os.getloadavg()[0]:.1f}",
    }
