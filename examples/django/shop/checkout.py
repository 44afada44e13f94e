"""What the shop's views call.  Each function is one statement, and so one transaction."""
from django.db import connection
from psycopg.types.json import Jsonb

from .refusals import refusals


def query(sql, *arguments):
    """The rows, as tuples."""
    with refusals(), connection.cursor() as cursor:
        cursor.execute(sql, arguments)
        return cursor.fetchall()


def buy(user, product, quantity=1, key=None):
    """The key of the order line.  A retry with the same idempotency key returns the same."""
    return query("SELECT buy_item(%s, %s, %s, %s)", user.pk, product.pk, quantity, key)[0][0]


def buy_cart(user, lines, address, key=None):
    """The key of the order that inventory has inserted, with its lines."""
    items = Jsonb([{"item_id": product.pk, "quantity": quantity} for product, quantity in lines])
    data = Jsonb({"header": {"address": address}})
    return query("SELECT header_id FROM buy_cart(%s, %s, %s, %s)", user.pk, items, key, data)[0][0]


def hold(user, product, quantity, ttl):
    """The key of a reservation that lasts for this timedelta."""
    return query("SELECT reserve_stock(%s, %s, %s, %s)", user.pk, product.pk, quantity, ttl)[0][0]


def confirm(reservation):
    """The keys of the order lines."""
    return [line for line, in query("SELECT order_id FROM confirm_reservation(%s)", reservation)]


def available(product):
    return query("SELECT available_stock(%s)", product.pk)[0][0]


def restock(product, quantity, reason):
    return query("SELECT shop_stock.restock_item(%s, %s, %s)", product.pk, quantity, reason)[0][0]
