"""Tests that C6 and C7 find violations."""

from .case import RuleCase


class Levels(RuleCase):
    def test_available(self):
        self.shop.levels = list(self.shop.final_levels())
        self.shop.levels[0]["available"] = 6
        self.assert_found("C6", "item 1: levels say 6 available, it is 5", only=True)

    def test_on_hand(self):
        self.shop.reserve(1, 2)
        self.shop.levels = list(self.shop.final_levels())
        self.shop.levels[0]["on_hand"] = 3
        self.assert_found("C6", "levels say 3 on hand and 2 held, there are 3 and 2", only=True)

    def test_missing(self):
        self.shop.levels = list(self.shop.final_levels())[1:]
        self.assert_found("C6", "item 1 is not in levels", only=True)


class Rest(RuleCase):
    def setUp(self):
        super().setUp()
        self.shop.heat(1)
        self.shop.buy(1, 2)

    def settle(self):
        """Settle item 1, so that nothing else is wrong."""
        self.shop.settle(1)

    def test_good(self):
        self.shop.rest("left")
        self.settle()
        self.shop.rest("settled")
        self.assert_clean()

    def test_available(self):
        self.shop.rest("left")[0]["available"] = 5
        self.settle()
        self.assert_found("C6", "item 1: the counter says 5, there are 5 and -2 unsettled, the "
                          "floor is 0, when all is left", only=True)

    def test_in_flight(self):
        self.shop.rest("restarted")[0]["held"] = 1
        self.settle()
        self.assert_found("C6", "the counter says that 1 are in flight in 0 processes, when all is "
                          "restarted", only=True)

    def test_holders(self):
        self.shop.rest("left")[0]["holders"] = 1
        self.settle()
        self.assert_found("C6", "0 are in flight in 1 processes", only=True)

    def test_counter_of_cold_item(self):
        self.shop.rest("left")[1]["state"] = "hot"
        self.settle()
        self.assert_found("C6", "item 2 is cold, and has a counter", only=True)

    def test_unsettled(self):
        self.shop.rest("settled")
        self.settle()
        self.assert_found("C6", "item 1: -2 unsettled, when all is settled", only=True)

    def test_total_changes_at_rest(self):
        self.shop.rest("left")
        self.settle()
        row = self.shop.rest("settled")[0]
        row["stock"] += 1
        row["available"] += 1
        self.assert_found("C6", "item 1: 3 became 4, when all is settled", only=True)

    def test_verify(self):
        self.shop.rest("left")
        self.settle()
        self.shop.stage_verify.append({"item_id": 1, "problem": "counter", "expected": 3,
                                       "actual": 4})
        self.assert_found("C6", "verify: item 1 counter, expected 3, actual 4, when all is left",
                          only=True)


class Epochs(RuleCase):
    def setUp(self):
        super().setUp()
        self.shop.heat(1)
        self.shop.buy(1, 2)

    def test_settled_wrong_sum(self):
        self.shop.settle(1)
        self.shop.stream[-1] = [line.replace("stock[integer]:3", "stock[integer]:4")
                                for line in self.shop.stream[-1]]
        self.assert_found("C7", "item 1 goes from 3 to 4, the movements say 0, in transaction 702",
                          only=True)

    def test_movement_in_settled_epoch(self):
        self.shop.settle(1)
        with self.shop.commit():
            self.shop.book(1, 1, "restock", epoch=1)
        self.assert_found("C7", "item 1 goes from 3 to 3, the movements say 1")

    def test_epoch_of_a_cold_item(self):
        with self.shop.commit():
            self.shop.book(2, 1, "restock", epoch=1)
        self.shop.settle(1)
        self.assert_found("C7", "item 2 is cold, its restock has epoch 1")

    def test_epochs_restart(self):
        self.shop.settle(1, hot=False)
        with self.shop.commit():
            self.shop.mark(1, hot=True, settled_epoch=0)
        self.assert_found("C7", "item 1 was settled to epoch 1, now it is 0")


