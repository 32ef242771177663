"""Threads, processes, memory, and the end of Python."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
import weakref
from typing import Any, List

import pytest
import zelf

# Python may end at once. Calls that it waited for would end after 15 s.
ENDS_WITHIN = 2.0

# What each program begins with. It prints the time right before it ends.
START = """
import asyncio, json, logging, os, sys, threading, time, urllib.request, warnings
import zelf

def client(**more):
    return zelf.Client(
        base_url=os.environ["ZELF_HTTPS"], ca_file=os.environ["ZELF_CA"], **more
    )

def end():
    print(time.monotonic(), flush=True)

def log(level, message):
    assert "eyJ" not in message

# Waits until this many calls have reached the server.
def wait_for_requests(count):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    ends_at = time.monotonic() + 10
    while time.monotonic() < ends_at:
        with opener.open(os.environ["ZELF_CONTROL"] + "/sandbox/requests") as answer:
            if len(json.load(answer)["requests"]) >= count:
                return
        time.sleep(0.01)
    raise TimeoutError

identifier = sys.argv[1]
"""


def ends_well(python: Any, identifier: str, program: str) -> str:
    """Runs a program, and returns what it printed before its last line, the time."""
    ended = python(START + program, identifier)
    now = time.monotonic()
    assert (ended.err, ended.status) == ("", 0)
    *lines, last = ended.out.splitlines()
    assert now - float(last) < ENDS_WITHIN
    return "\n".join(lines)


def wait_for_request(sandbox: Any, identifier: str) -> None:
    ends_at = time.monotonic() + 10
    while not sandbox.requests(identifier):
        assert time.monotonic() < ends_at
        time.sleep(0.01)


# Calls have reached the server, which does not answer.
UNDER_WAY = """
async def begin(*starts):
    global tasks
    tasks = [asyncio.ensure_future(start) for start in starts]
    # They start.
    await asyncio.sleep(0)
    wait_for_requests(len(starts))
"""


def test_the_interpreter_ends_with_awaited_calls_under_way(
    python: Any, sandbox: Any, identifier: str
) -> None:
    sandbox.fault("stall", stage="request", path="/api/sessions")
    ends_well(python, identifier, UNDER_WAY + """
c = client(log=log, log_level=logging.DEBUG)
loop = asyncio.new_event_loop()
loop.run_until_complete(begin(*(c.create_async(identifier=f"{identifier}{i}") for i in range(10))))
loop.close()
for task in tasks:
    # asyncio complains of tasks that nobody ended.
    task._log_destroy_pending = False
end()
""")


def test_the_interpreter_ends_with_an_event_loop_in_a_thread(
    python: Any, sandbox: Any, identifier: str
) -> None:
    sandbox.fault("stall", stage="request", path="/api/sessions")
    ends_well(python, identifier, """
c = client(log=log, log_level=logging.DEBUG)

async def main():
    await asyncio.gather(
        *(c.create_async(identifier=f"{identifier}{i}") for i in range(10)),
        return_exceptions=True,
    )
    await asyncio.sleep(60)

threading.Thread(target=asyncio.run, args=(main(),), daemon=True).start()
wait_for_requests(10)
end()
""")


def test_the_interpreter_ends_with_a_task_that_is_cancelled_by_the_end(
    python: Any, sandbox: Any, identifier: str
) -> None:
    sandbox.fault("stall", stage="request", path="/api/sessions")
    ends_well(python, identifier, UNDER_WAY + """
c = client(log=log, log_level=logging.DEBUG)
asyncio.run(begin(*(c.create_async(identifier=f"{identifier}{i}") for i in range(10))))
end()
""")


def test_the_interpreter_ends_with_threads_in_blocking_calls_that_log(
    python: Any, sandbox: Any, identifier: str
) -> None:
    sandbox.fault("stall", stage="request", path="/api/sessions")
    ends_well(python, identifier, """
c = client(log=log, log_level=logging.DEBUG)
for i in range(5):
    threading.Thread(
        target=c.create, kwargs={"identifier": f"{identifier}{i}"}, daemon=True
    ).start()
wait_for_requests(5)
end()
""")


def test_the_interpreter_ends_while_a_provider_renews_in_the_background(
    python: Any, sandbox: Any, identifier: str
) -> None:
    sandbox.fault("drip", ms=20, path="/api/sessions")
    ends_well(python, identifier, """
