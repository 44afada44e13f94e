"""When each commit became visible, as far as histories tell.

A commit that carries an operation's token became visible after that operation asked for it, and
before its client was told.  The server's clock says when it was written, which is before it was
visible; it is used only if it agrees with what the clients saw.
"""

from .history import GONE, NEVER, RESERVES

SLACK = 1_000_000       # the two clocks are not read at the same instant: 1 ms


class Owners:
    """Which intents a commit belongs to."""

    def __init__(self, operations, intents):
        self.intents = intents
        self.reserved = {op.result: intents[op.token] for op in operations
                         if op.op in RESERVES and op.took_effect()}

    def of(self, commit):
        """By their tokens, or by the reservations that were made."""
        tokens = {order[4] for order in commit.orders}
        tokens.update(direct[0] for direct in commit.direct)
        tokens.update(movement[4] for movement in commit.movements)
        tokens.update(commit.new_holds.values())
        found = [self.intents[token] for token in tokens if token in self.intents]
        return found + [self.reserved[reservation] for reservation in commit.new_holds
                        if reservation in self.reserved]


class Moves:
    """The operations that may have moved a reservation, by reservation."""

    OPERATIONS = {"released": ("release_reservation", "change_reservation"),
                  "held": ("change_reservation", "extend_reservation"),
                  "confirmed": ("confirm_reservation",), "expired": ()}

    def __init__(self, operations):
        self.of = {}
        for op in operations:
            if "reservation" in op.args and op.fate != GONE:
                self.of.setdefault(op.args["reservation"], []).append(op)

    def candidates(self, reservation, status):
        return [op for op in self.of.get(reservation, ()) if op.op in self.OPERATIONS[status]]


def bound(commit, owners, moves):
    """Set from_ and until of a commit by the operations it belongs to; True if it tells of them."""
    belongs = owners.of(commit)
    commit.from_ = max((intent.from_() for intent in belongs), default=0)
    commit.until = min((intent.until() for intent in belongs), default=NEVER)
    if belongs or commit.new_holds:
        return bool(belongs)
    for reservation, _, _, _, status, _ in commit.holds:
        candidates = moves.candidates(reservation, status)
        if candidates:
            commit.until = min(commit.until, max(
                op.until if op.took_effect() else NEVER for op in candidates))
    return False


class Clock:
    """The server's clock against that of the histories; off if they disagree."""

    def __init__(self, run, commits):
        clock = run.get("clock")
        self.good = clock is not None
        if self.good:
            self.ahead = clock["realtime"] - clock["monotonic"]
            self.good = not any(self.disagrees(commit) for commit in commits)

    def disagrees(self, commit):
        written = commit.at - self.ahead
        return written + SLACK < commit.from_ or written - SLACK > commit.until

    def wall(self, at):
        """A time of the histories by the server's clock."""
        return at + self.ahead


def follow_rows(commits):
    """Who changes an item holds its row until that is visible: these commits keep their order."""
    earliest, latest = {}, {}
    for commit in commits:
        commit.from_ = max([commit.from_] + [earliest.get(item, 0) for item in commit.items])
        for item in commit.items:
            earliest[item] = commit.from_
    for commit in reversed(commits):
        commit.until = min([commit.until] + [latest.get(item, NEVER) for item in commit.items])
        for item in commit.items:
            latest[item] = commit.until


def set_bounds(run, commits, operations, intents):
    """Bound every commit; returns the clock."""
    owners, moves = Owners(operations, intents), Moves(operations)
    clock = Clock(run, [commit for commit in commits if bound(commit, owners, moves)])
    if clock.good:
        for commit in commits:
            commit.from_ = max(commit.from_, commit.at - clock.ahead - SLACK)
    follow_rows(commits)
    return clock
