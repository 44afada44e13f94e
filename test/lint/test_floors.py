"""Tests of the check `floors`: references that go up or in a circle are reported."""
import os

from tree import LintTest


class Floors(LintTest):
    def test_clean(self):
        self.assert_clean("floors")

    def test_upward_include(self):
        line = self.replace("src/store/query.c", '#include "base/guc.h"', '#include "stock/take.h"')
        self.assert_found("floors", f"src/store/query.c:{line}: includes stock/take.h, which is above it")

    def test_upward_include_in_a_header(self):
        line = self.replace("src/store/query.h", "#define INV_QUERY_ROWS 10", '#  include "stock/take.h" ')
        self.assert_found("floors", f"src/store/query.h:{line}: includes stock/take.h, which is above it")

    def test_upward_call(self):
        line = self.add("src/store/query.c", "\nstatic int\nquery_up(void)\n{\n\treturn inv_take(1);\n}\n") + 4
        self.assert_found("floors", f"src/store/query.c:{line}: uses inv_take of src/stock/take.c, which is above it")

    def test_upward_call_of_an_sql_function(self):
        line = self.add("src/stock/take.c", "\nint\ninv_up(void)\n{\n"
                        "\treturn DatumGetInt32(DirectFunctionCall1(inventory_take, 0));\n}\n") + 4
        self.assert_found("floors", f"src/stock/take.c:{line}: uses inventory_take of src/inventory.c, which is above it")

    def test_upward_function_pointer(self):
        line = self.add("src/store/query.c", "\nstatic int (*const visits[])(int) = {inv_take};\n") + 1
        self.assert_found("floors", f"src/store/query.c:{line}: uses inv_take of src/stock/take.c, which is above it")

    def test_upward_variable(self):
        line = self.add("src/base/guc.c", "\nint *inv_up = &inv_level;\n") + 1
        self.plant("src/stock/level.c", '#include "postgres.h"\n\nint inv_level;\n')
        self.assert_found("floors", f"src/base/guc.c:{line}: uses inv_level of src/stock/level.c, which is above it")

    def test_upward_macro(self):
        line = self.add("src/store/query.c", "\nint inv_query_many = INV_TAKE_ROWS;\n") + 1
        self.assert_found("floors",
                          f"src/store/query.c:{line}: uses INV_TAKE_ROWS of src/stock/take.h, which is above it")

    def test_upward_call_in_the_text_of_a_macro(self):
        line = self.replace("src/store/query.h", "#define INV_QUERY_ROWS 10",
                            "#define INV_QUERY_ROWS \\\n\tinv_take(10)") + 1
        self.assert_found("floors", f"src/store/query.h:{line}: uses inv_take of src/stock/take.c, which is above it")

    def test_upward_inline_function(self):
        line = self.add("src/base/guc.c", "\nbool\ninv_up(void)\n{\n\treturn inv_query_is_empty(1);\n}\n") + 4
        self.assert_found(
            "floors", f"src/base/guc.c:{line}: uses inv_query_is_empty of src/store/query.h, which is above it")

    def test_upward_name_that_a_macro_pastes(self):
        line = self.replace("src/store/query.c", "\treturn visit(rows + inv_rows);",
                            "#define UP(name) inv_##name\n\tint UP(take)(int rows);\n\n\treturn UP(take)(1);")
        self.assert_found(
            "floors", f"src/store/query.c:{line + 3}: needs inv_take of src/stock/take.c, which is above it")

    def test_upward_name_behind_a_macro_of_its_own(self):
        line = self.add("src/store/query.c", "\n#define inv_take inv_take\n\nint\nquery_up(void)\n{\n"
                        "\tint inv_take(int rows);\n\n\treturn inv_take(1);\n}\n") + 8
        self.assert_found("floors", f"src/store/query.c:{line}: needs inv_take of src/stock/take.c, which is above it")

    def test_bare_include(self):
        line = self.replace("src/stock/take.c", '"stock/take.h"', '"take.h"')
        self.assert_found("floors", f'src/stock/take.c:{line}: includes "take.h": write "folder/name.h"')
        line = self.replace("src/store/query.c", '"base/guc.h"', '"guc.h"')
        self.assert_found("floors", f'src/store/query.c:{line}: includes "guc.h": write "folder/name.h"')

    def test_include_by_another_way(self):
        self.plant("src/stock/take.inc", "")
        for written in ('"../stock/take.h"', "<stock/take.h>", "<../src/stock/take.h>", '"store/query.c"', '"take.inc"',
                        '"stock/take.inc"', "INV_HEADER"):
            with self.subTest(written):
                line = self.replace("src/stock/take.c", '"stock/take.h"', written)
                self.assert_found("floors", f"src/stock/take.c:{line}: includes {written}: ")

    def test_extern_in_a_source(self):
        line = self.add("src/store/query.c", "\nextern int inv_elsewhere(int rows);\n") + 1
        self.assert_found("floors", f"src/store/query.c:{line}: extern inv_elsewhere")

    def test_declaration_in_a_source(self):
        line = self.add("src/inventory.c", "\nint inv_elsewhere(int rows);\n") + 1
        self.assert_found("floors", f"src/inventory.c:{line}: declares inv_elsewhere")

    def test_sql_function_declared_elsewhere(self):
        line = self.add("src/stock/take.c", "\nPG_FUNCTION_INFO_V1(inventory_give);\n") + 1
        self.assert_found("floors", f"src/stock/take.c:{line}: PG_FUNCTION_INFO_V1(inventory_give)")

    def test_header_declares_the_function_of_another(self):
        line = self.replace("src/stock/take.h", "extern int inv_take(int rows);",
                            "extern int inv_take(int rows);\nextern int inv_give(int rows);") + 1
        self.plant("src/stock/give.c", '#include "postgres.h"\n\n#include "stock/take.h"\n\n'
                   "int\ninv_give(int rows)\n{\n\treturn rows;\n}\n")
        self.assert_found("floors", f"src/stock/take.h:{line}: declares inv_give, which src/stock/give.c defines")

    def test_header_of_another_folder(self):
        os.rename(os.path.join(self.root, "src/stock/take.h"), os.path.join(self.root, "src/store/take.h"))
        self.assert_found("floors", "src/store/take.h:6: declares inv_take, which src/stock/take.c defines")

    def test_header_declares_what_is_not_there(self):
        line = self.replace("src/base/guc.h", "extern int inv_rows;", "extern int inv_rows;\nint inv_gone(void);") + 1
        self.assert_found("floors", f"src/base/guc.h:{line}: declares inv_gone, which src/base/guc.c does not define")

    def test_circle(self):
        self.plant("src/stock/give.h", "extern int inv_give(int rows);\n")
        self.plant("src/stock/give.c", '#include "postgres.h"\n\n#include "stock/give.h"\n#include "stock/level.h"\n\n'
                   "int\ninv_give(int rows)\n{\n\treturn inv_level(rows);\n}\n")
        self.plant("src/stock/level.h", "extern int inv_level(int rows);\n")
        self.plant("src/stock/level.c", '#include "postgres.h"\n\n#include "stock/level.h"\n\n'
                   "int\ninv_level(int rows)\n{\n\treturn rows > 0 ? inv_give(rows - 1) : 0;\n}\n")
        circle = "in the circle stock/give -> stock/level -> stock/give"
        self.assert_found("floors", f"src/stock/give.c:4: includes stock/level.h, {circle}",
                          f"src/stock/level.c:8: uses inv_give of src/stock/give.c, {circle}")

    def test_circle_of_includes(self):
        self.plant("src/stock/give.h", '#pragma once\n#include "stock/level.h"\n')
        self.plant("src/stock/level.h", '#pragma once\n#include "stock/give.h"\n')
        self.assert_found("floors", "src/stock/give.h:2: includes stock/level.h, in the circle")

    def test_folder_without_floor(self):
        self.plant("src/cellar/wine.c", '#include "postgres.h"\n')
        self.assert_found("floors", "src/cellar/wine.c:1: its folder is not one of the floors")

    def test_without_headers(self):
        fake = os.path.join(self.root, "pg_config")
        self.plant("pg_config", "#!/bin/sh\ncase $1 in --version) echo PostgreSQL 15.0 ;; *) echo /nonexistent ;; esac\n")
        os.chmod(fake, 0o755)
        lines = self.lint("floors", "compiles", PG_CONFIG=fake)
        self.assertTrue(lines[0].startswith("skipped ") and lines[1].startswith("skipped "), lines)
        self.assertEqual(lines[2], "0 passed, 0 failed")
        self.add("src/store/query.c", "\nstatic int (*const visits[])(int) = {inv_take};\n")
        lines = self.lint("floors", PG_CONFIG=fake)
        self.assertEqual(lines[-1], "0 passed, 1 failed", lines)
