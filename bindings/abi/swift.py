"""The status and the other numbers of the header, as types of Swift.

Swift reads the functions from the header itself."""

import re
import textwrap

PATH = "swift/Sources/Zelf/Numbers.swift"

# The type, the prefix of its constants, and the type's name in Swift.
TYPES = [
    ("zelf_status", "ZELF_ERROR_", "ZelfError.Status"),
    ("zelf_log_level", "ZELF_LOG_", "LogLevel"),
    ("zelf_session_type", "ZELF_SESSION_TYPE_", "SessionType"),
    ("zelf_renewal", "ZELF_RENEWAL_", "Renewal"),
]

SUMMARIES = {
    "zelf_status": "The kind of a failure.\n\nA later version may add numbers.",
    "zelf_log_level": "The importance of a log message.",
    "zelf_session_type": "The purpose of a session.",
    "zelf_renewal": "When a provider renews its session, and whether it may end the old one.",
}

# Names of C in the comments, and what they are in Swift.
NAMES = {
    "zelf_call_cancel": "the cancellation of its task",
    "zelf_client_free": "the end of the client",
    "zelf_client_shutdown": "``Client/shutDown(timeout:)``",
    "zelf_config_add_pin": "``Client/Configuration/pins``",
    "zelf_error_http_status": "``ZelfError/httpStatus``",
    "zelf_error_message": "``ZelfError/message``",
    "zelf_error_retry_after_ms": "``ZelfError/retryAfter``",
    "zelf_error_server_message": "``ZelfError/serverMessage``",
    "zelf_session_options_set_identifier": "``Session/Options/identifier``",
    "zelf_session_options_set_kill_session": "``Session/Options/killSession``",
    "zelf_session_seconds_left": "``Session/secondsLeft``",
    "min_valid": "``SessionProvider/Options/minValid``",
}


def swift_name(name, prefix):
    first, *rest = name.removeprefix(prefix).lower().split("_")
    return first + "".join({"http": "HTTP"}.get(word, word.capitalize()) for word in rest)


def comment(doc, indent):
    """Writes a comment of DocC. A name without its counterpart in NAMES is an error."""
    doc = re.sub(r"\b(zelf_\w+|min_valid)\b", lambda match: NAMES[match[1]], doc)
    # A type of Swift has no NULL.
    doc = doc.replace("NULL, ", "")
    paragraphs = [textwrap.wrap(paragraph, 94 - len(indent), break_on_hyphens=False)
                  for paragraph in doc.split("\n\n")]
    lines = "\n\n".join("\n".join(lines) for lines in paragraphs).split("\n")
    return "".join(f"{indent}///{' ' if line else ''}{line}\n" for line in lines)


def text(abi):
    out = ["// Written by bindings/generate from include/zelf.h.\n\nimport CZelf\n"]
    for number, prefix, name in TYPES:
        outer, _, inner = name.rpartition(".")
        indent = "    " if outer else ""
        if outer:
            out.append(f"\nextension {outer} {{\n")
        else:
            out.append("\n")
        out.append(comment(SUMMARIES[number], indent))
        out.append(f"{indent}public struct {inner}: RawRepresentable, Hashable, Sendable {{\n")
        out.append(f"{indent}    public let rawValue: Int32\n")
        out.append(f"{indent}    public init(rawValue: Int32) {{ self.rawValue = rawValue }}\n")
        for constant in abi.constants:
            if constant.name.startswith(prefix):
                out.append("\n" + comment(constant.doc, indent + "    "))
                out.append(f"{indent}    public static let {swift_name(constant.name, prefix)} = "
                           f"{inner}(rawValue: {constant.name})\n")
        out.append(f"{indent}}}\n")
        if outer:
            out.append("}\n")
    return "".join(out)
