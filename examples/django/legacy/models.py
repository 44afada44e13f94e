"""A shop that does not know inventory: it inserts its orders itself, and the stock follows."""
from django.conf import settings
from django.db import models, transaction


class Product(models.Model):
    name = models.CharField(max_length=100)
    price = models.DecimalField(max_digits=10, decimal_places=2)
    stock = models.PositiveIntegerField(default=0)


class Order(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    status = models.CharField(max_length=20, default="cart")
    created_at = models.DateTimeField(auto_now_add=True)

    def add(self, product, quantity):
        return self.lines.create(product=product, quantity=quantity, unit_price=product.price)

    def place(self):
        with transaction.atomic():
            self.status = "placed"
            self.save()

    def cancel(self):
        self.status = "cancelled"
        self.save()


class OrderLine(models.Model):
    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, models.PROTECT)
    quantity = models.PositiveIntegerField()
    unit_price = models.DecimalField(max_digits=10, decimal_places=2)
