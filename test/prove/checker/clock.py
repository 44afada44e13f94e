"""Reads times that the server printed."""

import re
from datetime import date

PRINTED = re.compile(r"(\d+-\d\d-\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.(\d+))?"
                     r"([+-]\d\d)(?::?(\d\d))?(?::?(\d\d))?$")
DAYS = {}       # date: its midnight, in seconds since the epoch
EPOCH = date(1970, 1, 1).toordinal()


def midnight(day):
    if day not in DAYS:
        DAYS[day] = (date.fromisoformat(day).toordinal() - EPOCH) * 86400
    return DAYS[day]


def nanoseconds(text):
    """The nanoseconds since the epoch of a timestamptz in ISO style, with any offset."""
    found = PRINTED.match(text)
    if found is None:
        raise ValueError(f"not a time: {text}")
    day, hour, minute, second, fraction, hours, minutes, seconds = found.groups()
    offset = abs(int(hours)) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    at = midnight(day) + int(hour) * 3600 + int(minute) * 60 + int(second)
    at += offset if hours.startswith("-") else -offset
    return at * 1_000_000_000 + int((fraction or "0").ljust(9, "0")[:9])
