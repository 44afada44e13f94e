"""The shop with both engines.  PGHOST, PGUSER and so on say where, as for psql."""
import asyncio
import os
import unittest
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import create_engine, func, insert, select, text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Session

import shop
from shop import Order, OrderLine, Product


def url(driver):
    host, port = os.environ.get("PGHOST", ""), os.environ.get("PGPORT", "5432")
    return f"postgresql+{driver}:///{os.environ['PGDATABASE']}?host={host}&port={port}"


def engine_of(schema):
    """An engine for a schema that has just been made."""
    engine = create_engine(url("psycopg"), connect_args={"options": f"-c search_path={schema},public"})
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    return engine


class Sales(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.engine = engine_of("sales")
        cls.addClassCleanup(cls.engine.dispose)
        with cls.engine.begin() as connection:
            shop.migrate(connection)

    def setUp(self):
        self.user = uuid4()
        self.connection = self.enterContext(self.engine.connect())  # rolled back at the end
        add = insert(Product).returning(Product.id)
        self.guitar = self.connection.scalar(add, {"name": "Guitar", "price": 1200, "stock": 1})
        self.poster = self.connection.scalar(add, {"name": "Poster", "price": 35, "stock": 10})

    def refused(self, code, statement):
        with self.assertRaises(DBAPIError) as caught, self.connection.begin_nested():
            self.connection.execute(statement)
        self.assertEqual(shop.refusal(caught.exception), code)

    def test_sale(self):
        """psycopg: a sale inserts order and line, with the price of the product"""
        key = self.connection.scalar(shop.buy_item(self.user, self.guitar))
        line = Session(self.connection).get(OrderLine, key)
        self.assertEqual((line.product_id, line.unit_price), (self.guitar, 1200))

    def test_refusal(self):
        """psycopg: a refusal is a DBAPIError with sqlstate IV001"""
        self.refused("IV001", shop.buy_item(self.user, self.guitar, 2))
        self.assertEqual(self.connection.scalar(shop.available(self.guitar)), 1)

    def test_retry(self):
        """psycopg: a retry with its key returns the same order"""
        line = self.connection.scalar(shop.buy_item(self.user, self.poster, 2, "key-1"))
        self.assertEqual(self.connection.scalar(shop.buy_item(self.user, self.poster, 2, "key-1")), line)
        self.refused("IV009", shop.buy_item(self.user, self.poster, 3, "key-1"))

    def test_cart(self):
        """psycopg: a cart is one order with its lines"""
        lines = [{"item_id": str(self.guitar)}, {"item_id": str(self.poster), "quantity": 2}]
        rows = self.connection.execute(shop.buy_cart(self.user, lines, "cart-1")).all()
        self.assertEqual([row.available for row in rows], [0, 8])
        self.assertEqual(len(Session(self.connection).get(Order, rows[0].header_id).lines), 2)

    def test_hold(self):
        """psycopg: a hold lasts for a timedelta, and is confirmed"""
        hold = self.connection.scalar(shop.reserve(self.user, self.guitar, 1, timedelta(minutes=10)))
        self.refused("IV001", shop.buy_item(uuid4(), self.guitar))
        self.assertEqual(len(self.connection.execute(shop.confirm(hold)).all()), 1)

    def test_string(self):
        """psycopg: a uuid as a string finds no function"""
        with self.assertRaises(ProgrammingError) as caught:
            self.connection.execute(select(func.buy_item(str(self.user), self.guitar)))
        self.assertEqual(caught.exception.orig.sqlstate, "42883")

    def test_retype(self):
        """psycopg: the type of the stock is changed by retype"""
        with self.assertRaises(DBAPIError) as caught, self.connection.begin_nested():
            self.connection.execute(text("ALTER TABLE products ALTER stock TYPE bigint"))
        self.assertEqual(caught.exception.orig.sqlstate, "0A000")
        self.connection.execute(text("SELECT inventory.retype('products', 'stock', 'bigint')"))
        self.connection.scalar(shop.buy_item(self.user, self.poster))


class Follow(unittest.TestCase):
    def test_follow(self):
        """psycopg: the stock follows orders of the ORM, and too much is IV001 at flush"""
        engine = engine_of("follow")
        self.addCleanup(engine.dispose)
        with engine.begin() as connection:
            shop.migrate(connection, shop.FOLLOW)
        with Session(engine) as session:
            poster = Product(name="Poster", price=35, stock=10)
            order = Order(user_id=uuid4(), status="placed", lines=[OrderLine(product=poster, quantity=4, unit_price=35)])
            session.add_all([poster, order])
            session.commit()
            self.assertEqual(poster.stock, 6)
            order.lines[0].quantity = 11
            with self.assertRaises(DBAPIError) as caught:
                session.flush()
            self.assertEqual(shop.refusal(caught.exception), "IV001")
            session.rollback()
            order.status = "cancelled"
            session.commit()
            self.assertEqual(poster.stock, 10)


class AsyncSales(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        engine = engine_of("flash")
        with engine.begin() as connection:
            shop.migrate(connection)
        engine.dispose()

    async def asyncSetUp(self):
        self.engine = create_async_engine(url("asyncpg"), pool_size=20, max_overflow=0,
                                          connect_args={"server_settings": {"search_path": "flash,public"}})
        self.addAsyncCleanup(self.engine.dispose)

    async def call(self, statement):
        """One transaction."""
        async with self.engine.begin() as connection:
            return (await connection.execute(statement)).all()

    async def product(self, stock):
        (key,), = await self.call(insert(Product).values(name="Poster", price=35, stock=stock).returning(Product.id))
        return key

    async def test_flash_sale(self):
        """asyncpg: of 50 buyers at once, 10 get the last 10"""
        product = await self.product(10)

        async def buyer():
            try:
                return "sold" if await self.call(shop.buy_item(uuid4(), product)) else None
            except DBAPIError as error:
                return shop.refusal(error)

        results = await asyncio.gather(*(buyer() for _ in range(50)))
        self.assertEqual(sorted(results), 40 * ["IV001"] + 10 * ["sold"])
        self.assertEqual(await self.call(shop.available(product)), [(0,)])

    async def test_cart(self):
        """asyncpg: a cart, and its retry"""
        user, lines = uuid4(), [{"item_id": str(await self.product(5)), "quantity": 2}]
        first = await self.call(shop.buy_cart(user, lines, "cart-1"))
        self.assertEqual(await self.call(shop.buy_cart(user, lines, "cart-1")), first)
        self.assertEqual(first[0].available, 3)

    async def test_hold(self):
        """asyncpg: a hold lasts for a timedelta, and is confirmed"""
        (hold,), = await self.call(shop.reserve(uuid4(), await self.product(1), 1, timedelta(minutes=10)))
        self.assertEqual(len(await self.call(shop.confirm(hold))), 1)
