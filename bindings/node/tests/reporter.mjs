// Prints one line for each test, and why one failed to stderr.
export default async function* (events) {
  for await (const { type, data } of events) {
    // In Node 20 a file is also a test.
    if (data?.name?.endsWith?.(".test.mjs") && type === "test:pass") continue;
    if (process.env.ZELF_TIMES && type === "test:pass") console.error(`${Math.round(data.details.duration_ms)} ms`);
    if (type === "test:pass") yield `${data.skip === undefined ? "ok" : "skipped"} - ${data.name}\n`;
    if (type === "test:fail") {
      yield `not ok - ${data.name}\n`;
      console.error(data.details.error?.cause ?? data.details.error);
    }
    if (type === "test:stderr" || type === "test:stdout") process.stderr.write(data.message);
  }
}
