"""A copy of the tree below clean/, in which a test plants a violation that tools/lint must report."""
import os
import shutil
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

CLEAN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "clean")


def clean(path):
    """The text of a file of the clean tree."""
    with open(os.path.join(CLEAN, path), encoding="utf-8") as file:
        return file.read()


class LintTest(unittest.TestCase):
    """A test with a copy of the clean tree."""

    def setUp(self):
        self.root = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.root)
        shutil.copytree(CLEAN, self.root, dirs_exist_ok=True)
        os.mkdir(os.path.join(self.root, "tools"))
        for name in "lint", "lib.sh":
            shutil.copy(os.path.join(ROOT, "tools", name), os.path.join(self.root, "tools"))
        shutil.copytree(os.path.join(ROOT, "tools/checks"), os.path.join(self.root, "tools/checks"))
        shutil.copy(os.path.join(ROOT, ".editorconfig"), self.root)
        self.assemble()
        for command in ["init", "-q"], ["add", "-A"]:
            subprocess.run(["git", "-C", self.root, *command], check=True)

    def plant(self, path, text):
        """Write a file."""
        path = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def add(self, path, text):
        """Write a file of the clean tree with text added at its end; return the line where it begins."""
        self.plant(path, clean(path) + text)
        return clean(path).count("\n") + 1

    def replace(self, path, old, new):
        """Write a file of the clean tree with new text in place of old; return its line."""
        text = clean(path)
        self.assertEqual(text.count(old), 1)
        self.plant(path, text.replace(old, new))
        return text[:text.index(old)].count("\n") + 1

    def assemble(self):
        """Write the extension script, as the Makefile does."""
        subprocess.run("cat script/*.sql > inventory--1.0.sql", shell=True, cwd=self.root, check=True)

    def lint(self, *checks, **environment):
        """The output of tools/lint as a list of lines without indentation."""
        ended = subprocess.run([os.path.join(self.root, "tools/lint"), *checks], env={**os.environ, **environment},
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, check=False)
        return [line.strip() for line in ended.stdout.splitlines()]

    def assert_clean(self, *checks):
        lines = self.lint(*checks)
        self.assertEqual(lines[-1], f"{len(checks)} passed, 0 failed", "\n".join(lines))

    def assert_found(self, check, *expected):
        """The check must fail, and print a line that begins with each expected text."""
        lines = self.lint(check)
        self.assertEqual(lines[-1], "0 passed, 1 failed", "\n".join(lines))
        for text in expected:
            self.assertTrue(any(line.startswith(text) for line in lines), "\n".join([f"no {text}", *lines]))
