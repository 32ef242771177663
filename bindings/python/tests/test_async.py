"""Asynchronous calls in event loops of asyncio."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
from typing import Any, List

import pytest
import zelf

# A call that has to wait for the server would take at least the time limit of 15 s.
AT_ONCE = 2.0


def test_a_session_is_awaited(client: zelf.Client, identifier: str) -> None:
    session = asyncio.run(client.create_async(identifier=identifier))
    assert session.identifier == identifier and 590 < session.seconds_left <= 600


def test_an_awaited_call_raises_its_error(client: zelf.Client, sandbox: Any, identifier: str) -> None:
    sandbox.fault("answer", status=403, error="rejected", path="/api/sessions")
    with pytest.raises(zelf.RejectedOriginError):
        asyncio.run(client.create_async(identifier=identifier))


def test_a_call_that_cannot_start_raises_its_error(client: zelf.Client) -> None:
    async def main() -> None:
        with pytest.raises(TypeError):
            await client.create_async(identifier=5)  # type: ignore[arg-type]
        with pytest.raises(zelf.InvalidArgumentError):
            await client.create_async(identifier="")

    asyncio.run(main())
    assert not client._calls.watches


def test_a_call_without_a_free_descriptor_raises_a_system_error(python: Any, identifier: str) -> None:
    ended = python(
        """
        import asyncio, os, resource, sys, zelf

        async def main():
            settings = {"base_url": os.environ["ZELF_HTTPS"], "ca_file": os.environ["ZELF_CA"]}
            with zelf.Client(**settings) as client:
                await client.create_async(identifier=sys.argv[1])
                resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
                files = []
                try:
                    while True:
                        files.append(os.open(os.devnull, os.O_RDONLY))
                except OSError:
                    pass
                try:
                    await client.create_async(identifier=sys.argv[1])
                except zelf.SystemError as error:
                    print(error, error.status_name)
                for file in files:
                    os.close(file)
                print((await client.create_async(identifier=sys.argv[1])).identifier)
                assert not client._calls.watches

        asyncio.run(main())
        """,
        identifier,
    )
    assert ended.err == "", ended.err
    failure, created = ended.out.splitlines()
    assert failure.endswith("Too many open files ZELF_ERROR_SYSTEM"), failure
    assert created == identifier


def test_twenty_calls_run_at_once(client: zelf.Client, sandbox: Any, identifier: str) -> None:
    sandbox.fault("delay", ms=500, path="/api/sessions")

    async def main() -> List[zelf.Session]:
        return await asyncio.gather(
            *(client.create_async(identifier=f"{identifier}-{i}") for i in range(20))
        )

    begun = time.monotonic()
    sessions = asyncio.run(main())
    assert time.monotonic() - begun < 20 * 0.5 / 2
    assert [one.identifier for one in sessions] == [f"{identifier}-{i}" for i in range(20)]


def test_the_event_loop_runs_during_a_call(
    client: zelf.Client, sandbox: Any, identifier: str
) -> None:
    sandbox.fault("delay", ms=300, path="/api/sessions")

    async def main() -> int:
        task, turns = asyncio.create_task(client.create_async(identifier=identifier)), 0
        while not task.done():
            await asyncio.sleep(0.01)
            turns += 1
        return turns

    assert asyncio.run(main()) > 5


def test_cancelling_a_task_cancels_its_call(
    client: zelf.Client, sandbox: Any, identifier: str
) -> None:
    sandbox.fault("stall", stage="request", path="/api/sessions")

    async def main() -> None:
        task = asyncio.create_task(client.create_async(identifier=identifier))
        while not sandbox.requests(identifier):
            await asyncio.sleep(0.01)
        begun = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        # The library has ended the call as well.
        while client._calls.watches:
            await asyncio.sleep(0.01)
        assert time.monotonic() - begun < AT_ONCE

    asyncio.run(main())


def test_a_time_limit_of_asyncio_cancels_the_call(
    client: zelf.Client, sandbox: Any, identifier: str
) -> None:
    sandbox.fault("stall", stage="request", path="/api/sessions")

    async def main() -> None:
        begun = time.monotonic()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(client.create_async(identifier=identifier), 0.1)
        assert time.monotonic() - begun < AT_ONCE

    asyncio.run(main())


def test_the_next_event_loop_works_after_one_that_ended_during_a_call(
    client: zelf.Client, sandbox: Any, identifier: str
) -> None:
    sandbox.fault("stall", stage="request", path="/api/sessions", times=1)

    async def leave() -> None:
        asyncio.ensure_future(client.create_async(identifier=identifier))
        while not sandbox.requests(identifier):
            await asyncio.sleep(0.01)

    asyncio.run(leave())
    for _ in range(3):
        session = asyncio.run(client.create_async(identifier=identifier))
        assert session.identifier == identifier
    assert not client._calls.watches


def test_event_loops_of_several_threads_share_a_client(
    client: zelf.Client, identifier: str
) -> None:
    results: List[Any] = []

    async def main(number: int) -> None:
        for turn in range(10):
            one = f"{identifier}-{number}-{turn}"
            session = await client.create_async(identifier=one)
            results.append(session.identifier == one)

    threads = [threading.Thread(target=asyncio.run, args=(main(i),)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert results == [True] * 40
    assert not client._calls.watches


def test_blocking_and_awaited_calls_share_a_client(client: zelf.Client, identifier: str) -> None:
    async def main() -> None:
        awaited, blocking = await asyncio.gather(
            client.create_async(identifier=identifier),
            asyncio.get_running_loop().run_in_executor(
                None, lambda: client.create(identifier=f"{identifier}-b")
            ),
        )
        assert (awaited.identifier, blocking.identifier) == (identifier, f"{identifier}-b")

    asyncio.run(main())


def test_closing_the_client_ends_awaited_calls(sandbox: Any, identifier: str) -> None:
    sandbox.fault("stall", stage="request", path="/api/sessions")

    async def main() -> None:
        client = zelf.Client(**sandbox.settings)
        task = asyncio.ensure_future(client.create_async(identifier=identifier))
        while not sandbox.requests(identifier):
            await asyncio.sleep(0.01)
        begun = time.monotonic()
        client.close()
        with pytest.raises(zelf.CancelledError):
            await task
        assert time.monotonic() - begun < AT_ONCE
        with pytest.raises(zelf.ShutDownError, match="closed"):
            await client.create_async(identifier=identifier)

    asyncio.run(main())


def test_another_thread_may_close_the_client_of_an_event_loop(
    sandbox: Any, identifier: str
) -> None:
    sandbox.fault("stall", stage="request", path="/api/sessions")

    async def main() -> None:
        client = zelf.Client(**sandbox.settings)
        task = asyncio.ensure_future(client.create_async(identifier=identifier))
        while not sandbox.requests(identifier):
            await asyncio.sleep(0.01)
        await asyncio.get_running_loop().run_in_executor(None, client.close)
        with pytest.raises(zelf.CancelledError):
            await asyncio.wait_for(task, 10)

    asyncio.run(main())


def test_a_shut_down_client_takes_no_calls(sandbox: Any, identifier: str) -> None:
    with zelf.Client(**sandbox.settings) as client:
        client.shutdown()
        with pytest.raises(zelf.ShutDownError):
            client.create(identifier=identifier)
        with pytest.raises(zelf.ShutDownError):
            asyncio.run(client.create_async(identifier=identifier))


def test_event_loops_leave_no_descriptor_and_no_call(
    client: zelf.Client, identifier: str
) -> None:
    async def main() -> None:
        await client.create_async(identifier=identifier)

    asyncio.run(main())
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        asyncio.run(main())
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) <= before
