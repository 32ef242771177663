import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";

import { SessionProvider } from "zelf";
import { arrived, client, control, failure, fault, identifier, plain } from "./sandbox.mjs";

const v2 = "/api/zelf-name-service/v2/search?zelfName=abc.zelf";
const search = "/api/tags/search?tagName=a.zelf";
const decrypt = "/api/zelf-name-service/v2/decrypt";

function provider(options) {
  const id = identifier();
  const maker = client({ origin: "https://app.example", ...options });
  return { id, server: maker.baseUrl, provider: new SessionProvider(maker, { identifier: id }) };
}

const use = (id) => control("POST", "/sandbox/use", { identifier: id });

test("fetch sends the token and the Origin header, and returns the JSON", async () => {
  const { provider: one, server } = provider();
  await control("DELETE", "/sandbox/requests");
  const response = await one.fetch(server + search, { headers: { "X-Test": "yes" } });
  assert.equal(response.status, 200);
  assert.equal((await response.json()).data.request, `GET ${search}`);
  const text = JSON.stringify(await arrived(search));
  for (const part of [(await one.get()).authorization, "https://app.example", "yes"]) assert.ok(text.includes(part), text);
});

test("fetch renews a session that the server refuses, and repeats the request once", async () => {
  const { id, provider: one, server } = provider();
  const before = (await one.get()).id;
  await use(id);
  await control("DELETE", "/sandbox/requests");
  const response = await one.fetch(server + v2);
  assert.equal(response.status, 200);
  assert.notEqual((await one.get()).id, before);
  assert.equal((await arrived(v2)).length, 2);
});

test("fetch repeats a body", async () => {
  for (const body of ["{}", Buffer.from("{}"), new Blob(["{}"]), new URLSearchParams("a=1")]) {
    const { id, provider: one, server } = provider();
    await one.get();
    await use(id);
    const response = await one.fetch(server + decrypt, { method: "POST", body });
    assert.equal(response.status, 200);
  }
});

test("fetch does not repeat a body that is a stream, but renews the session", async () => {
  const { id, provider: one, server } = provider();
  const before = (await one.get()).id;
  for (const send of [
    () => one.fetch(server + decrypt, { method: "POST", body: new Blob(["{}"]).stream(), duplex: "half" }),
    () => one.fetch(new Request(server + decrypt, { method: "POST", body: "{}" })),
  ]) {
    await one.get();
    await use(id);
    const response = await send();
    assert.equal(response.status, 403);
    assert.match(await response.text(), /Session is not active/);
  }
  assert.notEqual((await one.get()).id, before);
});

test("fetch accepts a Request, and keeps its headers", async () => {
  const { id, provider: one, server } = provider();
  await one.get();
  await use(id);
  await control("DELETE", "/sandbox/requests");
  const response = await one.fetch(new Request(server + v2, { headers: { "X-Test": "yes" } }));
  assert.equal(response.status, 200);
  assert.equal(JSON.stringify(await arrived(v2)).toLowerCase().split('"x-test"').length, 3);
});

test("fetch repeats once only: a second refusal is the answer", async () => {
  const { provider: one, server } = provider();
  await one.get();
  await fault({ kind: "refusal", as: "not_active", path: v2.split("?")[0] });
  await control("DELETE", "/sandbox/requests");
  const response = await one.fetch(server + v2);
  assert.equal(response.status, 403);
  assert.match(await response.text(), /Session is not active/);
  assert.equal((await arrived(v2)).length, 2);
});

test("fetch gives other answers on unharmed, however long, and keeps the session", async () => {
  const { provider: one, server } = provider();
  const before = (await one.get()).id;
  for (const status of [401, 403]) {
    const response = await one.fetch(`${server}/sandbox/bytes/300000?status=${status}`);
    assert.equal(response.status, status);
    const body = new Uint8Array(await response.arrayBuffer());
    assert.equal(body.length, 300000);
    assert.ok(body.every((byte, i) => byte === i % 251));
  }
  await fault({ kind: "refusal", as: "search_limit", path: v2.split("?")[0] });
  const refused = await one.fetch(server + v2);
  assert.match(await refused.text(), /limit exceeded/);
  assert.equal((await one.get()).id, before);
});

test("fetch never sends the token to another server", async () => {
  const { provider: one, server } = provider();
  const token = (await one.get()).token;
  const seen = [];
  const other = createServer((request, response) => { seen.push(request.rawHeaders.join()); response.end("hello"); });
  other.listen(0, "127.0.0.1");
  await once(other, "listening");
  const address = `http://127.0.0.1:${other.address().port}/`;
  const error = await failure(one.fetch(address));
  assert.equal(error.code, "ZELF_ERROR_INVALID_ARGUMENT");
  assert.equal(seen.length, 0);
  await fault({ kind: "redirect", status: 302, location: address, path: "/sandbox/echo" });
  assert.equal(await (await one.fetch(`${server}/sandbox/echo`)).text(), "hello");
  assert.equal(seen.length, 1);
  assert.ok(!seen[0].includes(token) && !/authorization/i.test(seen[0]), seen[0]);
  other.close();
});

