"""A shop that sells by the functions of inventory."""
from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class Product(models.Model):
    name = models.CharField(max_length=100)
    price = models.DecimalField(max_digits=10, decimal_places=2)
    stock = models.PositiveBigIntegerField(default=0)


class Order(models.Model):
    # inventory inserts the rows of Order and OrderLine: defaults have to be those of the database
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    total = models.DecimalField(max_digits=10, decimal_places=2)
    address = models.TextField(db_default="")
    created_at = models.DateTimeField(db_default=Now())


class OrderLine(models.Model):
    order = models.ForeignKey(Order, models.PROTECT, related_name="lines")
    product = models.ForeignKey(Product, models.PROTECT)
    quantity = models.PositiveIntegerField()
    unit_price = models.DecimalField(max_digits=10, decimal_places=2)
