// The sandbox that the tests run against.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { after, afterEach } from "node:test";

import { Client } from "zelf";

const { ZELF_HTTPS, ZELF_CA, ZELF_CONTROL } = process.env;

/** Settings of a client for the sandbox. */
export const settings = { baseUrl: ZELF_HTTPS, caFile: ZELF_CA, timeoutMs: 10000 };
/** The file that the other file's certificates are not in. */
export const otherCa = process.env.ZELF_OTHER_CA;
export const pin = process.env.ZELF_PIN;
export const plain = process.env.ZELF_HTTP;
export const pem = readFileSync(ZELF_CA, "utf8");

/** Makes an identifier of the test's own. */
export const identifier = () => randomBytes(16).toString("hex");

/** Asks a control route. */
export async function control(method, path, body) {
  // A connection each: the sandbox may have closed one that was kept.
  const sent = request(ZELF_CONTROL + path, { method, agent: false });
  sent.end(body && JSON.stringify(body));
  const [answer] = await once(sent, "response");
  const said = await text(answer);
  if (answer.statusCode !== 200) throw new Error(`${method} ${path}: ${answer.statusCode} ${said}`);
  return said && JSON.parse(said);
}

export const fault = (...faults) => control("POST", "/sandbox/faults", faults);

/** Returns the requests that arrived for a path with its query. */
export async function arrived(path) {
  return (await control("GET", "/sandbox/requests")).requests.filter((request) => request.path === path);
}

/** Makes a client that is closed after the tests of the file. */
export function client(options = {}) {
  const made = new Client({ ...settings, ...options });
  after(() => made.close());
  return made;
}

afterEach(() => control("DELETE", "/sandbox/faults"));

/** Returns what a promise is rejected with. */
export const failure = (promise) =>
  promise.then((value) => { throw new Error(`it succeeded: ${value}`); }, (error) => error);

/** Waits until something is true. */
export async function until(isTrue) {
  const end = Date.now() + 10000;
  while (!(await isTrue())) {
    if (Date.now() > end) throw new Error("it did not happen in 10 s");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
