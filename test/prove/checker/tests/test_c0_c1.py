"""Tests that C0 and C1 find violations."""

from .case import RuleCase


class Errors(RuleCase):
    def fail(self, code, message="it failed", **how):
        op = self.shop.invoke("buy_item", {"item": 1, "quantity": 1}, user="u1", **how)
        self.shop.answer(op, "error", None, code, message)

    def test_internal_error(self):
        self.fail("XX000")
        self.assert_found("C0", "unexpected error XX000: it failed", only=True)

    def test_internal_error_of_the_server(self):
        self.fail("XX000", "new multixact has more than one updating member: 0 2[7 (nokeyupd), 8 (nokeyupd)]")
        self.assert_clean()

    def test_serialization_in_read_committed(self):
        self.fail("40001")
        self.assert_found("C0", "unexpected error 40001")

    def test_serialization_in_repeatable_read(self):
        self.fail("40001", iso="rr")
        self.assert_clean()

    def test_deadlock_of_single_calls(self):
        self.fail("40P01")
        self.assert_found("C0", "unexpected error 40P01")

    def test_deadlock_with_a_transaction(self):
        self.shop.answer(self.shop.invoke("begin", {}, client=2, tx=1))
        self.fail("40P01")
        self.shop.answer(self.shop.invoke("rollback", {}, client=2, tx=1))
        self.assert_clean()

    def test_cancelled(self):
        self.fail("57014")
        self.assert_clean()

    def heat(self, code, op="heat", **how):
        op = self.shop.invoke(op, {} if op == "settle" else {"item": 1}, **how)
        self.shop.answer(op, "error", None, code, "it failed")

    def test_no_room_for_hot_items(self):
        self.heat("53400")
        self.heat("55000")
        self.assert_clean()

    def test_no_room_for_cooling(self):
        self.heat("55000", "cool")
        self.assert_found("C0", "unexpected error 55000", only=True)

    def test_own_units_in_flight(self):
        self.shop.answer(self.shop.invoke("begin", {}, tx=1))
        self.heat("55006", "settle", tx=1)
        self.shop.answer(self.shop.invoke("rollback", {}, tx=1))
        self.assert_clean()

    def test_nothing_in_flight(self):
        self.heat("55006", "settle")
        self.assert_found("C0", "unexpected error 55006", only=True)

    def restock_refused(self):
        self.shop.restock(client=2)
        op = self.shop.invoke("restock_item", {"item": 1, "quantity": 1})
        self.shop.refuse(op, "IV014")

    def test_busy_with_a_hot_item(self):
        self.shop.heat(1)
        begun = self.shop.invoke("begin", {}, client=3, tx=1)
        self.restock_refused()
        self.shop.answer(begun)
        self.shop.settle(1)
        self.assert_clean()

    def test_busy_with_nothing_hot(self):
        begun = self.shop.invoke("begin", {}, client=3, tx=1)
        self.restock_refused()
        self.shop.answer(begun)
        self.assert_found("C0", "unexpected refusal IV014", only=True)

    def test_impossible_refusal(self):
        op = self.shop.invoke("restock_item", {"item": 1, "quantity": 1})
        self.shop.refuse(op, "IV001")
        self.assert_found("C0", "unexpected refusal IV001")


class Balance(RuleCase):
    def test_unit_lost(self):
        self.shop.buy()
        self.shop.items[1]["stock"] -= 1
        self.assert_found("C1", "item 1: 4 on hand by what clients know, but 3 in stock")
        self.assert_found("C1", "item 1: 4 on hand by the tables, but 3 in stock")

    def test_held_units_lost(self):
        self.shop.reserve(1, 2)
        self.shop.reservations[0]["quantity"] = 1
        self.assert_found("C1", "item 1: 5 on hand by what clients know, but 3 in stock and 1 held")

    def test_unknown_purchase_counts_if_stored(self):
        self.shop.buy(1, 2, answered=False)
        self.shop.items[1]["stock"] += 2
        self.assert_found("C1", "item 1: 3 on hand by what clients know, but 5 in stock")

    def test_refund_not_restocked(self):
        order = self.shop.buy(1, 2)
        self.shop.refund(order, 2)
        self.shop.items[1]["stock"] -= 1
        self.assert_found("C1", "item 1: 5 on hand by what clients know, but 4 in stock")

    def test_delivery_lost(self):
        self.shop.restock(1, 3)
        self.shop.items[1]["stock"] -= 3
        self.assert_found("C1", "item 1: 8 on hand")

    def test_item_deleted(self):
        del self.shop.items[3]
        self.assert_found("C1", "item 3 is gone")
