#!/usr/bin/env python3
"""Checks that comments, messages and documents do not use the words of words.txt.

    words.py FILE ...

In source files, comments are checked; in src/ and script/ also strings, because they are messages.
In Markdown, everything except code is checked.  Words are matched as a whole, in any case, and
also across the end of a line.
"""
import os
import re
import sys

HASH = r"(?:(?<=\s)|^)#[^\n]*"
SQL = r"--[^\n]*|/\*.*?\*/"
C = r"/\*.*?\*/|//[^\n]*"
LITERAL = r'"(?:\\.|[^"\\\n])*"|' r"'(?:\\.|[^'\\\n])*'"
SQL_STRING = r"'(?:''|[^'])*'"
DOCSTRING = r'"""(?:[^"\\]|\\.|"(?!""))*"""'

# by extension: comments and strings; strings are needed to skip what looks like a comment in them
COMMENTS = {
    ".c": (C, LITERAL), ".h": (C, LITERAL), ".pml": (C, LITERAL),
    ".sql": (SQL, SQL_STRING), ".spec": (HASH, r'"[^"]*"'), ".py": (rf"{DOCSTRING}|{HASH}", LITERAL),
    ".ts": (C, LITERAL), ".js": (C, LITERAL), ".mjs": (C, LITERAL), ".css": (r"/\*.*?\*/", LITERAL),
    ".go": (C, LITERAL), ".java": (C, LITERAL), ".rb": (HASH, LITERAL),
    ".pl": (HASH, r"(?!)"), ".pm": (HASH, r"(?!)"), "": (HASH, r"(?!)"), ".sh": (HASH, r"(?!)"),
}
CODE = r"^```.*?^```|`[^`\n]*`"
LEADER = r"^[ \t]*(?:--|\*+(?!/)|#+)|^[ \t]*/\*+"


def blank(match):
    return re.sub(r"[^\n]", " ", match.group())


def prose(path, text):
    """The text with spaces in place of code, or None if this kind of file is not checked."""
    kind = os.path.splitext(path)[1]
    if kind == ".md":
        return re.sub(CODE, blank, text, flags=re.S | re.M)
    if kind not in COMMENTS:
        return None
    comment, string = COMMENTS[kind]
    messages = path.startswith(("src/", "script/"))
    kept = [" " if char != "\n" else char for char in text]
    for match in re.finditer(rf"{comment}|(?P<string>{string})", text, re.S | re.M):
        if messages or match.group("string") is None:
            kept[match.start():match.end()] = match.group()
    return re.sub(LEADER, blank, "".join(kept), flags=re.M)


def main():
    folder = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(folder, "words.txt"), encoding="utf-8") as file:
        words = [line.strip() for line in file if line.strip() and not line.startswith("#")]
    # no word boundary follows a colon
    patterns = [r"\s+".join(re.escape(part) for part in word.split()) + ("" if word.endswith(":") else r"\b")
                for word in words]
    refused = re.compile(rf"(?<!\w)(?:{'|'.join(patterns)})", re.I)
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = prose(path, file.read())
        for match in refused.finditer(text or ""):
            line = text.count("\n", 0, match.start()) + 1
            print(f"{path}:{line}: \"{' '.join(match.group().split())}\"")


main()
