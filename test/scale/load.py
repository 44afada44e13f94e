"""Clients that buy through the router while servers are killed."""

import json
import random
import threading
import time

import psycopg2

from checker import History
from servers import ITEMS


class Client(threading.Thread):
    """Buys items and carts; a call without an answer is repeated with its key, if it has one."""

    def __init__(self, shop, directory, name, until, few=False):
        super().__init__(daemon=True)
        self.shop, self.name, self.until, self.few = shop, name, until, few
        self.history = History(directory, name)
        self.random = random.Random(name)
        self.session = None
        self.answered = self.carts = self.repeated = 0

    def ask(self, statement, arguments):
        """The rows of a statement, or None."""
        try:
            if self.session is None:
                self.session = self.shop.router.connect("buyer")
            with self.session.cursor() as cursor:
                cursor.execute(statement, arguments)
                return cursor.fetchall()
        except psycopg2.Error:
            if self.session is not None and self.session.closed:
                self.session = None
            time.sleep(0.1)
            return None

    def call(self, number):
        """One call, until it is answered or the time is over."""
        key = f"{self.name}-{number}"
        count = self.random.choice((1, 1, 2, 3, 4))
        items = self.random.sample(range(1, 5 if self.few else ITEMS + 1), count)
        lines = {item: self.random.choice((1, 1, 2)) for item in items}
        if self.random.random() < 0.05:
            lines[items[-1]] = 1_000_000
        data = json.dumps({"call": key})
        keyless = False
        if count == 1:
            (item, quantity), = lines.items()
            statement, arguments = "SELECT status FROM api.try_buy_item(%s, %s, %s, %s, %s)", (self.name, item, quantity, key, data)
        else:
            cart = json.dumps([{"item_id": item, "quantity": quantity} for item, quantity in lines.items()])
            keyless = self.random.random() < 0.25
            statement = "SELECT status FROM api.try_buy_cart(%s, %s, %s, %s)"
            arguments = (self.name, cart, None if keyless else key, data)
        self.history.note(key, lines, None)
        while True:
            rows = self.ask(statement, arguments)
            if rows:
                self.history.note(key, lines, "ok" if all(status == "ok" for (status,) in rows) else "refused")
                self.answered += 1
                self.carts += count > 1
                return
            if keyless or time.monotonic() > self.until:
                return
            self.repeated += 1

    def run(self):
        number = 0
        while time.monotonic() < self.until:
            number += 1
            self.call(number)


class Sweeper(threading.Thread):
    """Calls resolve all the time."""

    def __init__(self, shop, until):
        super().__init__(daemon=True)
        self.shop, self.until = shop, until
        self.finished = 0

    def run(self):
        while time.monotonic() < self.until:
            try:
                self.finished += self.shop.router.query("SELECT finished FROM scale.resolve('2 seconds')", user="operator")[0][0]
            except psycopg2.Error:
                pass
            time.sleep(0.5)


def kills_under_load(shop, directory, name, seconds, kills, hot, clients=6):
    """Sell while servers are killed, one after the other; returns the counts."""
    until = time.monotonic() + seconds
    if hot:
        for node in shop.nodes:
            node.query("SELECT inventory.heat('shop.items', id) FROM shop.items WHERE id < 5")
    threads = [Client(shop, directory, f"{name}-{number}", until, few=hot) for number in range(clients)]
    sweeper = Sweeper(shop, until)
    for thread in (*threads, sweeper):
        thread.start()
    chosen = random.Random(name)
    order = chosen.sample(shop.servers, len(shop.servers))
    victims = []
    for number in range(kills):
        time.sleep(max(0.0, until - time.monotonic()) / (kills - number + 1))
        victim = order[number % len(order)]
        victim.kill("kill -9")
        victims.append(victim.name)
        victim.start()
    for thread in (*threads, sweeper):
        thread.join()
    return {"answered": sum(thread.answered for thread in threads),
            "of carts": sum(thread.carts for thread in threads),
            "repeated": sum(thread.repeated for thread in threads), "resolved": sweeper.finished,
            "killed": " ".join(victims)}
