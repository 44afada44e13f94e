"""The store that follows its orders, in the form of a cycle.

The shop writes headers and lines, and the ledger is to be equal to what the lines are worth.  A
Following has what the rules about items, movements, commits and counters look at, so that they
apply to this store too; what its lines say is judged by c2_lines.py and c8_worth.py.
"""

from types import SimpleNamespace

from .history import NEVER
from .rest import read_stages
from .tables import group, read_items, read_table
from .totals import set_totals

HEADER = ("id", "user_id", "status", "token")
LINE = ("id", "order_id", "item_id", "quantity", "cancelled", "token")
COLUMNS = {"orders": HEADER, "lines": LINE,
           "movements": ("item_id", "delta", "kind", "user_id", "reason", "epoch", "order_id")}


class FollowTables:
    """Its final tables."""

    def __init__(self, directory):
        self.items = {row.id: row for row in read_table(directory, "follow_goods")}
        self.headers = {row.id: row for row in read_table(directory, "follow_orders")}
        self.lines = {row.id: row for row in read_table(directory, "follow_lines")}
        self.movements = read_table(directory, "follow_movements")
        self.hot = {row.item_id: row for row in read_table(directory, "follow_hot")}
        self.levels = read_table(directory, "follow_levels")
        self.verify = read_table(directory, "follow_verify")
        self.movements_of = group(self.movements, "reason")
        self.direct, self.held = [], {}     # nothing of the kind is done in it


class Change:
    """A row of a header, line or movement that a commit wrote; of a deleted one, only its id."""

    __slots__ = ("table", "action", "row", "commit")

    def __init__(self, table, action, values, commit):
        self.table = table
        self.action = action
        self.row = SimpleNamespace(**dict(zip(COLUMNS[table], values)))
        self.commit = commit


class Following:
    """All data of the store that follows."""

    def __init__(self, directory, cycle):
        self.run = cycle.run
        self.items = read_items(cycle.run["goods"])
        self.intents = cycle.intents
        self.operations = cycle.operations
        self.tables = FollowTables(directory)
        self.stages = read_stages(directory, "follow_")
        self.commits = [commit.following for commit in cycle.commits if commit.following]
        self.written = {}       # changes of headers and lines by the token in their row
        self.deleted = {}       # (table, id): commits
        for commit in self.commits:
            commit.from_, commit.until = 0, NEVER
            commit.changes = [Change(table, action, row, commit)
                              for table, action, row in commit.changes]
            for change in commit.changes:
                self.note(change)
        self.ever_hot = set_totals(self)

    def note(self, change):
        if change.action == "DELETE":
            self.deleted.setdefault((change.table, change.row.id), []).append(change.commit)
        elif change.table != "movements":
            self.written.setdefault(change.row.token, []).append(change)

    def operation(self, token):
        """The operation to name for a token, or None."""
        intent = self.intents.get(token)
        return intent.acknowledged() if intent else None
