#!/usr/bin/env python3
"""Checks that no two functions of src/ have the same name, so that a breakpoint by name is unique."""
import csource

first = {}
for file in csource.read_tree():
    for item in file.items:
        if item.is_function and item.is_defined:
            path, line = first.setdefault(item.name, (file.path, item.line))
            if path != file.path:  # in one file, these are branches of an #if
                print(f"src/{file.path}:{item.line}: {item.name} is also a function of src/{path}:{line}")
