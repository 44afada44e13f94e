"""Makes doc/benchmarks.md: the text of bench/benchmarks.md.in with the tables of a run."""

import os
import re

import figures
import plots
import report
import works
from ratios import groups, middle, pick

HERE = os.path.dirname(__file__)
MISSING = "(not measured in this run)"
CONDITIONS = ("work", "latency", "clients")


def machine_lines(machine):
    """The machine and its load."""
    return (f"{machine['processor']}, {machine['cores']} cores, {machine['memory']} memory, "
            f"{machine['system']}, kernel {machine['kernel']}, {machine['server']}. A commit of "
            f"one session took {machine['commit']}. Load average at the start: {machine['load']}; "
            "load from other work makes the ranges in the tables wider."
            # a remark added by hand at the head of the CSV
            + (f" {machine['note']}" if "note" in machine else ""))


def lengths(rows):
    """The number and length of the rounds."""
    races = [row for row in rows if row["work"] in works.BY_NAME and "seconds" in row]
    if not races:
        return MISSING
    found = [pick(races, **dict(zip(CONDITIONS, values))) for values in groups(races, *CONDITIONS)]
    return (f"{from_to([max(row['round'] for row in mine) for mine in found])} rounds of "
            f"{from_to([round(middle(mine, 'seconds'), 1) for mine in found])} s for each peer")


def from_to(numbers):
    """The lowest and the highest number, or the only one."""
    low, high = min(numbers), max(numbers)
    return f"{low}" if low == high else f"{low} to {high}"


def works_text(rows):
    """A section per workload: the rates in all conditions, and details of the last condition."""
    parts = []
    for name, work in works.BY_NAME.items():
        conditions = groups(pick(rows, work=name), "latency", "clients")
        if not conditions:
            continue
        latency, clients = conditions[-1]
        details = report.race(rows, name, latency, clients)
        parts.append(f"### {work.title}\n\n"
                     "Rate, as a multiple of that of the hand-written function:\n\n"
                     f"{report.rates(rows, name).markdown()}\n\n"
                     f"Details, {details.title.split(': ')[-1]}:\n\n{details.markdown()}\n")
    return "\n".join(parts) or MISSING


def write(rows, machine, directory):
    """The document and its plots."""
    os.makedirs(directory, exist_ok=True)
    drawn = plots.write(rows, directory)
    fields = {"machine": machine_lines(machine), "lengths": lengths(rows),
              "works": works_text(rows)}
    tables = {"figures": figures.table(rows),
              **{name: make(rows) for name, make in report.STUDIES.items()}}
    fields.update({name: table.markdown() if table else MISSING for name, table in tables.items()})
    fields.update({name: f"![{name}]({name}.svg)" if name in drawn else MISSING
                   for name in plots.PLOTS})
    with open(os.path.join(HERE, "benchmarks.md.in"), encoding="utf-8") as file:
        text = re.sub(r"\{\{([\w-]+)\}\}", lambda match: fields[match.group(1)], file.read())
    with open(os.path.join(directory, "benchmarks.md"), "w", encoding="utf-8") as file:
        file.write(text)
