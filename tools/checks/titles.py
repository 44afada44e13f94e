#!/usr/bin/env python3
"""Checks that tests begin with a comment that says what they test.

    titles.py FILE ...

The comment begins on the first line, in Perl after #! and a copyright notice.  Its first paragraph
has at least two words, and is either a single line or ends like a sentence.
"""
import re
import sys


def title(lines):
    """The lines of the first paragraph of the comment at the beginning."""
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
            print(f"{path}:{start + 1}: there is no comment that says what is tested")
        elif len(found) > 1 and not re.search(r"[.:?!][)\"'`]*$", text):
            print(f"{path}:{start + len(found)}: the comment that says what is tested ends in the middle of a sentence")


main()
