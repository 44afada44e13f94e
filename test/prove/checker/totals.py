"""The total of each item at each commit of the stream: its stock and its unsettled movements.

A movement with an epoch belongs to a hot item, whose row it did not change.  It is unsettled until
the item's row in `hot` says that its epoch is settled.  So settling, cooling and heating must not
change the total, and every other commit must change it by exactly its movements.

After a promotion the first commits of the new primary are in no segment.  The total at the start of
that segment is the final total without the movements of the segment; it is unknown, None, until the
segment has the item's stock and its row in `hot`.
"""


class Item:
    """The state of one item while the commits are followed."""

    def __init__(self, stock, settled, epochs):
        self.stock = stock          # None: unknown
        self.settled = settled
        self.epochs = epochs        # sums of movements that may not be settled

    def total(self):
        if self.stock is None or self.settled is None:
            return None
        return self.stock + sum(self.epochs.values())

    def book(self, epoch, delta):
        if epoch is not None and (self.settled is None or epoch > self.settled):
            self.epochs[epoch] = self.epochs.get(epoch, 0) + delta

    def settle(self, through):
        self.settled = through
        for epoch in [epoch for epoch in self.epochs if epoch <= through]:
            del self.epochs[epoch]


def first_items(cycle):
    """Items at the start, when nothing is hot."""
    return {item.id: Item(item.stock, 0, {}) for item in cycle.items.values()}


def later_items(cycle, commits):
    """Items at the start of the last segment, computed from the final tables."""
    items = {}
    told = {item for commit in commits for item in commit.items}
    settled = {item for commit in commits for item in commit.hot}
    for item, row in cycle.tables.items.items():
        hot = cycle.tables.hot.get(item)
        items[item] = Item(None if item in told else row.stock,
                           None if item in settled else hot.settled_epoch if hot else 0, {})
    for row in cycle.tables.movements:
        if row.item_id in items:
            items[row.item_id].book(row.epoch, row.delta)
    for commit in commits:
        for item, delta, _, _, _, epoch in commit.movements:
            items[item].book(epoch, -delta)
    return items


def follow(items, commit):
    """Set the totals of a commit."""
    touched = commit.items.keys() | commit.hot.keys() | {row[0] for row in commit.movements}
    before = {item: items[item].total() for item in touched}
    for item, (stock, _) in commit.items.items():
        items[item].stock = stock
    for item, delta, _, _, _, epoch in commit.movements:
        items[item].book(epoch, delta)
    for item, (_, settled) in commit.hot.items():
        items[item].settle(settled)
    commit.totals = {item: (before[item], items[item].total()) for item in touched}


def set_totals(cycle):
    """Set the totals of all commits; returns the items that were ever hot."""
    ever_hot = set(cycle.tables.hot)
    last = max((commit.segment for commit in cycle.commits), default=0)
    for segment in range(last + 1):
        commits = [commit for commit in cycle.commits if commit.segment == segment]
        if segment == 0:
            items = first_items(cycle)
        elif segment == last:
            items = later_items(cycle, commits)
        else:   # unknown
            items = {item: Item(None, None, {}) for item in cycle.items}
        for commit in commits:
            follow(items, commit)
            ever_hot.update(commit.hot)
    return ever_hot
