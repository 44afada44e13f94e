"""Refusals of inventory: DatabaseError in Django, each with its SQLSTATE."""
from contextlib import contextmanager

from django.db import DatabaseError, transaction


class Refused(Exception):
    """str() is the name, such as out_of_stock; detail has the facts, and is for the log."""

    def __init__(self, code, name, detail):
        super().__init__(name)
        self.code = code
        self.detail = detail


@contextmanager
def refusals():
    try:
        with transaction.atomic():  # a savepoint: the transaction around it can go on
            yield
    except DatabaseError as error:
        cause = error.__cause__
        code = getattr(cause, "sqlstate", None) or ""
        if code.startswith("IV"):
            raise Refused(code, cause.diag.message_primary, cause.diag.message_detail) from error
        raise
