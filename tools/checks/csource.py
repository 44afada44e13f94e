"""Reads the C files of src/: what each file includes, defines, declares and uses.

The files are not preprocessed: every branch of an #if is read.
"""
import bisect
import os
import re

COMMENT = r"/\*.*?\*/|//[^\n]*"
LITERAL = r'"(?:\\.|[^"\\\n])*"|' r"'(?:\\.|[^'\\\n])*'"
DIRECTIVE = r"^[ \t]*#(?:\\.|[^\\\n])*"
IDENTIFIER = r"[A-Za-z_]\w*"
INCLUDE = re.compile(r"^[ \t]*#[ \t]*(?:include|include_next|import)\b[ \t]*(.*?)[ \t]*$", re.M)
MACRO = re.compile(rf"^[ \t]*#[ \t]*define[ \t]+({IDENTIFIER})", re.M)
TOKEN = re.compile(rf"{IDENTIFIER}|\d[\w.]*|[^\s\w]")
ATTRIBUTE = re.compile(r"__attribute__|pg_attribute_\w+|PG\w*|[A-Z]\w*_NORETURN")


def blanked(text, kinds):
    """The text with spaces in place of what matches; everything else keeps its position."""
    return re.sub(kinds, lambda match: re.sub(r"[^\n]", " ", match.group()), text, flags=re.S | re.M)


def without_comments(text):
    """The text with spaces in place of comments, but not of what looks like a comment in a string."""
    return re.sub(rf"({LITERAL})|{COMMENT}",
                  lambda match: match.group(1) or re.sub(r"[^\n]", " ", match.group()), text, flags=re.S)


class Item:
    """A function or variable that is defined or declared at the top level of a file."""

    def __init__(self, name, line, words, is_function, has_body):
        self.name = name
        self.line = line
        self.is_function = is_function
        self.is_static = "static" in words
        self.is_extern = "extern" in words
        self.is_defined = has_body if is_function else not self.is_extern


class File:
    """A .c or .h file.  Its path is relative to src/; its unit is the path without .c or .h."""

    def __init__(self, root, path):
        self.path = path
        self.unit = os.path.splitext(path)[0]
        self.is_header = path.endswith(".h")
        with open(os.path.join(root, path), encoding="utf-8") as file:
            text = without_comments(file.read())
        self.starts = [match.end() for match in re.finditer("^", text, re.M)]
        self.includes = [(match.group(1), self.line_at(match.start())) for match in INCLUDE.finditer(text)]
        code = blanked(INCLUDE.sub(lambda match: " " * len(match.group()), text), LITERAL)
        self.macros = {match.group(1): self.line_at(match.start()) for match in MACRO.finditer(code)}
        self.names = {}  # every identifier, and its first line
        for match in re.finditer(rf"\b{IDENTIFIER}", code):
            self.names.setdefault(match.group(), self.line_at(match.start()))
        self.items = []
        self.announced = []  # the arguments of PG_FUNCTION_INFO_V1, and their lines
        self.read_items(blanked(code, DIRECTIVE))

    def line_at(self, position):
        return bisect.bisect_right(self.starts, position)

    def read_items(self, code):
        """Split the code at the semicolons and braces of its top level."""
        depth, tokens, in_function = 0, [], False
        for match in TOKEN.finditer(code):
            token = match.group()
            if token == "{":
                if depth == 0:
                    in_function = bool(tokens) and tokens[-1][0] == ")"
                    tokens.append(("{}", match.start()))
                depth += 1
            elif token == "}":
                depth -= 1
                if depth == 0 and in_function:
                    self.read_item(tokens, True)
                    tokens = []
            elif depth == 0 and token == ";":
                self.read_item(tokens, False)
                tokens = []
            elif depth == 0:
                tokens.append((token, match.start()))

    def read_item(self, tokens, has_body):
        """Record what these tokens declare or define."""
        words = [word for word, _ in tokens]
        if words[:2] == ["PG_FUNCTION_INFO_V1", "("]:
            self.announced.append((words[2], self.line_at(tokens[0][1])))
        elif words[1:2] == ["("]:
            pass  # a macro that is called at the top level, such as StaticAssertDecl
        elif words and words[0] != "typedef":
            at = function_name(words)
            for place in [at] if at else variable_names(words):
                name, position = tokens[place]
                self.items.append(Item(name, self.line_at(position), words[:place], bool(at), has_body))


def function_name(words):
    """The position of a function's name, or None."""
    depth = 0
    for at, word in enumerate(words):
        if depth == 0 and word == "=":
            return None
        if word == "(":
            if (depth == 0 and at > 1 and re.fullmatch(IDENTIFIER, words[at - 1])
                    and not ATTRIBUTE.fullmatch(words[at - 1]) and words[at + 1] != "*"):
                return at - 1
            depth += 1
        elif word == ")":
            depth -= 1
    return None


def variable_names(words):
    """The positions of the names of variables, including pointers to functions."""
    if words[0] in ("struct", "union", "enum") and len(words) == 2:
        return
    for at, word in enumerate(words):
        if word == "=":
            return
        after = words[at + 1] if at + 1 < len(words) else ";"
        if at and re.fullmatch(IDENTIFIER, word):
            if after in "=[,;" or (after == ")" and words[at - 1] == "*" and words[at - 2] == "("):
                yield at
                if after == ")":
                    return


def read_tree(root="src"):
    """Every .c and .h file below root."""
    files = []
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            if name.endswith((".c", ".h")):
                files.append(File(root, os.path.relpath(os.path.join(folder, name), root)))
    return files
