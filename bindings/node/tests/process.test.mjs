// The end of processes and workers. Each program runs in its own process.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { control, fault } from "./sandbox.mjs";

const stall = { kind: "stall", stage: "request", path: "/api/sessions" };

const prelude = `
  // A thread that makes no client does not load the package.
  const client = () => new (require("zelf").Client)(settings);
  const providerOf = (maker, options) => new (require("zelf").SessionProvider)(maker, { identifier: identifier() }, options);
  const identifier = () => require("zelf").randomIdentifier();
  const { readdirSync } = require("node:fs");
  const { Worker } = require("node:worker_threads");
  const settings = { baseUrl: process.env.ZELF_HTTPS, caFile: process.env.ZELF_CA, timeoutMs: 10000 };
  const control = (method, path) => fetch(process.env.ZELF_CONTROL + path, { method }).then((answer) => answer.json());
  const until = async (isTrue) => { while (!(await isTrue())) await new Promise((go) => setTimeout(go, 5)); };
  const descriptors = () => readdirSync("/proc/self/fd").length;
  const threads = () => readdirSync("/proc/self/task").length;
`;

/** Runs a program of CommonJS, and returns how it ended and what it wrote. */
function run(program, ...flags) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...flags, "-e", `${prelude}(async () => {${program}})()`],
      { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, PRELUDE: prelude, MALLOC_ARENA_MAX: "1" } });
    let output = "", errors = "", asked;
    child.stdout.on("data", (data) => {
      output += data;
      if (asked === undefined && output.includes("ending")) asked = performance.now();
    });
    child.stderr.on("data", (data) => { errors += data; });
    const limit = setTimeout(() => child.kill("SIGKILL"), 60_000);
    child.on("close", (status, signal) => {
      clearTimeout(limit);
      resolve({ status, signal, output, errors, ms: performance.now() - asked });
    });
  });
}

/** Asserts that a program printed what it should, and that it ended with this status in 2 s. */
function ended(result, output, status = 0) {
  assert.deepEqual({ ...result, ms: undefined }, { status, signal: null, output, errors: "", ms: undefined });
  assert.ok(result.ms < 2000, `${result.ms} ms`);
}

const callsUnderWay = `
  const maker = client();
  const provider = providerOf(maker);
  for (let i = 0; i < 10; i++) maker.createSession({ identifier: identifier() });
  provider.get();
  provider.send({ target: "/sandbox/echo" });
  await until(async () => (await control("GET", "/sandbox/faults")).faults[0].struck >= 5);
  console.log("ending");
`;

test("process.exit ends a process with calls under way, with its status", async () => {
  await fault(stall);
  ended(await run(`${callsUnderWay} process.exit();`), "ending\n");
  ended(await run(`${callsUnderWay} process.exit(3);`), "ending\n", 3);
});

test("an exception ends a process with calls under way", async () => {
  await fault(stall);
  const result = await run(`${callsUnderWay} setImmediate(() => { throw new Error("mine"); });`);
  assert.equal(result.status, 1);
  assert.match(result.errors, /Error: mine/);
  assert.ok(result.ms < 2000);
});

test("clients, providers and sessions that nobody uses do not keep a process alive", async () => {
  ended(await run(`
    const maker = client();
    const provider = providerOf(maker, { background: true });
    const session = await provider.get();
    globalThis.kept = [maker, provider, session];
    console.log("ending");
  `), "ending\n");
});

test("a call under way keeps a process alive until it ends", async () => {
  await fault({ kind: "delay", ms: 300, path: "/api/sessions", times: 1 });
  ended(await run(`
    client().createSession({ identifier: identifier() }).then((session) => console.log("ending", session.secondsLeft > 0));
  `), "ending true\n");
});

test("a client that an exit handler uses is closed", async () => {
  ended(await run(`
    const maker = client();
    process.on("exit", () => { maker.createSession().catch(() => {}); client().createSession().catch(() => {}); });
    console.log("ending");
  `), "ending\n");
});

const worker = (program) =>
  `new Worker(process.env.PRELUDE + ${JSON.stringify(`(async () => {${program}})()`)}, { eval: true })`;

test("workers have clients of their own, at the same time", async () => {
  ended(await run(`
    const lengths = await Promise.all(Array.from({ length: 4 }, () => new Promise((resolve, reject) => {
      const one = ${worker(`
        const maker = client();
        const sessions = await Promise.all(Array.from({ length: 20 }, () => maker.createSession({ identifier: identifier() })));
        require("node:worker_threads").parentPort.postMessage(new Set(sessions.map((session) => session.id)).size);
      `)};
      one.on("message", resolve);
      one.on("error", reject);
    })));
    console.log("ending", lengths.join());
  `), "ending 20,20,20,20\n");
});

