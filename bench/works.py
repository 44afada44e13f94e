"""Workloads: what the buyers do.  A workload needs peers that implement its ways."""

from dataclasses import dataclass

PLENTY = 100_000_000  # units of each item


@dataclass(frozen=True)
class Work:
    """What concurrent buyers do with a set of items."""
    name: str
    title: str
    ways: tuple = ("buy",)
    items: int = 10_000
    stock: int = PLENTY
    choice: str = "uniform"
    lines: int = 1
    units: int = 1  # taken by a success; negative: given back
    limit: str = "inserts"  # the peer that is the upper limit
    orders: int = 0  # that are sold before, to be refunded: more than can be in the time

    def crowd(self):
        """Options of the client."""
        return {"i": self.items, "x": self.choice, "l": self.lines}


WORKS = (
    Work("hot", "One hot item", items=1, stock=2_000_000_000, choice="fixed"),
    Work("uniform", "10,000 items, equally popular"),
    Work("thousand", "1,000 items, all hot", items=1000),
    Work("zipf", "10,000 items, popularity by Zipf's law", choice="zipf"),
    Work("soldout", "Sold-out storm: many buyers of an item that is sold out",
         items=1, stock=10, choice="fixed", limit="raising"),  # sold during the warm-up
    Work("cart", "Carts of 10 items", ways=("cart", "cart_statement"), lines=10, units=10),
    Work("hold", "Reserve, then confirm", ways=("hold",)),
    Work("refund", "Refunds", ways=("refund",), units=-1, orders=300_000),
)
BY_NAME = {work.name: work for work in WORKS}
