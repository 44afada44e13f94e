#!/usr/bin/env python3
"""Checks that the files of script/ only use objects that the same file or an earlier one creates.

The files are in the order of their names.  A name in a string counts as a use, because the string
may be executed; a name in a comment, a COMMENT or a message does not.
"""
import os
import re

MADE = re.compile(r"\bCREATE (?:OR REPLACE )?(?:AGGREGATE|DOMAIN|FUNCTION|PROCEDURE|TABLE|TYPE|VIEW)\s+inventory\.(\w+)")
USED = re.compile(r"\binventory\.(\w+)")
TEXT = re.compile(r"(?:\bIS|\b(?:MESSAGE|DETAIL|HINT) =)\s+(?:format\()?(?:E?'(?:''|[^'])*'\s*)+")


def blank(found):
    return re.sub(r"[^\n]", " ", found)


def code(path):
    """The text of a file with spaces in place of comments and messages."""
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
                print(f"{path}:{line}: uses inventory.{match.group(1)}, which is created later, in {made}")


main()
