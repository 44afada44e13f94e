"""The stocks of each item over time, and its overdue holds: how many units could be sold, and when.

A transaction that changes a stock locks the row until the change is visible, so the stocks of one
item became visible in the order of the stream.  Stock number i may have been visible from
`since[i]` to `sure[i + 1]`, when number i + 1 was certainly visible.  For hot items see OfHotItem.

A hold counts as available if it had certainly expired when the call began.  A hold that was
confirmed or extended counts only while that was certainly not visible: the reservation is another
row than the item, so the order of the two is not known.
"""

from bisect import bisect_left, bisect_right, insort
from collections import Counter

from .history import NEVER
from .timeline import SLACK


class Stock:
    """A stock of an item, as units above its floor; None if it is unknown because of a gap."""

    __slots__ = ("above", "opened", "closed", "claims")

    def __init__(self, above):
        self.above = above
        self.opened = []    # holds that count from this stock on
        self.closed = []    # holds that no longer count from this stock on
        self.claims = []


class Hold:
    """A line of a reservation, until it was changed."""

    __slots__ = ("reservation", "expires_at", "quantity", "touched", "since")

    def __init__(self, reservation, quantity, expires_at):
        self.reservation = reservation
        self.quantity = quantity
        self.expires_at = expires_at
        self.touched = NEVER    # when it was confirmed or extended, at the earliest
        self.since = 0          # of a hot item: when it was visible, at the latest

    def __lt__(self, other):
        return self.expires_at < other.expires_at


class OfItem:
    """The stocks of one item, in the order of the stream."""

    def __init__(self, above):
        self.stocks = [Stock(above)]
        self.since = [-1]
        self.sure = [-1]
        self.waiting = Stock(None)      # holds that a commit without a new stock opened and closed

    def add(self, above, since, until):
        stock = Stock(above)
        stock.opened, stock.closed = self.waiting.opened, self.waiting.closed
        self.waiting = Stock(None)
        self.stocks.append(stock)
        self.since.append(max(since, self.since[-1]))
        self.sure.append(until)

    def commit(self, commit, row, _):
        """Add a commit that has movements of the item, and perhaps its row."""
        if row is not None:
            self.add(row[0] - row[1], commit.from_, commit.until)

    def open(self, hold, _, wrote):
        (self.stocks[-1] if wrote else self.waiting).opened.append(hold)

    def close(self, hold, commit, wrote):
        (self.stocks[-1] if wrote else self.waiting).closed.append(hold)
        if not wrote:
            hold.touched = commit.from_

    def gap(self, holds, _, ended, __):
        """The stock is unknown until the first commit of the next segment."""
        self.waiting.closed += holds
        self.add(None, 0, ended)

    def finish(self):
        """Number i is certainly visible when a later one is."""
        for i in range(len(self.sure) - 2, 0, -1):
            self.sure[i] = min(self.sure[i], self.sure[i + 1])

    def span(self, op):
        """The first and last stock that may have been visible during a call."""
        first = max(0, bisect_left(self.sure, op.at) - 1)
        return first, bisect_right(self.since, op.end) - 1


class OfHotItem(OfItem):
    """The minimum stock of an item that was hot at some time.

    Its row is not locked, so its commits became visible in any order.  Units that were taken are
    gone at the earliest possible time, units that were given are there at the latest, and an
    overdue hold counts only while it certainly existed.
    """

    def __init__(self, above):
        super().__init__(above)
        self.steps = []     # (when, units, hold that counts from then on, hold that ends then)

    def commit(self, commit, _, delta):
        if delta != 0:
            self.steps.append((commit.from_ if delta < 0 else commit.until, delta, None, None))

    def open(self, hold, commit, _):
        hold.since = commit.until
        self.steps.append((commit.until, 0, hold, None))

    def close(self, hold, commit, _):
        hold.touched = commit.from_
        self.steps.append((max(hold.since, commit.from_), 0, None, hold))

    def gap(self, holds, begun, ended, above):
        late = [step for step in self.steps if step[0] >= begun]
        self.steps = [step for step in self.steps if step[0] < begun]
        self.count()
        self.steps = []
        self.add(None, begun, begun)
        self.stocks[-1].closed = holds + [closed for _, _, _, closed in late if closed]
        self.add(above, ended, ended)

    def count(self):
        """Turn the steps into stocks."""
        above = self.stocks[-1].above
        for when, units, opened, closed in sorted(self.steps, key=lambda step: step[0]):
            if when == NEVER:
                break
            above = None if above is None else above + units
            self.add(above, when, when)
            self.stocks[-1].opened = [opened] if opened else []
            self.stocks[-1].closed = [closed] if closed else []

    def finish(self):
        self.count()
        super().finish()


