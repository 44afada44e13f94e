"""Collects, counts and prints violations."""

MAX_LINES = 20


class Report:
    """The violations of one cycle, and how much each rule looked at."""

    def __init__(self, seed, cycle):
        self.where = f"(seed {seed}, cycle {cycle})"
        self.lines = {}
        self.looked = {}

    def add(self, rule, fact, op=None):
        """Add a violation, of an operation if there is one."""
        about = f" {op.name()}" if op is not None else ""
        self.lines.setdefault(rule, []).append(f"{rule}{about}: {fact} {self.where}")

    def look(self, what, count=1):
        """Count what was checked: a rule that never had anything to check proves nothing."""
        self.looked[what] = self.looked.get(what, 0) + count

    def count(self):
        return sum(len(lines) for lines in self.lines.values())

    def show(self, everything):
        """The lines to print, at most MAX_LINES for each rule."""
        for rule in sorted(self.lines):
            lines = self.lines[rule]
            shown = lines if everything else lines[:MAX_LINES]
            yield from shown
            if len(shown) < len(lines):
                yield f"{rule}: {len(lines) - len(shown)} more {self.where}"


class Part:
    """The report of a part of a cycle, which is named."""

    def __init__(self, report, name):
        self.report = report
        self.name = name

    def add(self, rule, fact, op=None):
        self.report.add(rule, f"{self.name}: {fact}", op)

    def look(self, what, count=1):
        self.report.look(f"{self.name}: {what}", count)
