#!/usr/bin/env python3
"""Checks that a test begins with a comment that says what it tests.

    titles.py FILE ...

The comment starts on the first line (in Perl after #! and a copyright).  Its first paragraph is a
sentence, or a title of one line, and has more than one word.
"""
import re
import sys


def title(lines):
    """The first paragraph of the comment that the file begins with, as its lines."""
    found = []
    for line in lines:
        comment = re.match(r"(?:--|#)\s*(.*)", line)
        if not comment or not comment.group(1):
            break
        found.append(comment.group(1))
    return found


def main():
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
        start = 0
        while path.endswith(".pl") and start < len(lines) and re.match(r"#!|#?\s*$|# *copyright", lines[start], re.I):
            start += 1
        found = title(lines[start:])
        text = " ".join(found)
        if len(re.findall(r"\w*[A-Za-z]\w*", text)) < 2:
            print(f"{path}:{start + 1}: no comment that says what is tested")
        elif len(found) > 1 and not re.search(r"[.:?!][)\"'`]*$", text):
            print(f"{path}:{start + len(found)}: the comment that says what is tested ends in the middle of a sentence")


main()
