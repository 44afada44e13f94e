"""C4: stock >= floor at every commit and in every snapshot, also of a standby; no user has more of
an item than its purchase limit.

The stock of a hot item includes its unsettled movements (totals.py), because its row lags and may
even be below the floor; in snapshots the view `levels` has that stock.

Only a stock-take may set a stock below the floor, and afterwards the stock may rise.  A transaction
that took units of a hot item before the stock-take and commits after it may lower the stock, too.
In a snapshot the stock must be the sum of the movements.  Overdue holds do not count against a
limit.
"""


def moved(commit):
    """The sums of the movements of a commit: {item: (delta, part of it by stock-takes)}."""
    total = {}
    for item, delta, kind, _, _, _ in commit.movements:
        all_, counted = total.get(item, (0, 0))
        total[item] = all_ + delta, counted + (delta if kind == "count" else 0)
    return total


def owners(cycle, commit):
    """The intents whose tokens a commit carries."""
    tokens = [order[4] for order in commit.orders] + [d[0] for d in commit.direct] + \
             [m[4] for m in commit.movements] + list(commit.new_holds.values())
    return [cycle.intents[token] for token in tokens if token in cycle.intents]


def named(cycle, commit):
    """The operation to name in a report about a commit."""
    return next((intent.acknowledged() for intent in owners(cycle, commit)), None)


def began(cycle, commit):
    """When the first call of a commit began; 0 if the call is unknown."""
    return min((op.at for intent in owners(cycle, commit) for op in intent.tries), default=0)


def check_floor(cycle, report):
    """Every commit of the stream."""
    below, counted = set(), {}      # counted: the time by which the last
                                    # stock-take of an item was visible
    for commit in cycle.commits:
        moves = moved(commit)
        for item, (before, after) in commit.totals.items():
            if after is None:
                continue
            report.look("stocks in the stream")
            _, floor = commit.items.get(item, (None, cycle.items[item].floor))
            delta, count = moves.get(item, (0, 0))
            fell = after < before if before is not None else delta < 0 or item not in moves
            if count < 0:
                counted[item] = commit.until
            excused = count < 0 or (item in cycle.ever_hot and
                                    began(cycle, commit) < counted.get(item, 0))
            if after < floor and fell and excused and after >= min(floor, 0):
                below.add(item)
            elif after < floor and fell:
                report.add("C4", f"item {item} falls from {before} to {after}, its floor is "
                                 f"{floor}, in {commit.name()}", named(cycle, commit))
            if floor != cycle.items[item].floor:
                report.add("C4", f"item {item}: floor {cycle.items[item].floor} became {floor}, in "
                                 f"{commit.name()}")
    return below


def check_snapshots(cycle, report, may_be_below):
    for snapshot in cycle.snapshots:
        for item, (stock, floor, movements) in snapshot["items"].items():
            report.look("stocks in snapshots")
            where = f"in the snapshot of {snapshot.get('server', 'primary')} from " \
                    f"{snapshot['at0']} to {snapshot['at1']}"
            if stock < floor and int(item) not in may_be_below:
                report.add("C4", f"item {item} has {stock}, its floor is {floor}, {where}")
            if stock != movements:
                report.add("C4", f"item {item} has {stock}, its movements say {movements}, {where}")


class Overdue:
    """Open holds of a user on a limited item, and when they expire."""

    def __init__(self):
        self.open = {}

    def put(self, hold):
        reservation, item, quantity, user, status, expires_at = hold
        lines = self.open.setdefault((item, user), {})
        lines.pop(reservation, None)
        if status == "held":
            lines[reservation] = quantity, expires_at

    def units(self, key, at):
        return sum(quantity for quantity, expires_at in self.open.get(key, {}).values()
                   if expires_at <= at)


def check_limits(cycle, report):
    """Check each commit that gives a user more of a limited item; after a gap this is unknown."""
    limits = {item.id: item.limit for item in cycle.items.values() if item.limit is not None}
    used, overdue = {}, Overdue()
    for commit in cycle.commits:
        if commit.segment > 0:
            break
        before = {}
        for item, delta, _, user, _, _ in commit.movements:
            if item in limits and user is not None:
                before.setdefault((item, user), used.get((item, user), 0))
                used[item, user] = used.get((item, user), 0) - delta
        for hold in commit.holds:
            if hold[1] in limits:
                overdue.put(hold)
        for key, units in before.items():
            report.look("uses of limits")
            if used[key] > units and used[key] - overdue.units(key, commit.at) > limits[key[0]]:
                report.add("C4", f"user {key[1]} has {used[key]} of item {key[0]}, the limit is "
                                 f"{limits[key[0]]}, in {commit.name()}", named(cycle, commit))


def check_commits(cycle, report):
    """The stream alone."""
    check_floor(cycle, report)
    check_limits(cycle, report)


def check(cycle, report):
    below = {item.id for item in cycle.items.values() if item.stock < item.floor}
    below |= check_floor(cycle, report)
    segments = {commit.segment for commit in cycle.commits}
    if len(segments) > 1:   # a stock-take in the gap between segments is not in the stream
        below |= {row.item_id for row in cycle.tables.movements if row.kind == "count"}
    check_snapshots(cycle, report, below)
    check_limits(cycle, report)
    for item, row in sorted(cycle.tables.items.items()):
        if row.stock < row.stock_floor and item not in below:
            report.add("C4", f"item {item} ends with {row.stock}, its floor is {row.stock_floor}")
