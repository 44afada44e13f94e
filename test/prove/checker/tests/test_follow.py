"""Tests of the rules of the store that follows its orders: C8, and C0, C1, C2, C4, C7 in it."""

from .case import RuleCase
from .follow_shop import FollowShop


class FollowCase(RuleCase):
    def setUp(self):
        self.shop = FollowShop()


class Good(FollowCase):
    def test_nothing(self):
        self.assert_clean()

    def test_life_of_lines(self):
        shop = self.shop
        header = shop.insert_header("cart")
        one, two = shop.insert_lines(header, [(1, 2), (2, 3)])
        shop.update_header(header, "placed")
        shop.update_line(one, "quantity", 4)
        shop.refund_line(one, 1)
        shop.update_line(one, "quantity", 1)
        shop.update_line(two, "item_id", 1)
        shop.delete_line(two)
        shop.update_header(header, "cancelled")
        shop.restock_good(1, 3)
        shop.delete_header(header)
        self.assert_clean()

    def test_final(self):
        """What falls on a final line gives nothing, also when it is deleted."""
        shop = self.shop
        header = shop.insert_header()
        one, two = shop.insert_lines(header, [(1, 2), (2, 3)])
        shop.update_header(header, "shipped")
        shop.update_line(one, "quantity", 1)
        shop.update_line(two, "quantity", 4)
        shop.delete_line(one)
        shop.refund_line(one, 1)
        shop.delete_header(header)
        self.assert_clean()

    def test_final_at_commit(self):
        """A line is deleted, then its header ships, and both are looked at when they are."""
        shop = self.shop
        header = shop.insert_header()
        line, = shop.insert_lines(header, [(1, 2)])
        shop.answer(shop.invoke("begin", {}, tx=1))
        with shop.commit():
            shop.delete_line(line, follow=False, tx=1)
            shop.update_header(header, "shipped", follow=False, tx=1)
        shop.answer(shop.invoke("commit", {}, tx=1))
        self.assert_clean()

    def test_unknown(self):
        """A statement whose answer was lost, which is there."""
        header = self.shop.insert_header(answered=False)
        self.shop.insert_lines(header, [(1, 2)], answered=False, client=2)
        self.assert_clean()

    def test_refused_at_commit(self):
        shop = self.shop
        shop.answer(shop.invoke("begin", {}, tx=1))
        op = shop.invoke("insert_header", {"row": None, "place": None, "status": "placed"},
                         user="u1", tx=1)
        shop.answer(op, result=op["token"])
        shop.refuse(shop.invoke("commit", {}, tx=1))
        self.assert_clean()


