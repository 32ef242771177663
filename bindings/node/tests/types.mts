// Compiled, not run: what a user of the package writes.
import {
  ApiResponse, Client, deriveIdentifier, randomIdentifier, RateLimitedError, Renewal, Session, SessionProvider,
  SessionType, ZelfError, type ApiRequest, type CallOptions, type ClientOptions, type ProviderOptions,
  type SessionOptions,
} from "zelf";

const options: ClientOptions = { baseUrl: "https://api.example", timeoutMs: 1000, pins: ["a"] };
const sessionOptions: SessionOptions = { identifier: randomIdentifier(), type: SessionType.IMPORT_WALLET };
const providerOptions: ProviderOptions = { renewal: Renewal.NEVER_KILL, minValidS: 5 };
const request: ApiRequest = { method: "POST", target: "/", body: new Uint8Array(1), headers: { a: "b" } };

export const pairs: ApiRequest[] = [
  { target: "/", headers: new Headers({ a: "b" }) },
  { target: "/", headers: new Map([["a", "b"]]) },
  { target: "/", headers: [["a", "b"]] },
];

export async function use(call: CallOptions): Promise<string | undefined> {
  using client = new Client(options);
  using provider = new SessionProvider(client, sessionOptions, providerOptions);
  try {
    using session: Session = await client.createSession({ identifier: deriveIdentifier("a") }, call);
    const left: number = session.secondsLeft;
    const ends: Date = session.expiresAt;
    const began: Date | undefined = session.activatedAt;
    using response: ApiResponse = await provider.send(request, { signal: AbortSignal.timeout(1000) });
    using other: ApiResponse = await client.send(request, session, call);
    const bytes: Uint8Array = other.bytes();
    const answer: Response = await provider.fetch(new URL(client.baseUrl), { method: "POST", body: bytes });
    provider.invalidate(session);
    console.log(left, ends, began, response.header("a"), await answer.json(), provider.lastError?.code);
    return session.identifier;
  } catch (error) {
    if (error instanceof RateLimitedError) return String(error.retryAfterMs ?? 0);
    if (error instanceof ZelfError) return error.code + error.status.toFixed() + error.serverMessage;
    throw error;
  }
}

// @ts-expect-error: there is no such option.
new Client({ baseURL: "https://api.example" });
// @ts-expect-error: these are no pairs.
export const noPairs: ApiRequest = { target: "/", headers: ["a"] };
// @ts-expect-error: there is no such type.
export const wrong: SessionOptions = { type: 9 };
// @ts-expect-error: a session comes from a client.
new Session();
// @ts-expect-error: the token cannot be changed.
export const change = (session: Session) => { session.token = "x"; };