class Ledger(RuleCase):
    def test_verify(self):
        self.shop.verify.append({"item_id": None, "problem": "guard_missing", "expected": None,
                                 "actual": None})
        self.assert_found("C7", "verify: item None guard_missing", only=True)

    def test_sum(self):
        self.shop.write(1, -1)
        self.shop.movements.pop()
        self.assert_found("C7", "item 1: 4 in stock, its movements say 5")
        self.assert_found("C7", "item 1: 1 direct writes of -1, 0 booked")

    def test_sum_at_a_commit(self):
        self.shop.buy(1, 1)
        self.shop.stream[0] = [line for line in self.shop.stream[0] if "movements" not in line]
        self.assert_found("C7", "item 1 goes from 5 to 4, the movements say 0, in transaction 700",
                          only=True)

    def test_deleted(self):
        self.shop.buy()
        self.shop.stream[0].insert(1, "table items_stock.movements: DELETE: movement_id[bigint]:1")
        self.assert_found("C7", "a row of items_stock.movements was deleted", only=True)

    def test_sale_missing(self):
        self.shop.buy()
        self.shop.movements.pop()
        self.assert_found("C7", "has no sale")

    def test_sale_wrong_user(self):
        self.shop.buy()
        self.shop.movements[-1]["user_id"] = "u2"
        self.assert_found("C7", "1 of item 1 to u1, its sale is -1 of item 1 to u2", only=True)

    def test_sale_twice(self):
        self.shop.buy()
        self.shop.movements.append(dict(self.shop.movements[-1], movement_id=99))
        self.assert_found("C7", "was sold twice")

    def test_sale_of_no_order(self):
        self.shop.movements += [self.shop.movement(1, -1, "sale", order_id="none"),
                                self.shop.movement(1, 1, "sale", order_id="neither")]
        self.assert_found("C7", "sells under order none, which does not exist", only=True)

    def test_refund_beyond(self):
        order = self.shop.buy(1, 1)
        self.shop.refund(order, 1)
        self.shop.refund(order, 1)
        self.assert_found("C7", f"order {order} of 1: 2 refunded", only=True)

    def test_refund_answer(self):
        self.shop.refund(self.shop.buy(1, 2), 1)
        self.shop.histories[1][-1]["result"] = 2
        self.assert_found("C7", "was told of 2 refunded, it was 1", only=True)

    def test_stock_answer(self):
        self.shop.restock(2, 1)
        self.shop.histories[1][-1]["result"] = 6
        self.assert_found("C7", "was told of 6 afterwards, it was 4", only=True)

    def test_key_not_kept(self):
        self.shop.buy(key=True)
        self.shop.requests.clear()
        self.assert_found("C7", "nothing is kept under key k-1-1", only=True)

    def test_key_of_another_answer(self):
        self.shop.buy(key=True)
        self.shop.requests[0]["result"] = '"another"'
        self.assert_found("C7", "under key k-1-1 is another", only=True)

    def test_key_of_another_user(self):
        self.shop.buy(key=True)
        self.shop.requests[0]["user_id"] = "u2"
        self.assert_found("C7", "key k-1-1 is kept for user u2", only=True)

    def test_key_of_rolled_back_call(self):
        op = self.shop.invoke("restock_item", {"item": 1, "quantity": 1}, key=True)
        self.shop.answer(op, "error", None, "57014", "cancelled")
        self.shop.keep(op, 6)
        self.assert_found("C7", "key k-1-1 is kept, but its operation was rolled back", only=True)

    def test_key_of_no_operation(self):
        self.shop.requests.append({"operation": "buy_item", "user_id": "u1", "key": "k-9-9",
                                   "result": "1"})
        self.assert_found("C7", "key k-9-9: no operation had it", only=True)


class Holds(RuleCase):
    def test_expired_and_not_given_back(self):
        row = self.shop.reserve(1, 2, ttl=20)
        self.shop.tick(40)
        with self.shop.commit():
            self.shop.move_hold(row, status="expired")
        self.assert_found("C7", "the ledger says that 2 are held")

    def test_expired_twice(self):
        row = self.shop.reserve(1, 2, ttl=20)
        self.shop.tick(40)
        self.shop.expire(row)
        self.shop.expire(row)
        self.assert_found("C7", "it expired 2 times")
        self.assert_found("C1", "item 1: 5 on hand by what clients know, but 7 in stock")

    def test_confirmed_takes_again(self):
        row = self.shop.reserve(1, 2)
        self.shop.confirm(row)
        with self.shop.commit():
            self.shop.change_stock(1, -2)
            self.shop.book(1, -2, "sale", user_id=row["user_id"], order_id=row["order_id"],
                           reservation_id=row["reservation_id"])
        self.assert_found("C7", "4 sold in 2 movements")

    def test_confirmed_without_its_order(self):
        row = self.shop.reserve()
        self.shop.confirm(row)
        row["order_id"] = None
        self.assert_found("C7", "its order None does not exist")

    def test_released_twice(self):
        row = self.shop.reserve()
        self.shop.release(row)
        args = {"reservation": row["reservation_id"]}
        self.shop.answer(self.shop.invoke("release_reservation", args, client=2), result=True)
        self.assert_found("C7", "was told to have released what operation 2 of client 1 had",
                          only=True)

    def test_confirmed_and_released(self):
        row = self.shop.reserve()
        self.shop.confirm(row)
        self.shop.release(row)
        self.assert_found("C7", "confirmed, but the reservation is ['released']")
        self.assert_found("C7", "released after confirmed")

    def test_ended_by_no_operation(self):
        row = self.shop.reserve()
        with self.shop.commit():
            self.shop.give_back(row, "released", "release")
        self.assert_found("C7", "released, and no operation did that")

    def test_confirmed_too_late(self):
        row = self.shop.reserve(1, 1, ttl=20)
        self.shop.tick(40)
        self.shop.confirm(row)
        self.assert_found("C7", "confirmed by a call that began 22 ms after it expired", only=True)

    def test_extended_and_confirmed(self):
        """In one transaction, which confirms when the hold would have expired."""
        shop = self.shop
        row = shop.reserve(1, 1, ttl=20)
        shop.answer(shop.invoke("begin", {}, tx=1))
        with shop.commit():
            shop.extend(row, 60_000, tx=1)
            shop.tick(40)
            shop.confirm(row, tx=1)
        shop.answer(shop.invoke("commit", {}, tx=1))
        self.assert_clean()

    def test_extended_too_late(self):
        row = self.shop.reserve(1, 1, ttl=20)
        self.shop.tick(40)
        self.shop.extend(row, 60_000)
        self.assert_found("C7", "held by a call that began 22 ms after it expired", only=True)

    def test_expired_too_early(self):
        row = self.shop.reserve(1, 1, ttl=20)
        self.shop.expire(row)
        self.assert_found("C7", "ms too early", only=True)

    def test_shortened(self):
        self.shop.extend(self.shop.reserve(), 60_000)
        self.assert_found("C7", "it expires earlier than before", only=True)

    def test_movements_without_reservation(self):
        self.shop.reserve()
        self.shop.reservations.clear()
        self.assert_found("C7", "has movements, but does not exist")
