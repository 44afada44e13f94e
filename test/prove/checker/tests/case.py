"""The base of the tests: a shop, and assertions about the lines that the checker prints."""

import unittest

from .shop import Shop


class RuleCase(unittest.TestCase):
    """A test with a shop of its own."""

    def setUp(self):
        self.shop = Shop()

    def assert_clean(self):
        self.assertEqual(self.shop.violations(), [])

    def assert_found(self, rule, words, only=False):
        """The rule prints a line with these words; with `only`, no other rule prints any."""
        lines = self.shop.violations()
        self.assertTrue(any(line.startswith(rule) and words in line for line in lines),
                        f"no {rule} with '{words}' in {lines}")
        self.assertTrue(all("(seed 42, cycle 7)" in line for line in lines), lines)
        if only:
            self.assertTrue(all(line.startswith(rule) for line in lines), lines)
