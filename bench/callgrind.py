"""A server under callgrind, which counts the instructions of each session; those of the kernel do not count."""

import os
import shutil
import time

PATIENCE = 60  # seconds for a session's counts after its end


def counts_path(pid=""):
    """Where callgrind writes the counts of a process."""
    return os.path.join(os.environ["WORK"], "callgrind", str(pid))


def write_program(program):
    """Write a program for pg_ctl to start: postgres, counted in its sessions only."""
    os.makedirs(counts_path(), exist_ok=True)
    with open(program, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\nexec valgrind -q --tool=callgrind --toggle-collect=PostgresMain "
                   f"'--callgrind-out-file={counts_path('%p')}' "
                   f"'{shutil.which('postgres')}' \"$@\"\n")
    os.chmod(program, 0o755)


class CountsMissing(Exception):
    """A session has left no counts."""


def counted(pid):
    """The instructions of a session that has ended or is about to."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if os.path.exists(counts_path(pid)):
            with open(counts_path(pid), encoding="utf-8", errors="replace") as file:
                for line in file:
                    if line.startswith("totals:"):
                        return int(line.split()[1])
        time.sleep(0.05)
    raise CountsMissing("callgrind has not written the counts of a session")
