"""What a shop of django-oscar does with its stock.  Nothing in here knows of inventory but verify()."""
import os
from decimal import Decimal

from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection, transaction
from django.test import TestCase, TransactionTestCase
from django.urls import reverse
from oscar.apps.basket.models import Basket
from oscar.apps.order.models import Order
from oscar.apps.order.processing import EventHandler
from oscar.apps.partner.exceptions import InvalidStockAdjustment
from oscar.apps.partner.models import StockAlert, StockRecord
from oscar.apps.partner.strategy import Default
from oscar.test.factories import CountryFactory, create_order, create_product, create_stockrecord


def verify():
    """The faults that the ledger finds; none where nothing is attached."""
    if not os.environ.get("ATTACH"):
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM inventory.verify('partner_stockrecord')")
        return cursor.fetchall()


def movements():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM partner_stockrecord_stock.movements")
        return cursor.fetchone()[0]


class Stock:
    def tearDown(self):
        self.assertEqual(verify(), [])
        if os.environ.get("ATTACH"):
            self.assertGreater(movements(), 0)
        super().tearDown()

    def setUp(self):
        super().setUp()
        self.record = create_stockrecord(create_product(), price=Decimal("10.00"), num_in_stock=5)

    def stock(self, in_stock, allocated):
        found = StockRecord.objects.get(pk=self.record.pk)
        self.assertEqual((found.num_in_stock, found.num_allocated or 0), (in_stock, allocated))

    def basket(self, quantity, user=None):
        basket = Basket.objects.create(owner=user)
        basket.strategy = Default()
        basket.add_product(self.record.product, quantity)
        return basket

    def order(self, number, quantity, user=None):
        return create_order(number=number, basket=self.basket(quantity, user), user=user)


class StockRecords(Stock, TestCase):
    def test_consume(self):
        """stock: an allocation is consumed"""
        self.record.allocate(3)
        self.stock(5, 3)
        self.record.consume_allocation(2)
        self.stock(3, 1)

    def test_cancel(self):
        """stock: an allocation is cancelled"""
        self.record.allocate(3)
        self.record.cancel_allocation(3)
        self.stock(5, 0)

    def test_too_many(self):
        """stock: more than is allocated cannot be consumed"""
        self.record.allocate(1)
        with self.assertRaises(InvalidStockAdjustment):
            self.record.consume_allocation(2)
        self.stock(5, 1)

    def test_save(self):
        """stock: save() sets the number"""
        self.record.num_in_stock = 40
        self.record.save()
        self.stock(40, 0)

    def test_alert(self):
        """stock: an alert is opened below the threshold, and closed above it"""
        self.record.low_stock_threshold = 3
        self.record.num_in_stock = 2
        self.record.save()
        self.assertEqual([alert.status for alert in StockAlert.objects.all()], ["Open"])
        self.record.num_in_stock = 30
        self.record.save()
        self.assertEqual([alert.status for alert in StockAlert.objects.all()], ["Closed"])

    def test_negative(self):
        """stock: a negative number is an IntegrityError"""
        with self.assertRaises(IntegrityError), transaction.atomic():
            StockRecord.objects.filter(pk=self.record.pk).update(num_in_stock=-1)
        self.stock(5, 0)

    def test_untracked(self):
        """stock: a record without a number"""
        StockRecord.objects.filter(pk=self.record.pk).update(num_in_stock=None)
        self.record.refresh_from_db()
        self.assertIsNone(self.record.net_stock_level if self.record.num_in_stock else None)

    def test_bulk(self):
        """stock: many records are made and deleted at once"""
        made = StockRecord.objects.bulk_create(
            StockRecord(product=create_product(), partner=self.record.partner, partner_sku=f"sku {n}", num_in_stock=n)
            for n in range(20))
        self.assertEqual(StockRecord.objects.filter(pk__in=[r.pk for r in made]).delete()[0], 20)


class Baskets(Stock, TestCase):
    def test_add(self):
        """basket: a product is added twice"""
        basket = self.basket(1)
        basket.add_product(self.record.product, 2)
        self.assertEqual(basket.num_items, 3)
        self.stock(5, 0)

    def test_permitted(self):
        """basket: what is allocated is not available"""
        self.record.allocate(3)
        info = Default().fetch_for_product(self.record.product)
        self.assertTrue(info.availability.is_purchase_permitted(2)[0])
        self.assertFalse(info.availability.is_purchase_permitted(3)[0])

    def test_merge(self):
        """basket: two baskets are merged"""
        basket, other = self.basket(1), self.basket(2)
        basket.merge(other)
        self.assertEqual(basket.num_items, 3)


class Orders(Stock, TestCase):
    def test_place(self):
        """order: placing it allocates"""
        order = self.order("1", 2)
        self.assertEqual(order.num_items, 2)
        self.stock(5, 2)

    def test_ship(self):
        """order: shipping it consumes"""
        order = self.order("1", 2)
        EventHandler().consume_stock_allocations(order)
        self.stock(3, 0)

    def test_cancel(self):
        """order: cancelling it gives the allocation back"""
        order = self.order("1", 2)
        EventHandler().cancel_stock_allocations(order)
        self.stock(5, 0)

    def test_status(self):
        """order: a line is changed and an order deleted"""
        order = self.order("1", 2)
        order.lines.update(status="Shipped", quantity=1)
        order.lines.all().delete()
        order.delete()
        self.assertEqual(Order.objects.count(), 0)


class Checkout(Stock, TestCase):
    def test_checkout(self):
        """checkout: a customer buys on the pages of the shop"""
        country = CountryFactory(iso_3166_1_a2="GB", is_shipping_country=True)
        self.client.force_login(get_user_model().objects.create(username="ada", email="ada@example.com"))
        product = self.record.product
        self.client.post(reverse("basket:add", kwargs={"pk": product.pk}), {"quantity": 2})
        self.client.post(reverse("checkout:shipping-address"), {
            "action": "ship_to", "first_name": "Ada", "last_name": "Lovelace", "line1": "1 Street", "line4": "London",
            "postcode": "N1 9RT", "country": country.pk})
        self.client.get(reverse("checkout:shipping-method"))
        self.client.get(reverse("checkout:payment-method"))
        answer = self.client.post(reverse("checkout:preview"), {"action": "place_order"}, follow=True)
        self.assertEqual(answer.status_code, 200)
        self.assertEqual([order.num_items for order in Order.objects.all()], [2])
        self.stock(5, 2)

    def test_page(self):
        """checkout: no more than there are can be put into the basket"""
        answer = self.client.post(reverse("basket:add", kwargs={"pk": self.record.product.pk}), {"quantity": 6})
        self.assertEqual(answer.status_code, 302)
        self.assertEqual(Basket.objects.filter(lines__quantity=6).count(), 0)


class Flushed(Stock, TransactionTestCase):
    def test_commit(self):
        """flush: an order is committed, and TRUNCATE removes it"""
        self.order("1", 2)
        self.stock(5, 2)

    def test_commit_again(self):
        """flush: nothing is left for the next test"""
        self.assertEqual(StockRecord.objects.count(), 1)
        self.assertEqual(Order.objects.count(), 0)
