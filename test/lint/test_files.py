"""Tests of the checks that read single files: every violation is reported with its line."""
import os
import subprocess
import unittest

from tree import LintTest, clean


class Files(LintTest):
    def test_clean(self):
        self.assert_clean("compiles", "long_files", "long_functions", "names", "script", "assembled", "words", "attacks", "titles", "snippets", "reference", "links",
                          "versions", "whitespace", "editorconfig", "expectations", "generated")

    def test_unknown_check(self):
        self.assertIn("no check flors", self.lint("flors")[0])

    def test_header_that_needs_another(self):
        line = self.replace("src/stock/take.h", "extern int inv_take(int rows);",
                            "extern int inv_take(int rows);\nextern int inv_visit(InvVisit visit);") + 1
        self.replace("src/stock/take.c", '#include "stock/take.h"\n#include "store/query.h"',
                     '#include "store/query.h"\n#include "stock/take.h"')
        self.assert_found("compiles", f"src/stock/take.h:{line}:")

    def test_source_that_does_not_compile(self):
        line = self.add("src/stock/take.c", "\nint\ninv_give(void)\n{\n\treturn give();\n}\n") + 4
        self.assert_found("compiles", f"src/stock/take.c:{line}:")

    def test_long_file(self):
        self.add("src/stock/take.c", "\n" * 500)
        self.assert_found("long_files", "src/stock/take.c:501: ")

    def test_long_function(self):
        body = "{\n" + "\trows++;\n" * 60 + "}\n"
        self.add("src/stock/take.c", "\nvoid\ninv_long(int rows)\n" + body)
        self.assert_clean("long_functions")
        line = self.add("src/stock/take.c", "\nvoid\ninv_long(int rows)\n" + body.replace("}", "\trows++;\n}")) + 3
        self.assert_found("long_functions", f"src/stock/take.c:{line}: 61 lines")

    def test_two_functions_of_one_name(self):
        line = self.add("src/store/query.c", "\nstatic int\nvisit_row(int row)\n{\n\treturn row;\n}\n") + 2
        self.assert_found("names", f"src/store/query.c:{line}: visit_row is also a function of src/stock/take.c:7")

    def test_script_circle(self):
        line = self.add("script/20_take.sql", "SELECT inventory.attach();\n")
        self.assert_found("script", f"script/20_take.sql:{line}: uses inventory.attach, which is created later, "
                          "in script/30_attach.sql")

    def test_script_circle_at_run_time(self):
        line = self.add("script/20_take.sql", "DO $$ BEGIN EXECUTE format('SELECT %s', 'inventory.attach()'); END $$;\n")
        self.assert_found("script", f"script/20_take.sql:{line}: uses inventory.attach")

    def test_script_that_is_not_assembled(self):
        line = self.add("script/30_attach.sql", "SELECT 1;\n")
        line += sum(clean(path).count("\n") for path in ("script/10_catalog.sql", "script/20_take.sql")) - 1
        self.assert_found("assembled", f"inventory--1.0.sql:{line}: differs from script/")

    def test_script_that_is_not_in_git(self):
        subprocess.run(["git", "-C", self.root, "rm", "-q", "--cached", "inventory--1.0.sql"], check=True)
        self.assert_found("assembled", "inventory--1.0.sql: not in git")

    def test_pgspot(self):
        lines = self.lint("pgspot")
        if lines[0].startswith("skipped "):
            raise unittest.SkipTest(lines[0])
        self.assertEqual(lines[-1], "1 passed, 0 failed", lines)
        before = sum(clean(path).count("\n") for path in ("script/10_catalog.sql", "script/20_take.sql"))
        self.plant("script/30_attach.sql", clean("script/30_attach.sql").replace(
            "SET search_path = pg_catalog, pg_temp ", "SECURITY DEFINER "))
        self.assemble()
        self.assert_found("pgspot", f"inventory--1.0.sql:{before + 1}: PS003: ")

    def test_words(self):
        self.plant("src/base/lock.c", "int nobody; /* it is for\n * ever */\nchar *text = \"Nobody waits.\";\n")
        self.plant("script/20_take.sql", "COMMENT ON FUNCTION inventory.take() IS 'Anew.';\n")
        self.plant("sql/take.sql", "-- Door: take.\nSELECT 'nobody';\n")
        self.plant("test/prove/run.py", '"""Whoever."""\nnobody = 1  # somebody\n')
        self.plant("README.md", "# inventory\n\n```\nnobody\n```\nMeanwhile `nobody` renewed it.\n")
        lines = self.lint("words")
        self.assertEqual(sorted(lines[1:-1]), [
            'README.md:6: "Meanwhile"', 'script/20_take.sql:1: "Anew"', 'sql/take.sql:1: "Door:"',
            'src/base/lock.c:1: "for ever"', 'src/base/lock.c:3: "Nobody"', 'test/prove/run.py:1: "Whoever"',
            'test/prove/run.py:2: "somebody"'])

    def test_attacks(self):
        self.plant("test/attacks/holes/none.edit", "# A hole that no row names.\n")
        self.plant("sql/part.sql", "-- Test of parts.\n\\echo '-- buyer'\n")
        self.plant("test/attacks/README.md", "\n".join([
            "| kind | entry point | test | label | holes |", "|---|---|---|---|---|",
            "| code | buyer | SQL part | buyer | gone |", "| code | verify | SQL gone | buyer | gone |",
            "| names | buyer | SQL part | seller | gone |", "| names | verify | - | a reason | |"]) + "\n")
        self.assert_found("attacks", "test/attacks/README.md:3: there is no hole gone",
                          "test/attacks/README.md:4: there is no test SQL gone",
                          "test/attacks/README.md:5: sql/part.sql has no part 'seller'",
                          "test/attacks/holes/none.edit: not in the table")
        self.plant("test/attacks/README.md", "| kind | entry point | test | label | holes |\n|---|---|---|---|---|\n"
                   "| code | buyer | SQL part | buyer | none |\n| names | verify | SQL part | buyer | none |\n")
        self.assert_found("attacks", "test/attacks/README.md: no row for code, verify",
                          "test/attacks/README.md: no row for names, buyer")

    def test_titles(self):
        self.plant("sql/take.sql", "\n-- Test of take.\n")
        self.plant("test/isolation/specs/take.spec", "# take.\n")
        self.plant("test/pgtap/take.sql", "-- The contract of take\n-- as drivers see\n\nSELECT 1;\n")
        self.plant("test/tap/001_take.pl", "use strict;\n# Every unit is taken once.\n")
        self.assert_found("titles", "sql/take.sql:1: there is no comment", "test/isolation/specs/take.spec:1: there is no comment",
                          "test/pgtap/take.sql:2: the comment", "test/tap/001_take.pl:1: there is no comment")

    def test_reference(self):
        self.plant("script/60_facade.sql", """VALUES ('buyer', 'give'::name, ARRAY['user_id {user_id_type}', 'quantity bigint = 1'],
            'uuid', 'VOLATILE', 'Gives. Errors: IV001 out_of_stock, 22004.'), ('operator', 'lend', ARRAY['days integer'], 'bigint',
            'VOLATILE', 'Lends.');\nCOMMENT ON FUNCTION inventory.heat(oid) IS 'Heats. Errors: 42501.';\n""")
        self.plant("src/base/error.c", '{ "out_of_stock", "IV001", "PT409", STOCK },\n')
        self.plant("src/base/guc.c", 'DefineCustomIntVariable(\n\t"inventory.wait", 0);\n')
        good = ("# R\n\n### give\n\n`give(user_id U, quantity bigint = 1) → uuid`\n\nErrors: IV001, 22004.\n\n### lend\n\n"
                "`lend(days integer) → bigint`\n\n### heat, cool\n\nErrors: 42501.\n\n## Errors\n\n"
                "| IV001 | out_of_stock | PT409 |\n| `inventory.wait` | 1 |\n")
        readme = "# R\n\n`give(user_id)`, `lend(days)`\n\n| IV001 | out_of_stock | 409 |\n| `inventory.wait` | 1 |\n"
        self.plant("doc/reference.md", good)
        self.plant("README.md", readme)
        self.assert_clean("reference")
        self.plant("doc/reference.md", good.replace("bigint = 1", "bigint").replace("IV001, 22004", "IV001").replace("### lend", "### loan")
                   .replace("Errors: 42501", "").replace("PT409", "PT404").replace("inventory.wait", "inventory.weight"))
        self.plant("README.md", readme.replace("lend", "loan").replace("409", "404").replace("inventory.wait", "inventory.weight"))
        self.assert_found("reference", "doc/reference.md: give has the arguments (user_id U, quantity bigint = 1)",
                          "doc/reference.md: give has the error 22004", "doc/reference.md: no section lend",
                          "doc/reference.md: heat has the error 42501",
                          "doc/reference.md: no row | IV001 | out_of_stock | PT409 |", "README.md: no row | IV001 | out_of_stock | 409 |",
                          "doc/reference.md: no row of the setting inventory.wait", "README.md: no row of the setting inventory.wait")

    def test_snippets(self):
        shown = clean("script/20_take.sql")
        self.plant("doc/good.md", f"# Good\n\n<!-- from script/20_take.sql -->\n```sql\n{shown}```\n\n```\nnothing\n```\n")
        self.assert_clean("snippets")
        self.plant("doc/part.md", "<!-- from sql/lines.txt -->\n```\n  one\n…\nthree\n```\n")
        self.plant("sql/lines.txt", "one\ntwo\n\n    three\n")
        self.assert_clean("snippets")
        self.plant("doc/bad.md", "# Bad\n\n<!-- from sql/lines.txt -->\n```\none\nthree\n```\n"
                   "<!-- from sql/lines.txt -->\n```\nthree\n…\none\n```\n"
                   "<!-- from sql/none.txt -->\n```\none\n```\n<!-- from sql/lines.txt -->\n\nText.\n")
        self.plant("doc/list.md", "1. In a list\n\n   <!-- from sql/lines.txt -->\n   ```\n   three\n   one\n   ```\n")
        self.assert_found("snippets", "doc/bad.md:3: differs from sql/lines.txt", "doc/bad.md:8: differs from sql/lines.txt",
                          "doc/bad.md:14: sql/none.txt does not exist", "doc/bad.md:18: no code block follows",
                          "doc/list.md:3: differs from sql/lines.txt")

    def test_links(self):
        self.plant("doc/good.md", "# Good: a `page`\n\n[a](#good-a-page) [b](../README.md#inventory) [c](../sql) [d](https://none.example/x)\n")
        self.assert_clean("links")
        self.plant("doc/bad.md", "# Bad\n\n[a](#good)\n[b](none.md)\n[c](good.md#bad)\n")
        self.assert_found("links", "doc/bad.md:3: doc/bad.md has no heading #good", "doc/bad.md:4: doc/none.md does not exist",
                          "doc/bad.md:5: doc/good.md has no heading #bad")

    def test_editorconfig(self):
        self.plant("src/base/lock.c", "int\ninv_lock(void)\n{\n    return 1;\n}\n")
        self.plant("test/tap/001_take.pl", "# Every unit is taken once.\nif (1) {\n\texit;\n}\n")
        self.plant("test/prove/mutants/take.sql", "SELECT\n    1;\r\n")
        with open(os.path.join(self.root, "README.md"), "wb") as file:
            file.write(b"# inventory\n\xff\n")
        self.assert_found("editorconfig", "src/base/lock.c:4: not indented with tabs",
                          "test/tap/001_take.pl:3: not indented with spaces",
                          "test/prove/mutants/take.sql:2: ends with a carriage return", "README.md:2: not encoded in UTF-8")

    def test_generated(self):
        self.plant("src/base/guc.o", "")
        subprocess.run(["git", "-C", self.root, "add", "-f", "src/base/guc.o"], check=True)
        self.assert_found("generated", "src/base/guc.o")
