"""The stocks of each item over time, and its overdue holds: what there was to sell, and when.

Who changes a stock holds its row until the change is visible, so the stocks of one item became
visible in the order of the stream.  Stock number i may have been visible from `since[i]`, and was
no more once number i + 1 had to be, at `sure[i + 1]`.

A hold counts as available if its time had certainly passed when the call began.  One that was
confirmed or extended is counted only while that certainly was not visible: the reservation's row
is another than the item's, so the order of the two is not known.
"""

from bisect import bisect_left, bisect_right, insort

from .history import NEVER
from .timeline import SLACK


class Stock:
    """A stock an item had: above its floor, or None where a gap hides it."""

    __slots__ = ("above", "opened", "closed", "claims")

    def __init__(self, above):
        self.above = above
        self.opened = []    # holds that count from here on
        self.closed = []    # holds that count no more
        self.claims = []


class Hold:
    """A line of a reservation, as long as it was not touched."""

    __slots__ = ("reservation", "expires_at", "quantity", "touched")

    def __init__(self, reservation, quantity, expires_at):
        self.reservation = reservation
        self.quantity = quantity
        self.expires_at = expires_at
        self.touched = NEVER    # from when on it may have been confirmed or extended

    def __lt__(self, other):
        return self.expires_at < other.expires_at


class OfItem:
    """The stocks of one item, in order."""

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

    def finish(self):
        """Number i is visible for sure when a later one is."""
        for i in range(len(self.sure) - 2, 0, -1):
            self.sure[i] = min(self.sure[i], self.sure[i + 1])

    def span(self, op):
        """The first and last stock that may have been visible during a call."""
        first = max(0, bisect_left(self.sure, op.at) - 1)
        return first, bisect_right(self.since, op.end) - 1


class Levels:
    """The stocks of all items."""

    def __init__(self, cycle):
        self.clock = cycle.clock
        self.items = {item.id: OfItem(item.stock - item.floor) for item in cycle.items.values()}
        self.holds = {}     # open lines by (reservation, item)
        segment = 0
        for commit in cycle.commits:
            if commit.segment != segment:
                self.gap(commit.from_)
                segment = commit.segment
            self.commit(commit)
        for of_item in self.items.values():
            of_item.finish()

    def gap(self, since):
        """What happened between two segments nobody knows."""
        for (_, item), hold in self.holds.items():
            self.items[item].waiting.closed.append(hold)
        self.holds = {}
        for of_item in self.items.values():
            of_item.add(None, 0, since)

    def commit(self, commit):
        for item, (stock, floor) in commit.items.items():
            self.items[item].add(stock - floor, commit.from_, commit.until)
        for reservation, item, quantity, _, status, expires_at in commit.holds:
            of_item = self.items[item]
            here = of_item.stocks[-1] if item in commit.items else of_item.waiting
            old = self.holds.pop((reservation, item), None)
            if old is not None:
                here.closed.append(old)
                if item not in commit.items:
                    old.touched = commit.from_
            if status == "held":
                self.holds[reservation, item] = hold = Hold(reservation, quantity, expires_at)
                here.opened.append(hold)

    def put(self, claim):
        """Have a claim judged, from the first stock that may have been visible."""
        of_item = self.items[claim.item]
        first, _ = of_item.span(claim.op)
        of_item.stocks[first].claims.append(claim)

    def judge(self):
        """Set judged of every claim: True, False, or None where nobody can know."""
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
        """What there was to sell for a claim, at the least."""
        units = stock.above + claim.own
        if not claim.overdue or units >= claim.units or not self.clock.good:
            # without a clock nobody knows what was overdue: it does not count
            return units
        begun = self.clock.wall(claim.op.at) - SLACK
        for hold in active:
            if hold.expires_at > begun:
                break
            if hold.touched > claim.op.end and hold.reservation not in claim.touched:
                units += hold.quantity
        return units

    def show(self, claim):
        """The stocks that a claim was judged by."""
        of_item = self.items[claim.item]
        first, last = of_item.span(claim.op)
        shown = ", ".join(str(stock.above) for stock in of_item.stocks[first:last + 1][:8])
        more = ", ..." if last - first >= 8 else ""
        own = f", and its own transaction {claim.own}" if claim.own else ""
        return f"above the floor {shown}{more}{own}"


def remove(active, hold):
    """Take a hold out of a sorted list."""
    for i in range(bisect_left(active, hold), len(active)):
        if active[i] is hold:
            del active[i]
            return
