"""The installed package: its table, its types, its library, its wheel."""

from __future__ import annotations

import ctypes
import importlib.metadata
import os
import pathlib
import re
import subprocess
import sys
from typing import Any, get_type_hints

import pytest
import zelf
from zelf import _abi, _library

HEADER = next(
    path
    for path in (
        pathlib.Path(os.environ["ZELF_PREFIX"], "include", "zelf.h"),
        pathlib.Path(os.environ["ZELF_PREFIX"], "include", "zelf", "zelf.h"),
    )
    if path.exists()
)
PACKAGE = pathlib.Path(zelf.__file__).parent


def code() -> str:
    """Returns the header without its comments, and without the functions of Android."""
    text = HEADER.read_text(encoding="utf-8")
    text = re.sub(r"^#if defined\(__ANDROID__\)\n.*?^#endif\n", "", text, flags=re.M | re.S)
    return re.sub(r"/\*.*?\*/", "", text, flags=re.S)


def test_the_table_has_every_function_of_the_header_and_the_library_too() -> None:
    functions = set(re.findall(r"\b(zelf_\w+)\(", code()))
    assert len(functions) > 60
    assert functions == set(_abi.TABLE)
    library = ctypes.CDLL(str(PACKAGE / "libzelf.so.0"))
    for name in functions:
        assert getattr(library, name) and getattr(_library.lib, name)


def test_the_table_has_as_many_parameters_as_the_header() -> None:
    for name, parameters in re.findall(r"\b(zelf_\w+)\(([^()]*)\);", code()):
        if name in _abi.TABLE:
            count = 0 if parameters.strip() == "void" else parameters.count(",") + 1
            assert len(_abi.TABLE[name]) == 1 + count, name


def test_the_table_has_every_constant_of_the_header() -> None:
    constants = re.findall(r'^#define (ZELF_\w+) +("[^"]*"|\d+)$', code(), re.M)
    assert len(constants) >= 50
    for name, value in constants:
        assert repr(getattr(_abi, name)).replace("'", '"') == value


def test_a_status_is_described_by_a_whole_sentence() -> None:
    table = (PACKAGE / "_abi.py").read_text(encoding="utf-8")
    assert '403 "... limit exceeded": the session\'s quota is used up."""' in table


def test_an_older_library_is_refused(tmp_path: Any) -> None:
    source, library = tmp_path / "old.c", tmp_path / "libzelf.so.0"
    source.write_text('const char *zelf_version(void) { return "0.0.9"; }\n')
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    with pytest.raises(ImportError, match="libzelf 0.0.9 is too old.* 0.1.0 or later"):
        _library.load(str(library))


def test_typing_finds_the_types_of_each_function() -> None:
    functions = 0
    for name in zelf.__all__:
        members = vars(getattr(zelf, name)) if isinstance(getattr(zelf, name), type) else {}
        for one in [getattr(zelf, name), *members.values()]:
            one = one.fget if isinstance(one, property) else one
            if str(getattr(one, "__module__", "")).startswith("zelf") and callable(one):
                get_type_hints(one)
                functions += 1
    assert functions > 50, functions
    assert "options" in get_type_hints(zelf.Client.create)


def test_the_package_has_the_version_of_its_library() -> None:
    assert zelf.__version__ == importlib.metadata.version("zelf") == zelf.library_version()


def test_the_wheel_is_tagged_for_the_glibc_that_the_library_needs() -> None:
    needed = subprocess.run(
        ["objdump", "-T", PACKAGE / "libzelf.so.0"], check=True, capture_output=True, text=True
    ).stdout
    minor = max(int(number) for number in re.findall(r"GLIBC_2\.(\d+)", needed))
    (tag,) = re.findall(r"^Tag: (.*)$", distribution_text("WHEEL"), re.M)
    assert tag == f"py3-none-manylinux_2_{minor}_{os.uname().machine}"


def test_the_wheel_carries_a_stripped_library_and_the_licences_of_its_code() -> None:
    sections = subprocess.run(
        ["objdump", "-h", PACKAGE / "libzelf.so.0"], check=True, capture_output=True, text=True
    ).stdout
    assert ".symtab" not in sections and ".debug" not in sections
    names = [str(path) for path in importlib.metadata.files("zelf") or ()]
    assert any(name.endswith("licenses/LICENSE-MIT") for name in names)
    assert any("licenses/licences/rustls-" in name for name in names)


def distribution_text(name: str) -> str:
    text = importlib.metadata.distribution("zelf").read_text(name)
    assert text is not None
    return text


# Uses the package as its users do. mypy knows all of its types.
USER = """
import asyncio
import logging
from typing import Optional

import httpx
import requests
import zelf
import zelf.httpx
import zelf.requests

with zelf.Client(origin="https://app.example", log=logging.getLogger("zelf").log) as client:
    session: zelf.Session = client.create(identifier="x", type=zelf.SessionType.GENERAL)
    identifier: Optional[str] = session.identifier
    with zelf.SessionProvider(client, identifier="x", renewal=zelf.Renewal.EARLY) as provider:
        asyncio.run(provider.send_async(zelf.Request("GET", "/", json={}))).json()
        httpx.Client(auth=zelf.httpx.Auth(provider))
        requests.get("https://api.zelf.world", auth=zelf.requests.Auth(provider))
try:
    pass
except zelf.RateLimitedError as error:
    wait: Optional[float] = error.retry_after
"""


@pytest.fixture
def mypy(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Runs mypy. Its second run is faster."""

    def run(*arguments: Any) -> "subprocess.CompletedProcess[str]":
        cache = tmp_path_factory.getbasetemp() / "mypy"
        return subprocess.run(
            [sys.executable, "-m", "mypy", "--strict", "--cache-dir", cache, *arguments],
            capture_output=True,
            text=True,
        )

    return run


def test_the_package_is_clean_under_mypy_strict(mypy: Any) -> None:
    checked = mypy("-p", "zelf")
    assert checked.returncode == 0 and "Success" in checked.stdout, checked.stdout


def test_a_program_that_uses_the_package_is_clean_under_mypy_strict(
    mypy: Any, tmp_path: Any
) -> None:
    program = tmp_path / "user.py"
    program.write_text(USER)
    checked = mypy(program)
    assert checked.returncode == 0 and "Success" in checked.stdout, checked.stdout


def test_mypy_finds_a_wrong_option(mypy: Any, tmp_path: Any) -> None:
    program = tmp_path / "wrong.py"
    program.write_text(USER + '\nzelf.Client().create(identifier=5, identifer="x")\n')
    checked = mypy(program)
    assert checked.returncode == 1 and "identifer" in checked.stdout, checked.stdout


def test_the_helpers_are_extras_that_the_package_does_without(python: Any) -> None:
    ended = python("""
        import sys
        sys.modules["httpx"] = sys.modules["requests"] = None
        import zelf
        print(zelf.Client())
        try:
            import zelf.httpx
        except ImportError as error:
            print(error)
    """)
    assert (ended.err, ended.status) == ("", 0) and "httpx" in ended.out
    assert {"httpx", "requests"} <= set(
        importlib.metadata.metadata("zelf").get_all("Provides-Extra") or ()
    )
