import assert from "node:assert/strict";
import { createServer } from "node:net";
import { once } from "node:events";
import { test } from "node:test";

import * as zelf from "zelf";
import { Client, deriveIdentifier, ZelfError } from "zelf";
import { arrived, client, control, failure, fault, identifier, otherCa, settings } from "./sandbox.mjs";

const path = "/api/sessions";
const create = (options) => failure(client({ maxAttempts: 1, ...options }).createSession({ identifier: identifier() }));

/** Asserts the class, the code and what every error has. */
function isError(error, kind, code, members = {}) {
  assert.equal(error.constructor, zelf[kind], error.stack);
  assert.equal(error.name, kind);
  assert.ok(error instanceof ZelfError && error instanceof Error);
  assert.equal(error.code, `ZELF_ERROR_${code}`);
  assert.equal(typeof error.status, "number");
  assert.ok(error.message.length > 10, error.message);
  for (const [name, value] of Object.entries(members)) assert.equal(error[name], value, name);
}

test("headers that are no plain object, Headers or pairs are a TypeError", async () => {
  const one = client();
  class Own { a = "b"; }
  for (const headers of ["a", 5, true, ["a"], [["a"]], [["a", "b", "c"]], new Set(["ab"]), new Own(), new Date(), () => {}]) {
    const error = await failure(one.send({ target: "/sandbox/echo", headers }));
    assert.ok(error instanceof TypeError && error.message.startsWith("headers must be"), String(error));
  }
});

test("an origin that the server refuses is a RejectedOriginError with its words", async () => {
  await fault({ kind: "answer", status: 403, error: "rejected", path });
  isError(await create(), "RejectedOriginError", "REJECTED_ORIGIN",
    { httpStatus: 403, serverMessage: "rejected", retryable: false, retryAfterMs: undefined });
});

test("a server that is silent is a TimeoutError", async () => {
  await fault({ kind: "stall", stage: "request", path });
  isError(await create({ timeoutMs: 300 }), "TimeoutError", "TIMEOUT", { retryable: true });
});

test("a certificate that is not trusted is a TlsError", async () => {
  isError(await create({ caFile: otherCa }), "TlsError", "TLS", { httpStatus: undefined, retryable: false });
});

test("a key that is not pinned is a TlsError", async () => {
  isError(await create({ pins: ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="] }), "TlsError", "PIN_MISMATCH");
});

test("an unusable option is an InvalidArgumentError that names it", async () => {
  const error = await failure(client().createSession({ identifier: "undefined" }));
  isError(error, "InvalidArgumentError", "INVALID_ARGUMENT");
  assert.match(error.message, /identifier/);
});

test("an unusable setting is an InvalidConfigError that names it", () => {
  assert.throws(() => new Client({ ...settings, baseUrl: "http://example.com" }), (error) => {
    isError(error, "InvalidConfigError", "INVALID_CONFIG");
    return /base URL/i.test(error.message);
  });
});

test("too many requests are a RateLimitedError with its delay", async () => {
  await fault({ kind: "answer", status: 429, text: "Slow", headers: { "Retry-After": "7" }, path });
  isError(await create(), "RateLimitedError", "RATE_LIMITED",
    { httpStatus: 429, serverMessage: "Slow", retryable: true, retryAfterMs: 7000 });
});

test("a server that fails is a ServerError", async () => {
  await fault({ kind: "answer", status: 500, error: "no database", path });
  isError(await create(), "ServerError", "SERVER", { httpStatus: 500, serverMessage: "no database", retryable: true });
});

test("a name that does not exist, a closed port and a broken connection are ConnectionErrors", async () => {
  isError(await create({ baseUrl: "https://name.invalid" }), "ConnectionError", "DNS");
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  isError(await create({ baseUrl: `https://127.0.0.1:${port}` }), "ConnectionError", "CONNECT");
  await fault({ kind: "reset", stage: "answer", path });
  isError(await create(), "ConnectionError", "CONNECTION_LOST");
});

test("an answer that is no session is a BadResponseError", async () => {
  await fault({ kind: "answer", status: 200, text: "hello", path });
  isError(await create(), "BadResponseError", "BAD_RESPONSE");
});

test("the session of another identifier is a SessionError", async () => {
  await fault({ kind: "claims", claims: { identifier: "somebody-else" }, path });
  isError(await create(), "SessionError", "FOREIGN_SESSION");
});

test("the status of a newer library is a ZelfError", () => {
  const error = new ZelfError("new", { status: 999 });
  assert.equal(error.code, "ZELF_ERROR_UNKNOWN");
  assert.equal(error.status, 999);
});

test("values of a wrong type are refused before the library sees them", async () => {
  for (const [options, message] of [
    [{ baseUrl: 5 }, "baseUrl must be a string"],
    [{ timeoutMs: "5" }, "timeoutMs must be a number"],
    [{ timeoutMs: -1 }, "timeoutMs must be an integer from 0 to 4294967295"],
    [{ timeoutMs: 2 ** 32 }, "timeoutMs must be an integer from 0 to 4294967295"],
    [{ timeoutMs: 1.5 }, "timeoutMs must be an integer from 0 to 4294967295"],
    [{ proxyFromEnv: 1 }, "proxyFromEnv must be a boolean"],
    [{ pins: "a" }, "pins must be an array"],
    [{ baseURL: "https://example.com" }, "there is no option baseURL"],
    [{ toString: 1 }, "there is no option toString"],
  ]) assert.throws(() => new Client(options), { message });
  const error = await failure(client().createSession({ identifier: "a\0b" }));
  assert.equal(error.message, "identifier must not contain a NUL");
});

test("a text with a lone surrogate is refused: UTF-8 cannot represent it", async () => {
  const maker = client();
  const text = "a\ud800";
  for (const [name, call] of Object.entries({
    identifier: () => maker.createSession({ identifier: text }),
    deviceId: async () => deriveIdentifier(text),
    userAgent: async () => new Client({ ...settings, userAgent: text }),
    target: () => maker.send({ target: `/${text}` }),
    body: () => maker.send({ target: "/", method: "POST", body: text }),
    "the header X-Test": () => maker.send({ target: "/", headers: { "X-Test": text } }),
  })) assert.equal((await failure(call())).message, `${name} must not contain a lone surrogate`);
});

test("a signal that is no AbortSignal is refused, and nothing is sent", async () => {
  await control("DELETE", "/sandbox/requests");
  const signal = { throwIfAborted() {}, addEventListener() {}, removeEventListener() {} };
  const error = await failure(client().createSession({ identifier: identifier() }, { signal }));
  assert.equal(error.message, "signal must be an AbortSignal");
  await client().createSession({ identifier: identifier() });
  assert.equal((await arrived(path)).length, 1);
});

test("no error contains a token", async () => {
  const token = "eyJhbGciOiJIUzI1NiJ9.eyJzZWNyZXQiOiJ5ZXMifQ.c2lnbmF0dXJl";
  await fault({ kind: "answer", status: 500, error: `failed for Bearer ${token}`, path });
  const error = await create();
  for (const form of [String(error), error.stack, JSON.stringify(error), error.serverMessage]) {
    for (const part of token.split(".")) assert.ok(!String(form).includes(part), form);
  }
});
