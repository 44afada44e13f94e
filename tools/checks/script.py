#!/usr/bin/env python3
"""Checks that a file of script/ names only what it makes itself or a file before it makes.

The order is that of the file names.  SQL that is put together at run time counts, in comments and
in texts for people a name is not a use.
"""
import os
import re

MADE = re.compile(r"\bCREATE (?:OR REPLACE )?(?:AGGREGATE|DOMAIN|FUNCTION|PROCEDURE|TABLE|TYPE|VIEW)\s+inventory\.(\w+)")
USED = re.compile(r"\binventory\.(\w+)")
TEXT = re.compile(r"(?:\bIS|\b(?:MESSAGE|DETAIL|HINT) =)\s+(?:format\()?(?:E?'(?:''|[^'])*'\s*)+")


def blank(found):
    return re.sub(r"[^\n]", " ", found)


def code(path):
    """The file without comments and texts, line for line."""
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"('(?:''|[^'])*')|--[^\n]*|/\*.*?\*/", lambda match: match.group(1) or blank(match.group()),
                      file.read(), flags=re.S)
    return TEXT.sub(lambda match: blank(match.group()), text)


def main():
    texts = {path: code(path) for path in sorted(f"script/{name}" for name in os.listdir("script")
                                                 if name.endswith(".sql"))}
    maker = {}
    for path, text in texts.items():
        for match in MADE.finditer(text):
            maker.setdefault(match.group(1), path)
    for path, text in texts.items():
        for match in USED.finditer(text):
            made = maker.get(match.group(1), path)
            if made > path:
                line = text.count("\n", 0, match.start()) + 1
                print(f"{path}:{line}: uses inventory.{match.group(1)}, which is made later, in {made}")


main()
