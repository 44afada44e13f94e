"""Between which times each commit became visible.

A commit with the token of an operation became visible after the operation was sent, and before its
client was told.  By the server's clock, a commit was written before it was visible; that time is
used only if it agrees with the histories.
"""

from .history import GONE, NEVER, RESERVES

SLACK = 1_000_000       # 1 ms, because the two clocks are not read at the same instant


class Owners:
    """Finds the intents of a commit."""

    def __init__(self, operations, intents):
        self.intents = intents
        self.reserved = {op.result: intents[op.token] for op in operations
                         if op.op in RESERVES and op.took_effect()}

    def of(self, commit):
        """The intents of a commit, by their tokens or by new reservations."""
        tokens = {order[4] for order in commit.orders}
        tokens.update(direct[0] for direct in commit.direct)
        tokens.update(movement[4] for movement in commit.movements)
        tokens.update(commit.new_holds.values())
        found = [self.intents[token] for token in tokens if token in self.intents]
        return found + [self.reserved[reservation] for reservation in commit.new_holds
                        if reservation in self.reserved]


class Moves:
    """The operations that may have changed the state of a reservation, by reservation."""

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
    """Set from_ and until of a commit by its operations; True if it has their tokens."""
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
    """The server's clock, relative to that of the histories; not used if they disagree."""

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
        """Convert a time of the histories to the server's clock."""
        return at + self.ahead


def follow_rows(commits):
    """Commits of one row became visible in order: each locks the row until it is visible."""
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
    """Set the bounds of every commit; returns the clock."""
    owners, moves = Owners(operations, intents), Moves(operations)
    clock = Clock(run, [commit for commit in commits if bound(commit, owners, moves)])
    if clock.good:
        for commit in commits:
            commit.from_ = max(commit.from_, commit.at - clock.ahead - SLACK)
    follow_rows(commits)
    return clock
