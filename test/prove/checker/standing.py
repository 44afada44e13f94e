"""What there is of each item after each commit of the stream: its stock, and what is not in it yet.

A movement with an epoch is one of a hot item, whose row it did not change.  It counts beside the
stock until the item's row in `hot` says that its epoch is settled.  So settling, cooling and
heating must not change what there is, and everything else must by exactly its movements.

After a promotion the first commits of the new primary are in no segment.  There, what an item had
at the start is what it has at the end without what the segment says; before the segment has told of
its stock and its row in `hot` it is not known, and None.
"""


class Item:
    """One item, from commit to commit."""

    def __init__(self, stock, settled, epochs):
        self.stock = stock          # None: not known
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
    """At the start nothing is hot."""
    return {item.id: Item(item.stock, 0, {}) for item in cycle.items.values()}


def later_items(cycle, commits):
    """At the start of a later segment, the last: by what there is in the end."""
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


def stand(cycle):
    """Set the totals of all commits; returns the items that ever were hot."""
    ever_hot = set(cycle.tables.hot)
    last = max((commit.segment for commit in cycle.commits), default=0)
    for segment in range(last + 1):
        commits = [commit for commit in cycle.commits if commit.segment == segment]
        if segment == 0:
            items = first_items(cycle)
        elif segment == last:
            items = later_items(cycle, commits)
        else:   # nobody knows
            items = {item: Item(None, None, {}) for item in cycle.items}
        for commit in commits:
            follow(items, commit)
            ever_hot.update(commit.hot)
    return ever_hot
