"""Formatting: numbers as text, and tables for the terminal and the document."""

LATENCY = {"own": "the machine's own commit latency", "2ms": "2 ms commit latency"}


def times(value, digits=2):
    """A ratio, with fewer decimals the larger it is."""
    if value is None:
        return "-"
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.{digits}f}"


def spread(value):
    """The range from the lowest to the highest round."""
    return "-" if value is None else f"{times(value.low)}–{times(value.high)}"


def of_median(value):
    """The median of a ratio."""
    return times(value.median if value else None)


def plain(value, digits=0):
    """A number that is not a ratio."""
    return "-" if value is None else f"{value:,.{digits}f}"


def share(rows):
    """Retries per purchase."""
    ended = sum(row["sold"] + row["refused"] + row["gave_up"] for row in rows)
    retried = sum(row["retried"] for row in rows)
    return "0" if not retried else times(retried / max(ended, 1))


def crowd(clients):
    """The number of clients, in words."""
    return "1 client" if clients == 1 else f"{clients} clients"


class Table:
    """A title, a head and lines of text."""

    def __init__(self, title, head, lines):
        self.title = title
        self.head = head
        self.lines = lines

    def text(self):
        """For the terminal."""
        widths = [max(len(line[i]) for line in [self.head, *self.lines])
                  for i in range(len(self.head))]
        return "\n".join([self.title, ""] + [
            "  " + "  ".join(cell.rjust(width) if i else cell.ljust(width)
                             for i, (cell, width) in enumerate(zip(line, widths))).rstrip()
            for line in [self.head, *self.lines]]) + "\n"

    def markdown(self):
        """For the document."""
        rule = ["---"] + ["--:"] * (len(self.head) - 1)
        return "\n".join("| " + " | ".join(line) + " |" for line in [self.head, rule, *self.lines])
