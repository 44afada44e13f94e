#!/usr/bin/env python3
"""Checks that the links of documents lead to files and headings that exist.

    links.py DOCUMENT ...

Links to other sites are not followed.
"""
import os
import re
import sys


def anchors(path):
    """The names of the headings of a document, as GitHub makes them."""
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"^```.*?^```", "", file.read(), flags=re.M | re.S)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
            for heading in re.findall(r"^#+ (.*)$", text, re.M)}


def problem(document, target, heading):
    """What is wrong with a link, or None."""
    path = os.path.normpath(os.path.join(os.path.dirname(document), target)) if target else document
    if not os.path.exists(path):
        return f"{path} does not exist"
    if heading and os.path.isfile(path) and heading not in anchors(path):
        return f"{path} has no heading #{heading}"
    return None


def main():
    for document in sys.argv[1:]:
        with open(document, encoding="utf-8") as file:
            text = file.read()
        for link in re.finditer(r"\]\(([^)#\s]*)#?([^)\s]*)\)", text):
            if re.match(r"\w+:", link.group(1)):
                continue
            found = problem(document, link.group(1), link.group(2))
            if found:
                print(f"{document}:{text.count(chr(10), 0, link.start()) + 1}: {found}")


main()
