"""Writes the table of functions and constants for the Ruby gem."""

PATH = "ruby/lib/zelf/abi.rb"

NUMBERS = {
    "bool": ":bool", "int": ":int", "int32_t": ":int32", "uint32_t": ":uint32",
    "int64_t": ":int64", "uint64_t": ":uint64", "size_t": ":size_t", "void": ":void",
}


def text(abi):
    lines = [
        "# frozen_string_literal: true",
        "",
        "# Written by bindings/generate from include/zelf.h",
        "",
        "module Zelf",
        "  # The functions and constants of include/zelf.h.",
        "  module ABI",
    ]
    for constant in abi.constants:
        value = f'"{constant.value}"' if isinstance(constant.value, str) else constant.value
        lines.append(f"    {constant.name} = {value}")
    lines += ["", "    # Each callback: the types of its parameters.", "    CALLBACKS = {"]
    for callback in abi.callbacks:
        if callback.returns != "void":
            raise ValueError(f"{callback.name} returns a value")
        types = ", ".join(_parameters(callback.parameters, abi, in_callback=True))
        lines.append(f"      {callback.name}: [{types}],")
    lines += [
        "    }.freeze",
        "",
        "    # Each function: the types of its parameters, and of its result.",
        "    FUNCTIONS = {",
    ]
    for function in abi.functions:
        types = ", ".join(_parameters(function.parameters, abi))
        lines.append(f"      {function.name}: [[{types}], {_result(function.returns, abi)}],")
    lines += ["    }.freeze", "  end", "end", ""]
    return "\n".join(lines)


def _parameters(parameters, abi, in_callback=False):
    for parameter, following in zip(parameters, (*parameters[1:], None)):
        if "*" not in parameter.type:
            yield _number(parameter.type, abi)
        elif parameter.type == "const void *":
            yield ":buffer_in"
        elif parameter.type == "char *":
            yield ":buffer_out"
        elif parameter.type == "const char *":
            # ffi refuses a :string with a NUL, which text with a length may have.
            has_length = following is not None and following.name == "length"
            yield ":buffer_in" if has_length and not in_callback else ":string"
        else:
            yield ":pointer"


def _result(c_type, abi):
    if c_type == "const char *":
        return ":string"
    return ":pointer" if "*" in c_type else _number(c_type, abi)


def _number(c_type, abi):
    if any(callback.name == c_type for callback in abi.callbacks):
        return ":pointer"
    return NUMBERS[abi.numbers.get(c_type, c_type)]
