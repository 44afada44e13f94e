#!/usr/bin/env python3
"""Checks that files are encoded in UTF-8, and indented as .editorconfig says.

    editorconfig.py FILE ...

With indent_style = tab, a line must not begin with as many spaces as a tab is wide; with
indent_style = space, it must not begin with a tab.  tools/lint itself checks trailing whitespace
and the final newline.
"""
import configparser
import re
import sys

GLOB = {"**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")", ",": "|"}


def pattern(glob):
    """The name of a section as a regular expression that matches paths."""
    parts = re.findall(r"\*\*|.", glob if "/" in glob else "**" + glob)
    return re.compile("".join(GLOB.get(part, re.escape(part)) for part in parts))


def main():
    config = configparser.ConfigParser(interpolation=None)
    with open(".editorconfig", encoding="utf-8") as file:
        config.read_string("[the head]\n" + file.read())
    sections = [(pattern(name), config[name]) for name in config.sections()]
    for path in sys.argv[1:]:
        with open(path, "rb") as file:
            data = file.read()
        if b"\0" in data:
            continue
        try:
            lines = data.decode().split("\n")
        except UnicodeDecodeError as error:
            print(f"{path}:{data[:error.start].count(10) + 1}: not encoded in UTF-8")
            continue
        style = {}
        for name, section in sections:
            if name.fullmatch(path):
                style.update(section)
        refused = {"tab": " " * int(style.get("indent_size", 4)), "space": "\t"}.get(style.get("indent_style"))
        for number, line in enumerate(lines, 1):
            if refused and line.startswith(refused):
                print(f"{path}:{number}: not indented with {style['indent_style']}s")
            if line.endswith("\r"):
                print(f"{path}:{number}: ends with a carriage return")


main()