/** Starts another server, which keeps the headers that arrive. */
async function otherServer(answer) {
  const seen = [];
  const server = createServer((request, response) => { seen.push(request.rawHeaders.join()); answer(response); });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { seen, host: `127.0.0.1:${server.address().port}`, close: () => server.close() };
}

test("fetch sends the token to the server of the URL at the time of the call", async () => {
  const { provider: one } = provider({ baseUrl: plain });
  const other = await otherServer((response) => response.end("hello"));
  const url = new URL(`${plain}/sandbox/echo`);
  const call = one.fetch(url);
  url.host = other.host;
  assert.equal((await call).status, 200);
  assert.deepEqual(other.seen, []);
  other.close();
});

test("fetch refuses a Request whose own url property hides another server", async () => {
  const { provider: one, server } = provider();
  const other = await otherServer((response) => response.end("hello"));
  const request = new Request(`http://${other.host}/`);
  Object.defineProperty(request, "url", { value: `${server}/sandbox/echo` });
  assert.equal((await failure(one.fetch(request))).code, "ZELF_ERROR_INVALID_ARGUMENT");
  assert.deepEqual(other.seen, []);
  other.close();
});

test("fetch sends the headers and the body that they were at the time of the call", async () => {
  const { provider: one, server } = provider();
  await one.get();
  await control("DELETE", "/sandbox/requests");
  const headers = new Headers({ "X-Test": "before" });
  const form = new FormData();
  form.append("name", "before");
  for (const [body, change] of [
    [Buffer.from("before"), (bytes) => bytes.fill("a")],
    [new TextEncoder().encode("before").buffer, (buffer) => new Uint8Array(buffer).fill(97)],
    [new URLSearchParams("name=before"), (parameters) => parameters.set("name", "after")],
    [form, (form) => form.set("name", "after")],
  ]) {
    const init = { method: "POST", headers, body };
    const call = one.fetch(`${server}/sandbox/echo`, init);
    init.headers = { "X-Test": "after" };
    headers.set("X-Test", "after");
    change(body);
    assert.match(await (await call).text(), /before/);
    headers.set("X-Test", "before");
  }
  const requests = await arrived("/sandbox/echo");
  assert.equal(requests.length, 4);
  for (const request of requests) assert.match(JSON.stringify(request), /"x-test"[^a-z]*before/i);
});

test("the words of another server do not end the session", async () => {
  const { provider: one, server } = provider();
  const before = (await one.get()).id;
  const other = await otherServer((response) => {
    response.writeHead(403, { "Content-Type": "application/json" });
    response.end('{"error":"Session is not active"}');
  });
  await fault({ kind: "redirect", status: 302, location: `http://${other.host}/`, path: "/sandbox/echo" });
  const response = await one.fetch(`${server}/sandbox/echo`);
  assert.equal(response.status, 403);
  assert.match(await response.text(), /not active/);
  assert.equal(other.seen.length, 1);
  assert.equal((await one.get()).id, before);
  other.close();
});

test("fetch renews a session that is refused after a redirect on its server", async () => {
  const { id, provider: one, server } = provider();
  const before = (await one.get()).id;
  await use(id);
  await fault({ kind: "redirect", status: 302, location: server + v2, path: "/sandbox/echo" });
  assert.equal((await one.fetch(`${server}/sandbox/echo`)).status, 200);
  assert.notEqual((await one.get()).id, before);
});

test("fetch can be aborted, also while it waits for a session", async () => {
  const { provider: one, server } = provider();
  await fault({ kind: "stall", stage: "request", path: "/api/sessions" });
  const began = Date.now();
  assert.equal((await failure(one.fetch(server + v2, { signal: AbortSignal.timeout(100) }))).name, "TimeoutError");
  await control("DELETE", "/sandbox/faults");
  await one.get();
  await fault({ kind: "stall", stage: "request", path: v2.split("?")[0] });
  const request = new Request(server + v2, { signal: AbortSignal.timeout(100) });
  assert.equal((await failure(one.fetch(request))).name, "TimeoutError");
  assert.ok(Date.now() - began < 5000);
});

test("fetch works without its provider as this", async () => {
  const { provider: { fetch }, server } = provider();
  assert.equal((await fetch(new URL(server + v2))).status, 200);
});
