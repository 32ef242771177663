"""The sandbox that the tests run against, and the lines "ok - ..." that they print."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import textwrap
import urllib.request
from typing import Any, Dict, Iterator, List

import pytest
import zelf


class Sandbox:
    """Controls the sandbox. The variables of its start say where it is."""

    https = os.environ["ZELF_HTTPS"]
    http = os.environ["ZELF_HTTP"]
    ca = os.environ["ZELF_CA"]
    other_ca = os.environ["ZELF_OTHER_CA"]
    pin = os.environ["ZELF_PIN"]
    settings = {"base_url": https, "ca_file": ca}
    # No sandbox is behind the proxy of the environment.
    _opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def control(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(os.environ["ZELF_CONTROL"] + path, data, method=method)
        with self._opener.open(request, timeout=10) as answer:
            return json.loads(answer.read() or "null")

    def fault(self, kind: str, **members: Any) -> None:
        self.control("POST", "/sandbox/faults", {"kind": kind, **members})

    def clear(self) -> None:
        self.control("DELETE", "/sandbox/faults")
        self.control("DELETE", "/sandbox/requests")

    def age(self, identifier: str, seconds: int) -> None:
        self.control("POST", "/sandbox/age", {"identifier": identifier, "seconds": seconds})

    def reject(self, identifier: str) -> None:
        """Makes the routes refuse the identifier's session."""
        self.control("POST", "/sandbox/use", {"identifier": identifier})

    def requests(self, containing: str) -> List[Dict[str, Any]]:
        """Returns the requests whose path or body contain this."""
        return [
            one
            for one in self.control("GET", "/sandbox/requests")["requests"]
            if containing in one["path"] or containing in str(one["body"])
        ]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox()
    sandbox.clear()
    yield sandbox
    sandbox.clear()


_numbers = itertools.count(1)


@pytest.fixture
def identifier() -> str:
    """An identifier that no other test uses."""
    return f"{zelf.random_identifier()[:20]}{next(_numbers):012d}"


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[zelf.Client]:
    with zelf.Client(**sandbox.settings) as client:
        yield client


class Ended:
    """What a child process printed, and how it ended."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.out, self.err = process.communicate(timeout=60)
        self.status = process.returncode


@pytest.fixture
def python(tmp_path: Any) -> Any:
    """Runs a program in another Python, and returns how it ended."""

    def run(program: str, *arguments: str, **variables: str) -> Ended:
        path = tmp_path / "program.py"
        path.write_text(textwrap.dedent(program), encoding="utf-8")
        return Ended(
            subprocess.Popen(
                [sys.executable, "-X", "dev", "-W", "error", str(path), *arguments],
                cwd=tmp_path,
                env={**os.environ, **variables},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )

    return run


# The promises. A test's name is one.

_promises = os.environ.get("ZELF_PROMISES")


def pytest_runtest_logreport(report: Any) -> None:
    """Writes a line for each test, when it has ended or could not begin."""
    if _promises is None or (report.when != "call" and report.passed):
        return
    words = report.nodeid.split("::")[-1].replace("test_", "", 1).replace("_", " ")
    line = f"{'ok' if report.passed else 'not ok'} - Python: {words}\n"
    with open(_promises, "a", encoding="utf-8") as file:
        file.write(line)
