"""psycopg 3 and asyncpg by themselves: what doc/drivers.md says of them."""
import json
import os
import unittest
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import psycopg
from psycopg.types.json import Jsonb

TTL = timedelta(minutes=10)
DATABASE = os.environ["PGDATABASE"]
CREATE = """
    CREATE EXTENSION IF NOT EXISTS inventory;
    DROP SCHEMA IF EXISTS drivers CASCADE;
    SELECT inventory.create_store('drivers');
"""


class Psycopg(unittest.TestCase):
    def setUp(self):
        self.connection = psycopg.connect(dbname=DATABASE, autocommit=True)
        self.addCleanup(self.connection.close)
        self.connection.execute(CREATE)
        self.user, self.item = uuid4(), uuid4()
        self.connection.execute("INSERT INTO drivers.items (id, stock) VALUES (%s, 3)", [self.item])

    def test_types(self):
        """psycopg alone: lines are Jsonb, a ttl is a timedelta, ids are UUID or str"""
        connection, user, item = self.connection, self.user, self.item
        lines = [{"item_id": str(item), "quantity": 2}]
        rows = connection.execute("SELECT * FROM drivers.buy_cart(%s, %s, %s)", [user, Jsonb(lines), "cart-1"]).fetchall()
        self.assertEqual(rows[0][:3], ("ok", item, 2))
        hold, = connection.execute("SELECT drivers.reserve_stock(%s, %s, %s, %s)", [user, str(item), 1, TTL]).fetchone()
        self.assertIsInstance(hold, UUID)
        with self.assertRaisesRegex(psycopg.ProgrammingError, "cannot adapt type 'dict'"):
            connection.execute("SELECT * FROM drivers.buy_cart(%s, %s)", [user, lines])

    def test_refusal(self):
        """psycopg alone: a refusal has sqlstate, and its name and DETAIL in diag"""
        try:
            self.connection.execute("SELECT drivers.buy_item(%s, %s, %s)", [self.user, self.item, 4])
            self.fail("sold 4 of 3")
        except psycopg.Error as error:
            self.assertEqual((error.sqlstate, error.diag.message_primary), ("IV001", "out_of_stock"))
            self.assertIn(str(self.item), error.diag.message_detail)


class Asyncpg(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.connection = await asyncpg.connect(database=DATABASE)
        self.addAsyncCleanup(self.connection.close)
        await self.connection.execute(CREATE)
        self.user, self.item = uuid4(), uuid4()
        await self.connection.execute("INSERT INTO drivers.items (id, stock) VALUES ($1, 3)", self.item)

    async def test_types(self):
        """asyncpg alone: lines are a text by json.dumps, a ttl is a timedelta, ids are UUID or str"""
        connection, user, item = self.connection, self.user, self.item
        lines = json.dumps([{"item_id": str(item), "quantity": 2}])
        rows = await connection.fetch("SELECT * FROM drivers.buy_cart($1, $2, $3)", user, lines, "cart-1")
        self.assertEqual((rows[0]["status"], rows[0]["item_id"], rows[0]["quantity"]), ("ok", item, 2))
        hold = await connection.fetchval("SELECT drivers.reserve_stock($1, $2, $3, $4)", user, str(item), 1, TTL)
        self.assertIsInstance(hold, UUID)
        with self.assertRaisesRegex(asyncpg.DataError, "expected str, got list"):
            await connection.fetch("SELECT * FROM drivers.buy_cart($1, $2)", user, [{"item_id": str(item)}])
        with self.assertRaisesRegex(asyncpg.DataError, "days"):
            await connection.fetchval("SELECT drivers.reserve_stock($1, $2, $3, $4)", user, item, 1, "10 minutes")

    async def test_refusal(self):
        """asyncpg alone: a refusal has sqlstate, message and detail"""
        try:
            await self.connection.fetchval("SELECT drivers.buy_item($1, $2, $3)", self.user, self.item, 4)
            self.fail("sold 4 of 3")
        except asyncpg.PostgresError as error:
            self.assertEqual((error.sqlstate, error.message), ("IV001", "out_of_stock"))
            self.assertIn(str(self.item), error.detail)
