"""Tests that C2 finds what is missing, unexplained, or not as it was asked for."""

from .case import RuleCase


class Purchases(RuleCase):
    def test_lost(self):
        self.shop.buy()
        self.shop.orders.clear()
        self.assert_found("C2 client 1 operation 1 buy_item token 1-1",
                          "acknowledged, but no orders")

    def test_wrong_quantity_item_user(self):
        for column, value in (("quantity", 2), ("item_id", 2), ("user_id", "u2")):
            with self.subTest(column):
                self.setUp()
                self.shop.buy()
                self.shop.orders[0][column] = value
                self.assert_found("C2", "asked for orders [item 1 quantity 1 user u1], there is")

    def test_twice(self):
        self.shop.buy()
        self.shop.orders.append(dict(self.shop.orders[0], id="another"))
        self.assert_found("C2", "(x2)] 2 times")

    def test_refused_and_stored(self):
        op = self.shop.invoke("buy_item", {"item": 1, "quantity": 1}, user="u1")
        with self.shop.commit():
            self.shop.sell(op, 1, 1, "u1")
        self.shop.refuse(op)
        self.assert_found("C2", "refused IV001, but orders")

    def test_rolled_back_and_stored(self):
        shop = self.shop
        shop.answer(shop.invoke("begin", {}, tx=1))
        shop.buy(tx=1)
        shop.answer(shop.invoke("rollback", {}, tx=1))
        self.assert_found("C2", "rolled back, but orders")

    def test_undone_to_savepoint_and_stored(self):
        shop = self.shop
        shop.answer(shop.invoke("begin", {}, tx=1))
        shop.answer(shop.invoke("savepoint", {}, tx=1))
        shop.buy(tx=1)
        shop.answer(shop.invoke("rollback_to", {}, tx=1))
        shop.answer(shop.invoke("commit", {}, tx=1))
        self.assert_found("C2", "rolled back, but orders")

    def test_unknown_cart_half_stored(self):
        op = self.shop.invoke("buy_cart", {"lines": [[1, 1], [2, 1]]}, user="u1")
        with self.shop.commit():
            self.shop.sell(op, 1, 1, "u1")
        self.assert_found("C2", "asked for orders [item 1 quantity 1 user u1, item 2 quantity 1")

    def test_unknown_transaction_half_stored(self):
        shop = self.shop
        shop.answer(shop.invoke("begin", {}, tx=1))
        shop.buy(1, tx=1)
        shop.answer(shop.invoke("buy_item", {"item": 2, "quantity": 1}, user="u1", tx=1),
                    result="0b2f6c1e-0000-4000-8000-000000000000")
        shop.answer(shop.invoke("commit", {}, tx=1), "unknown")
        self.assert_found("C2", "client 1 transaction 1: of 2 operations only 1-2 is there")

    def test_order_of_no_operation(self):
        with self.shop.commit():
            self.shop.add_order("u1", 1, 1, "9-9")
        self.assert_found("C2", "of token 9-9: no operation asked for it")

    def test_unknown_order_in_answer(self):
        self.shop.buy()
        self.shop.histories[1][1]["result"] = "0b2f6c1e-0000-4000-8000-000000000000"
        self.assert_found("C2", "was told of order 0b2f6c1e-0000-4000-8000-000000000000, which is "
                                "not there", only=True)

    def test_cart_line_missing_in_answer(self):
        _, told = self.shop.buy_cart([(1, 1), (2, 1)])
        told.pop()
        self.assert_found("C2", "asked for [[1, 1], [2, 1]], was told of", only=True)


class Operators(RuleCase):
    def test_restock_lost(self):
        self.shop.restock(1, 3)
        self.shop.movements.pop()
        self.assert_found("C2", "acknowledged, but no movements")

    def test_restock_twice(self):
        self.shop.restock(1, 3)
        self.shop.movements.append(dict(self.shop.movements[-1], movement_id=99))
        self.assert_found("C2", "restock item 1 delta 3 (x2)")

    def test_refund_of_another_order(self):
        mine, other = self.shop.buy(1, 1), self.shop.buy(1, 1)
        self.shop.refund(mine, 1)
        self.shop.movements[-1]["order_id"] = other
        self.assert_found("C2", f"order {mine} was to be refunded, but {other} was")

    def test_refund_not_written_off(self):
        self.shop.refund(self.shop.buy(), 1, restock=False)
        self.shop.movements.pop()
        self.assert_found("C2", "restock False, but refunds")

    def test_movement_of_no_operation(self):
        self.shop.movements.append(self.shop.movement(1, 1, "restock", reason="9-9"))
        self.assert_found("C2", "with reason 9-9: no operation asked for it")

    def test_direct_write_lost(self):
        self.shop.write(1, -1)
        self.shop.direct.clear()
        self.assert_found("C2", "acknowledged, but no direct writes")


class Reservations(RuleCase):
    def test_lost(self):
        self.shop.reserve()
        self.shop.reservations.clear()
        self.assert_found("C2", "but there is none")

    def test_reservation_of_no_operation(self):
        self.shop.reserve()
        self.shop.histories.clear()
        self.assert_found("C2", "no operation asked for it")

    def test_wrong_quantity_and_user(self):
        self.shop.reserve(1, 2)
        self.shop.reservations[0]["quantity"] = 1
        self.assert_found("C2", "held 1 of item 1, asked for [2]")

    def test_shared_user_found_by_key(self):
        row = self.shop.reserve(3, 1, user="u1", key=True)
        del self.shop.histories[1][1]
        self.assert_clean()
        row["user_id"] = "u2"
        self.assert_found("C2", "of user u1 is u2's")

    def test_confirmed_without_order(self):
        self.shop.confirm(self.shop.reserve())
        self.shop.orders.clear()
        self.assert_found("C2", "which is not there")

    def test_confirmed_for_another(self):
        self.shop.confirm(self.shop.reserve(1, 2))
        self.shop.orders[0]["quantity"] = 1
        self.assert_found("C2", "but the reservation has")

    def test_confirmation_refused_and_stored(self):
        row = self.shop.reserve()
        self.shop.confirm(row)
        self.shop.histories[1][-1].update(state="refused", code="IV005")
        self.assert_found("C2", "refused IV005, but orders")
