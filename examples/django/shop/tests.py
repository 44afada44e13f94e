"""The shop that sells by functions: manage.py test makes a database of its own by the migrations."""
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, NotSupportedError, connection, models, transaction
from django.test import TestCase, TransactionTestCase

from . import checkout
from .models import Order, OrderLine, Product
from .refusals import Refused, refusals


def problems():
    """What verify finds, except how often "keep" has left the stock as it is."""
    return checkout.query("SELECT * FROM inventory.verify('shop_product') WHERE problem <> 'direct_ignored'")


class ShopTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.ann = User.objects.create(username="ann")
        cls.guitar = Product.objects.create(name="Guitar", price="1200.00", stock=1)
        cls.poster = Product.objects.create(name="Poster", price="35.00", stock=10)

    def tearDown(self):
        self.assertEqual(problems(), [])

    def refused(self, code, name, function, *arguments):
        with self.assertRaises(Refused) as caught:
            function(*arguments)
        self.assertEqual((caught.exception.code, str(caught.exception)), (code, name))

    def test_sale(self):
        """a sale inserts the order, with the price of the product"""
        line = OrderLine.objects.get(pk=checkout.buy(self.ann, self.guitar))
        self.assertEqual((line.order.user, line.order.total, line.unit_price), (self.ann, 1200, 1200))
        self.assertEqual(checkout.available(self.guitar), 0)

    def test_refusal(self):
        """a refusal is IV001, and the transaction goes on"""
        checkout.buy(self.ann, self.guitar)
        self.refused("IV001", "out_of_stock", checkout.buy, self.ann, self.guitar)
        self.assertEqual(Order.objects.count(), 1)

    def test_refusal_is_a_database_error(self):
        """a refusal is a DatabaseError and no subclass of it"""
        with self.assertRaises(DatabaseError) as caught, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT buy_item(%s, %s, 2)", [self.ann.pk, self.guitar.pk])
        self.assertIs(type(caught.exception), DatabaseError)
        self.assertEqual(caught.exception.__cause__.sqlstate, "IV001")

    def test_retry(self):
        """a retry with its key returns the same order"""
        key = str(uuid4())
        line = checkout.buy(self.ann, self.poster, 2, key)
        self.assertEqual(checkout.buy(self.ann, self.poster, 2, key), line)
        self.refused("IV009", "idempotency_key_mismatch", checkout.buy, self.ann, self.poster, 3, key)
        self.assertEqual(checkout.available(self.poster), 8)

    def test_cart(self):
        """a cart is one order with its lines"""
        cart = [(self.poster, 2), (self.guitar, 1)]
        order = Order.objects.get(pk=checkout.buy_cart(self.ann, cart, "1 High Street", "cart-1"))
        self.assertEqual((order.address, order.total, order.lines.count()), ("1 High Street", 1270, 2))
        self.assertEqual(checkout.buy_cart(self.ann, cart, "1 High Street", "cart-1"), order.pk)
        self.refused("IV001", "out_of_stock", checkout.buy_cart, self.ann, cart, "1 High Street", "cart-2")

    def test_hold(self):
        """a hold keeps the unit until it is confirmed"""
        reservation = checkout.hold(self.ann, self.guitar, 1, timedelta(minutes=10))
        self.refused("IV001", "out_of_stock", checkout.buy, self.ann, self.guitar)
        self.assertFalse(OrderLine.objects.exists())
        line, = checkout.confirm(reservation)
        self.assertEqual(OrderLine.objects.get(pk=line).product, self.guitar)

    def test_stale_save(self):
        """save() of a stale object does not undo sales"""
        stale = Product.objects.get(pk=self.poster.pk)
        checkout.buy(self.ann, self.poster, 4)
        stale.name = "Poster, signed"
        stale.save()
        self.poster.refresh_from_db()
        self.assertEqual((self.poster.name, self.poster.stock), ("Poster, signed", 6))

    def test_restock(self):
        """restock_item adds to the stock, and UPDATE of the stock alone is refused"""
        self.assertEqual(checkout.restock(self.poster, 5, "delivery 17"), 15)
        with self.assertRaisesMessage(Refused, "direct_write_refused"), refusals():
            Product.objects.filter(pk=self.poster.pk).update(stock=99)

    def test_retyped(self):
        """the stock is bigint, and so is what the functions return"""
        self.assertEqual(checkout.restock(self.poster, 3_000_000_000, "a large print run"), 3_000_000_010)


class DatabaseTests(TransactionTestCase):
    """TransactionTestCase ends each test with TRUNCATE of all tables."""

    def sell(self):
        ann = User.objects.create(username="ann")
        guitar = Product.objects.create(name="Guitar", price="1200.00", stock=1)
        checkout.buy(ann, guitar, 1, "key-1")
        self.assertEqual(checkout.available(guitar), 0)
        self.assertEqual(problems(), [])

    def test_truncate(self):
        """after TRUNCATE the shop is empty, and its keys are forgotten"""
        self.sell()
        call_command("flush", interactive=False)
        self.sell()

    def test_alter(self):
        """AlterField of a column of the store is refused"""
        field = models.PositiveIntegerField(default=0)
        field.set_attributes_from_name("stock")
        with self.assertRaises(NotSupportedError), connection.schema_editor() as editor:
            editor.alter_field(Product, Product._meta.get_field("stock"), field)

    @contextmanager
    def column_of_orders(self, field):
        """As AddField makes it."""
        field.model = Order
        field.set_attributes_from_name("note")
        with connection.schema_editor() as editor:
            editor.add_field(Order, field)
        try:
            yield
        finally:
            with connection.schema_editor() as editor:
                editor.remove_field(Order, field)

    def test_new_column(self):
        """a NOT NULL column that is added later needs db_default"""
        with self.column_of_orders(models.TextField(default="")), self.assertRaises(IntegrityError):
            self.sell()
        call_command("flush", interactive=False)
        with self.column_of_orders(models.TextField(db_default="")):
            self.sell()

    def test_migrate(self):
        """the migrations can be reversed, and the ledger is continued"""
        self.sell()
        call_command("migrate", "shop", "0001", verbosity=0)
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regprocedure('available_stock(bigint)') IS NULL, count(*) FROM shop_stock.movements")
            self.assertEqual(cursor.fetchone(), (True, 2))
        call_command("migrate", "shop", verbosity=0)
        self.assertEqual(checkout.restock(Product.objects.get(), 1, "found"), 1)
        self.assertEqual(problems(), [])
