#!/usr/bin/env python3
"""Checks that every function of src/ has a name of its own: a breakpoint by name finds one."""
import csource

first = {}
for file in csource.read_tree():
    for item in file.items:
        if item.is_function and item.is_defined:
            path, line = first.setdefault(item.name, (file.path, item.line))
            if path != file.path:  # in one file, they are the branches of an #if
                print(f"src/{file.path}:{item.line}: {item.name} is also a function of src/{path}:{line}")
