"""Writes the declarations and the constants between two comments of bindings/lua/zelf.lua."""

import pathlib
import re

PATH = "lua/zelf.lua"
FILE = pathlib.Path(__file__).resolve().parent.parent / PATH


def text(abi):
    lines = ["ffi.cdef [[", *declarations(abi), "]]", "local ABI = {"]
    for constant in abi.constants:
        value = constant.value if isinstance(constant.value, int) else f'"{constant.value}"'
        lines.append(f"    {constant.name.removeprefix('ZELF_')} = {value},")
    lines.append("}")
    return replaced(FILE.read_text(encoding="utf-8"), "--", lines)


def declarations(abi):
    """Returns the lines of C that declare all types and functions."""
    lines = [f"typedef struct {name} {name};" for name in abi.opaque]
    lines += [f"typedef {kind} {name};" for name, kind in abi.numbers.items()]
    lines += [
        f"typedef {declarator(callback.returns, f'(*{callback.name})')}{arguments(callback)};"
        for callback in abi.callbacks
    ]
    lines += [
        f"{declarator(function.returns, function.name)}{arguments(function)};"
        for function in abi.functions
    ]
    return [short for line in lines for short in wrapped(line)]


def declarator(kind, name):
    return f"{kind}{name}" if kind.endswith("*") else f"{kind} {name}"


def arguments(function):
    return f"({', '.join(declarator(p.type, p.name) for p in function.parameters) or 'void'})"


def wrapped(line, width=100):
    """Breaks a line after a comma."""
    while len(line) > width:
        end = line.rindex(", ", 0, width) + 1
        yield line[:end]
        line = "   " + line[end:]
    yield line


def replaced(old, comment, lines):
    """Returns a file with these lines between its two comments."""
    begin = f"{comment} Written by bindings/generate from include/zelf.h: do not edit."
    end = f"{comment} The end of what bindings/generate has written."
    pattern = rf"([ ]*){re.escape(begin)}\n.*?{re.escape(end)}\n"
    indent = re.search(pattern, old, re.S)[1]
    middle = "".join(f"{indent}{line}\n" if line else "\n" for line in [begin, *lines, end])
    return re.sub(pattern, lambda _: middle, old, count=1, flags=re.S)
