"""Tests that C3 and C4 find violations."""

from .case import RuleCase


class Keys(RuleCase):
    def again(self, **how):
        return self.shop.invoke("buy_item", {"item": 1, "quantity": 1}, client=2, user="u1",
                                key=True, token="1-1", **how)

    def test_another_answer(self):
        self.shop.buy(key=True)
        other = self.shop.buy(client=3)
        self.shop.answer(self.again(), result=other)
        self.assert_found("C3 client 2 operation 1 buy_item token 1-1", "at first")

    def test_done_twice(self):
        self.shop.buy(key=True)
        op = self.again()
        with self.shop.commit():
            order = self.shop.sell(op, 1, 1, "u1")
        self.shop.answer(op, result=order)
        self.assert_found("C3", "(x2)] 2 times")

    def test_refused_at_first(self):
        lines = {"lines": [[1, 1]]}
        op = self.shop.invoke("try_buy_cart", lines, user="u1", key=True)
        self.shop.answer(op, "refused", [[1, 1, None, "out_of_stock", False]], "IV001")
        self.shop.buy_cart([(1, 1)], name="try_buy_cart", client=2, key=True, token="1-1")
        self.assert_found("C3", "at first ('refused', 'IV001'")

    def test_cart_done_again(self):
        op, told = self.shop.buy_cart([(1, 1)], key=True)
        again = self.shop.invoke("buy_cart", op["args"], client=2, user="u1", key=True, token="1-1")
        self.shop.answer(again, result=told)
        self.assert_found("C3", "was done again", only=True)

    def test_replay_without_first_answer(self):
        _, told = self.shop.buy_cart([(1, 1)], key=True)
        told[0][4] = True
        self.assert_found("C3", "was told of an earlier answer, and there was none", only=True)

    def test_another_key_same_order(self):
        order = self.shop.buy(key=True)
        op = self.shop.invoke("buy_item", {"item": 1, "quantity": 1}, client=2, user="u1", key=True)
        self.shop.answer(op, result=order)
        self.assert_found("C3", "and so was token")

    def test_reserved_twice(self):
        row = self.shop.reserve(key=True)
        self.shop.reservations.append(dict(row, reservation_id="another"))
        self.assert_found("C3", "reserved 2 times")


class Bounds(RuleCase):
    def test_below_floor_for_a_moment(self):
        self.shop.buy(2, 4)
        self.shop.restock(2, 4)
        self.assert_found("C4", "item 2 falls from 5 to 1, its floor is 2, in transaction 700",
                          only=True)

    def test_below_floor_at_the_end(self):
        self.shop.buy(1, 6)
        self.assert_found("C4", "item 1 ends with -1, its floor is 0")

    def test_below_floor_by_a_stock_take(self):
        self.shop.count(2, 1)
        self.shop.snapshot()
        self.assert_clean()

    def test_stock_take_below_nothing(self):
        self.shop.count(2, -1)
        self.assert_found("C4", "falls from 5 to -1")

    def test_snapshot_below_floor(self):
        self.shop.snapshot()
        self.shop.snapshots[0]["items"]["2"] = [1, 2, 1]
        self.assert_found("C4", "item 2 has 1, its floor is 2, in the snapshot of primary",
                          only=True)

    def test_snapshot_with_other_sum(self):
        self.shop.snapshot()
        self.shop.snapshots[0]["items"]["1"] = [5, 0, 4]
        self.assert_found("C4", "item 1 has 5, its movements say 4", only=True)

    def test_floor_changed(self):
        self.shop.items[2]["stock_floor"] = 1
        self.shop.restock(2, 1)
        self.assert_found("C4", "floor 2 became 1")

    def test_hot_below_floor(self):
        self.shop.heat(2)
        self.shop.buy(2, 4)
        self.shop.restock(2, 4)
        self.shop.settle(2)
        self.assert_found("C4", "item 2 falls from 5 to 1, its floor is 2, in transaction 701",
                          only=True)

    def test_row_of_a_hot_item_below_floor(self):
        """The row is below the floor, but 5 unsettled units are not in it."""
        self.shop.heat(2)
        self.shop.restock(2, 5)
        op = self.shop.invoke("direct", {"item": 2, "delta": -4})
        with self.shop.commit():
            self.shop.direct.append({"token": op["token"], "item_id": 2, "delta": -4})
            self.shop.decode("shop.direct", "INSERT", self.shop.direct[-1])
            self.shop.items[2]["stock"] -= 4
            self.shop.decode("shop.items", "UPDATE", self.shop.items[2])
            self.shop.book(2, -4, "direct", epoch=None)
        self.shop.answer(op, result=1)
        self.shop.snapshot()
        self.shop.settle(2)
        self.assert_clean()

    def test_hot_after_a_promotion(self):
        self.shop.heat(2)
        self.shop.buy(2, 1)
        self.shop.promote()
        self.shop.settle(2)
        self.shop.buy(2, 3)
        self.shop.restock(2, 3)
        self.shop.settle(2)
        self.assert_found("C4", "item 2 falls from 4 to 1, its floor is 2", only=True)

    def test_taken_before_a_stock_take(self):
        self.shop.heat(2)
        op = self.shop.invoke("buy_item", {"item": 2, "quantity": 2}, user="u1")
        self.shop.count(2, 3, client=2)
        with self.shop.commit():
            order = self.shop.sell(op, 2, 2, "u1")
        self.shop.answer(op, result=order)
        self.shop.settle(2)
        self.assert_clean()

    def test_taken_after_a_stock_take(self):
        self.shop.heat(2)
        self.shop.count(2, 3, client=2)
        self.shop.buy(2, 2)
        self.shop.settle(2)
        self.assert_found("C4", "item 2 falls from 3 to 1, its floor is 2")

    def test_beyond_limit(self):
        for client in (1, 2):
            self.shop.buy(3, 2, client=client)
        self.assert_found("C4", "user u1 has 4 of item 3, the limit is 3", only=True)

    def test_limit_ignores_overdue_holds(self):
        self.shop.reserve(3, 2, ttl=20, user="u1", key=True)
        self.shop.tick(30)
        self.shop.buy(3, 3)
        self.shop.expire(self.shop.reservations[0])
        self.assert_clean()

    def test_limit_after_a_refund(self):
        self.shop.refund(self.shop.buy(3, 3), 1)
        self.shop.buy(3, 1)
        self.assert_clean()
