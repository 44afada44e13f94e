"""The small shop with a store that follows its orders beside it, correct until a test changes it."""

from .shop import Shop

VERIFY = "item_id,problem,expected,actual"
HEADERS = "id,user_id,status,token"
LINES = "id,place,order_id,item_id,quantity,cancelled,token"


class FollowShop(Shop):
    """Items 1 (9 units), 2 (9, floor 2), 3 (9, limit 3) of the store that follows."""

    def __init__(self):
        self.goods = {i: {"id": i, "stock": 9, "stock_floor": 2 if i == 2 else 0,
                          "purchase_limit": 3 if i == 3 else None} for i in (1, 2, 3)}
        self.headers, self.lines, self.booked, self.touched = {}, {}, [], []
        self.last, self.follow_verify = {}, []
        super().__init__()
        self.goods_start = [{"id": i["id"], "stock": i["stock"], "floor": i["stock_floor"],
                             "limit": i["purchase_limit"]} for i in self.goods.values()]
        for item in self.goods:
            self.booked.append(self.line_movement(item, 9, "opening"))

    # ---- the ledger

    def line_movement(self, item, delta, kind, **more):
        row = self.movement(item, delta, kind, **more)
        row["movement_id"] = len(self.booked) + 1
        return row

    def sum_of(self, line, item, kind):
        return sum(row["delta"] for row in self.booked
                   if (row["order_id"], row["item_id"], row["kind"]) == (line, item, kind))

    def book_line(self, line, item, delta, kind, **more):
        """A movement, and the stock with it."""
        self.booked.append(self.line_movement(item, delta, kind, order_id=line, **more))
        self.decode("goods_stock.movements", "INSERT", self.booked[-1])
        self.goods[item]["stock"] += delta
        self.decode("follow.goods", "UPDATE", self.goods[item])

    def follow(self, line):
        """Make the ledger equal to the line, which has changed."""
        row = self.lines.get(line) or self.last[line]
        header = self.headers.get(row["order_id"]) or self.last[row["order_id"]]
        worth = 0
        if line in self.lines and header["status"] not in ("cart", "cancelled"):
            worth = max(0, row["quantity"] - row["cancelled"])
        for item in {movement["item_id"] for movement in self.booked
                     if movement["order_id"] == line} | {row["item_id"]}:
            self.follow_item(line, item, worth if item == row["item_id"] else 0, header)

    def follow_item(self, line, item, worth, header):
        sold = -self.sum_of(line, item, "sale") - self.sum_of(line, item, "cancellation")
        of = {"user_id": header["user_id"]}
        if worth > sold:
            self.book_line(line, item, sold - worth, "sale", **of)
        elif worth < sold and header["status"] != "shipped":
            refunded = min(sold - worth, self.sum_of(line, item, "refund"))
            if refunded:
                self.book_line(line, item, -refunded, "refund", **of)
                self.book_line(line, item, refunded, "cancellation", **of)
            if sold - worth > refunded:
                self.book_line(line, item, sold - worth - refunded, "cancellation", **of)

    # ---- rows

    def put(self, table, rows, row, **to):
        """Insert a row, or change it."""
        action = "UPDATE" if row["id"] in rows else "INSERT"
        rows[row["id"]] = row
        row.update(to)
        self.decode(table, action, row)

    def remove(self, table, rows, row_id):
        self.last[row_id] = rows.pop(row_id)
        self.changes.append(f"table {table}: DELETE: id[text]:'{row_id}'")

    def lines_of(self, header):
        return [row["id"] for row in self.lines.values() if row["order_id"] == header]

    # ---- operations

    def insert_header(self, status="placed", user="u1", answered=True, **how):
        op = self.invoke("insert_header", {"row": None, "place": None, "status": status},
                         user=user, **how)
        with self.commit():
            self.put("follow.orders", self.headers, {"id": op["token"], "user_id": user,
                                                     "status": status, "token": op["token"]})
        if answered:
            self.answer(op, result=op["token"])
        return op["token"]

    def insert_lines(self, header, lines, follow=True, answered=True, **how):
        """Insert lines, [(item, quantity)]; returns their ids."""
        op = self.invoke("insert_lines", {"row": header, "place": None,
                                          "lines": [list(line) for line in lines]}, **how)
        ids = [f"{op['token']}-{k}" for k in range(1, len(lines) + 1)]
        with self.commit():
            for line, (item, quantity) in zip(ids, lines):
                self.put("follow.lines_0", self.lines,
                         {"id": line, "place": 0, "order_id": header, "item_id": item,
                          "quantity": quantity, "cancelled": 0, "token": op["token"]})
                if follow:
                    self.follow(line)
        if answered:
            self.answer(op)
        return ids

    def update_line(self, line, column, value, follow=True, **how):
        op = self.invoke("update_line", {"row": line, "place": None, "column": column,
                                         "value": value}, **how)
        with self.commit():
            self.put("follow.lines_0", self.lines, self.lines[line],
                     **{column: value, "token": op["token"]})
            if follow:
                self.follow(line)
        return self.answer(op, result=line)

    def update_header(self, header, status=None, user=None, follow=True, **how):
        op = self.invoke("update_header", {"row": header, "place": None, "status": status},
                         user=user, **how)
        with self.commit():
            to = {"status": status} if status else {"user_id": user}
            self.put("follow.orders", self.headers, self.headers[header], **to, token=op["token"])
            if follow:
                for line in self.lines_of(header):
                    self.follow(line)
        return self.answer(op, result=header)

    def delete_line(self, line, follow=True, **how):
        op = self.invoke("delete_line", {"row": line, "place": None}, **how)
        with self.commit():
            self.remove("follow.lines_0", self.lines, line)
            if follow:
                self.follow(line)
        return self.answer(op, result=line)

    def delete_header(self, header, **how):
        op = self.invoke("delete_header", {"row": header, "place": None}, **how)
        lines = self.lines_of(header)
        with self.commit():
            self.remove("follow.orders", self.headers, header)
            for line in lines:
                self.remove("follow.lines_0", self.lines, line)
                self.follow(line)
        return self.answer(op, result=header)

    def refund_line(self, line, units, **how):
        row = self.lines.get(line) or self.last[line]
        op = self.invoke("follow_refund_order", {"row": line, "place": None, "units": units,
                                                 "restock": True}, **how)
        with self.commit():
            self.book_line(line, row["item_id"], units, "refund", user_id="u1",
                           reason=op["token"])
        return self.answer(op, result=units)

    def restock_good(self, item, quantity, **how):
        op = self.invoke("follow_restock_item", {"row": None, "place": None,
                                                 "lines": [[item, quantity]]}, **how)
        with self.commit():
            self.book_line(None, item, quantity, "restock", reason=op["token"])
        return self.answer(op, result=self.goods[item]["stock"])

    # ---- files

    def run(self):
        return {**super().run(), "goods": self.goods_start}

    def tables(self):
        levels = [{"item_id": item, "reserved": 0, "on_hand": row["stock"],
                   "available": max(0, row["stock"] - row["stock_floor"])}
                  for item, row in self.goods.items()]
        return {**super().tables(), "follow_goods": list(self.goods.values()),
                "follow_orders": list(self.headers.values()),
                "follow_lines": list(self.lines.values()), "follow_movements": self.booked,
                "follow_hot": [], "follow_levels": levels, "follow_verify": self.follow_verify}

    def empty(self, name):
        return {"follow_orders": HEADERS, "follow_lines": LINES, "follow_verify": VERIFY,
                "follow_hot": super().empty("hot")}.get(name) or super().empty(name)
