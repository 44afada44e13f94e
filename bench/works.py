"""What buyers do: works that any peer can do which sells in the way they ask for."""

from dataclasses import dataclass

PLENTY = 100_000_000  # units of each item


@dataclass(frozen=True)
class Work:
    """A crowd of buyers before some items."""
    name: str
    title: str
    ways: tuple = ("buy",)
    items: int = 10_000
    stock: int = PLENTY
    choice: str = "uniform"
    lines: int = 1
    units: int = 1  # that a success takes; negative: gives back
    limit: str = "inserts"  # the peer that nobody can beat
    prepared: str = ""  # statement of the owner, once the tables are filled

    def crowd(self):
        """Options of the client."""
        return {"i": self.items, "x": self.choice, "l": self.lines}


# orders from before, for refunds: more than can be refunded in the time
OLD_ORDERS = """
INSERT INTO orders (user_id, item_id, quantity)
SELECT i % 100000 + 1, i % 10000 + 1, 1 FROM generate_series(1, 300000) AS i;
ANALYZE orders;
"""

WORKS = (
    Work("hot", "One hot item", items=1, stock=2_000_000_000, choice="fixed"),
    Work("uniform", "10,000 items, all alike"),
    Work("thousand", "1,000 items, all hot", items=1000),
    Work("zipf", "10,000 items, some liked better (Zipf)", choice="zipf"),
    Work("soldout", "Sold-out storm: the item is gone, buyers keep coming",
         items=1, stock=10, choice="fixed", limit="raising"),  # sold while it warms up
    Work("cart", "Carts of 10 items", ways=("cart", "cart_statement"), lines=10, units=10),
    Work("hold", "Reserve, then confirm", ways=("hold",)),
    Work("refund", "Refunds", ways=("refund",), units=-1, prepared=OLD_ORDERS),
)
BY_NAME = {work.name: work for work in WORKS}
