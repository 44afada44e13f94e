"""A shop in SQLAlchemy 2.  Its statements are the same for psycopg 3 and asyncpg."""
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Interval, Numeric, Uuid, func, literal, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

MONEY = Numeric(10, 2)


class Base(DeclarativeBase):
    pass


class Product(Base):
    __tablename__ = "products"
    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    name: Mapped[str]
    price: Mapped[Decimal] = mapped_column(MONEY)
    stock: Mapped[int] = mapped_column(server_default="0")


class Order(Base):
    # inventory inserts rows, too: defaults have to be those of the database
    __tablename__ = "orders"
    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    user_id: Mapped[UUID]
    status: Mapped[str] = mapped_column(server_default="placed")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    lines: Mapped[list["OrderLine"]] = relationship()


class OrderLine(Base):
    __tablename__ = "order_lines"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey(Order.id), index=True)
    product_id: Mapped[UUID] = mapped_column(ForeignKey(Product.id))
    quantity: Mapped[int]
    unit_price: Mapped[Decimal] = mapped_column(MONEY)
    product: Mapped[Product] = relationship()


ATTACH = """
    SELECT inventory.attach('products', 'order_lines', order_header => 'orders',
        order_values => '{"unit_price": "price"}')
"""
# for a shop that inserts its orders itself
FOLLOW = """
    SELECT inventory.attach('products', 'order_lines', order_header => 'orders',
        order_values => '{"unit_price": "price"}',
        order_writes => 'follow',
        order_units => $$CASE WHEN header.status <> 'cancelled' THEN line.quantity END$$,
        order_final => $$header.status = 'shipped'$$)
"""


def migrate(connection, attach=ATTACH):
    connection.execute(text("CREATE EXTENSION IF NOT EXISTS inventory"))
    Base.metadata.create_all(connection)
    connection.execute(text(attach))


# A UUID is passed as uuid.  A string would be passed as varchar, and no function found.

def buy_item(user: UUID, product: UUID, quantity=1, key=None):
    return select(func.buy_item(user, product, quantity, key, type_=BigInteger))


def buy_cart(user: UUID, lines: list[dict], key=None):
    row = func.buy_cart(user, literal(lines, JSONB), key).table_valued("header_id", "order_id", "available")
    return select(row.c.header_id, row.c.order_id, row.c.available)


def reserve(user: UUID, product: UUID, quantity: int, ttl: timedelta):
    return select(func.reserve_stock(user, product, quantity, literal(ttl, Interval), type_=Uuid))


def confirm(reservation: UUID):
    return select(func.confirm_reservation(reservation).table_valued("order_id").c.order_id)


def available(product: UUID):
    return select(func.available_stock(product, type_=BigInteger))


def refusal(error: DBAPIError):
    """IV001 and so on, or None if inventory has not refused."""
    code = getattr(error.orig, "sqlstate", None) or ""
    return code if code.startswith("IV") else None
