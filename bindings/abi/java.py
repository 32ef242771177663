"""Writes the table of functions and constants of the Java package."""

import textwrap

PATH = "java/src/main/java/world/zelf/Zelf.java"

HEAD = """\
// Written by bindings/generate from include/zelf.h. Do not edit.
// SPDX-License-Identifier: MIT OR Apache-2.0

package world.zelf;

import com.sun.jna.Callback;
import com.sun.jna.Native;
import com.sun.jna.Pointer;

/**
 * The constants of the library. Their names are those of its header, without {@code ZELF_}.
 *
 * <p>{@link ZelfException#status()} is one of the {@code ERROR_} constants.
 */
public final class Zelf {
    static {
        Native.register(Zelf.class, NativeLoader.load());
    }

    private Zelf() {}
"""

# Java has no unsigned numbers: the bits are the same. A bool is one byte, and JNA's own
# boolean is four. NativeLoader refuses a system whose size_t is not 64 bits. JNA copies an
# array to the library, and back after the call.
NUMBERS = {
    "void": "void",
    "bool": "byte",
    "int": "int",
    "int32_t": "int",
    "int64_t": "long",
    "uint32_t": "int",
    "uint64_t": "long",
    "size_t": "long",
}


def text(abi):
    parts = [HEAD]
    for constant in abi.constants:
        is_text = isinstance(constant.value, str)
        value = f'"{constant.value}"' if is_text else constant.value
        parts.append(
            f"{_comment(constant.doc)}"
            f"    public static final {'String' if is_text else 'int'} {_name(constant)} = {value};\n"
        )
    for callback in abi.callbacks:
        parts.append(
            f"    interface {_callback(callback.name)} extends Callback {{\n"
            f"        {_type(abi, callback.returns)} invoke({_parameters(abi, callback)});\n"
            "    }\n"
        )
    for function in abi.functions:
        declaration = (
            f"static native {_type(abi, function.returns)} {function.name}("
            f"{_parameters(abi, function)});"
        )
        parts.append(
            textwrap.fill(declaration, 100, initial_indent=" " * 4, subsequent_indent=" " * 12) + "\n"
        )
    return "\n".join(parts) + "}\n"


def _name(constant):
    return constant.name.removeprefix("ZELF_")


def _callback(name):
    return "".join(word.capitalize() for word in name.removeprefix("zelf_").split("_"))


def _parameters(abi, function):
    is_callback = function in abi.callbacks
    return ", ".join(
        f"{_type(abi, parameter.type, not is_callback)} {_camel(parameter.name)}"
        for parameter in function.parameters
    )


def _camel(name):
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _type(abi, c_type, is_input=False):
    """Returns the Java type. An input of bytes is an array, any other address a Pointer."""
    name, _, stars = c_type.partition(" *")
    if "*" in c_type:
        if not is_input:
            return "Pointer"
        if stars == "*" or name == "size_t":
            return "long[]"
        return "byte[]" if name in ("const char", "char", "const void") else "Pointer"
    if any(callback.name == name for callback in abi.callbacks):
        return _callback(name)
    return NUMBERS[abi.numbers.get(name, name)]


def _comment(doc):
    text = doc.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("@", "&#64;")
    paragraphs = [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]
    lines = []
    for number, paragraph in enumerate(paragraphs):
        lines += ["", "<p>" + paragraph] if number else [paragraph]
    wrapped = [
        "     * " + piece if piece else "     *"
        for line in lines
        for piece in (textwrap.wrap(line, 90) or [""])
    ]
    return "    /**\n" + "\n".join(wrapped) + "\n     */\n"
