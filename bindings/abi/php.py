"""Writes the constants, enums and declarations between two comments of bindings/php/Zelf.php."""

import pathlib

from abi.lua import declarations, replaced

PATH = "php/Zelf.php"
FILE = pathlib.Path(__file__).resolve().parent.parent / PATH

# The enums, and the prefix of their constants.
ENUMS = {"SessionType": "ZELF_SESSION_TYPE_", "Renewal": "ZELF_RENEWAL_"}


def text(abi):
    lines = []
    for enum, prefix in ENUMS.items():
        lines += [f"enum {enum}: int", "{"]
        for constant in abi.constants:
            if constant.name.startswith(prefix):
                name = constant.name.removeprefix(prefix).title().replace("_", "")
                lines.append(f"    case {name} = {constant.value};")
        lines += ["}", ""]
    lines += ["/** The numbers and declarations of zelf.h. */", "final class Abi", "{"]
    for constant in abi.constants:
        value = constant.value if isinstance(constant.value, int) else f"'{constant.value}'"
        lines.append(f"    public const {constant.name.removeprefix('ZELF_')} = {value};")
    lines += ["    public const DECLARATIONS = <<<'C'"]
    lines += [f"        {line}" for line in declarations(abi)]
    lines += ["        C;", "}", ""]
    return replaced(FILE.read_text(encoding="utf-8"), "//", lines)
