"""Writes the table of the Python binding."""

import re

PATH = "python/src/zelf/_abi.py"

HEAD = '''\
# Written by bindings/generate from include/zelf.h
"""The functions and constants of the C library, for ctypes."""

from __future__ import annotations

import ctypes
import enum
from typing import Any, Callable, Final, NewType, Optional

'''

# The types of ctypes, and the types that ctypes takes and returns for them.
CTYPES = {
    "void": ("None", "None"),
    "bool": ("ctypes.c_bool", "bool"),
    "int": ("ctypes.c_int", "int"),
    "int32_t": ("ctypes.c_int32", "int"),
    "int64_t": ("ctypes.c_int64", "int"),
    "uint32_t": ("ctypes.c_uint32", "int"),
    "uint64_t": ("ctypes.c_uint64", "int"),
    "size_t": ("ctypes.c_size_t", "int"),
    "size_t *": ("ctypes.POINTER(ctypes.c_size_t)", "Any"),
    "char *": ("ctypes.c_char_p", "Any"),
    "const char *": ("ctypes.c_char_p", "Optional[bytes]"),
    "void *": ("ctypes.c_void_p", "Optional[int]"),
    "zelf_error **": ("ctypes.POINTER(ctypes.c_void_p)", "Any"),
}

# The enumerations, by the start of the names of their constants.
ENUMERATIONS = (
    ("Status", "The result of a call.", ("ZELF_OK", "ZELF_ERROR_")),
    ("SessionType", "The purpose of a session.", ("ZELF_SESSION_TYPE_",)),
    ("Renewal", "When a provider renews its session, and whether it may end the old one.",
     ("ZELF_RENEWAL_",)),
)


def text(abi):
    """Returns the module: constants, enumerations, types and the table of functions."""
    return HEAD + "\n\n".join(
        [_constants(abi), *(_enumeration(abi, *one) for one in ENUMERATIONS), _types(abi),
         _functions(abi), _table(abi)])


def _constants(abi):
    lines = []
    for constant in abi.constants:
        value = f'"{constant.value}"' if isinstance(constant.value, str) else constant.value
        lines.append(f"{constant.name}: Final = {value}\n")
    return "".join(lines)


def _enumeration(abi, name, doc, starts):
    lines = [f'class {name}(enum.IntEnum):\n    """{doc}"""\n']
    for constant in abi.constants:
        start = next((start for start in starts if constant.name.startswith(start)), None)
        if start:
            member = constant.name.removeprefix(start) or constant.name.removeprefix("ZELF_")
            lines.append(f"\n    {member} = {constant.value}\n")
            lines.append(f'    """{_first_sentence(constant.doc)}"""\n')
    return "".join(lines)


def _first_sentence(doc):
    # "..." does not end a sentence.
    return re.split(r"(?<!\.)\. ", " ".join(doc.split("\n\n")[0].split()))[0].rstrip(".") + "."


def _types(abi):
    lines = [f'{name} = NewType("{name}", int)\n' for name in abi.opaque]
    for callback in abi.callbacks:
        types = [callback.returns] + [parameter.type for parameter in callback.parameters]
        lines.append(f"{callback.name} = ctypes.CFUNCTYPE(\n    "
                     + ", ".join(_ctype(abi, one) for one in types) + "\n)\n")
    return "".join(lines)


def _functions(abi):
    lines = ['class Functions:\n    """The functions of a loaded library."""\n\n']
    for function in abi.functions:
        parameters = [_python(abi, parameter.type) for parameter in function.parameters]
        lines.append(f"    {function.name}: Callable[\n        [{', '.join(parameters)}],"
                     f" {_python(abi, function.returns)}\n    ]\n")
    lines.append('''
    def __init__(self, library: ctypes.CDLL) -> None:
        for name, (returns, *parameters) in TABLE.items():
            function = getattr(library, name)
            function.restype = returns
            function.argtypes = parameters
            setattr(self, name, function)
''')
    return "".join(lines)


def _table(abi):
    lines = ["# What a function returns, and its parameters.\n", "TABLE: dict[str, tuple[Any, ...]] = {\n"]
    for function in abi.functions:
        types = [function.returns] + [parameter.type for parameter in function.parameters]
        lines.append(f'    "{function.name}": (\n')
        lines.extend(f"        {_ctype(abi, one)},\n" for one in types)
        lines.append("    ),\n")
    lines.append("}\n")
    return "".join(lines)


def _ctype(abi, type_):
    type_ = abi.numbers.get(type_, type_)
    if type_ in CTYPES:
        return CTYPES[type_][0]
    if any(callback.name == type_ for callback in abi.callbacks):
        return type_
    if type_.endswith(" *"):
        return "ctypes.c_void_p"
    raise ValueError(f"the Python binding has no type for {type_}")


def _python(abi, type_):
    type_ = abi.numbers.get(type_, type_)
    if type_ in CTYPES:
        return CTYPES[type_][1]
    name = type_.removeprefix("const ").removesuffix(" *")
    if name in abi.opaque:
        return f"Optional[{name}]"
    # Bytes and callbacks: ctypes checks them.
    return "Any"
