"""The code of the README and of the examples, run as they are."""

from __future__ import annotations

import pathlib
import re
from typing import Any, List

import pytest

HERE = pathlib.Path(__file__).resolve().parent
README = (HERE.parent / "README.md").read_text(encoding="utf-8")

# The blocks talk to the public API. Here the sandbox takes its place.
INSTEAD = """
import os, ssl
import zelf

class Client(zelf.Client):
    def __init__(self):
        super().__init__(base_url=os.environ["ZELF_HTTPS"], ca_file=os.environ["ZELF_CA"])

zelf.Client = Client
try:
    import httpx
except ImportError:
    pass
else:
    class Http(httpx.Client):
        def __init__(self, *, auth, base_url):
            context = ssl.create_default_context(cafile=os.environ["ZELF_CA"])
            super().__init__(auth=auth, base_url=base_url, verify=context)

    httpx.Client = Http
"""

BLOCKS: List[str] = re.findall(r"^```python\n(.*?)^```$", README, re.M | re.S)


def run(python: Any, block: str) -> str:
    ended = python(INSTEAD + block)
    assert (ended.err, ended.status) == ("", 0)
    return str(ended.out)


def test_the_first_block_of_the_readme_creates_a_session(python: Any, sandbox: Any) -> None:
    identifier, seconds = run(python, BLOCKS[0]).split()
    assert identifier in BLOCKS[0] and 0 < int(seconds) <= 600


def test_the_second_block_of_the_readme_awaits_a_response(python: Any, sandbox: Any) -> None:
    out = run(python, BLOCKS[1])
    assert out.startswith("200 {") and "GET /api/tags/search?tagName=a.zelf" in out


def test_the_third_block_of_the_readme_uses_httpx(python: Any, sandbox: Any) -> None:
    pytest.importorskip("httpx")
    assert run(python, BLOCKS[2]) == "200\n"


def test_the_readme_has_no_other_code(python: Any) -> None:
    assert len(BLOCKS) == 3 == README.count("```python")
    assert len(README.splitlines()) <= 60


def test_the_example_runs(python: Any, sandbox: Any) -> None:
    example = (HERE.parent / "examples" / "session.py").read_text(encoding="utf-8")
    ended = python(example, sandbox.https, sandbox.ca)
    assert (ended.err, ended.status) == ("", 0)
    assert "a session for" in ended.out and "\n200 {" in ended.out
