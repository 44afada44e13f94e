"""Tests that correct cycles have no violations, and of the command."""

import os
import subprocess
import tempfile

from .case import RuleCase

CHECK = os.path.join(os.path.dirname(__file__), "..", "..", "check")


def busy_shop(shop):
    """Do one of each operation."""
    shop.snapshot()
    order = shop.buy(1, 2, key=True)
    shop.buy_cart([(2, 1), (1, 1), (2, 1)], client=2, key=True)
    shop.refund(order, 1, key=True)
    shop.refund(order, 1, restock=False)
    shop.restock(1, 4, key=True)
    shop.write(1, -1)
    shop.snapshot()
    kept, sold, dead = shop.reserve(1), shop.reserve(1, 2, key=True), shop.reserve(3, 1, ttl=50)
    shop.confirm(sold)
    shop.tick(60)
    shop.expire(dead)
    shop.extend(kept, 900_000)
    shop.release(shop.reserve(2))
    shop.refuse(shop.invoke("buy_item", {"item": 2, "quantity": 9}, user="u1"))
    shop.snapshot()


class Good(RuleCase):
    def test_everything(self):
        busy_shop(self.shop)
        self.assert_clean()

    def test_nothing(self):
        self.assert_clean()

    def test_repeated_answer(self):
        order = self.shop.buy(1, 1, key=True)
        again = self.shop.invoke("buy_item", {"item": 1, "quantity": 1}, client=2, user="u1",
                                 key=True, token="1-1")
        self.shop.answer(again, result=order)
        self.assert_clean()

    def test_unknown_and_there(self):
        self.shop.buy(1, 2, answered=False)
        self.assert_clean()

    def test_unknown_and_not_there(self):
        self.shop.invoke("buy_item", {"item": 1, "quantity": 1}, user="u1")
        self.shop.answer(self.shop.invoke("restock_item", {"item": 1, "quantity": 1}, client=2),
                         "unknown")
        self.assert_clean()

    def test_rolled_back(self):
        shop = self.shop
        shop.answer(shop.invoke("begin", {}, tx=1))
        op = shop.invoke("buy_item", {"item": 1, "quantity": 1}, user="u1", tx=1)
        shop.answer(op, result="0b2f6c1e-0000-4000-8000-000000000000")
        shop.answer(shop.invoke("rollback", {}, tx=1))
        self.assert_clean()

    def test_overdue_units_sold(self):
        """The last units were in an overdue hold, which the purchase expired."""
        shop = self.shop
        dead = shop.reserve(1, 5, ttl=20)
        shop.tick(30)
        op = shop.invoke("buy_item", {"item": 1, "quantity": 5}, user="u1")
        with shop.commit():
            shop.give_back(dead, "expired", "expiry")
            order = shop.sell(op, 1, 5, "u1")
        shop.answer(op, result=order)
        self.assert_clean()

    def test_cut_off_line(self):
        """A client that is killed while it writes leaves an incomplete line."""
        self.shop.buy()
        with tempfile.TemporaryDirectory() as directory:
            self.shop.write_files(directory)
            with open(os.path.join(directory, "history", "1.jsonl"), "a", encoding="utf-8") as file:
                file.write('{"e":"invoke","n":2,"at":')
            self.run_check(directory, 0, "1 operations, 0 violations")

    def run_check(self, directory, status, last_line):
        done = subprocess.run([CHECK, directory], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.assertEqual(done.stdout.splitlines()[-1:], [last_line] if last_line else [])

    def test_command(self):
        busy_shop(self.shop)
        with tempfile.TemporaryDirectory() as directory:
            self.shop.write_files(directory)
            self.run_check(directory, 0, "14 operations, 0 violations")
            os.unlink(os.path.join(directory, "final", "orders.csv"))
            self.run_check(directory, 2, None)

    def test_command_finds(self):
        self.shop.buy()
        self.shop.orders.clear()
        with tempfile.TemporaryDirectory() as directory:
            self.shop.write_files(directory)
            done = subprocess.run([CHECK, directory], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("C2 client 1 operation 1 buy_item token 1-1: acknowledged, but no orders "
                      "(seed 42, cycle 7)\n", done.stdout)