class Worth(FollowCase):
    """C8."""

    def setUp(self):
        super().setUp()
        self.header = self.shop.insert_header()
        self.line, = self.shop.insert_lines(self.header, [(1, 2)])

    def test_not_taken(self):
        self.shop.insert_lines(self.header, [(1, 3)], follow=False)
        self.assert_found("C8", "line 1-3-1 is worth 3 of item 1, booked are 0, in transaction")
        self.assert_found("C8", "line 1-3-1 is worth 3 of item 1, booked are 0, at the end")

    def test_taken_twice(self):
        with self.shop.commit():
            self.shop.book_line(self.line, 1, -2, "sale", user_id="u1")
        self.assert_found("C8", "is worth 2 of item 1, booked are 4")

    def test_not_given_back(self):
        self.shop.update_line(self.line, "cancelled", 1, follow=False)
        self.assert_found("C8", "is worth 1 of item 1, booked are 2")

    def test_header_missed(self):
        self.shop.update_header(self.header, "cancelled", follow=False)
        self.assert_found("C8", "is worth 0 of item 1, booked are 2")

    def test_late(self):
        """Equal at the end, but not at the commit before."""
        self.shop.update_line(self.line, "quantity", 3, follow=False)
        self.shop.update_line(self.line, "quantity", 2)
        self.assert_found("C8", "is worth 3 of item 1, booked are 2", only=True)

    def test_refund_twice(self):
        self.shop.refund_line(self.line, 2)
        with self.shop.commit():
            self.shop.book_line(self.line, 1, 1, "refund", user_id="u1")
        self.assert_found("C8", "of 2 of item 1 sold and 0 cancelled, 3 are refunded")

    def test_cancelled_what_was_refunded(self):
        """The units come back a second time."""
        shop = self.shop
        shop.refund_line(self.line, 2)
        shop.update_line(self.line, "quantity", 1, follow=False)
        with shop.commit():
            shop.book_line(self.line, 1, 1, "cancellation", user_id="u1")
        self.assert_found("C8", "of 2 of item 1 sold and 1 cancelled, 2 are refunded")

    def test_other_item(self):
        shop = self.shop
        shop.update_line(self.line, "item_id", 2, follow=False)
        with shop.commit():
            shop.book_line(self.line, 2, -2, "sale", user_id="u1")
        self.assert_found("C8", "is worth 0 of item 1, booked are 2")

    def test_other_user(self):
        self.shop.update_header(self.header, user="u2", follow=False)
        self.assert_found("C8", "is of u2, but 2 of item 1 are booked for u1", only=True)

    def test_final_not_taken(self):
        self.shop.update_header(self.header, "shipped")
        self.shop.update_line(self.line, "quantity", 3, follow=False)
        self.assert_found("C8", "is final and worth 3 of item 1, booked are 2", only=True)

    def test_final_gives(self):
        shop = self.shop
        shop.update_header(self.header, "shipped")
        shop.update_line(self.line, "quantity", 1, follow=False)
        with shop.commit():
            shop.book_line(self.line, 1, 1, "cancellation", user_id="u1")
        self.assert_found("C8", "is final, of item 1 2 were booked, and 1 are", only=True)

    def test_final_takes_too_much(self):
        shop = self.shop
        shop.update_header(self.header, "shipped")
        with shop.commit():
            shop.book_line(self.line, 1, -1, "sale", user_id="u1")
        self.assert_found("C8", "is final, of item 1 2 were booked, and 3 are", only=True)

    def test_deleted_keeps(self):
        self.shop.delete_line(self.line, follow=False)
        self.assert_found("C8", "is deleted, booked are 2 of item 1")
        self.assert_found("C8", "is not there, booked are {1: 2}, at the end")

    def test_archived_gives(self):
        shop = self.shop
        shop.update_header(self.header, "shipped")
        shop.delete_line(self.line)
        with shop.commit():
            shop.book_line(self.line, 1, 2, "cancellation", user_id="u1")
        self.assert_found("C8", "is final, of item 1 2 were booked, and 0 are", only=True)

    def test_without_commit(self):
        """The ledger at the end has what no commit wrote."""
        self.shop.booked.append(self.shop.line_movement(1, -1, "sale", order_id=self.line,
                                                        user_id="u1"))
        self.assert_found("C8", "is worth 2 of item 1, booked are 3, at the end")


class Units(FollowCase):
    """C1, C4 and C7."""

    def setUp(self):
        super().setUp()
        self.header = self.shop.insert_header()

    def test_stock(self):
        self.shop.insert_lines(self.header, [(1, 2)])
        self.shop.goods[1]["stock"] = 8
        self.assert_found("C1", "item 1: 7 on hand by the lines, but 8 in stock")
        self.assert_found("C7", "item 1: 8 in stock, its movements say 7")

    def test_delivery_lost(self):
        op = self.shop.invoke("follow_restock_item",
                              {"row": None, "place": None, "lines": [[1, 4]]})
        self.shop.answer(op, result=13)
        self.assert_found("C1", "item 1: 13 on hand by the lines, but 9 in stock")

    def test_unit_twice(self):
        """A unit is sold to two, and both the ledger and the stock know of one."""
        self.shop.insert_lines(self.header, [(1, 9)])
        self.shop.insert_lines(self.header, [(1, 1)], follow=False)
        self.assert_found("C1", "item 1: -1 on hand by the lines, but 0 in stock")

    def test_floor(self):
        self.shop.insert_lines(self.header, [(2, 8)])
        self.assert_found("C4", "item 2 falls from 9 to 1, its floor is 2", only=True)

    def test_limit(self):
        self.shop.insert_lines(self.header, [(3, 4)])
        self.assert_found("C4", "user u1 has 4 of item 3, the limit is 3", only=True)

    def test_commit(self):
        """The stock moves without a movement."""
        shop = self.shop
        with shop.commit():
            shop.goods[1]["stock"] -= 1
            shop.decode("follow.goods", "UPDATE", shop.goods[1])
        self.assert_found("C7", "item 1 goes from 9 to 8, the movements say 0")

    def test_verify(self):
        self.shop.follow_verify = [{"item_id": 1, "problem": "order_missing", "expected": 1,
                                    "actual": 0}]
        self.assert_found("C7", "verify: item 1 order_missing", only=True)