test("workers that are terminated with calls under way leave no descriptor and no thread", async () => {
  await fault(stall);
  ended(await run(`
    let before;
    for (let i = 0; i < 10; i++) {
      const one = ${worker(`${callsUnderWay.replace('console.log("ending");', "")}
        require("node:worker_threads").parentPort.postMessage("go");
      `)};
      await new Promise((resolve, reject) => { one.on("message", resolve); one.on("error", reject); });
      await one.terminate();
      if (i === 2) before = [descriptors(), threads()];
    }
    await until(() => threads() <= before[1]);
    console.log("ending", descriptors() <= before[0] || [descriptors(), before[0]]);
  `), "ending true\n");
});

test("workers that are terminated while answers arrive do not harm the process", async () => {
  ended(await run(`
    const calls = [
      "(await maker.createSession({ identifier: name })).close()",
      "(await maker.send({ target: '/sandbox/bytes/1000' })).close()",
      "(await provider.send({ target: '/sandbox/bytes/1000' })).close()",
    ];
    for (let i = 0; i < 30; i++) {
      const one = new Worker(process.env.PRELUDE + "const maker = client(), name = identifier(), provider = providerOf(maker);" +
        "for (let i = 0; i < 3; i++) (async () => { for (;;) { " + calls[i % 3] +
        "; require('node:worker_threads').parentPort.postMessage('arrived'); } })();", { eval: true });
      await new Promise((resolve, reject) => { one.once("message", resolve); one.on("error", reject); });
      await new Promise((go) => setTimeout(go, i / 2));
      await one.terminate();
    }
    console.log("ending");
  `), "ending\n");
});

// The worker is terminated where the package calls koffi, and JavaScript runs on: V8 stops it at
// the beginning of a function or in a loop, and between the read and the call is neither.
const pausing = `
  const { parentPort, workerData: { target, event } } = require("node:worker_threads");
  const koffi = require("koffi");
  const read = koffi.load(null).func("int64_t read(int descriptor, void *to, size_t length)");
  const eight = Buffer.alloc(8);
  const names = new Set();
  let isLoaded = false;
  const pausing = (name, call) => (...values) => {
    if (isLoaded) names.add(name);
    if (isLoaded && name === target) {
      parentPort.postMessage(name);
      read(event, eight, 8);
    }
    return call(...values);
  };
  const functions = Object.entries(koffi).filter(([, value]) => typeof value === "function");
  require.cache[require.resolve("koffi")].exports = {
    ...Object.fromEntries(functions.map(([name, value]) => [name, pausing(name, value)])),
    node: koffi.node,
    load: pausing("load", (file) => {
      const library = koffi.load(file);
      const func = pausing("func", library.func.bind(library));
      return {
        func: (prototype) => pausing(/\\w+(?=\\()/.exec(prototype)[0], func(prototype)),
        symbol: pausing("symbol", library.symbol.bind(library)),
      };
    }),
  };
  const zelf = require("zelf");
  isLoaded = true;
  let isComplete = false;
  process.on("exit", () => { if (isComplete) parentPort.postMessage([...names]); });
`;

const everyCall = `
  const { inspect } = require("node:util");
  zelf.deriveIdentifier("a serial number");
  const maker = new zelf.Client({ ...settings, userAgent: "a", proxyFromEnv: false });
  const failing = [
    () => zelf.deriveIdentifier(""),
    () => new zelf.Client({ pins: ["a"], proxy: "a", caPem: "a", maxAttempts: 0, connectTimeoutMs: 0, origin: "a" }),
    () => new zelf.SessionProvider(maker, {}, { minValidS: 5, renewal: 0, background: false, directory: "" }),
    () => maker.createSession({ tagName: "", ethAddress: "", domain: "", killSession: true, confirm: true }),
  ];
  for (const call of failing) try { await call(); } catch (error) { inspect(error); }
  const session = await maker.createSession({ identifier: zelf.randomIdentifier(), type: 0, webExtension: false });
  inspect([session, session.token, session.authorization, session.domain, session.tagName, session.ethAddress]);
  inspect([session.activatedAt, session.secondsLeft]);
  const kept = new zelf.SessionProvider(maker, { identifier: zelf.randomIdentifier() });
  inspect([await kept.get(), await kept.get(), kept.lastError, kept.invalidate(session)]);
  const request = { target: "/sandbox/echo", timeoutMs: 9000, maxResponseBytes: 1e6, repeatable: true };
  const response = await kept.send({ ...request, method: "POST", headers: { a: "b" }, body: "x", contentType: "text/plain" });
  inspect([response, response.header("content-type"), response.text(), response.serverMessage]);
  (await maker.send(request, session)).close();
  await (await kept.fetch(maker.baseUrl + "/sandbox/bytes/10?status=401")).text();
  const abort = new AbortController();
  const aborted = maker.createSession({}, abort).catch(() => {});
  abort.abort();
  await aborted;
  maker.createSession({ identifier: zelf.randomIdentifier() }).catch(() => {});
  for (const object of [response, session, kept, maker]) object.close();
  isComplete = true;
  process.exit();
`;

