"""Violations: collected, counted, shown."""

MOST_LINES = 20


class Report:
    """The violations of one cycle, and how much each rule had to look at."""

    def __init__(self, seed, cycle):
        self.where = f"(seed {seed}, cycle {cycle})"
        self.lines = {}
        self.looked = {}

    def add(self, rule, fact, op=None):
        """A violation; op is the operation that it is about, if there is one."""
        about = f" {op.name()}" if op is not None else ""
        self.lines.setdefault(rule, []).append(f"{rule}{about}: {fact} {self.where}")

    def look(self, what, count=1):
        """Count what was judged: a rule that never had anything to judge proves nothing."""
        self.looked[what] = self.looked.get(what, 0) + count

    def count(self):
        return sum(len(lines) for lines in self.lines.values())

    def show(self, everything):
        """The lines to print, at most MOST_LINES a rule."""
        for rule in sorted(self.lines):
            lines = self.lines[rule]
            shown = lines if everything else lines[:MOST_LINES]
            yield from shown
            if len(shown) < len(lines):
                yield f"{rule}: {len(lines) - len(shown)} more {self.where}"
