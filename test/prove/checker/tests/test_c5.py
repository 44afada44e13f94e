"""Tests that C5 finds wrong refusals, and accepts those that may have been right."""

from .case import RuleCase


class Stock(RuleCase):
    def ask(self, quantity=1, item=1, **how):
        return self.shop.invoke("buy_item", {"item": item, "quantity": quantity}, user="u1", **how)

    def test_enough_during_the_call(self):
        self.shop.refuse(self.ask(5))
        self.assert_found("C5", "refused 5 of item 1, but at every instant of the call there was "
                                "enough: above the floor 5", only=True)

    def test_floor_counts(self):
        self.shop.refuse(self.ask(4, item=2))
        self.assert_clean()

    def test_sold_before(self):
        self.shop.buy(1, 5, client=2)
        self.shop.refuse(self.ask())
        self.assert_clean()

    def test_sold_during_the_call(self):
        op = self.ask()
        self.shop.buy(1, 5, client=2)
        self.shop.refuse(op)
        self.assert_clean()

    def test_sold_afterwards(self):
        self.shop.refuse(self.ask())
        self.shop.tick(20)
        self.shop.buy(1, 5, client=2)
        self.assert_found("C5", "refused 1 of item 1", only=True)

    def test_restocked_before(self):
        self.shop.buy(1, 5, client=2)
        self.shop.restock(1, 2, client=2)
        self.shop.tick(20)
        self.shop.refuse(self.ask(2))
        self.assert_found("C5", "refused 2 of item 1", only=True)

    def test_restocked_during_the_call(self):
        self.shop.buy(1, 5, client=2)
        op = self.ask(2)
        self.shop.restock(1, 2, client=2)
        self.shop.refuse(op)
        self.assert_clean()

    def test_unknown_sale_during_the_call(self):
        op = self.ask()
        self.shop.buy(1, 5, client=2, answered=False)
        self.shop.refuse(op)
        self.assert_clean()

    def test_overdue_hold(self):
        self.shop.reserve(1, 5, ttl=20, client=2)
        self.shop.tick(40)
        self.shop.refuse(self.ask(5))
        self.shop.expire(self.shop.reservations[0])
        self.assert_found("C5", "refused 5 of item 1", only=True)

    def test_hold_not_yet_overdue(self):
        self.shop.reserve(1, 5, ttl=20, client=2)
        op = self.ask(5)
        self.shop.tick(40)
        self.shop.refuse(op)
        self.shop.expire(self.shop.reservations[0])
        self.assert_clean()

    def test_overdue_hold_confirmed_during_the_call(self):
        row = self.shop.reserve(1, 5, ttl=20, client=2)
        self.shop.tick(17)
        args = {"reservation": row["reservation_id"]}
        op = self.shop.invoke("confirm_reservation", args, client=2)
        self.shop.tick(10)
        refused = self.ask(5)
        with self.shop.commit():
            order = self.shop.add_order(row["user_id"], 1, 5, op["token"])
            self.shop.move_hold(row, status="confirmed", order_id=order)
            of = {"user_id": row["user_id"], "reservation_id": row["reservation_id"]}
            self.shop.book(1, 5, "release", **of)
            self.shop.book(1, -5, "sale", order_id=order, **of)
        self.shop.answer(op, result=[[1, 5, order, "ok", False]])
        self.shop.refuse(refused)
        self.assert_clean()

    def restock_without_answer(self):
        """Restock item 1 by 5 at a time that no client was told; then one of them is sold."""
        self.shop.buy(1, 4, client=2)
        restock = self.shop.invoke("restock_item", {"item": 1, "quantity": 5}, client=3)
        with self.shop.commit():
            self.shop.change_stock(1, 5)
            self.shop.book(1, 5, "restock", reason=restock["token"])
        self.shop.buy(1, 1, client=4)
        self.shop.tick(20)
        op = self.ask(4)
        self.shop.refuse(op)
        self.shop.answer(restock, result=6)

    def test_row_written_later(self):
        self.restock_without_answer()
        self.assert_found("C5", "refused 4 of item 1", only=True)

    def test_hot_item(self):
        self.shop.heat(1)
        self.restock_without_answer()
        self.shop.settle(1)
        self.assert_clean()

    def test_hot_and_enough_during_the_call(self):
        self.shop.heat(1)
        self.shop.buy(1, 3, client=2)
        self.shop.tick(20)
        self.shop.refuse(self.ask(2))
        self.shop.settle(1)
        self.assert_found("C5", "refused 2 of item 1", only=True)

    def test_hot_and_sold_during_the_call(self):
        self.shop.heat(1)
        op = self.ask(2)
        self.shop.buy(1, 4, client=2)
        self.shop.restock(1, 4, client=2)
        self.shop.refuse(op)
        self.shop.settle(1)
        self.assert_clean()

    def test_hot_and_overdue(self):
        self.shop.heat(1)
        row = self.shop.reserve(1, 5, ttl=20, client=2)
        self.shop.tick(40)
        self.shop.refuse(self.ask(5))
        self.shop.tick(40)
        self.shop.expire(row)
        self.shop.settle(1)
        self.assert_found("C5", "refused 5 of item 1", only=True)

    def test_hot_and_expired_during_the_call(self):
        self.shop.heat(1)
        row = self.shop.reserve(1, 5, ttl=20, client=2)
        self.shop.tick(40)
        op = self.ask(5)
        self.shop.expire(row)
        self.shop.refuse(op)
        self.shop.settle(1)
        self.assert_clean()

    def test_hot_and_confirmed_after_a_promotion(self):
        self.shop.heat(1)
        row = self.shop.reserve(1, 5, ttl=40, client=2)
        self.shop.buy(2, 1, client=2)
        self.shop.promote()
        self.shop.confirm(row, client=2)
        self.shop.tick(60)
        self.shop.refuse(self.ask(5))
        self.shop.settle(1)
        self.assert_clean()

    def test_hot_after_a_promotion(self):
        self.shop.heat(1)
        self.shop.buy(1, 3, client=2)
        self.shop.promote()
        self.shop.restock(1, 1, client=2)
        self.shop.tick(20)
        self.shop.refuse(self.ask(4))
        self.shop.refuse(self.ask(3))
        self.shop.settle(1)
        self.assert_found("C5 client 1 operation 2", "refused 3 of item 1", only=True)
        self.assertEqual(len(self.shop.violations()), 1)

    def test_taken_by_its_own_transaction(self):
        shop = self.shop
        shop.answer(shop.invoke("begin", {}, tx=1))
        shop.answer(self.ask(4, tx=1), result="0b2f6c1e-0000-4000-8000-000000000000")
        shop.refuse(self.ask(2, tx=1))
        shop.answer(shop.invoke("rollback", {}, tx=1))
        self.assert_clean()

    def restocked_by_its_own_transaction(self, key):
        """A refusal of units that the same transaction, or an earlier try, restocked."""
        shop = self.shop
        shop.buy(1, 5, client=2)
        shop.tick(20)
        shop.answer(shop.invoke("begin", {}, tx=1))
        args = {"item": 1, "quantity": 2}
        shop.answer(shop.invoke("restock_item", args, key=key, tx=1), result=2)
        shop.refuse(self.ask(2, tx=1))
        shop.answer(shop.invoke("rollback", {}, tx=1))

    def test_restocked_by_its_own_transaction(self):
        self.restocked_by_its_own_transaction(key=False)
        self.assert_found("C5", "its own transaction 2")

    def test_restocked_by_an_earlier_try(self):
        self.restocked_by_its_own_transaction(key=True)
        self.assert_clean()

    def test_extended_by_its_own_transaction(self):
        """Other sessions see the hold overdue, the one that extended it does not."""
        shop = self.shop
        row = shop.reserve(1, 5, ttl=20, client=2)
        shop.answer(shop.invoke("begin", {}, tx=1))
        args = {"reservation": row["reservation_id"], "ttl_ms": 600_000}
        shop.answer(shop.invoke("extend_reservation", args, tx=1), result="later")
        shop.tick(40)
        shop.refuse(self.ask(5, tx=1))
        shop.answer(shop.invoke("rollback", {}, tx=1))
        shop.expire(row)
        self.assert_clean()

    def test_adjustment_ignores_overdue_holds(self):
        self.shop.reserve(1, 5, ttl=20, client=2)
        self.shop.tick(40)
        args = {"item": 1, "delta": -2, "expected": None}
        self.shop.refuse(self.shop.invoke("adjust_stock", args))
        self.shop.expire(self.shop.reservations[0])
        self.assert_clean()

    def cart(self, statuses, **how):
        lines = [[1, 1], [2, 1]]
        op = self.shop.invoke("try_buy_cart", {"lines": lines}, user="u1", **how)
        told = [line + [None, status, False] for line, status in zip(lines, statuses)]
        self.shop.answer(op, "refused", told, "IV001")

    def test_cart_refused_without_cause(self):
        self.cart(["not_taken", "out_of_stock"])
        self.assert_found("C5", "refused 1 of item 2", only=True)

    def test_cart_refused_for_the_wrong_line(self):
        self.shop.buy(1, 5)
        self.cart(["not_taken", "out_of_stock"])
        self.assert_found("C5", "refused 1 of item 2", only=True)

    def test_cart_refused(self):
        self.shop.buy(1, 5)
        self.cart(["out_of_stock", "not_taken"])
        self.assert_clean()

    def test_busy_alone(self):
        self.shop.refuse(self.ask(), "IV014")
        self.assert_found("C5", "busy, but no other operation was in progress", only=True)


