"""C8: the ledger of the store that follows its orders is equal to what its lines are worth.

After each commit, and at the end, per line and item: the units sold and not cancelled are the
worth of an open line, and none of an item that it has no longer; they belong to the user of its
header; refunds are between nothing and what is sold.  What falls on a final line gives nothing
back, and what rises is sold.  A deleted line has nothing left, unless it was final.

    worth   quantity - cancelled of a line under a header that is neither cart nor cancelled
    final   under a header that is shipped

A commit can change a line several times, and only the states between tell what was final when.
Whether they were looked at one by one or at once, at the end, depends on follow_at; where that
makes a difference, both results are right.
"""

from .following import HEADER, LINE

SOLD, CANCELLED, REFUNDED = 0, 1, 2
PLACE_OF = {"sale": (SOLD, -1), "cancellation": (CANCELLED, 1), "refund": (REFUNDED, 1)}


def worth_of(line, header):
    if header is None or header.status in ("cart", "cancelled"):
        return 0
    return max(0, line.quantity - line.cancelled)


def is_final(header):
    return header is not None and header.status == "shipped"


class Ledger:
    """What is booked of each line: sold, cancelled and refunded by item, and who has it."""

    def __init__(self):
        self.parts = {}     # line: {item: [sold, cancelled, refunded]}
        self.users = {}     # line: {(item, user): units that are neither cancelled nor refunded}

    def book(self, row):
        if row.kind not in PLACE_OF or row.order_id is None:
            return
        place, sign = PLACE_OF[row.kind]
        parts = self.parts.setdefault(row.order_id, {})
        parts.setdefault(row.item_id, [0, 0, 0])[place] += sign * row.delta
        users = self.users.setdefault(row.order_id, {})
        key = row.item_id, row.user_id
        users[key] = users.get(key, 0) - row.delta

    def booked(self, line):
        """Units sold and not cancelled: {item: units}."""
        return {item: sold - cancelled
                for item, (sold, cancelled, _) in self.parts.get(line, {}).items()}

    def check_refunds(self, line, say):
        for item, (sold, cancelled, refunded) in self.parts.get(line, {}).items():
            if not 0 <= refunded <= sold - cancelled:
                say(f"of {sold} of item {item} sold and {cancelled} cancelled, {refunded} are "
                    "refunded")

    def check_open(self, line, header, say):
        """A line that is not final."""
        booked, worth = self.booked(line.id), worth_of(line, header)
        for item in booked.keys() | {line.item_id}:
            expected = worth if item == line.item_id else 0
            if booked.get(item, 0) != expected:
                say(f"is worth {expected} of item {item}, booked are {booked.get(item, 0)}")
        for (item, user), units in self.users.get(line.id, {}).items():
            if units != 0 and user != header.user_id:
                say(f"is of {header.user_id}, but {units} of item {item} are booked for {user}")

    def check_final(self, line, header, say):
        """At least what a final line is worth, unless it had another item before."""
        booked, worth = self.booked(line.id), worth_of(line, header)
        others = any(units for item, units in booked.items() if item != line.item_id)
        if booked.get(line.item_id, 0) < worth and not others:
            say(f"is final and worth {worth} of item {line.item_id}, booked are "
                f"{booked.get(line.item_id, 0)}")


class State:
    """The state of a line while a commit writes it."""

    def __init__(self, line, header):
        self.item = line.item_id
        self.worth = worth_of(line, header)
        self.final = is_final(header)


