#!/usr/bin/env python3
"""Reads the tables of test/attacks/README.md.

    attacks.py            prints what is wrong with them
    attacks.py --holes    prints `hole suite/test label` for each hole and each label that must catch it

Also checks that each hole can be planted: that the source has the lines it replaces.

A row of a table is a cell: `| kind | entry point | test | label | holes |`.  The test is SQL, ISO or TAP
and a name; the label begins a part of that test, and is a permutation of an isolation test.  Every kind
has a row for every entry point; where there is nothing to test, the row has a dash in place of the test,
the reason in place of the label and no hole.  The other tables have the same columns, without
that rule.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

TABLE = "test/attacks/README.md"
HOLES = "test/attacks/holes"
# the first two columns of each table, and whether each word of one has a row for each of the other
HEADINGS = {("kind", "entry point"): True, ("direct access", "what a statement does"): False,
            ("kept", "what must not be in it"): False}
SUITES = {"SQL": ("regress", "sql/{}.sql"), "ISO": ("isolation", "test/isolation/expected/{}.out"),
          "TAP": ("tap", "test/tap/{}.pl")}


class Row:
    """A row of a table, and the line it is on."""

    def __init__(self, line, heading, cells):
        self.line = line
        self.crossed = HEADINGS[heading]
        self.kind, self.entry, self.test, self.label, holes = cells
        self.holes = holes.split()

    def suite(self):
        return self.test.split(" ")[0]

    def name(self):
        return self.test.split(" ")[1] if " " in self.test else ""

    def path(self):
        return SUITES[self.suite()][1].format(self.name())


def read_table():
    """The rows of the tables."""
    rows = []
    heading = None
    with open(TABLE, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
            if tuple(cells[:2]) in HEADINGS:
                heading = tuple(cells[:2])
            elif not cells:
                heading = None
            elif heading and not re.fullmatch(r"[-: ]*", cells[0]):
                if len(cells) != 5:
                    print(f"{TABLE}:{number}: not five columns")
                    continue
                rows.append(Row(number, heading, cells))
    return rows


def labels(suite, path):
    """The labels of a test: in SQL the texts of \\echo '-- ...', in TAP what its assertions begin with."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if suite == "SQL":
        return set(re.findall(r"^\\echo '-- (.*)'$", text, re.M))
    if suite == "ISO":
        return set(re.findall(r"^starting permutation: (.*)$", text, re.M))
    return set(re.findall(r"""['"]([^'":\n]*): """, text))


def complaints(rows):
    """What is wrong with the rows."""
    for row in rows:
        where = f"{TABLE}:{row.line}"
        if row.test == "-":
            if row.holes or len(row.label) < 2:
                yield f"{where}: a cell without a test has a reason, and no hole"
            continue
        if row.suite() not in SUITES or not os.path.exists(row.path()):
            yield f"{where}: there is no test {row.test}"
        elif row.label not in labels(row.suite(), row.path()):
            yield f"{where}: {row.path()} has no part '{row.label}'"
        if not row.holes:
            yield f"{where}: no hole"
        for hole in row.holes:
            if not os.path.exists(f"{HOLES}/{hole}.edit"):
                yield f"{where}: there is no hole {hole}"
    cells = {(row.kind, row.entry) for row in rows if row.crossed}
    for kind in sorted({kind for kind, entry in cells}):
        for entry in sorted({entry for kind, entry in cells}):
            if (kind, entry) not in cells:
                yield f"{TABLE}: no row for {kind}, {entry}"
    used = {hole for row in rows for hole in row.holes}
    for name in sorted(os.listdir(HOLES)):
        if name.removesuffix(".edit") not in used:
            yield f"{HOLES}/{name}: not in the table"
    for hole in sorted(used):
        if os.path.exists(f"{HOLES}/{hole}.edit") and not can_be_planted(f"{HOLES}/{hole}.edit"):
            yield f"{HOLES}/{hole}.edit: does not fit the source"


def can_be_planted(edit):
    """Does the source have the lines that a hole replaces?"""
    with open(edit, encoding="utf-8") as file:
        paths = [line[4:].strip() for line in file if line.startswith("--- ")]
    with tempfile.TemporaryDirectory() as copy:
        for path in paths:
            if os.path.exists(path):
                os.makedirs(f"{copy}/{os.path.dirname(path)}", exist_ok=True)
                shutil.copy(path, f"{copy}/{path}")
        return subprocess.run(["test/attacks/plant", copy, edit], capture_output=True).returncode == 0


def main():
    if not os.path.exists(TABLE):
        return
    rows = read_table()
    if sys.argv[1:] == ["--holes"]:
        for row in rows:
            for hole in row.holes:
                print(f"{hole}\t{SUITES[row.suite()][0]}/{row.name()}\t{row.label}")
    else:
        for complaint in complaints(rows):
            print(complaint)


main()
