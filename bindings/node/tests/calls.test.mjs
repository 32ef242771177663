import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { CancelledError, Client, SessionProvider, ShutDownError } from "zelf";
import { arrived, client, control, failure, fault, identifier, settings, until } from "./sandbox.mjs";

const stall = { kind: "stall", stage: "request", path: "/api/sessions" };
const struck = async () => (await control("GET", "/sandbox/faults")).faults.some((one) => one.struck > 0);

test("twenty calls at once each have their own session", async () => {
  const maker = client();
  const identifiers = Array.from({ length: 20 }, identifier);
  const { signal } = new AbortController();
  const sessions = await Promise.all(identifiers.map((id) => maker.createSession({ identifier: id }, { signal })));
  assert.deepEqual(sessions.map((session) => session.identifier), identifiers);
  assert.equal(new Set(sessions.map((session) => session.id)).size, 20);
});

test("an aborted call fails at once with the signal's reason, while the server is silent", async () => {
  await fault(stall);
  const abort = new AbortController();
  const call = failure(client().createSession({ identifier: identifier() }, abort));
  await until(struck);
  const began = Date.now();
  abort.abort();
  const error = await call;
  assert.ok(Date.now() - began < 2000);
  assert.equal(error, abort.signal.reason);
  assert.equal(error.name, "AbortError");
});

test("AbortSignal.timeout ends a call with its own reason", async () => {
  await fault(stall);
  const began = Date.now();
  const error = await failure(client().createSession({ identifier: identifier() }, { signal: AbortSignal.timeout(100) }));
  assert.equal(error.name, "TimeoutError");
  assert.ok(Date.now() - began < 2000);
});

test("a signal that was aborted before sends nothing", async () => {
  await control("DELETE", "/sandbox/requests");
  const reason = new Error("no");
  assert.equal(await failure(client().createSession({ identifier: identifier() }, { signal: AbortSignal.abort(reason) })), reason);
  const { signal } = new AbortController();
  await client().createSession({ identifier: identifier() }, { signal });
  assert.equal((await arrived("/api/sessions")).length, 1);
});

test("aborting after the end does nothing", async () => {
  const abort = new AbortController();
  const session = await client().createSession({ identifier: identifier() }, abort);
  abort.abort();
  assert.ok(session.token);
});

test("closing a client ends its calls with a CancelledError, at once", async () => {
  await fault(stall);
  const maker = client();
  const calls = Array.from({ length: 5 }, () => failure(maker.createSession({ identifier: identifier() })));
  await until(struck);
  const began = Date.now();
  maker.close();
  for (const error of await Promise.all(calls)) {
    assert.ok(error instanceof CancelledError, error);
    assert.equal(error.code, "ZELF_ERROR_CANCELLED");
  }
  assert.ok(Date.now() - began < 2000);
});

test("a closed client takes no call: a ShutDownError says so", async () => {
  const maker = client();
  const provider = new SessionProvider(maker, { identifier: identifier() });
  maker.close();
  maker.close();
  for (const call of [
    () => maker.createSession({}), () => provider.get(), () => provider.send({ target: "/" }),
    () => maker.send({ target: "/" }),
    () => provider.fetch(maker.baseUrl),
    async () => new SessionProvider(maker, { identifier: identifier() }),
  ]) {
    const error = await failure(call());
    assert.ok(error instanceof ShutDownError, error);
    assert.equal(error.message, "the client is closed");
  }
});

test("a call does not block the event loop", async () => {
  await fault({ kind: "delay", ms: 300, path: "/api/sessions" });
  let ticks = 0;
  const timer = setInterval(() => ticks++, 10);
  await client().createSession({ identifier: identifier() });
  clearInterval(timer);
  assert.ok(ticks >= 10, `${ticks} ticks in 300 ms`);
});

test("a hundred calls under way leave libuv's threads free", async () => {
  await fault(stall);
  const maker = client();
  const calls = Array.from({ length: 100 }, () => failure(maker.createSession({ identifier: identifier() })));
  const began = Date.now();
  await readFile("package.json");
  assert.ok(Date.now() - began < 2000);
  maker.close();
  await Promise.all(calls);
});

test("calls continue when nobody holds their client", async () => {
  await fault({ kind: "delay", ms: 500, path: "/api/sessions", times: 1 });
  const call = new Client(settings).createSession({ identifier: identifier() });
  const filler = [];
  for (let i = 0; i < 200; i++) filler.push(new Array(50_000).fill(i));
  const session = await call;
  assert.ok(session.token && filler.length);
});
