"""The shop that inserts its orders itself: not one call of a function of inventory."""
from threading import Barrier, Thread

from django.contrib.auth.models import User
from django.db import DatabaseError, connection
from django.test import TestCase, TransactionTestCase

from .models import Order, OrderLine, Product


def order(user, *lines):
    """Place an order of (product, quantity)."""
    new = Order.objects.create(user=user)
    for product, quantity in lines:
        new.add(product, quantity)
    new.place()
    return new


class LegacyTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.ann = User.objects.create(username="ann")
        cls.poster = Product.objects.create(name="Poster", price="35.00", stock=10)

    def stock(self):
        return Product.objects.get(pk=self.poster.pk).stock

    def test_order(self):
        """the stock follows an order that is placed, changed and cancelled"""
        cart = Order.objects.create(user=self.ann)
        line = cart.add(self.poster, 3)
        self.assertEqual(self.stock(), 10)
        cart.place()
        self.assertEqual(self.stock(), 7)
        line.quantity = 5
        line.save()
        self.assertEqual(self.stock(), 5)
        cart.cancel()
        self.assertEqual(self.stock(), 10)

    def test_refusal(self):
        """an order of too much is IV001, and remains a cart"""
        with self.assertRaises(DatabaseError) as caught:
            order(self.ann, (self.poster, 11))
        self.assertEqual(caught.exception.__cause__.sqlstate, "IV001")
        self.assertEqual((Order.objects.get().status, self.stock()), ("cart", 10))

    def test_delete(self):
        """a line that is deleted gives its units back, unless it is shipped"""
        placed, shipped = order(self.ann, (self.poster, 2)), order(self.ann, (self.poster, 3))
        shipped.status = "shipped"
        shipped.save()
        placed.delete()
        shipped.delete()
        self.assertEqual((OrderLine.objects.count(), self.stock()), (0, 7))

    def test_stale_save(self):
        """save() of a stale object does not undo sales"""
        order(self.ann, (self.poster, 4))
        self.poster.name = "Poster, signed"
        self.poster.save()
        self.assertEqual(self.stock(), 6)


class RaceTests(TransactionTestCase):
    def test_race(self):
        """eight buyers at once get the last three"""
        users = [User.objects.create(username=f"buyer {n}") for n in range(8)]
        poster = Product.objects.create(name="Poster", price="35.00", stock=3)
        start, codes = Barrier(len(users)), []

        def buyer(user):
            try:
                start.wait(timeout=30)
                order(user, (poster, 1))
                codes.append("sold")
            except DatabaseError as error:
                codes.append(error.__cause__.sqlstate)
            finally:
                connection.close()

        threads = [Thread(target=buyer, args=[user]) for user in users]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(codes), 5 * ["IV001"] + 3 * ["sold"])
        self.assertEqual(Product.objects.get().stock, 0)
        self.assertEqual(Order.objects.filter(status="placed").count(), 3)
