"""The units of each item and its counter when all is at rest, at several stages.

    left        after the last client
    restarted   after a restart, before any other session (not in every cycle)
    settled     after settling
"""

import os

from .tables import read_table

STAGES = ("left", "restarted", "settled")


class Stage:
    """The files of one stage."""

    def __init__(self, name, directory, store):
        where = os.path.join("rest", name)
        self.name = name
        self.counters = read_table(directory, store + "counters", where)
        self.verify = read_table(directory, store + "verify", where)


def read_stages(directory, store=""):
    return [Stage(name, directory, store) for name in STAGES
            if os.path.isdir(os.path.join(directory, "rest", name))]