class Rows(FollowCase):
    """C2 and C0."""

    def setUp(self):
        super().setUp()
        self.header = self.shop.insert_header()
        self.line, = self.shop.insert_lines(self.header, [(1, 2)])

    def test_line_lost(self):
        """It was acknowledged, and no operation deletes it; the ledger agrees."""
        shop = self.shop
        with shop.commit():
            shop.remove("follow.lines_0", shop.lines, self.line)
            shop.follow(self.line)
        self.assert_found("C2", f"line {self.line} is lost", only=True)

    def test_line_never_there(self):
        op = self.shop.invoke("insert_lines", {"row": self.header, "place": None,
                                               "lines": [[1, 1]]})
        self.shop.answer(op)
        self.assert_found("C2", "acknowledged, but no [('line', '1-3-1'", only=True)

    def test_only_in_commits(self):
        """The final table has lost a line."""
        del self.shop.lines[self.line]
        self.assert_found("C2", f"line {self.line} is None, by the commits it is")

    def test_header_lost(self):
        shop = self.shop
        other = shop.insert_header()
        with shop.commit():
            shop.remove("follow.orders", shop.headers, other)
        self.assert_found("C2", f"header {other} is lost", only=True)

    def test_other_quantity(self):
        shop = self.shop
        line, = shop.insert_lines(self.header, [(1, 2)])
        shop.histories[1][-2]["args"]["lines"] = [[1, 3]]
        self.assert_found("C2", f"there is [('line', '{line}', '{self.header}', 1, 2)]", only=True)

    def test_refused_but_there(self):
        shop = self.shop
        shop.insert_lines(self.header, [(1, 1)], answered=False)
        shop.refuse(shop.histories[1][-1])
        self.assert_found("C2", "refused IV001, but its rows are there", only=True)

    def test_update_lost(self):
        op = self.shop.invoke("update_line", {"row": self.line, "place": None,
                                              "column": "quantity", "value": 3})
        self.shop.answer(op, result=self.line)
        self.assert_found("C2", f"acknowledged, but {self.line} was not written", only=True)

    def test_delete_lost(self):
        op = self.shop.invoke("delete_line", {"row": self.line, "place": None})
        self.shop.answer(op, result=self.line)
        self.assert_found("C2", f"acknowledged, but {self.line} is there", only=True)

    def test_refund_lost(self):
        op = self.shop.invoke("follow_refund_order", {"row": self.line, "place": None, "units": 1,
                                                      "restock": True})
        self.shop.answer(op, result=1)
        self.assert_found("C2", "0 are booked", only=True)

    def test_half_transaction(self):
        """A transaction of unknown outcome, of which only the header is there."""
        shop = self.shop
        shop.answer(shop.invoke("begin", {}, tx=1))
        header = shop.insert_header(tx=1)
        shop.answer(shop.invoke("insert_lines", {"row": header, "place": None, "lines": [[1, 1]]},
                                tx=1))
        shop.answer(shop.invoke("commit", {}, tx=1), "unknown")
        self.assert_found("C2", "transaction 1: of 2 operations only", only=True)

    def test_unexplained(self):
        shop = self.shop
        with shop.commit():
            shop.put("follow.orders", shop.headers, {"id": "9-9", "user_id": "u1",
                                                     "status": "cart", "token": "9-9"})
        self.assert_found("C2", "of token 9-9: no operation asked for it")

    def test_deadlock(self):
        op = self.shop.invoke("insert_lines", {"row": self.header, "place": None,
                                               "lines": [[1, 1]]})
        self.shop.answer(op, "error", None, "40P01", "deadlock detected: Process 1 waits")
        self.assert_found("C0", "unexpected error 40P01", only=True)

    def test_refused_commit(self):
        """A commit is refused whose transaction wrote no line."""
        shop = self.shop
        shop.answer(shop.invoke("begin", {}, tx=1))
        shop.refuse(shop.invoke("commit", {}, tx=1))
        self.assert_found("C0", "unexpected refusal IV001", only=True)
