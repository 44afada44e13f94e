"""The data of one cycle, read from its files."""

import json
import os

from .following import Following
from .history import FOLLOWS, read_histories
from .rest import read_stages
from .stream import read_stream
from .tables import Tables, read_items
from .timeline import set_bounds
from .totals import set_totals


def read_lines(path):
    """The objects of a .jsonl file; a last line may be cut off."""
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        text = file.read()
    return [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]


class Cycle:
    """All data of a cycle."""

    def __init__(self, directory):
        with open(os.path.join(directory, "run.json"), encoding="utf-8") as file:
            self.run = json.load(file)
        self.items = read_items(self.run["items"])
        self.operations, self.intents = read_histories(directory)
        self.tables = Tables(directory)
        self.commits = read_stream(directory)
        self.snapshots = read_lines(os.path.join(directory, "snapshots.jsonl"))
        self.faults = read_lines(os.path.join(directory, "faults.jsonl"))
        self.stages = read_stages(directory)
        self.ever_hot = set_totals(self)
        self.following = Following(directory, self) if "goods" in self.run else None
        self.clock = set_bounds(self.run, self.commits, self.operations, self.intents)
        self.on_hold = {}       # operations by their argument `reservation`
        for op in self.operations:
            if "reservation" in op.args:
                self.on_hold.setdefault(op.args["reservation"], []).append(op)

    def operation(self, token):
        """The operation to name for a token, or None."""
        intent = self.intents.get(token)
        return intent.acknowledged() if intent else None

    def was_hot(self, op):
        """Was anything ever hot in the store of an operation?"""
        return self.following.ever_hot if op.op in FOLLOWS else self.ever_hot

    def may_be_repeated(self, op):
        """Is a refusal the answer of an earlier try, or can it be?"""
        if not op.refused_softly() or op.key is None:
            return False
        if op.result:
            return bool(op.result[0][4])
        return any(other is not op and other.at < op.end for other in self.intents[op.token].tries)
