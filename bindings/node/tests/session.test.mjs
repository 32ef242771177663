import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";

import { Client, deriveIdentifier, libraryVersion, randomIdentifier, Session, SessionProvider, SessionType } from "zelf";
import { client, control, identifier, pem, pin, plain } from "./sandbox.mjs";

test("a client creates a session over TLS, with a token", async () => {
  const id = identifier();
  const session = await client().createSession({ identifier: id });
  assert.match(session.token, /^ey[^.]*\.[^.]+\.[^.]+$/);
  assert.equal(session.authorization, `Bearer ${session.token}`);
  assert.equal(session.identifier, id);
  const sessions = await control("GET", "/sandbox/sessions");
  assert.ok(JSON.stringify(sessions).includes(session.id));
});

test("a session tells its times", async () => {
  const session = await client().createSession({ identifier: identifier() });
  assert.ok(session.secondsLeft > 590 && session.secondsLeft <= 600, String(session.secondsLeft));
  assert.equal(session.expiresAt - session.activatedAt, 600_000);
  assert.ok(Math.abs(session.activatedAt - Date.now()) < 10_000);
});

test("a session has the options that it was made with", async () => {
  const session = await client().createSession({
    identifier: identifier(), type: SessionType.DECRYPT_WALLET, domain: "avax", tagName: "alice.avax",
    ethAddress: "0x1234", webExtension: true, confirm: true,
  });
  assert.equal(session.domain, "avax");
  assert.equal(session.tagName, "alice.avax");
  assert.equal(session.ethAddress, "0x1234");
});

test("killSession makes another session of the same identifier", async () => {
  const id = identifier();
  const maker = client();
  const first = await maker.createSession({ identifier: id });
  const second = await maker.createSession({ identifier: id, killSession: true });
  assert.notEqual(second.id, first.id);
});

test("certificates may come as text, and a pin may name the server's key", async () => {
  const session = await client({ caFile: undefined, caPem: pem, pins: [pin] }).createSession({ identifier: identifier() });
  assert.ok(session.token);
});

test("the origin and the user agent arrive at the server", async () => {
  await control("DELETE", "/sandbox/requests");
  await client({ origin: "https://app.example", userAgent: "a-test/1", baseUrl: plain }).createSession({ identifier: identifier() });
  const text = JSON.stringify(await control("GET", "/sandbox/requests"));
  assert.ok(text.includes("https://app.example") && text.includes("a-test/1"), text);
});

test("no text form of a session contains its token", async () => {
  const session = await client().createSession({ identifier: identifier() });
  const secret = session.token;
  const forms = [
    String(session), `${session}`, inspect(session), inspect(session, { showHidden: true, depth: 9, getters: false }),
    inspect({ session }), JSON.stringify(session), JSON.stringify({ session }), JSON.stringify({ ...session }),
    JSON.stringify(structuredClone(session)), Object.entries(session).join(), JSON.stringify(Object.assign({}, session)),
  ];
  for (const form of forms) for (const part of secret.split(".")) assert.ok(!form.includes(part), form);
  assert.ok(inspect(session).includes(session.identifier));
});

test("a closed session says so", async () => {
  const session = await client().createSession({ identifier: identifier() });
  session.close();
  session.close();
  for (const name of ["token", "authorization", "id", "identifier", "secondsLeft", "expiresAt", "activatedAt"]) {
    assert.throws(() => session[name], { code: "ZELF_ERROR_INVALID_ARGUMENT", message: "the session is closed" });
  }
  assert.equal(inspect(session), "Session {}");
});

test("a session outlives its client", async () => {
  const maker = client();
  const session = await maker.createSession({ identifier: identifier() });
  maker.close();
  assert.ok(session.token.length > 0);
});

test("nobody but the package makes a session", () => {
  assert.throws(() => new Session(4096n), TypeError);
  assert.throws(() => new Session(4096n, undefined), TypeError);
});

test("a random identifier is new each time, a derived one the same", () => {
  assert.match(randomIdentifier(), /^[0-9a-f]{32}$/);
  assert.notEqual(randomIdentifier(), randomIdentifier());
  assert.match(deriveIdentifier("serial"), /^[0-9a-f]{32}$/);
  assert.equal(deriveIdentifier("serial"), deriveIdentifier("serial"));
  assert.notEqual(deriveIdentifier("serial"), deriveIdentifier("another"));
  assert.throws(() => deriveIdentifier(""), { code: "ZELF_ERROR_INVALID_ARGUMENT" });
});

test("a client tells its base URL and its origin, also after close", () => {
  const maker = new Client();
  assert.equal(maker.baseUrl, "https://api.zelf.world");
  assert.equal(maker.origin, "https://api.zelf.world");
  maker.close();
  assert.equal(maker.origin, "https://api.zelf.world");
  const other = client({ baseUrl: "https://API.example:443/v3/", origin: "https://app.example" });
  assert.equal(other.baseUrl, "https://api.example/v3");
  assert.equal(other.origin, "https://app.example");
});

test("the package tells the version of the library", () => {
  assert.match(libraryVersion, /^\d+\.\d+\.\d+$/);
});

test("using closes a session, a response, a provider and a client", async () => {
  const maker = client();
  const provider = new SessionProvider(maker, { identifier: identifier() });
  const session = await provider.get();
  const response = await provider.send({ target: "/sandbox/echo" });
  for (const one of [session, response, provider, maker]) one[Symbol.dispose]();
  assert.throws(() => session.token, { message: "the session is closed" });
  assert.throws(() => response.status, { message: "the response is closed" });
  await assert.rejects(provider.get(), { message: "the provider is closed" });
  await assert.rejects(maker.createSession({ identifier: identifier() }), { message: "the client is closed" });
});