c = client(log=log, log_level=logging.DEBUG)
providers = [
    zelf.SessionProvider(c, identifier=f"{identifier}{i}", background=True, on_renewed=print)
    for i in range(5)
]
wait_for_requests(5)
end()
""")


def test_the_interpreter_ends_while_answers_arrive(
    python: Any, sandbox: Any, identifier: str
) -> None:
    # Python takes its time to end. The answers and the log lines come meanwhile.
    sandbox.fault("delay", ms=300, path="/api/sessions")
    for _ in range(3):
        ends_well(python, identifier, """
class Late:
    def __del__(self, sleep=time.sleep, write=os.write, clock=time.monotonic):
        sleep(0.6)
        write(1, f"{clock()}\\n".encode())

# Nothing else refers to this module, so Python clears it.
late = type(sys)("late")
late.late = Late()
sys.modules["late"] = late
del late
c = client(log=log, log_level=logging.DEBUG)
provider = zelf.SessionProvider(
    c, identifier=identifier, background=True, on_renewed=lambda session: session.token
)
silent = client()
for one in (c, silent):
    for i in range(3):
        threading.Thread(
            target=one.create, kwargs={"identifier": f"{identifier}{i}"}, daemon=True
        ).start()
wait_for_requests(7)
""")
        sandbox.control("DELETE", "/sandbox/requests")


def test_the_end_shuts_down_the_clients_whose_threads_call_python(
    python: Any, sandbox: Any, identifier: str
) -> None:
    ended = python("""
import atexit

def after_the_handler_of_zelf():
    for one in (logging, listening, awaited, silent):
        try:
            print(one.create(identifier=sys.argv[1]) is not None)
        except zelf.ShutDownError as error:
            print(error.status_name)

atexit.register(after_the_handler_of_zelf)
""" + START.replace("logging, ", "") + """
logging = client(log=log)
listening = client()
provider = zelf.SessionProvider(
    listening, identifier=identifier, background=True, on_renewed=lambda session: None
)
awaited = client()
# get_async renews on the I/O thread.
other = zelf.SessionProvider(awaited, identifier=identifier, on_renewed=lambda session: None)
silent = client()
""", identifier)
    assert (ended.err, ended.status) == ("", 0)
    assert ended.out.splitlines() == ["ZELF_ERROR_SHUT_DOWN"] * 3 + ["True"]


def test_the_interpreter_ends_while_an_awaited_session_is_renewed(
    python: Any, sandbox: Any, identifier: str
) -> None:
    sandbox.fault("delay", ms=300, path="/api/sessions")
    ended = python(START + """
import contextlib, ctypes
c = client()
provider = zelf.SessionProvider(c, identifier=identifier, on_renewed=lambda session: None)

async def main():
    with contextlib.suppress(zelf.Error):
        await provider.get_async()

threading.Thread(target=lambda: asyncio.run(main()), daemon=True).start()
wait_for_requests(1)
# The process takes one second to end, its status. The answer comes meanwhile.
c_library = ctypes.CDLL(None)
c_library.on_exit(ctypes.cast(c_library.sleep, ctypes.c_void_p), None)
sys.exit(1)
""", identifier)
    assert (ended.err, ended.status) == ("", 1)


# Ctrl-C while the main thread waits for the answer. A callback runs before the call returns.
INTERRUPT = """
import signal

def interrupt():
    wait_for_requests(1)
    os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=interrupt).start()
"""


def test_ctrl_c_ends_a_call_of_a_client_that_logs(
    python: Any, sandbox: Any, identifier: str
) -> None:
    sandbox.fault("delay", ms=500, path="/api/sessions")
    assert ends_well(python, identifier, INTERRUPT + """
lines = []
with client(log=lambda level, message: lines.append(message), log_level=logging.DEBUG) as c:
    try:
        c.create(identifier=identifier)
    except KeyboardInterrupt:
        print("interrupted", len(lines) > 0, signal.getsignal(signal.SIGINT).__name__)
    print(c.create(identifier=identifier).identifier == identifier)
end()
""").splitlines() == ["interrupted True default_int_handler", "True"]


def test_ctrl_c_ends_a_get_that_tells_of_its_session(
    python: Any, sandbox: Any, identifier: str
) -> None:
    sandbox.fault("delay", ms=500, path="/api/sessions")
    assert ends_well(python, identifier, INTERRUPT + """
with client() as c, zelf.SessionProvider(
    c, identifier=identifier, on_renewed=lambda session: None
) as provider:
    try:
        provider.get()
    except KeyboardInterrupt:
        print("interrupted")
    print(provider.get().identifier == identifier)
end()
""").splitlines() == ["interrupted", "True"]


def test_ctrl_c_ends_a_log_function_that_waits(
    python: Any, sandbox: Any, identifier: str
) -> None:
    ends_well(python, identifier, """