test("workers that are terminated in any call of koffi do not harm the process", async () => {
  const result = await run(`
    const { closeSync, writeSync } = require("node:fs");
    const eventfd = require("koffi").load(null).func("int eventfd(uint32_t value, int flags)");
    const one = (target) => new Promise((resolve, reject) => {
      const event = eventfd(0, 0);
      const worker = new Worker(process.env.PRELUDE + ${JSON.stringify(`(async () => {${pausing} ${everyCall}})()`)},
        { eval: true, workerData: { target, event } });
      worker.on("message", (message) => {
        if (Array.isArray(message)) return resolve(message);
        writeSync(1, message + " ");
        worker.terminate();
        writeSync(event, new BigUint64Array([1n]));
      });
      worker.on("error", reject);
      worker.on("exit", () => { closeSync(event); resolve(); });
    });
    const names = await one();
    console.log(names.join());
    await Promise.all([0, 1, 2, 3].map(async () => { while (names.length > 0) await one(names.pop()); }));
    console.log("\\nending");
  `);
  assert.equal(result.errors, "");
  assert.equal(result.signal, null);
  const [names, paused, end] = result.output.split("\n").map((line) => line.split(/[ ,]/).filter(Boolean).sort());
  assert.deepEqual([paused, end], [names, ["ending"]]);
  // The list has all that the package uses.
  const dist = join(import.meta.dirname, "node_modules", "zelf", "dist");
  for (const file of readdirSync(dist)) {
    if (!file.endsWith(".js") || file === "abi.js") continue;
    for (const [name] of readFileSync(join(dist, file), "utf8").matchAll(/\bzelf_(?!version)\w+/g)) {
      assert.ok(names.includes(name), `${file}: ${name}`);
    }
  }
});

test("workers that end by themselves or by process.exit with calls under way harm nobody", async () => {
  await fault(stall);
  ended(await run(`
    for (const end of ["process.exit(4)", "throw new Error('mine')"]) {
      const one = new Worker(process.env.PRELUDE + "(async () => {" + ${JSON.stringify(callsUnderWay.replace('console.log("ending");', ""))} +
        "setImmediate(() => { " + end + "; }); })()", { eval: true });
      one.on("error", () => {});
      await new Promise((resolve) => one.on("exit", resolve));
    }
    await control("DELETE", "/sandbox/faults");
    const session = await client().createSession({ identifier: identifier() });
    console.log("ending", session.secondsLeft > 0);
  `), "ending true\n");
});

test("process.exit ends a process whose workers have calls under way", async () => {
  await fault(stall);
  ended(await run(`
    const one = ${worker(`${callsUnderWay.replace('console.log("ending");', "")}
      require("node:worker_threads").parentPort.postMessage("go");
    `)};
    await new Promise((resolve, reject) => { one.on("message", resolve); one.on("error", reject); });
    console.log("ending");
    process.exit(0);
  `), "ending\n");
});

// A use after free would show in the memory that the churn writes.
const closings = {
  "a session that a getter of the request closes": ["the session is closed", `
    maker.send({ get target() { session.close(); churn(); return "/sandbox/echo"; } }, session)`],
  "a client that a getter of the request closes": ["the client is closed", `
    maker.send({ get target() { maker.close(); churn(); return "/sandbox/echo"; } })`],
  "a client that a getter of the options closes": ["the client is closed", `
    maker.createSession({ get identifier() { maker.close(); churn(); return "a"; } })`],
  "a provider that a getter of the request closes": ["the provider is closed", `
    provider.send({ get target() { provider.close(); churn(); return "/sandbox/echo"; } })`],
  "a provider that a getter of the options closes": ["the provider is closed", `
    provider.get({ get signal() { provider.close(); churn(); } })`],
  "a provider that its signal closes": ["the provider is closed", `
    provider.get({ signal: closing(provider) })`],
  "a provider that the signal of a request closes": ["the provider is closed", `
    provider.send({ target: "/sandbox/echo" }, { signal: closing(provider) })`],
  "a client that the signal of a request closes": ["the client is closed", `
    maker.send({ target: "/sandbox/echo" }, null, { signal: closing(maker) })`],
};