class Levels:
    """The stocks of all items."""

    def __init__(self, cycle):
        self.clock = cycle.clock
        self.items = {item.id: (OfHotItem if item.id in cycle.ever_hot else OfItem)(
            item.stock - item.floor) for item in cycle.items.values()}
        self.holds = {}     # open lines by (reservation, item)
        segment = 0
        for commit in cycle.commits:
            if commit.segment != segment:
                self.gap(cycle, segment, commit)
                segment = commit.segment
            self.commit(commit)
        for of_item in self.items.values():
            of_item.finish()

    def gap(self, cycle, before, first):
        """Commits between two segments are unknown; the total after them is in the final tables."""
        begun = max(commit.from_ for commit in cycle.commits if commit.segment == before)
        moves = Counter()
        for commit in cycle.commits:
            if commit.segment > before:
                moves.update(deltas(commit))
        for item, of_item in self.items.items():
            row = cycle.tables.items.get(item)
            above = row.stock - row.stock_floor - moves[item] if row else None
            of_item.gap([hold for (_, other), hold in self.holds.items() if other == item],
                        begun, max(begun, first.from_), above)
        self.holds = {}

    def commit(self, commit):
        moves = deltas(commit)
        for item in commit.items.keys() | moves.keys():
            self.items[item].commit(commit, commit.items.get(item), moves.get(item, 0))
        for reservation, item, quantity, _, status, expires_at in commit.holds:
            of_item, wrote = self.items[item], item in commit.items
            old = self.holds.pop((reservation, item), None)
            if old is not None:
                of_item.close(old, commit, wrote)
            if status == "held":
                self.holds[reservation, item] = hold = Hold(reservation, quantity, expires_at)
                of_item.open(hold, commit, wrote)

    def put(self, claim):
        """Add a claim to the first stock that may have been visible during its call."""
        of_item = self.items[claim.item]
        first, _ = of_item.span(claim.op)
        of_item.stocks[first].claims.append(claim)

    def judge(self):
        """Set `judged` of every claim: True, False, or None if it cannot be decided."""
        for of_item in self.items.values():
            self.judge_item(of_item)

    def judge_item(self, of_item):
        active, claims = [], []
        for number, stock in enumerate(of_item.stocks):
            for hold in stock.opened:
                insort(active, hold)
            for hold in stock.closed:
                remove(active, hold)
            left = []
            for claim in claims + stock.claims:
                first, last = of_item.span(claim.op)
                if stock.above is None or first > last:
                    claim.judged = None
                elif self.available(stock, active, claim) < claim.units:
                    claim.judged = True
                elif number < last:
                    left.append(claim)
                else:
                    claim.judged = False
            claims = left

    def available(self, stock, active, claim):
        """The minimum that was available for a claim."""
        units = stock.above + claim.own
        if not claim.overdue or units >= claim.units or not self.clock.good:
            # without a clock it is unknown which holds were overdue: none counts
            return units
        begun = self.clock.wall(claim.op.at) - SLACK
        for hold in active:
            if hold.expires_at > begun:
                break
            if hold.touched > claim.op.end and hold.reservation not in claim.touched:
                units += hold.quantity
        return units

    def show(self, claim):
        """The stocks by which a claim was judged."""
        of_item = self.items[claim.item]
        first, last = of_item.span(claim.op)
        shown = ", ".join(str(stock.above) for stock in of_item.stocks[first:last + 1][:8])
        more = ", ..." if last - first >= 8 else ""
        own = f", and its own transaction {claim.own}" if claim.own else ""
        return f"above the floor {shown}{more}{own}"


def deltas(commit):
    """The sums of the movements of a commit, by item."""
    moves = Counter()
    for item, delta, _, _, _, _ in commit.movements:
        moves[item] += delta
    return moves


def remove(active, hold):
    """Remove a hold from a sorted list."""
    for i in range(bisect_left(active, hold), len(active)):
        if active[i] is hold:
            del active[i]
            return