import signal

def wait(level, message):
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
    time.sleep(30)

c = client(log=wait, log_level=logging.DEBUG)
before = time.monotonic()
try:
    c.create(identifier=identifier)
except KeyboardInterrupt:
    # Each line of the log waits for its own Ctrl-C.
    assert time.monotonic() - before < 20
else:
    raise AssertionError
end()
""")


def test_an_exit_in_a_callback_ends_the_call(python: Any, sandbox: Any, identifier: str) -> None:
    ended = python(START + """
def work(call):
    try:
        call()
    except SystemExit as error:
        print(error)

def leave(*arguments):
    sys.exit("left")

logging_client = client(log=leave, log_level=logging.DEBUG)
calls = [lambda: logging_client.create(identifier=identifier)]
calls.append(zelf.SessionProvider(client(), identifier=identifier, on_renewed=leave).get)
for call in calls:
    thread = threading.Thread(target=work, args=(call,))
    thread.start()
    thread.join()
    work(call)
""", identifier)
    assert (ended.err, ended.status) == ("", 0)
    assert ended.out.splitlines() == ["left"] * 3, "the last get does not renew"


def test_a_forked_child_uses_what_it_inherits(python: Any, sandbox: Any, identifier: str) -> None:
    assert ends_well(python, identifier, """
c = client()
provider = zelf.SessionProvider(c, identifier=identifier)
provider.get()
child = os.fork()
if child == 0:
    c.create(identifier=identifier + "child")
    provider.get()
    provider.send(zelf.Request("GET", "/api/tags/search?tagName=a.zelf")).json()
    os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
provider.get()
end()
""") == "7"


def test_a_forked_child_makes_another_client_to_await(
    python: Any, sandbox: Any, identifier: str
) -> None:
    assert ends_well(python, identifier, """
warnings.filterwarnings("ignore", message=".*fork.*", category=DeprecationWarning)
c = client(log=log, log_level=logging.DEBUG)
asyncio.run(c.create_async(identifier=identifier))
child = os.fork()
if child == 0:
    try:
        asyncio.run(c.create_async(identifier=identifier))
    except zelf.ForkedError as error:
        print(error.status_name, flush=True)
    with client() as other:
        print(asyncio.run(other.create_async(identifier=identifier)).identifier == identifier)
    c.close()
    # This child ends as a whole Python does.
    sys.exit(8)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
asyncio.run(c.create_async(identifier=identifier))
end()
""").splitlines() == ["ZELF_ERROR_FORKED", "True", "8"]


def test_processes_of_multiprocessing_use_the_client_of_their_parent(
    python: Any, sandbox: Any, identifier: str
) -> None:
    assert ends_well(python, identifier, """
import multiprocessing
warnings.filterwarnings("ignore", message=".*fork.*", category=DeprecationWarning)
c = client()
c.create(identifier=identifier)

def work(number):
    return c.create(identifier=f"{identifier}{number}").identifier

names = [f"{identifier}{number}" for number in range(8)]
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(pool.map(work, range(8)) == names)
end()
""") == "True"


def test_a_spawned_process_gets_no_client_of_its_parent(python: Any, sandbox: Any) -> None:
    assert ends_well(python, "", """
import multiprocessing
c = client()
try:
    multiprocessing.get_context("spawn").Process(target=print, args=(c,)).start()
except TypeError as error:
    print(error)
end()
""") == "a zelf client cannot be copied or pickled: make another one"


def test_a_child_that_is_forked_while_threads_use_sessions_can_use_them(
    python: Any, sandbox: Any, identifier: str
) -> None:
    assert ends_well(python, identifier, """
warnings.filterwarnings("ignore", message=".*fork.*", category=DeprecationWarning)
sys.setswitchinterval(1e-5)
session = client().create(identifier=identifier)
stop = threading.Event()

def work():
    while not stop.is_set():
        session.token

for _ in range(3):
    threading.Thread(target=work, daemon=True).start()
statuses = set()
for _ in range(100):
    child = os.fork()
    if child == 0:
        session.token
        os._exit(5)
    ends_at = time.monotonic() + 5
    while (ended := os.waitpid(child, os.WNOHANG))[0] == 0 and time.monotonic() < ends_at:
        time.sleep(0.0005)
    if ended[0] == 0:
        os.kill(child, 9)
        ended = os.waitpid(child, 0)
    statuses.add(os.waitstatus_to_exitcode(ended[1]))
