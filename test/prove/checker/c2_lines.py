"""C2 in the store that follows its orders: the headers and lines that clients were told of are
there, as they were asked for, once; those of a refused statement are not.

The stream has every version of a row, with the token of the operation that wrote it.  Calls of the
engine may write a row again and leave its token as it is, so that the first version is compared.
A line may be missing at the end only if an operation was to delete it.
"""

from .history import COMMITTED, FOLLOWS, GONE, ROWS, UNKNOWN

CALLS = {"follow_refund_order": "refund", "follow_exchange_order": "refund",
         "follow_restock_item": "restock"}


def header(row):
    return "header", row.id, row.user_id, row.status


def line(row):
    return "line", row.id, row.order_id, row.item_id, row.quantity


def first_version(change):
    return header(change.row) if change.table == "orders" else line(change.row)


def inserted(op):
    """The rows that an INSERT was asked for."""
    if op.op == "insert_header":
        return [("header", op.token, op.user, op.args["status"])]
    return [("line", f"{op.token}-{k}", op.args["row"], item, quantity)
            for k, (item, quantity) in enumerate(op.lines(), 1)]


def of_cart(following, op):
    """The rows of a cart: one header, and lines as the client was told."""
    found = [first_version(change) for change in following.written.get(op.token, ())
             if change.action == "INSERT"]
    ids = {line[2] for line in op.result or ()}
    lines = sorted((row[3], row[4]) for row in found if row[0] == "line")
    return [row[1] for row in found if row[0] == "header"] == [op.token] and \
        lines == sorted(op.lines()) and \
        (not op.took_effect() or ids == {row[1] for row in found if row[0] == "line"})


def has_value(op, change):
    """Does the row have what an UPDATE was asked for?"""
    row = change.row
    if change.table == "orders":
        return row.status == op.args["status"] if op.args["status"] else row.user_id == op.user
    column = op.args["column"]
    return column is None or getattr(row, column) == op.args["value"]


def insert(following, op, report):
    """INSERT, and carts: as a whole, or not at all."""
    rows = [change for change in following.written.get(op.token, ()) if change.action == "INSERT"]
    if not rows:
        if op.took_effect():
            report.add("C2", f"acknowledged, but no {rows_of(op)}", op)
        return
    found = [first_version(change) for change in rows]
    if op.op == "follow_buy_cart":
        good = of_cart(following, op)
    else:
        # a line that moves to another partition is inserted again, by another operation
        good = sorted(found) == sorted(inserted(op))
    if not good:
        report.add("C2", f"asked for {rows_of(op)}, there is {found}", op)


def rows_of(op):
    return "cart" if op.op == "follow_buy_cart" else inserted(op)


def update(following, op, report):
    """UPDATE: the first row with its token has the value, and no other row has the token."""
    rows = following.written.get(op.token, ())
    if op.took_effect() and op.result is not None and not rows:
        report.add("C2", f"acknowledged, but {op.args['row']} was not written", op)
    elif op.took_effect() and op.result is None and rows:
        report.add("C2", "was told that there is no such row, but there is "
                         f"{first_version(rows[0])}", op)
    if rows and (not has_value(op, rows[0]) or
                 {change.row.id for change in rows} != {op.args["row"]}):
        report.add("C2", f"asked for {op.args}, there is {first_version(rows[0])}", op)


def delete(following, op, report):
    """DELETE: the row is gone, and a commit deleted it."""
    table = "orders" if op.op == "delete_header" else "lines"
    final = following.tables.headers if table == "orders" else following.tables.lines
    row = op.args["row"]
    if not op.took_effect() or op.result is None:
        return
    if row in final:
        report.add("C2", f"acknowledged, but {row} is there", op)
    elif (table, row) not in following.deleted:
        report.add("C2", f"acknowledged, but no commit deletes {row}", op)


def call(following, op, report):
    """Calls of operators: movements with the token as their reason."""
    rows = [row for row in following.tables.movements_of.get(op.token, ())
            if row.kind == CALLS[op.op]]
    units = op.lines()[0][1] if op.op == "follow_restock_item" else op.args.get("units")
    found = sum(row.delta for row in rows)
    if op.took_effect() and (found != units if units is not None else found <= 0):
        report.add("C2", f"asked for {op.args}, {found} are booked", op)


def judge(following, intent, report):
    op = intent.first
    report.look(f"{intent.outcome()} rows")
    there = op.token in following.written or op.token in following.tables.movements_of
    if intent.outcome() == GONE:
        if there:
            report.add("C2", f"{op.state} {op.code or ''}, but its rows are there", op)
    elif op.op in ("insert_header", "insert_lines", "follow_buy_cart"):
        insert(following, op, report)
    elif op.op in ("update_header", "update_line"):
        update(following, op, report)
    elif op.op in ("delete_header", "delete_line"):
        delete(following, op, report)
    elif op.op in CALLS:
        call(following, op, report)


def headers_of(following):
    """All headers that each line ever had."""
    headers = {}
    for changes in following.written.values():
        for change in changes:
            if change.table == "lines":
                headers.setdefault(change.row.id, set()).add(change.row.order_id)
    return headers


def check_lost(following, report):
    """Rows that are gone, though no operation was to delete them."""
    asked = {(op.op, op.args["row"]) for op in following.operations
             if op.op in ("delete_header", "delete_line") and op.fate != GONE}
    for row, headers in headers_of(following).items():
        report.look("lines kept or deleted")
        if row not in following.tables.lines and ("delete_line", row) not in asked and \
                not any(("delete_header", header) in asked for header in headers):
            report.add("C2", f"line {row} is lost: no operation deletes it")
    for changes in following.written.values():
        for change in changes:
            if change.table == "orders" and change.row.id not in following.tables.headers and \
                    ("delete_header", change.row.id) not in asked:
                report.add("C2", f"header {change.row.id} is lost: no operation deletes it")


def check_unexplained(following, report):
    """Rows whose token no operation has that writes rows; lines of an exchange have none."""
    for token, changes in following.written.items():
        if token is None:
            continue
        intent = following.intents.get(token)
        if intent is None or intent.op not in ROWS | {"follow_buy_cart"}:
            report.add("C2", f"{first_version(changes[0])} of token {token}: no operation asked "
                             "for it")


def check(following, report):
    for intent in following.intents.values():
        if intent.op in FOLLOWS and intent.outcome() in (COMMITTED, GONE, UNKNOWN):
            judge(following, intent, report)
    check_lost(following, report)
    check_unexplained(following, report)
