#!/usr/bin/python3
"""Runs the queries of the collectors, and compares the dashboard with their metrics: examples/README.md.

With sql_exporter in PATH, it is run too, and what it returns is compared.
"""
import json
import os
import re
import shutil
import subprocess
import time
import urllib.request

import psycopg2
import yaml

COLLECTORS = ["inventory.collector.yml", "stock.collector.yml"]
METRIC_KEYS = {"metric_name", "type", "help", "key_labels", "value_label", "values", "query", "query_ref"}
NUMBERS = {20, 23, 700, 701, 1700}     # bigint, integer, real, double precision, numeric
SHOP = """
CREATE EXTENSION inventory;
CREATE TABLE mugs (id bigint PRIMARY KEY, stock integer, purchase_limit integer);
CREATE TABLE mug_orders (id bigserial PRIMARY KEY, user_id text, item_id bigint, quantity integer);
CREATE SCHEMA shop;
CREATE TABLE shop.books (id bigint PRIMARY KEY, stock integer);
CREATE TABLE shop.book_lines (id bigserial PRIMARY KEY, item_id bigint REFERENCES shop.books, quantity integer);
INSERT INTO mugs VALUES (1, 100, NULL), (2, 1, NULL), (3, 5, 1), (4, NULL, NULL), (5, -2, NULL);
INSERT INTO shop.books VALUES (1, 10);
SELECT inventory.attach('mugs', 'mug_orders');
SELECT inventory.attach('shop.books', 'shop.book_lines', order_writes => 'follow');
"""
SALES = [
    "SELECT inventory.heat('mugs', 1)",
    "SELECT buy_item('ann', 1, 2, 'click-1')",
    "SELECT buy_item('ann', 1, 2, 'click-1')",
    "SELECT buy_item('ann', 2)",
    "SELECT buy_item('bob', 2)",
    "SELECT buy_item('bob', 99)",
    "SELECT buy_item('bob', 3, 2)",
    "SELECT reserve_stock('cleo', 1, 3)",
    "SELECT reserve_stock('cleo', 3, 1, ttl => '1 millisecond')",
    "INSERT INTO shop.book_lines (item_id, quantity) VALUES (1, 4)",
    "UPDATE mugs SET stock = stock + 1 WHERE id = 3",
]
# what these sales make: metric, labels, value
EXPECTED = [
    ("inventory_calls_total", {"store": "public.mugs", "operation": "buy_item"}, 6),
    ("inventory_units_total", {"store": "public.mugs", "operation": "buy_item"}, 3),
    ("inventory_units_total", {"store": "public.mugs", "operation": "reserve_stock"}, 4),
    ("inventory_refusals_total", {"store": "public.mugs", "operation": "buy_item", "reason": "out_of_stock"}, 1),
    ("inventory_refusals_total", {"store": "public.mugs", "operation": "buy_item", "reason": "item_not_found"}, 1),
    ("inventory_refusals_total",
     {"store": "public.mugs", "operation": "buy_item", "reason": "purchase_limit_exceeded"}, 1),
    ("inventory_contention_total", {"store": "public.mugs", "operation": "buy_item", "event": "replays"}, 1),
    ("inventory_calls_total", {"store": "public.mugs", "operation": "direct_write"}, 1),
    ("inventory_calls_total", {"store": "shop.books", "operation": "follow"}, 1),
    ("inventory_units_total", {"store": "shop.books", "operation": "follow"}, 4),
    ("inventory_hot_items", {"store": "public.mugs"}, 1),
    ("inventory_hot_items", {"store": "shop.books"}, 0),
    ("inventory_hot_unwritable_items", {"store": "public.mugs"}, 0),
    ("inventory_items", {"store": "public.mugs", "stock": "below_zero"}, 1),
    ("inventory_items", {"store": "public.mugs", "stock": "sold_out"}, 1),
    ("inventory_items", {"store": "public.mugs", "stock": "untracked"}, 1),
    ("inventory_items", {"store": "public.mugs", "stock": "enough"}, 2),
    ("inventory_items", {"store": "shop.books", "stock": "enough"}, 1),
    ("inventory_stock_units", {"store": "public.mugs", "kind": "reserved"}, 3),
    ("inventory_stock_units", {"store": "shop.books", "kind": "available"}, 6),
]
results = []


