"""Writes the table of functions and constants for C#, with its enums and handles."""

import re
from xml.sax.saxutils import escape

PATH = "csharp/src/Abi.cs"

NUMBERS = {
    "bool": "bool", "int": "int", "int32_t": "int", "uint32_t": "uint", "int64_t": "long",
    "uint64_t": "ulong", "size_t": "UIntPtr", "void": "void",
}

# Each enum: its documentation, and the prefix of its constants.
ENUMS = (
    ("Status", "The result of a call. A newer library may return other numbers.", "ZELF_ERROR_"),
    ("LogLevel", "The importance of a log message.", "ZELF_LOG_"),
    ("SessionType", "The purpose of a session.", "ZELF_SESSION_TYPE_"),
    ("Renewal", "When a provider renews its session, and whether it may end the old one.",
     "ZELF_RENEWAL_"),
)

# An error is read and freed at once: it needs no handle.
WITHOUT_HANDLE = ("zelf_error",)


def text(abi):
    lines = [
        "// Written by bindings/generate from include/zelf.h",
        "",
        "using System;",
        "using System.Runtime.InteropServices;",
        "",
        "namespace Zelf",
        "{",
    ]
    for name, doc, prefix in ENUMS:
        lines += [f"    /// <summary>{doc}</summary>", f"    public enum {name}", "    {"]
        constants = [c for c in abi.constants if c.name.startswith(prefix)]
        if name == "Status":
            constants = [c for c in abi.constants if c.name == "ZELF_OK"] + constants
        for constant in constants:
            member = _camel(constant.name.removeprefix(prefix).removeprefix("ZELF_"))
            lines += [f"        /// <summary>{_summary(constant.doc)}</summary>",
                      f"        {member} = {constant.value},"]
        lines += ["    }", ""]
    lines += ["    // The constants of include/zelf.h.", "    internal static class Constants", "    {"]
    for constant in abi.constants:
        is_text = isinstance(constant.value, str)
        value = f'"{constant.value}"' if is_text else constant.value
        lines.append(f"        internal const {'string' if is_text else 'int'} {constant.name} = {value};")
    lines += ["    }", ""]
    for callback in abi.callbacks:
        parameters = ", ".join(f"{_callback_type(p.type, abi)} {_camel(p.name, first=False)}"
                               for p in callback.parameters)
        lines += ["    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]",
                  f"    internal delegate {callback.returns} {_type_name(callback.name)}({parameters});", ""]
    for opaque in abi.opaque:
        if opaque in WITHOUT_HANDLE:
            continue
        name = _handle(opaque)
        lines += [
            f"    internal sealed class {name} : Handle",
            "    {",
            f"        internal {name}() : base(IntPtr.Zero, true) {{ }}",
            f"        internal {name}(IntPtr pointer, bool isOwned) : base(pointer, isOwned) {{ }}",
            f"        protected override void Free() {{ Native.{opaque}_free(handle); }}",
            "    }",
            "",
        ]
    lines += ["    // The functions of include/zelf.h.", "    internal static class Native", "    {",
              '        const string Library = "zelf";']
    for function in abi.functions:
        is_free = function.name.endswith("_free")
        parameters = ", ".join(
            f"{_parameter_type(p.type, abi, is_free)} {_camel(p.name, first=False)}"
            for p in function.parameters)
        lines += [""]
        lines += ["        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]"]
        if function.returns == "bool":
            lines += ["        [return: MarshalAs(UnmanagedType.I1)]"]
        lines += [f"        internal static extern {_result_type(function.returns, abi)} "
                  f"{function.name}({parameters});"]
    lines += ["    }", "}", ""]
    return "\n".join(lines)


def _summary(doc):
    return escape(" ".join(doc.split("\n\n")[0].split()))


def _camel(name, first=True):
    words = re.split(r"_", name.lower())
    name = "".join(word.capitalize() for word in words)
    if not first:
        name = name[0].lower() + name[1:]
        # A keyword of C#.
        name = "@out" if name == "out" else name
    return name


def _type_name(c_name):
    return _camel(c_name.removeprefix("zelf_"))


def _handle(opaque):
    return f"{_type_name(opaque)}Handle"


def _object(c_type):
    """Returns the name of the object that a type points to, or None."""
    match = re.fullmatch(r"(?:const )?(zelf_\w+) \*", c_type)
    return match and match[1]


def _parameter_type(c_type, abi, is_free):
    if c_type == "zelf_error **":
        return "ref IntPtr"
    if c_type == "size_t *":
        return "out UIntPtr"
    if c_type in ("const char *", "const void *", "char *"):
        return "byte[]"
    if c_type == "void *":
        return "IntPtr"
    if opaque := _object(c_type):
        return "IntPtr" if is_free or opaque in WITHOUT_HANDLE else _handle(opaque)
    if any(callback.name == c_type for callback in abi.callbacks):
        return _type_name(c_type)
    number = _number(c_type, abi)
    return "[MarshalAs(UnmanagedType.I1)] bool" if number == "bool" else number


def _callback_type(c_type, abi):
    return "IntPtr" if "*" in c_type else _number(c_type, abi)


def _result_type(c_type, abi):
    opaque = _object(c_type)
    if opaque and opaque not in WITHOUT_HANDLE:
        return _handle(opaque)
    return "IntPtr" if "*" in c_type else _number(c_type, abi)


def _number(c_type, abi):
    return NUMBERS[abi.numbers.get(c_type, c_type)]
