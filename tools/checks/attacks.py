#!/usr/bin/env python3
"""Reads the table of test/attacks/README.md.

    attacks.py            prints what is wrong with it
    attacks.py --holes    prints `hole suite/test label` for each hole and each label that must catch it

A row of the table is a cell: `| kind | entry point | test | label | holes |`.  The test is SQL or TAP
and a name; the label begins a part of that test.  Every kind has a row for every entry point; where
there is nothing to test, the row has a dash in place of the test, the reason in place of the label and
no hole.
"""
import os
import re
import sys

TABLE = "test/attacks/README.md"
HOLES = "test/attacks/holes"
SUITES = {"SQL": ("regress", "sql/{}.sql"), "TAP": ("tap", "test/tap/{}.pl")}


class Row:
    """A row of the table, and the line it is on."""

    def __init__(self, line, cells):
        self.line = line
        self.kind, self.entry, self.test, self.label, holes = cells
        self.holes = holes.split()

    def suite(self):
        return self.test.split(" ")[0]

    def name(self):
        return self.test.split(" ")[1] if " " in self.test else ""

    def path(self):
        return SUITES[self.suite()][1].format(self.name())


def read_table():
    """The rows of the table whose heading begins with `kind`."""
    rows = []
    inside = False
    with open(TABLE, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
            if cells[:2] == ["kind", "entry point"]:
                inside = True
            elif inside and not cells:
                inside = False
            elif inside and not re.fullmatch(r"[-: ]*", cells[0]):
                if len(cells) != 5:
                    print(f"{TABLE}:{number}: not five columns")
                    continue
                rows.append(Row(number, cells))
    return rows


def labels(suite, path):
    """The labels of a test: in SQL the texts of \\echo '-- ...', in TAP what its assertions begin with."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if suite == "SQL":
        return set(re.findall(r"^\\echo '-- (.*)'$", text, re.M))
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
    cells = {(row.kind, row.entry) for row in rows}
    for kind in sorted({kind for kind, entry in cells}):
        for entry in sorted({entry for kind, entry in cells}):
            if (kind, entry) not in cells:
                yield f"{TABLE}: no row for {kind}, {entry}"
    used = {hole for row in rows for hole in row.holes}
    for name in sorted(os.listdir(HOLES)):
        if name.removesuffix(".edit") not in used:
            yield f"{HOLES}/{name}: not in the table"


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