def ok(passed, name, problems=()):
    """Writes a line of TAP."""
    results.append(bool(passed))
    print(f"{'ok' if passed else 'not ok'} {len(results)} - {name}", flush=True)
    for problem in () if passed else problems:
        print(f"# {problem}")


def sell(connection):
    """Sales and refusals, each in a transaction of its own."""
    with connection.cursor() as cursor:
        for statement in SALES:
            try:
                cursor.execute(statement)
            except psycopg2.Error as error:
                assert (error.pgcode or "").startswith("IV"), f"{statement}: {error}"


def load(file):
    """A collector whose keys and references are those that sql_exporter knows, and its metrics."""
    with open(file, encoding="utf-8") as text:
        collector = yaml.safe_load(text)
    assert set(collector) <= {"collector_name", "min_interval", "queries", "metrics"}, collector.keys()
    queries = {query["query_name"]: query["query"] for query in collector.get("queries", [])}
    assert set(queries) <= {metric.get("query_ref") for metric in collector["metrics"]}, "a query without a metric"
    for metric in collector["metrics"]:
        assert set(metric) <= METRIC_KEYS, metric
        assert metric["type"] in ("counter", "gauge") and metric["help"], metric
        assert ("query" in metric) != ("query_ref" in metric), metric
        assert metric["values"] and (len(metric["values"]) == 1 or "value_label" in metric), metric
        metric["sql"] = metric.get("query") or queries[metric["query_ref"]]
    return collector


def samples(cursor, metric):
    """What a metric becomes: (labels, value) for each row and value that is not null."""
    cursor.execute(metric["sql"])
    types = {column.name: column.type_code for column in cursor.description}
    names = [column.name for column in cursor.description]
    labels = metric.get("key_labels", [])
    assert set(labels + metric["values"]) <= set(names), f"{metric['metric_name']}: columns are {names}"
    for value in metric["values"]:
        assert types[value] in NUMBERS, f"{metric['metric_name']}: {value} is not a number"
    made = []
    for row in cursor.fetchall():
        row = dict(zip(names, row))
        for value in metric["values"]:
            if row[value] is not None:
                key = {label: str(row[label]) for label in labels}
                if "value_label" in metric:
                    key[metric["value_label"]] = value
                made.append((key, float(row[value])))
    keys = [tuple(sorted(key.items())) for key, _ in made]
    assert len(keys) == len(set(keys)), f"{metric['metric_name']}: two values for the same labels"
    return made


def check_collectors(collectors, made):
    """As the role of the exporter: every query runs, and each metric has its columns."""
    for collector in collectors:
        problems = []
        with psycopg2.connect("user=exporter") as connection, connection.cursor() as cursor:
            for metric in collector["metrics"]:
                try:
                    made[metric["metric_name"]] = samples(cursor, metric)
                except (AssertionError, psycopg2.Error) as error:
                    connection.rollback()
                    problems.append(f"{metric['metric_name']}: {error}")
        ok(not problems, f"{collector['collector_name']}: every query runs and has the columns of its metrics", problems)


def missing(made):
    """The expected samples that are not there."""
    return [f"{name} {labels} = {value}, found {[m for m in made.get(name, []) if m[0] == labels]}"
            for name, labels, value in EXPECTED if (labels, float(value)) not in made.get(name, [])]


def check_dashboard(collectors):
    """The expressions of the panels name metrics, and labels of them, that the collectors make."""
    known = {metric["metric_name"]: set(metric.get("key_labels", [])) | {metric.get("value_label")}
             for collector in collectors for metric in collector["metrics"]}
    with open("dashboard.json", encoding="utf-8") as text:
        dashboard = json.load(text)
    expressions = [(panel["title"], target["expr"]) for panel in dashboard["panels"] for target in panel["targets"]]
    expressions += [(v["name"], re.sub(r"label_values\((\w+), (\w+)\)", r"sum by (\2) (\1)", v["definition"]))
                    for v in dashboard["templating"]["list"] if "definition" in v]
    problems, used = [], set()
    for title, expression in expressions:
        names = re.findall(r"\binventory_\w+", expression)
        used.update(names)
        problems += [f"{title}: no metric {name}" for name in names if name not in known]
        labels = [label for group in re.findall(r"by \(([^)]*)\)", expression) for label in group.split(", ")]
        labels += re.findall(r"(\w+)=~?\"", expression)
        problems += [f"{title}: no label {label}" for label in labels
                     for name in names if label not in known.get(name, set())]
        if not names or expression.count("(") != expression.count(")"):
            problems.append(f"{title}: {expression}")
    ok(not problems, "each panel names metrics and labels that the collectors make", problems)
    ok(set(known) == used, "each metric is in a panel", sorted(set(known) - used))


