"""Tests of reading times that servers print, in any time zone."""

import unittest

from ..clock import nanoseconds


class Times(unittest.TestCase):
    def test_same_instant(self):
        for text in ("2026-11-22 01:19:39.69028+00", "2026-11-22 06:49:39.69028+05:30",
                     "2026-11-21 20:19:39.690280-05"):
            with self.subTest(text):
                self.assertEqual(nanoseconds(text), 1795310379690280000)

    def test_whole_seconds(self):
        self.assertEqual(nanoseconds("1970-01-01 00:00:01+00"), 1_000_000_000)

    def test_no_time(self):
        with self.assertRaises(ValueError):
            nanoseconds("infinity")
