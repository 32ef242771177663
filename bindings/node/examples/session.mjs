// Sends a request with a session. ZELF_HTTPS and ZELF_CA name another server than the public API.
import { Client, SessionProvider } from "zelf";

const client = new Client({ baseUrl: process.env.ZELF_HTTPS, caFile: process.env.ZELF_CA });
const provider = new SessionProvider(client, { identifier: "5f0c6a3e8d2b4c71" });    // your installation's
const response = await provider.send({ target: "/api/tags/search?tagName=a.zelf" });
console.log(response.status, response.json());
