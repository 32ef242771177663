import assert from "node:assert/strict";
import { mkdtempSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { inspect } from "node:util";
import { runInNewContext } from "node:vm";

import { Renewal, SessionProvider } from "zelf";
import { client, control, failure, fault, identifier, until } from "./sandbox.mjs";

const v2 = "/api/zelf-name-service/v2/search?zelfName=abc.zelf";

function provider(options, maker = client()) {
  const id = identifier();
  return { id, client: maker, provider: new SessionProvider(maker, { identifier: id }, options) };
}

test("a provider returns one session, and asks the server once", async () => {
  const { provider: one } = provider();
  await control("DELETE", "/sandbox/work");
  const sessions = await Promise.all(Array.from({ length: 20 }, () => one.get()));
  assert.equal(new Set(sessions.map((session) => session.id)).size, 1);
  assert.equal((await control("GET", "/sandbox/work")).routes["POST /api/sessions"], 1);
});

test("a provider with a valid session needs no call of its client", async () => {
  const { client: maker, provider: one } = provider();
  const first = await one.get();
  const reason = new Error("no");
  assert.equal(await failure(one.get({ signal: AbortSignal.abort(reason) })), reason);
  // The client now takes no call.
  maker.close();
  assert.equal((await one.get()).id, first.id);
  one.invalidate(first);
  assert.equal((await failure(one.get())).code, "ZELF_ERROR_SHUT_DOWN");
});

test("a provider renews a session that expires", async () => {
  const { provider: one } = provider({ minValidS: 598 });
  const first = await one.get();
  await until(() => first.secondsLeft < 598);
  const second = await one.get();
  assert.notEqual(second.id, first.id);
  assert.ok(second.secondsLeft >= 598);
});

test("a provider replaces an old session that the server returns", async () => {
  const { id, client: maker, provider: one } = provider({ minValidS: 60 });
  const old = await maker.createSession({ identifier: id });
  await control("POST", "/sandbox/age", { identifier: id, seconds: 570 });
  const fresh = await one.get();
  assert.notEqual(fresh.id, old.id);
  assert.ok(fresh.secondsLeft > 500);
});

test("a provider returns another session after invalidate", async () => {
  const { id, provider: one } = provider();
  const first = await one.get();
  await control("POST", "/sandbox/use", { identifier: id });
  assert.equal(one.invalidate(first), true);
  assert.equal(one.invalidate(first), false);
  const second = await one.get();
  assert.notEqual(second.id, first.id);
});

test("a provider sends a request with its session, and returns the JSON", async () => {
  const { provider: one } = provider();
  const response = await one.send({ target: "/api/tags/search?tagName=a.zelf" });
  assert.equal(response.status, 200);
  assert.ok(response.ok);
  assert.equal(response.json().data.request, "GET /api/tags/search?tagName=a.zelf");
  assert.match(response.header("CONTENT-TYPE"), /^application\/json/);
  assert.equal(response.header("X-None"), undefined);
  assert.equal(response.serverMessage, undefined);
  assert.equal(inspect(response), `ApiResponse { status: 200, length: ${response.bytes().length} }`);
});

test("a request whose session the server refuses is sent again with a new one", async () => {
  const { id, provider: one } = provider();
  const before = (await one.get()).id;
  await control("POST", "/sandbox/use", { identifier: id });
  const response = await one.send({ target: v2 });
  assert.equal(response.status, 200);
  assert.notEqual((await one.get()).id, before);
});

test("a request carries its method, headers and body", async () => {
  const { provider: one } = provider();
  for (const body of ["caf\u00e9 \0 x", Buffer.from([0, 1, 255]), new Uint8Array(0), ""]) {
    const response = await one.send({
      method: "POST", target: "/sandbox/echo", body, contentType: "text/x-test", headers: { "X-Test": "yes" },
      timeoutMs: 9000, maxResponseBytes: 1000, repeatable: true,
    });
    assert.deepEqual(response.bytes(), Buffer.from(body));
    assert.match(response.header("content-type"), /^text\/x-test/);
  }
  const sent = JSON.stringify(await control("GET", "/sandbox/requests")).toLowerCase();
  assert.ok(sent.includes('"x-test"'), "the header");
});

test("headers are a plain object, Headers, a Map or other pairs", async () => {
  const { provider: one } = provider();
  const kinds = [
    (name) => ({ [name]: "yes" }), (name) => Object.assign(Object.create(null), { [name]: "yes" }),
    (name) => runInNewContext(`({ "${name}": "yes" })`), (name) => new Headers({ [name]: "yes" }),
    (name) => new Map([[name, "yes"]]), (name) => [[name, "yes"]], (name) => Object.entries({ [name]: "yes" }).values(),
  ];
  for (const [number, kind] of kinds.entries()) {
    await one.send({ target: "/sandbox/echo", headers: kind(`x-kind-${number}`) });
  }
  const sent = JSON.stringify(await control("GET", "/sandbox/requests")).toLowerCase();
  for (const number of kinds.keys()) assert.ok(sent.includes(`"x-kind-${number}"`), String(number));
});

test("a body has the length of its bytes, also if they have another length property", async () => {
  const maker = client();
  const body = new Uint8Array(16);
  Object.defineProperty(body, "length", { value: 2048 });
  const response = await maker.send({ method: "POST", target: "/sandbox/echo", body });
  assert.deepEqual(response.bytes(), Buffer.alloc(16));
});

test("an answer of any status is a response, with the server's words", async () => {
  const { provider: one } = provider();
  await fault({ kind: "answer", status: 409, error: "missing tagName", path: "/api/tags/search" });
  const response = await one.send({ target: "/api/tags/search" });
  assert.equal(response.status, 409);
  assert.equal(response.ok, false);
  assert.equal(response.serverMessage, "missing tagName");
});

test("a response that is too long, and a request that is wrong, have their errors", async () => {
  const { provider: one } = provider();
  assert.equal((await failure(one.send({ target: "/sandbox/bytes/2000", maxResponseBytes: 1000 }))).code,
    "ZELF_ERROR_RESPONSE_TOO_LARGE");
  assert.equal((await failure(one.send({ target: "no-slash" }))).code, "ZELF_ERROR_INVALID_ARGUMENT");
  assert.equal((await failure(one.send({ target: "/", headers: { Authorization: "x" } }))).code,
    "ZELF_ERROR_INVALID_ARGUMENT");
  assert.equal((await failure(one.send({ target: "/", body: {} }))).message, "body must be a string or a Uint8Array");
  assert.equal((await failure(one.send({}))).message, "target must be a string");
});

test("a request can be aborted while the server is silent", async () => {
  const { provider: one } = provider();
  await one.get();
  await fault({ kind: "stall", stage: "request", path: "/sandbox/echo" });
  const began = Date.now();
  const error = await failure(one.send({ target: "/sandbox/echo" }, { signal: AbortSignal.timeout(100) }));
  assert.equal(error.name, "TimeoutError");
  assert.ok(Date.now() - began < 2000);
});

test("a client sends a request with a session, and renews nothing", async () => {
  const maker = client();
  const id = identifier();
  const session = await maker.createSession({ identifier: id });
  const target = "/sandbox/echo?check=session";
  assert.equal((await maker.send({ target }, session)).status, 200);
  await control("POST", "/sandbox/use", { identifier: id });
  const response = await maker.send({ target }, session);
  assert.equal(response.status, 403);
  assert.match(response.serverMessage, /not active/);
  assert.equal((await maker.send({ target })).status, 401);
  assert.equal((await maker.createSession({ identifier: id })).id, session.id);
  session.close();
  assert.equal((await failure(maker.send({ target }, session))).message, "the session is closed");
});

test("a request of a client can be aborted while the server is silent", async () => {
  const maker = client();
  const session = await maker.createSession({ identifier: identifier() });
  await fault({ kind: "stall", stage: "request", path: "/sandbox/echo" });
  const began = Date.now();
  const error = await failure(maker.send({ target: "/sandbox/echo" }, session, { signal: AbortSignal.timeout(100) }));
  assert.equal(error.name, "TimeoutError");
  assert.ok(Date.now() - began < 2000);
});

test("lastError says why the last renewal failed, until one works", async () => {
  const { provider: one } = provider();
  assert.equal(one.lastError, undefined);
  await fault({ kind: "answer", status: 403, error: "rejected", path: "/api/sessions" });
  const error = await failure(one.get());
  assert.equal(error.code, "ZELF_ERROR_REJECTED_ORIGIN");
  assert.equal(one.lastError.code, "ZELF_ERROR_REJECTED_ORIGIN");
  await control("DELETE", "/sandbox/faults");
  await until(() => one.get().then(() => true, () => false));
  assert.equal(one.lastError, undefined);
});

test("a provider refuses options without an identifier", () => {
  assert.throws(() => new SessionProvider(client(), {}), { code: "ZELF_ERROR_INVALID_ARGUMENT" });
  assert.throws(() => new SessionProvider(client(), { identifier: "a" }, { renewal: 9 }), { code: "ZELF_ERROR_INVALID_ARGUMENT" });
});

test("a provider with background has a session before anyone asks", async () => {
  const { id } = provider({ background: true, renewal: Renewal.EARLY });
  await until(async () => JSON.stringify(await control("GET", "/sandbox/sessions")).includes(id));
});

test("providers of one directory share a session", async () => {
  const directory = mkdtempSync("directory-");
  const id = identifier();
  const first = await new SessionProvider(client(), { identifier: id }, { directory }).get();
  assert.ok(readdirSync(directory).length > 0);
  await control("DELETE", "/sandbox/work");
  const second = await new SessionProvider(client(), { identifier: id }, { directory }).get();
  assert.equal(second.id, first.id);
});

test("a closed provider and a closed response say so", async () => {
  const { provider: one } = provider();
  const response = await one.send({ target: "/sandbox/echo" });
  response.close();
  for (const use of [() => response.status, () => response.text(), () => response.header("a")]) {
    assert.throws(use, { message: "the response is closed" });
  }
  const call = one.get();
  one.close();
  one.close();
  assert.ok((await call).token, "a call under way continues");
  assert.equal((await failure(one.get())).message, "the provider is closed");
  assert.throws(() => one.lastError, { message: "the provider is closed" });
});