class Replay:
    """Follows the stream."""

    def __init__(self, following, report):
        self.following = following
        self.report = report
        self.headers, self.lines = {}, {}
        self.gone, self.dead = {}, {}   # headers and lines that the commit has deleted
        self.under = {}         # header: the ids of its lines
        self.ledger = Ledger()
        self.archived = set()   # lines that may have been final when they were deleted
        self.states = {}        # of the lines that a commit touches, before it and after each row

    def header_of(self, line):
        return self.headers.get(line.order_id) or self.gone.get(line.order_id)

    def note(self, line_id):
        """Note the state of a line; one that is deleted can be judged by its header as it will be."""
        line = self.lines.get(line_id) or self.dead.get(line_id)
        states = self.states.setdefault(line_id, [])
        if line is not None:
            states.append(State(line, self.header_of(line)))

    def write_header(self, change):
        lines = self.under.setdefault(change.row.id, set())
        for line in lines:
            self.note(line)
        if change.action == "DELETE":
            self.gone[change.row.id] = self.headers.pop(change.row.id, None)
            return
        self.headers[change.row.id] = change.row
        for line in lines:
            self.note(line)

    def write_line(self, change):
        row = change.row
        self.note(row.id)
        # a line that moves to another partition is deleted, and inserted again
        former = self.lines.pop(row.id, None) or self.dead.pop(row.id, None)
        if change.action != "DELETE":
            if former is not None:
                self.under[former.order_id].discard(row.id)
            self.lines[row.id] = row
            self.under.setdefault(row.order_id, set()).add(row.id)
            self.note(row.id)
        elif former is not None:
            self.dead[row.id] = former

    def check_bounds(self, line, before, say):
        """What is booked on a line that is final or gone, by the states that it was in."""
        states, after = self.states[line], self.ledger.booked(line)
        for item in before.keys() | after.keys():
            most = max([before.get(item, 0)] +
                       [state.worth for state in states if state.item == item])
            least = before.get(item, 0) if all(state.final for state in states) else 0
            if not least <= after.get(item, 0) <= most:
                say(f"is final, of item {item} {before.get(item, 0)} were booked, and "
                    f"{after.get(item, 0)} are")

    def check_gone(self, line, before, say):
        """A line that has been deleted."""
        states = self.states[line]
        if states and any(state.final for state in states):
            self.archived.add(line)
        if line in self.archived:
            self.check_bounds(line, before, say)
            return
        for item, units in self.ledger.booked(line).items():
            if units != 0:
                say(f"is deleted, booked are {units} of item {item}")

    def judge(self, line_id, before, commit, op):
        def say(fact):
            self.report.add("C8", f"line {line_id} {fact}, in {commit.name()}", op)

        self.report.look("lines in commits")
        self.ledger.check_refunds(line_id, say)
        line = self.lines.get(line_id)
        if line is None:
            self.check_gone(line_id, before, say)
        elif is_final(self.header_of(line)):
            self.ledger.check_final(line, self.header_of(line), say)
            self.check_bounds(line_id, before, say)
        else:
            self.ledger.check_open(line, self.header_of(line), say)

    def commit(self, commit):
        for line, row in self.dead.items():
            self.under[row.order_id].discard(line)
        self.states, self.gone, self.dead = {}, {}, {}
        moved = [change.row for change in commit.changes
                 if change.table == "movements" and change.row.order_id is not None]
        for change in commit.changes:
            if change.table == "orders":
                self.write_header(change)
            elif change.table == "lines":
                self.write_line(change)
        for row in moved:
            if row.order_id not in self.states:
                self.note(row.order_id)
        before = {line: self.ledger.booked(line) for line in self.states}
        for row in moved:
            self.ledger.book(row)
        tokens = [change.row.token for change in commit.changes
                  if change.action != "DELETE" and change.table != "movements"]
        tokens += [row.reason for row in moved]
        op = next(filter(None, map(self.following.operation, tokens)), None)
        for line in self.states:
            self.judge(line, before[line], commit, op)


def compare_rows(name, stream, table, columns, report):
    """The rows at the end must be those of the stream."""
    for key in sorted(stream.keys() | table.keys()):
        rows = [tuple(getattr(rows[key], column) for column in columns) if key in rows else None
                for rows in (stream, table)]
        if rows[0] != rows[1]:
            report.add("C2", f"{name} {key} is {rows[1]}, by the commits it is {rows[0]}")


def check_end(following, replay, report):
    """The final tables."""
    ledger = Ledger()
    for row in following.tables.movements:
        ledger.book(row)
    for line_id in sorted(ledger.parts.keys() | following.tables.lines.keys()):
        def say(fact, line_id=line_id):
            report.add("C8", f"line {line_id} {fact}, at the end")

        report.look("lines at the end")
        ledger.check_refunds(line_id, say)
        line = following.tables.lines.get(line_id)
        header = following.tables.headers.get(line.order_id) if line else None
        if line is not None and header is None:
            report.add("C2", f"line {line_id} has no header")
        elif line is None:
            if line_id not in replay.archived and any(ledger.booked(line_id).values()):
                say(f"is not there, booked are {ledger.booked(line_id)}")
        elif is_final(header):
            ledger.check_final(line, header, say)
        else:
            ledger.check_open(line, header, say)
    return ledger


def check(following, report):
    """Check each commit, and the end; returns what is booked of each line."""
    replay = Replay(following, report)
    for commit in following.commits:
        replay.commit(commit)
    compare_rows("header", replay.headers, following.tables.headers, HEADER, report)
    compare_rows("line", replay.lines, following.tables.lines, LINE, report)
    return check_end(following, replay, report)