class Limits(RuleCase):
    def ask(self, quantity, item=3):
        return self.shop.refuse(self.shop.invoke("buy_item", {"item": item, "quantity": quantity},
                                                 user="u1"), "IV010")

    def test_room_during_the_call(self):
        self.shop.buy(3, 1)
        self.shop.tick(20)
        self.ask(2)
        self.assert_found("C5", "user u1 had room", only=True)

    def test_no_limit(self):
        self.ask(1, item=1)
        self.assert_found("C5", "refused for the limit", only=True)

    def test_no_room(self):
        self.shop.buy(3, 2)
        self.ask(2)
        self.assert_clean()

    def test_room_by_overdue_holds(self):
        self.shop.reserve(3, 3, ttl=20, user="u1", key=True)
        self.shop.tick(40)
        self.ask(1)
        self.shop.tick(20)
        self.shop.expire(self.shop.reservations[0])
        self.assert_found("C5", "user u1 had room", only=True)


class States(RuleCase):
    def refused(self, name, row, code):
        self.shop.refuse(self.shop.invoke(name, {"reservation": row["reservation_id"]}), code)

    def test_not_found(self):
        row = self.shop.reserve()
        self.refused("confirm_reservation", row, "IV004")
        self.assert_found("C5", "reservation_not_found, but client 1 was told of it", only=True)

    def test_expired_too_early(self):
        row = self.shop.reserve()
        self.refused("confirm_reservation", row, "IV005")
        self.assert_found("C5", "reservation_expired", only=True)

    def test_released_and_confirmed(self):
        row = self.shop.reserve()
        self.refused("confirm_reservation", row, "IV007")
        self.shop.confirm(row)
        self.assert_found("C5", "reservation_released, but it ended confirmed", only=True)

    def test_confirmed_and_released(self):
        row = self.shop.reserve()
        self.refused("release_reservation", row, "IV006")
        self.shop.release(row)
        self.assert_found("C5", "reservation_confirmed, but it ended released", only=True)

    def test_expired_and_confirmed(self):
        row = self.shop.reserve(ttl=10)
        self.shop.confirm(row)
        self.shop.tick(20)
        self.refused("confirm_reservation", row, "IV005")
        self.assert_found("C5", "reservation_expired, but it ended confirmed", only=True)

    def test_refund(self):
        order = self.shop.buy(1, 3)
        self.shop.refund(order, 1)
        args = {"order": order, "quantity": 2, "restock": True}
        self.shop.refuse(self.shop.invoke("refund_order", args), "IV008")
        self.assert_found("C5", "of 3 only 1 were ever refunded", only=True)

    def test_refund_before_a_promotion(self):
        order = self.shop.buy(1, 3)
        args = {"order": order, "quantity": 3, "restock": True}
        self.shop.refuse(self.shop.invoke("refund_order", args), "IV008")
        self.shop.tick(20)
        self.shop.faults.append({"at": self.shop.now, "fault": "promotion", "detail": ""})
        self.assert_clean()
        self.shop.tick(2000)
        self.shop.refuse(self.shop.invoke("refund_order", args), "IV008")
        self.assert_found("C5", "of 3 only 0 were ever refunded", only=True)

    def test_refund_of_unknown_order(self):
        order = self.shop.buy()
        args = {"order": order, "quantity": 1, "restock": True}
        self.shop.refuse(self.shop.invoke("refund_order", args), "IV003")
        self.assert_found("C5", "order_not_found, but it is there", only=True)
