#!/usr/bin/env python3
"""Checks that what a document shows of a file is in that file.

    snippets.py DOCUMENT ...

A code block after a line `<!-- from PATH -->` is a part of PATH, a path from the top of the tree: its
lines follow each other there.  Both may be indented, as in a list.  Indentation and blank lines do not matter, and a line `…` in the block
stands for any lines.
"""
import os
import re
import sys


def lines_of(text):
    """The lines without indentation, and without the blank ones."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def find(part, lines, start):
    """Where the lines of a part end, or None."""
    for at in range(start, len(lines) - len(part) + 1):
        if lines[at:at + len(part)] == part:
            return at + len(part)
    return None


def contains(lines, block):
    """Are the parts of a block, which `…` separates, in these lines, one after the other?"""
    at, part = 0, []
    for line in block + ["…"]:
        if line != "…":
            part.append(line)
            continue
        at = find(part, lines, at)
        if at is None:
            return False
        part = []
    return True


def main():
    for document in sys.argv[1:]:
        with open(document, encoding="utf-8") as file:
            text = file.read()
        for mark in re.finditer(r"^ *<!-- from (\S+) -->\n( *```\w*\n(.*?)^ *```)?", text, re.M | re.S):
            line = text.count("\n", 0, mark.start()) + 1
            path = mark.group(1)
            if mark.group(3) is None:
                print(f"{document}:{line}: no code block follows")
            elif not os.path.isfile(path):
                print(f"{document}:{line}: {path} does not exist")
            else:
                with open(path, encoding="utf-8") as file:
                    if not contains(lines_of(file.read()), lines_of(mark.group(3))):
                        print(f"{document}:{line}: differs from {path}")


main()
