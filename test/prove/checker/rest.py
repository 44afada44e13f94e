"""What there is of each item when all is at rest, and what its counter says, at several stages.

    left        as the clients left it
    restarted   the server was started anew, and nobody has been there (not in every cycle)
    settled     and everything was settled
"""

import os

from .tables import read_table

STAGES = ("left", "restarted", "settled")


class Stage:
    """The files of one."""

    def __init__(self, name, directory):
        where = os.path.join("rest", name)
        self.name = name
        self.counters = read_table(directory, "counters", where)
        self.verify = read_table(directory, "verify", where)


def read_stages(directory):
    return [Stage(name, directory) for name in STAGES
            if os.path.isdir(os.path.join(directory, "rest", name))]
