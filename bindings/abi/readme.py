"""The table of hosts in the README of the repository. The lines of each host come from an
example that the tests run."""

import html
import pathlib
import posixpath
import textwrap

PATH = "../README.md"
HERE = pathlib.Path(__file__).resolve().parent.parent
BEGIN = "<!-- hosts: written by bindings/generate -->\n"
END = "<!-- end of hosts -->\n"

# Name, folder, installation, example, and how its lines begin and end.
HOSTS = (
    ("C++17, C++20", "cpp", "make install", "coroutine.cpp", "    const auto options", 3),
    ("Swift 6", "swift", '.package(path: "libzelf/bindings/swift")', "CreateSession.swift",
     "let client", 5),
    ("Python 3.9", "python", "pip install ./bindings/python", "session.py", "with zelf.Client", 5),
    ("Node 20", "node", "npm install zelf-0.1.0.tgz", "session.mjs", "const client", 4),
    ("Java 17", "java", "mvn -f bindings/java/pom.xml install", "Token.java",
     "        try (ZelfClient client", 7),
    ("Go 1.19", "go", "go mod edit -replace=…", "token/main.go", "\tconfig :=", 6),
    ("C# (Mono)", "csharp", "bindings/csharp/package", "CreateSession.cs",
     "        using (var client", 3),
    ("Ruby 3.1", "ruby", "gem install --local zelf-0.1.0-x86_64-linux.gem", "create_session.rb",
     "client =", 3),
    ("LuaJIT 2.1", "lua", "cp bindings/lua/zelf.lua .", "session.lua", "local zelf", 5),
    ("PHP 8.2", "php", "composer require zelf/zelf", "session.php", "$settings", 6),
    ("Rust", "../core", 'zelf-core = { path = "libzelf/core" }', "tokio.rs", "    let session", 5),
)


def text(_abi):
    """Returns the README with its table."""
    path = HERE / PATH
    readme = path.read_text(encoding="utf-8")
    before, rest = readme.split(BEGIN)
    after = rest.split(END)[1]
    return before + BEGIN + _table() + END + after


def _table():
    rows = ["<table>\n<tr><th>host</th><th>install</th><th>use</th></tr>\n"]
    for name, folder, install, example, first, count in HOSTS:
        lines = (HERE / folder / "examples" / example).read_text(encoding="utf-8").split("\n")
        begin = next(i for i, line in enumerate(lines) if line.startswith(first))
        link = posixpath.normpath(f"bindings/{folder}/README.md")
        # An empty line would end the table for Markdown.
        shown = [line for line in lines[begin:] if line.strip()][:count]
        code = textwrap.dedent("\n".join(shown).expandtabs(4))
        rows.append(
            f'<tr><td><a href="{link}">{html.escape(name)}</a></td>'
            f"<td><code>{html.escape(install, quote=False)}</code></td>\n"
            f"<td><pre>{html.escape(code, quote=False)}</pre></td></tr>\n"
        )
    return "".join(rows) + "</table>\n"
