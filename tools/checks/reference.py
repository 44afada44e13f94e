#!/usr/bin/env python3
"""Checks that doc/reference.md and README.md have the functions, errors and settings of the source.

Each generated function has a section in the reference, with its arguments and with the errors that its
description names, and a mention in README.md.  The section of a function of the schema inventory has the
errors that its COMMENT names.  Each error of src/base/error.c and each setting of src/base/guc.c has a row
in both documents.
"""
import glob
import re

REFERENCE = "doc/reference.md"
README = "README.md"
STRING = r"'(?:''|[^'])*'"
GENERATED = re.compile(rf"\('(?:buyer|operator)', '(\w+)'(?:::name)?,\s*ARRAY\[(.*?)\],\s*{STRING},\s*'\w+',\s*({STRING})\)", re.S)
COMMENT = re.compile(rf"^COMMENT ON (?:FUNCTION|PROCEDURE) inventory\.(\w+)\(.*?\) IS ({STRING});", re.M)
SQLSTATE = re.compile(r"\b(?=[0-9A-Z]*\d)[0-9A-Z]{5}\b")
REFUSAL = re.compile(r'{ "(\w+)", "(IV\d+)", "PT(\d+)"')
SETTING = re.compile(r'DefineCustom\w+Variable\(\s*"([\w.]+)"')
WRITTEN = {"{user_id_type}": "U", "{item_id_type}": "I", "{order_id_type}": "O", " = {null_with_claim}": "",
           "TRUE": "true", "''": "'", "timestamp with time zone": "timestamptz"}


def read(*patterns):
    """The text of all files with such a name."""
    text = ""
    for pattern in patterns:
        for path in sorted(glob.glob(pattern)):
            with open(path, encoding="utf-8") as file:
                text += file.read()
    return text


def sections(text):
    """The text of each section of the third level by the names in its title."""
    found = {}
    for title, body in re.findall(r"^### ([^\n]+)\n(.*?)(?=^##|\Z)", text, re.M | re.S):
        for name in title.split(", "):
            found[name] = body
    return found


def arguments(array):
    """The arguments of a generated function, as the reference writes them."""
    written = ", ".join(argument[1:-1] for argument in re.findall(STRING, array))
    for have, want in WRITTEN.items():
        written = written.replace(have, want)
    return written


def missing_errors(name, description, section):
    named = description.partition("Errors: ")[2]
    for code in sorted(set(SQLSTATE.findall(named)) - set(SQLSTATE.findall(section))):
        print(f"{REFERENCE}: {name} has the error {code} in its description, and not here")


def main():
    script, reference, readme = read("script/*.sql"), read(REFERENCE), read(README)
    section = sections(reference)
    for name, array, description in GENERATED.findall(script):
        if name not in section:
            print(f"{REFERENCE}: no section {name}")
            continue
        signature = re.search(rf"`{name}\((.*?)\) →", section[name], re.S)
        if signature and " ".join(signature.group(1).split()) != arguments(array):
            print(f"{REFERENCE}: {name} has the arguments ({arguments(array)})")
        if not re.search(rf"`{name}\b", readme):
            print(f"{README}: no function {name}")
        missing_errors(name, description, section[name])
    for name, description in COMMENT.findall(script):
        if name in section:
            missing_errors(name, description, section[name])
    for name, code, status in REFUSAL.findall(read("src/base/error.c")):
        for path, text, row in ((REFERENCE, reference, f"| {code} | {name} | PT{status} |"),
                                (README, readme, f"| {code} | {name} | {status} |")):
            if row not in text:
                print(f"{path}: no row {row}")
    for name in SETTING.findall(read("src/base/guc.c")):
        for path, text in ((REFERENCE, reference), (README, readme)):
            if not re.search(rf"^\|.*`{re.escape(name)}`.*\|", text, re.M):
                print(f"{path}: no row of the setting {name}")


main()