def check_rights():
    """Stores whose view the role may not read are left out, and are no error."""
    with psycopg2.connect("user=exporter") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT store FROM inventory_metrics.stock(5)")
        ok(cursor.fetchall() == [], "stock of stores whose view was not granted is left out")


def scrape():
    """The samples of sql_exporter itself."""
    port = 19399
    with open("sql_exporter.yml", encoding="utf-8") as text:
        configuration = yaml.safe_load(text)
    configuration["target"]["data_source_name"] = (
        f"postgres://exporter:{os.environ['PGPASSWORD']}@{os.environ['PGHOST']}:{os.environ['PGPORT']}"
        f"/{os.environ['PGDATABASE']}?sslmode=disable")
    configuration["collector_files"] = [os.path.abspath(file) for file in COLLECTORS]
    file = os.path.join(os.environ["TMPDIR"], "sql_exporter.yml")
    with open(file, "w", encoding="utf-8") as text:
        yaml.safe_dump(configuration, text)
    log = open(os.path.join(os.environ["TMPDIR"], "sql_exporter.log"), "w", encoding="utf-8")
    with subprocess.Popen(["sql_exporter", "-config.file", file, "-web.listen-address", f"127.0.0.1:{port}"],
                          stdout=log, stderr=log) as exporter:
        try:
            for _ in range(100):
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                        return answer.read().decode()
                except OSError:
                    time.sleep(0.1)
            return ""
        finally:
            exporter.terminate()


def check_exporter(expected):
    """What sql_exporter itself makes of the collectors."""
    name = "sql_exporter returns the same"
    if not shutil.which("sql_exporter"):
        ok(True, f"{name} # SKIP sql_exporter is not installed")
        return
    made = {}
    for metric, labels, value in re.findall(r"^(inventory_\w+)(?:\{(.*)\})? (\S+)$", scrape(), re.M):
        made.setdefault(metric, []).append((dict(re.findall(r'(\w+)="([^"]*)"', labels)), float(value)))
    problems = missing(made)
    problems += [f"{metric} is missing" for metric in expected if expected[metric] and metric not in made]
    ok(not problems, name, problems)


def main():
    owner = psycopg2.connect("")
    owner.autocommit = True
    with owner.cursor() as cursor:
        cursor.execute(SHOP)
        for file in ("role.sql", "stock.sql"):
            with open(file, encoding="utf-8") as text:
                cursor.execute(text.read())
        cursor.execute("ALTER ROLE exporter PASSWORD %s", (os.environ["PGPASSWORD"],))
        sell(owner)
        collectors = [load(file) for file in COLLECTORS]
        with open("sql_exporter.yml", encoding="utf-8") as text:
            named = yaml.safe_load(text)["target"]["collectors"]
        ok(named == [collector["collector_name"] for collector in collectors],
           "the collectors load, and are those of the configuration", named)
        made = {}
        check_collectors(collectors[:1], made)       # pg_monitor is all that it needs
        check_rights()
        for store in ("mugs", "books"):
            cursor.execute(f"GRANT USAGE ON SCHEMA {store}_stock TO exporter; "
                           f"GRANT SELECT ON {store}_stock.levels TO exporter")
        check_collectors(collectors[1:], made)
        problems = missing(made)
        ok(not problems, "sales, refusals, hot items and stock of two stores are what was done", problems)
        states = made.get("inventory_worker_state", [])
        ok(sum(value for _, value in states) == 1, "the worker is in one of the states", states)
        check_dashboard(collectors)
        check_exporter(made)
        cursor.execute("SELECT inventory.cool('mugs', 1)")
    owner.close()
    print(f"1..{len(results)}")
    raise SystemExit(not all(results))


main()
