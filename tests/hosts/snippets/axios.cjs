// Creates a session with axios on Node, as on the public page, and uses its token.
const axios = require("axios");

const base = process.env.ZELF_HTTP;

function promise(kept, name) {
  console.log(kept ? "ok -" : "not ok -", name);
  if (!kept) process.exitCode = 1;
}

async function main() {
  const answer = await axios.post(
    `${base}/api/sessions`,
    {},
    { headers: { Origin: "https://app.example.com", "Content-Type": "application/json" } },
  );
  const { token, activatedAt, expiresAt } = answer.data.data;
  promise(/^ey[^.]*\.[^.]+\.[^.]+$/.test(token), "Node with axios gets a token");
  promise(expiresAt - activatedAt === 600, "of a session of 600 s");

  const used = await axios.get(`${base}/api/zelf-name-service/v2/search`, {
    params: { zelfName: "abc.zelf" },
    headers: { Authorization: `Bearer ${token}` },
  });
  promise(used.status === 200, "which a route that looks for the session accepts");
}

main().catch((error) => promise(false, `nothing fails: ${error.message}`));