stop.set()
print(statuses)
end()
""") == "{5}"


def test_calls_of_other_threads_end_as_usual_when_a_client_is_closed(
    sandbox: Any, identifier: str
) -> None:
    sandbox.fault("delay", ms=1000, path="/api/sessions")
    client = zelf.Client(**sandbox.settings)
    results: List[Any] = []

    def work(number: int) -> None:
        results.append(client.create(identifier=f"{identifier}-{number}").identifier)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for number in range(4):
        wait_for_request(sandbox, f"{identifier}-{number}")
    client.close()
    with pytest.raises(zelf.ShutDownError, match="the client is closed"):
        client.create(identifier=identifier)
    for thread in threads:
        thread.join(10)
    assert sorted(results) == [f"{identifier}-{number}" for number in range(4)]


def test_a_close_at_any_moment_is_safe_for_other_threads(sandbox: Any, identifier: str) -> None:
    for _ in range(50):
        client = zelf.Client(**sandbox.settings)
        provider = zelf.SessionProvider(client, identifier=identifier)
        provider.get()
        raised: List[Any] = []

        def work() -> None:
            try:
                while True:
                    provider.get().token
            except zelf.ShutDownError as error:
                raised.append(error)

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        provider.close()
        client.close()
        for thread in threads:
            thread.join(10)
        assert len(raised) == 3


def test_what_is_not_closed_is_freed_with_its_last_reference(
    sandbox: Any, identifier: str
) -> None:
    class Owner:
        """Refers to a client that refers back to it."""

        def __init__(self) -> None:
            self.client = zelf.Client(**sandbox.settings, log=self.log)
            self.provider = zelf.SessionProvider(
                self.client, identifier=identifier, on_renewed=self.renewed
            )

        def log(self, level: int, message: str) -> None:
            pass

        def renewed(self, session: zelf.Session) -> None:
            pass

    owner = Owner()
    session = owner.provider.get()
    frees = [one._handle._free for one in (owner.client, owner.provider, session)]
    assert all(free and free.alive for free in frees)
    gone = weakref.ref(owner)
    del owner
    gc.collect()
    assert gone() is None
    assert [free.alive for free in frees if free] == [False, False, True]
    assert session.identifier == identifier
    del session
    assert not any(free.alive for free in frees if free)


def resources() -> "tuple[int, int]":
    """Returns the memory of this process in KiB, and how many descriptors it has."""
    gc.collect()
    with open("/proc/self/status", encoding="ascii") as file:
        lines = dict(line.split(":", 1) for line in file)
    return int(lines["VmRSS"].split()[0]), len(os.listdir("/proc/self/fd"))


# What a leak of 100 bytes for each creation would take.
LEAK_KIB = 1000


def test_ten_thousand_creations_leave_memory_and_descriptors_flat(
    sandbox: Any, identifier: str
) -> None:
    with zelf.Client(base_url=sandbox.http) as client:

        def create(times: int) -> None:
            for _ in range(times):
                client.create(identifier=identifier).token

        create(1000)
        memory, descriptors = resources()
        create(10000)
        memory_after, descriptors_after = resources()
    assert memory_after - memory < LEAK_KIB
    assert descriptors_after <= descriptors


def test_ten_thousand_awaited_creations_leave_memory_and_descriptors_flat(
    sandbox: Any, identifier: str
) -> None:
    with zelf.Client(base_url=sandbox.http) as client:

        async def create(times: int) -> None:
            # Different identifiers: equal calls would share a request.
            for _ in range(times // 20):
                for session in await asyncio.gather(
                    *(client.create_async(identifier=f"{identifier}-{i}") for i in range(20))
                ):
                    session.token

        # The debug mode of asyncio is slow.
        asyncio.run(create(1000), debug=False)
        memory, descriptors = resources()
        asyncio.run(create(10000), debug=False)
        memory_after, descriptors_after = resources()
    assert memory_after - memory < LEAK_KIB
    # A client keeps 32 connections at most.
    assert descriptors_after <= descriptors + 32


def test_ten_thousand_gets_and_failures_leave_memory_flat(
    client: zelf.Client, identifier: str
) -> None:
    with zelf.SessionProvider(client, identifier=identifier) as provider:

        def work(times: int) -> None:
            for _ in range(times):
                provider.get().token
                try:
                    client.create(identifier="")
                except zelf.InvalidArgumentError:
                    pass

        work(2000)
        memory, descriptors = resources()
        work(10000)
        memory_after, descriptors_after = resources()
    assert memory_after - memory < LEAK_KIB
    assert descriptors_after <= descriptors
