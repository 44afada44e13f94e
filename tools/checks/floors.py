#!/usr/bin/env python3
"""Checks that includes and calls in src/ only go down, without circles.

    floors.py               reads the source files
    floors.py DIRECTORY     also reads the symbols of the compiled objects below DIRECTORY

The folders of src/ are FLOORS, the lowest first.  A file may refer to files of its own floor and of
lower floors: include them, call their functions, or use their names in any other way.  Files must
not refer to each other in a circle; x.c and x.h count as one file.  Prints every violation.
"""
import collections
import os
import re
import subprocess
import sys

import csource

FLOORS = ["base", "shmem", "store", "stock", "commands", "maintenance", "facade", ""]


class House:
    """The files of src/, the names that they define, and the references between them."""

    def __init__(self, files):
        self.files = [file for file in files if os.path.dirname(file.path) in FLOORS]
        self.paths = {file.path for file in self.files}
        self.wrong = [f"src/{file.path}:1: its folder is not one of the floors" for file in files
                      if file.path not in self.paths]
        self.home = {}  # name -> path of the file that defines it
        self.edges = collections.defaultdict(dict)  # unit -> unit it refers to -> (place, what)
        self.seen = set()  # (path, name) of each use in a source file
        for file in self.files:
            names = [item.name for item in file.items if item.is_defined and not item.is_static
                     or file.is_header and item.is_function and item.is_static]
            self.home.update((name, file.path) for name in names + (list(file.macros) if file.is_header else []))

    def complain(self, file, line, what):
        self.wrong.append(f"src/{file.path}:{line}: {what}")

    def refer(self, file, line, target, what):
        """Record that a file refers to the file target, which must not be on a higher floor."""
        unit = os.path.splitext(target)[0]
        if unit == file.unit:
            return
        if floor(target) > floor(file.path):
            self.complain(file, line, f"{what}, which is above it")
        self.edges[file.unit].setdefault(unit, (f"src/{file.path}:{line}", what))

    def check_includes(self, file):
        """Headers of src/ are included by their path below src/, and never from a higher floor."""
        names = {os.path.basename(path) for path in self.paths}
        here = os.path.dirname(file.path)
        for written, line in file.includes:
            path = written.strip('"<>')
            if written[:1] not in ('"', "<"):
                self.complain(file, line, f"includes {written}: write the name of the file")
            elif written == f'"{path}"' and path in self.paths and path.endswith(".h") and ("/" in path or not here):
                self.refer(file, line, path, f"includes {path}")
            elif path in names or any(os.path.exists(os.path.join("src", folder, path)) for folder in ("", here)):
                self.complain(file, line, f'includes {written}: write "folder/name.h", the path of a header below src/')

    def check_declarations(self, file):
        """A header declares only what its own .c file defines; a .c file declares nothing of another file."""
        own = {item.name for item in file.items if item.is_defined}
        if file.is_header:
            for item in file.items:
                if not item.is_defined and self.home.get(item.name) != file.unit + ".c":
                    place = self.home.get(item.name)
                    self.complain(file, item.line, f"declares {item.name}, which " +
                                  (f"src/{place} defines" if place else f"src/{file.unit}.c does not define"))
            return
        for item in file.items:
            if item.is_extern:
                self.complain(file, item.line, f"extern {item.name}: include the header of its file")
            elif not item.is_defined and not item.is_static and item.name not in own:
                self.complain(file, item.line, f"declares {item.name}: include the header of its file")
        for name, line in file.announced:
            if name not in own:
                self.complain(file, line, f"PG_FUNCTION_INFO_V1({name}) is not in the file of the function")

    def check_names(self, file):
        """Every use of a name is a reference: a call, a pointer to a function, the text of a macro."""
        own = {item.name for item in file.items if item.is_static} | set(file.macros)
        for name, line in file.names.items():
            if name in self.home and name not in own:
                self.seen.add((file.path, name))
                self.refer(file, line, self.home[name], f"uses {name} of src/{self.home[name]}")

    def check_objects(self, directory):
        """An undefined symbol of one object that another object defines is a reference."""
        defined, needed = {}, {}
        for file in self.files:
            path = os.path.join(directory, file.unit + ".o")
            if file.is_header or not os.path.exists(path):
                continue
            needed[file] = []
            for line in run("nm", "-g", "-P", path):
                symbol, kind = line.split()[:2]
                if kind in "Uwv":
                    needed[file].append(symbol)
                else:
                    defined[symbol] = file.path
        for file, symbols in needed.items():
            for symbol in symbols:
                if symbol in defined and (file.path, symbol) not in self.seen:
                    line = line_of(os.path.join(directory, file.unit + ".o"), symbol)
                    self.refer(file, line, defined[symbol], f"needs {symbol} of src/{defined[symbol]}")

    def check_circles(self):
        """Report each circle once, with the place of each of its references."""
        seen = set()
        for start in sorted(self.edges):
            way = self.shortest_circle(start) if start not in seen else None
            seen.update(way or ())
            for unit, following in zip(way or (), (way or ())[1:]):
                place, what = self.edges[unit][following]
                self.wrong.append(f"{place}: {what}, in the circle {' -> '.join(way)}")

    def shortest_circle(self, start):
        """A shortest path from start back to start."""
        ways = collections.deque([(start,)])
        seen = set()
        while ways:
            way = ways.popleft()
            for unit in sorted(self.edges.get(way[-1], ())):
                if unit == start:
                    return way + (start,)
                if unit not in seen:
                    seen.add(unit)
                    ways.append(way + (unit,))
        return None


def floor(path):
    return FLOORS.index(os.path.dirname(path))


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def line_of(path, symbol):
    """The source line that refers to a symbol, by the debugging information; 1 if data refers to it."""
    line = 1
    for text in run("objdump", "-d", "-l", "-r", path):
        if place := re.match(r"\S+\.[ch]:(\d+)", text):
            line = int(place.group(1))
        elif re.search(rf"R_\S+\s+{symbol}\b", text):
            return line
    return 1


def main():
    house = House(csource.read_tree())
    if not house.files:
        house.wrong.append("no files in src/")
    for file in house.files:
        house.check_includes(file)
        house.check_declarations(file)
        house.check_names(file)
    if len(sys.argv) > 1:
        house.check_objects(sys.argv[1])
    house.check_circles()
    print("".join(text + "\n" for text in dict.fromkeys(house.wrong)), end="")


main()