for (const [name, [message, call]] of Object.entries(closings)) {
  test(`${name} is not used`, async () => {
    ended(await run(`
      const maker = client();
      const provider = providerOf(maker);
      const session = await maker.createSession({ identifier: identifier() });
      await provider.get();
      const churn = () => { for (let i = 0; i < 2000; i++) Buffer.from("x".repeat(200)); };
      const closing = (object) => Object.assign(new AbortController().signal, {
        throwIfAborted() { object.close(); churn(); },
      });
      console.log("ending", await (${call}).then(() => "it succeeded", (error) => error.message));
    `), `ending ${message}\n`);
  });
}

// What malloc has handed out, in one arena: the memory of the process also counts V8's guesses.
const measured = `
  const koffi = require("koffi");
  const libc = koffi.load(null);
  koffi.struct("mallinfo2", Object.fromEntries(
    ["arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"]
      .map((name) => [name, "size_t"])));
  const mallinfo2 = libc.func("mallinfo2 mallinfo2(void)");
  const now = async () => {
    for (let i = 0; i < 10; i++) { gc(); await new Promise((go) => setTimeout(go, 10)); }
    const { uordblks, hblkhd } = mallinfo2();
    return [Number(uordblks) + Number(hblkhd), process.memoryUsage().rss, descriptors(), threads()];
  };
  const maker = client();
  const names = Array.from({ length: 20 }, identifier);
  const measure = async (rounds) => {
    await rounds(3000);
    const before = await now();
    await rounds(10000);
    const after = await now();
    console.log(JSON.stringify(after.map((value, i) => value - before[i])));
    maker.close();
  };
`;

const flat = {
  "creations of sessions that are closed": `
    const rounds = (count) => Promise.all(names.map(async (identifier) => {
      for (let i = 0; i < count / 20; i++) (await maker.createSession({ identifier })).close();
    }));`,
  "creations of sessions that the garbage collector removes": `
    const rounds = (count) => Promise.all(names.map(async (identifier) => {
      for (let i = 0; i < count / 20; i++) if (!(await maker.createSession({ identifier })).token) throw new Error();
    }));`,
  "aborted calls": `
    const rounds = async (count) => {
      for (let i = 0; i < count / 100; i++) {
        const abort = new AbortController();
        const calls = Array.from({ length: 100 }, () => maker.createSession({ identifier: identifier() }, abort).catch(() => {}));
        if (i % 2) await new Promise(setImmediate);
        abort.abort();
        await Promise.all(calls);
      }
      // The callbacks of the last ones.
      await until(async () => !(await maker.createSession({ identifier: names[0] })).close());
    };`,
};

for (const [name, rounds] of Object.entries(flat)) {
  test(`10,000 ${name} leave memory, descriptors and threads flat`, async () => {
    const result = await run(`${measured} ${rounds} await measure(rounds);`, "--expose-gc", "--max-semi-space-size=1");
    assert.equal(result.errors, "");
    const [allocated, resident, descriptors, threads] = JSON.parse(result.output);
    console.error(`# ${name}: ${allocated} bytes allocated, ${resident} resident, ${descriptors} descriptors, ${threads} threads more`);
    assert.ok(allocated < 200_000, `${allocated} bytes more`);
    assert.ok(resident < 8 << 20, `${resident} bytes more`);
    assert.ok(descriptors <= 2 && threads <= 0, result.output);
  });
}

test("large responses that nobody closes do not fill the memory", async () => {
  const result = await run(`
    const provider = providerOf(client());
    for (let i = 0; i < 300; i++) {
      const response = await provider.send({ target: "/sandbox/bytes/1000000" });
      if (response.status !== 200) throw new Error(String(response.status));
    }
    console.log(process.resourceUsage().maxRSS);
  `);
  assert.equal(result.errors, "");
  assert.ok(Number(result.output) < 200 * 1024, `${result.output} KiB`);
});
