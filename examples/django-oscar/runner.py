"""Runs the tests on tables that are attached, if ATTACH is set."""
import os

from django.db import connection
from django.test.runner import DiscoverRunner

# without orders: the shop inserts its own
ATTACH = "SELECT inventory.attach('partner_stockrecord', stock => 'num_in_stock')"


class Runner(DiscoverRunner):
    def setup_databases(self, **options):
        databases = super().setup_databases(**options)
        if os.environ.get("ATTACH"):
            with connection.cursor() as cursor:
                cursor.execute(ATTACH)
        return databases
