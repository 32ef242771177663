"""Reads include/zelf.h into lists of constants, types and functions."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Constant:
    """A #define with a number or a string as value."""

    name: str
    value: "int | str"
    doc: str


@dataclass(frozen=True)
class Parameter:
    """A parameter: `type` is C, such as "const zelf_session *" or "zelf_error **"."""

    name: str
    type: str


@dataclass(frozen=True)
class Function:
    """An exported function."""

    name: str
    returns: str
    parameters: "tuple[Parameter, ...]"
    doc: str


@dataclass(frozen=True)
class Callback:
    """A typedef of a pointer to a function."""

    name: str
    returns: str
    parameters: "tuple[Parameter, ...]"
    doc: str


@dataclass(frozen=True)
class Abi:
    """All that the header declares, in its order."""

    version: str
    constants: "tuple[Constant, ...]"
    opaque: "tuple[str, ...]"
    """Names of the objects: structs without members."""
    numbers: "dict[str, str]"
    """Names of the typedefs of numbers, with their C type."""
    callbacks: "tuple[Callback, ...]"
    functions: "tuple[Function, ...]"


def read(path):
    """Returns the Abi of the header at `path`. A declaration that it cannot read is an error."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    # The macros in front of the first section are the compiler's part.
    body = text[text.index("/* ---- "):text.rindex("#ifdef __cplusplus")]
    body = re.sub(r"/\* ---- .*? \*/", "", body)
    # What exists on one system only is not in the tables.
    body = re.sub(r"^#if defined\(__[A-Z]+__\)\n.*?^#endif\n", "", body, flags=re.M | re.S)
    constants, opaque, numbers, callbacks, functions = [], [], {}, [], []
    for doc, code in _declarations(body):
        if define := re.fullmatch(r"#define (\w+) (.+)", code):
            value = define[2].strip()
            constants.append(Constant(
                define[1], value[1:-1] if value.startswith('"') else int(value), doc))
        elif struct := re.fullmatch(r"typedef struct (\w+) (\w+);", code):
            opaque.append(struct[2])
        elif callback := re.fullmatch(r"typedef (.+?)\(\*(\w+)\)\((.*)\);", code):
            callbacks.append(Callback(
                callback[2], _type(callback[1]), _parameters(callback[3]), doc))
        elif number := re.fullmatch(r"typedef (\w+) (\w+);", code):
            numbers[number[2]] = number[1]
        elif function := re.fullmatch(r"ZELF_API (?:ZELF_MUST_USE )?(.+?)(\w+)\((.*)\);", code):
            functions.append(Function(
                function[2], _type(function[1]), _parameters(function[3]), doc))
        else:
            raise ValueError(f"{path}: cannot read: {code}")
    version = next(c.value for c in constants if c.name == "ZELF_VERSION")
    return Abi(version, tuple(constants), tuple(opaque), numbers, tuple(callbacks), tuple(functions))


def _declarations(body):
    """Yields the comment and the code of each declaration, each with single spaces."""
    for match in re.finditer(r"/\*\*(.*?)\*/\s*(#define[^\n]+|[^;#]+;)", body, re.S):
        doc = "\n".join(line.strip().removeprefix("*").strip() for line in match[1].split("\n"))
        yield doc.strip(), " ".join(match[2].split())
    rest = re.sub(r"/\*\*.*?\*/\s*(#define[^\n]+|[^;#]+;)", "", body, flags=re.S).strip()
    if rest:
        raise ValueError(f"declared without a comment: {rest}")


def _parameters(text):
    if text.strip() == "void":
        return ()
    parameters = []
    for parameter in text.split(","):
        name = re.search(r"(\w+)$", parameter.strip())[1]
        parameters.append(Parameter(name, _type(parameter.strip()[: -len(name)])))
    return tuple(parameters)


def _type(text):
    """Writes a type as in "const char *", "zelf_error **"."""
    stars = text.count("*")
    name = " ".join(text.replace("*", " ").split())
    return f"{name} {'*' * stars}" if stars else name
