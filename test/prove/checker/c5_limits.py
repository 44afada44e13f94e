"""C5 for purchase limits: a refusal is wrong if during the whole call the user could have bought.

Purchases of a user and an item wait for each other, returned units do not wait.  So the maximum
that a user may have had during a call is what was certainly there before the call, with all that
was bought during the call and without anything that was returned during it.  Overdue holds do not
count.
"""

from .history import CONTROL, FOLLOWS, summed
from .timeline import SLACK


class Uses:
    """The units that a user took of an item, by commit."""

    def __init__(self):
        self.steps = []     # (from_, until, units)

    def maximum(self, at, end):
        """The maximum that the user may have had between two times."""
        total = 0
        for from_, until, units in self.steps:
            if until < at or (units > 0 and from_ <= end):
                total += units
        return total


class Limits:
    """All uses of limited items."""

    def __init__(self, cycle):
        self.cycle = cycle
        self.limit = {item.id: item.limit for item in cycle.items.values()
                      if item.limit is not None}
        self.uses, self.holds, self.known = {}, {}, True
        for commit in cycle.commits:
            self.known = self.known and commit.segment == 0
            for item, delta, _, user, _, _ in commit.movements:
                if item in self.limit and user is not None:
                    uses = self.uses.setdefault((item, user), Uses())
                    uses.steps.append((commit.from_, commit.until, -delta))
            for hold in commit.holds:
                if hold[1] in self.limit:
                    self.hold(commit, *hold)

    def hold(self, commit, reservation, item, quantity, user, status, expires_at):
        """Store the state of a reservation's line from this commit on."""
        self.holds.setdefault((item, user), {}).setdefault(reservation, []).append(
            (commit, quantity if status == "held" else 0, expires_at))

    def overdue(self, item, user, op):
        """Units of holds that were overdue before the call and unchanged until after it."""
        if not self.cycle.clock.good:
            return 0
        begun, units = self.cycle.clock.wall(op.at) - SLACK, 0
        for states in self.holds.get((item, user), {}).values():
            for i, (commit, quantity, expires_at) in enumerate(states):
                after = states[i + 1][0].from_ if i + 1 < len(states) else None
                if expires_at <= begun and commit.until < op.at and \
                        (after is None or after > op.end):
                    units += quantity
        return units

    def unjust(self, op, item, quantity, user):
        """Was the quantity within the limit during the whole call?"""
        if not self.known or op.own:
            return False
        uses = self.uses.get((item, user), Uses())
        had = uses.maximum(op.at, op.end) - self.overdue(item, user, op)
        return had + quantity <= self.limit[item]


def asked(cycle, op):
    """What a refused operation asked for: ([(item, quantity)], user)."""
    if op.op != "change_reservation":
        return summed(op.lines()).items(), op.user
    hold = cycle.tables.holds.get(op.args["reservation"])
    user = hold[0].user_id if hold else None
    return [(op.args["item"], op.args["quantity"])], user


def check_limits(cycle, report):
    limits = Limits(cycle)
    for op in cycle.operations:
        if op.state != "refused" or cycle.may_be_repeated(op):
            continue
        lines, user = [], None
        if op.op == "try_buy_cart" and op.refused_softly():
            refused = {line[0] for line in op.result or ()
                       if line[3] == "purchase_limit_exceeded"}
            lines = [line for line in summed(op.lines()).items() if line[0] in refused]
            user = op.user
        elif op.code == "IV010" and op.op not in FOLLOWS | CONTROL:
            lines, user = asked(cycle, op)
        if not lines:
            continue
        report.look("refusals for limits")
        limited = [line for line in lines if line[0] in limits.limit]
        if all(limits.unjust(op, item, quantity, user) for item, quantity in limited):
            report.add("C5", f"refused for the limit, but user {user} had room for "
                             f"{sorted(limited)} during the whole call", op)
