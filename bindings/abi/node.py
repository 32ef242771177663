"""The table of the Node package: prototypes for koffi, and their types for TypeScript."""

import json
import re

PATH = "node/src/abi.ts"

NUMBERS = {
    "int": "number", "int32_t": "number", "uint32_t": "number", "size_t": "number",
    "int64_t": "number | bigint", "uint64_t": "number | bigint", "bool": "boolean", "void": "void",
}


def text(abi):
    callbacks = {callback.name for callback in abi.callbacks}

    def c(kind):
        """The type as koffi parses it: whatever has an address is a pointer to nothing known."""
        if kind == "const char *":
            return kind
        name = kind.replace("const ", "").strip()
        if "*" in kind or name in callbacks:
            return "void *"
        return abi.numbers.get(name, name)

    def js(kind, is_result=False):
        """The type in TypeScript."""
        name = kind.replace("*", "").replace("const ", "").strip()
        if "*" not in kind and name not in callbacks:
            return NUMBERS[abi.numbers.get(name, name)]
        if kind == "const char *":
            return "string | null"
        if kind == "char *":
            return "Uint8Array"
        if kind == "const void *" and not is_result:
            return "Uint8Array | null"
        if kind == "size_t *" or kind.count("*") == 2:
            return "Out"
        return "Pointer | null"

    lines = [
        "// Written by bindings/generate from include/zelf.h",
        "",
        "/** An address. koffi takes null for NULL. */",
        "export type Pointer = bigint;",
        "",
        "/**",
        " * The place where a function puts an address or a size.",
        " *",
        " * koffi passes the memory of a typed array. It would copy the elements of another array, with",
        " * functions of Node-API that fail after worker.terminate().",
        " */",
        "export type Out = BigUint64Array;",
        "",
        "/** The constants of the header. */",
        "export const constants = {",
        *(f"  {constant.name}: {json.dumps(constant.value)}," for constant in abi.constants),
        "} as const;",
        "",
        "/** The functions of the header, for koffi. */",
        "export const prototypes: Record<keyof Functions, string> = {",
    ]
    for function in abi.functions:
        parameters = ", ".join(
            f"{c(parameter.type)} {parameter.name}" for parameter in function.parameters)
        prototype = f"{c(function.returns)} {function.name}({parameters or 'void'})"
        lines.append(f"  {function.name}: {json.dumps(re.sub(r'([*]) ', r'*', prototype))},")
    lines += ["};", "", "/** The functions of the header, for TypeScript. */", "export interface Functions {"]
    for function in abi.functions:
        parameters = ", ".join(
            f"{camel(parameter.name)}: {js(parameter.type)}" for parameter in function.parameters)
        lines.append(f"  {function.name}({parameters}): {js(function.returns, True)};")
    lines += ["}", ""]
    return "\n".join(lines)


def camel(name):
    return re.sub(r"_(\w)", lambda match: match[1].upper(), name)
