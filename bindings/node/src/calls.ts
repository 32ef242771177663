/** Runs asynchronous calls as promises. */

import { setMaxListeners } from "node:events";
import { isMainThread } from "node:worker_threads";

import { constants, type Out, type Pointer } from "./abi";
import { errorOf, takeError } from "./errors";
import { Handle, keepLoaded, koffi, zelf, type Poll } from "./native";

/** What every asynchronous call accepts. */
export interface CallOptions {
  /** Aborts the call. Its promise is rejected with the signal's reason, as that of fetch. */
  signal?: AbortSignal | null | undefined;
}

type Settle = (result: Pointer | null, error: Pointer | null) => void;

/** The calls of this thread that are under way, by their user_data. */
const calls = new Map<Pointer, Settle>();
let lastId = 0n;

/**
 * The callback of all calls of this thread. A process can register 8192.
 *
 * It runs on this thread only, in zelf_client_dispatch and zelf_client_free: koffi cannot
 * serve another thread once this one has ended.
 */
const callback = koffi.register(
  (result: Pointer | null, error: Pointer | null, id: Pointer) => {
    const settle = calls.get(id);
    calls.delete(id);
    settle?.(result, error);
  },
  koffi.pointer(koffi.proto("void ZelfResult(void *result, void *error, void *user_data)")),
);
keepLoaded(callback);

const clients = new Set<ClientHandle>();
let hasEnded = false;

process.once("exit", () => {
  for (const client of clients) client.close();
  hasEnded = true;
  koffi.unregister(callback);
});

/** Calls dispatch soon after a client's descriptor becomes readable. */
function pollDescriptor(descriptor: number, dispatch: () => void): Poll {
  let isDue = false;
  return koffi.node.poll(descriptor, () => {
    if (isDue) return;
    isDue = true;
    // koffi calls this outside of Node's callback scope, in which promises continue.
    setImmediate(() => {
      isDue = false;
      dispatch();
    });
  });
}

/** How often a worker looks for callbacks during its calls. */
const WORKER_INTERVAL_MS = 2;

/**
 * Calls dispatch every few milliseconds while calls are under way.
 *
 * At the end of a worker, Node runs its event loop until all handles are closed. koffi aborts
 * the process if a descriptor that it polls becomes readable then. A timer does not run then.
 */
function pollTime(dispatch: () => void): Poll {
  let timer: NodeJS.Timeout | undefined;
  const stop = () => {
    clearInterval(timer);
    timer = undefined;
  };
  return { ref: () => { timer ??= setInterval(dispatch, WORKER_INTERVAL_MS); }, unref: stop, close: stop };
}

/** Holds a client, and runs its callbacks in the event loop of this thread. */
export class ClientHandle extends Handle {
  readonly #poll: Poll;
  #calls = 0;

  constructor(owner: object, pointer: Pointer) {
    super(owner, pointer, "zelf_client_free");
    const descriptor = zelf.zelf_client_descriptor(pointer);
    if (descriptor < 0) {
      super.close();
      throw errorOf("the system has no descriptor left", { status: constants.ZELF_ERROR_SYSTEM });
    }
    const dispatch = () => {
      if (this.pointer !== null) zelf.zelf_client_dispatch(this.pointer);
    };
    this.#poll = isMainThread ? pollDescriptor(descriptor, dispatch) : pollTime(dispatch);
    this.#poll.unref();
    clients.add(this);
  }

  /** Frees the client. The callbacks of its calls run meanwhile. */
  override close(): void {
    if (!clients.delete(this)) return;
    this.#poll.close();
    super.close();
  }

  /**
   * Makes a call.
   *
   * owner: what must not be collected during the call.
   * take: makes the result of its pointer.
   * begin: calls the function of the library, with these three arguments in its order. It takes
   *   the pointers of objects: earlier, code of the user could still close the objects.
   */
  call<Result extends Disposable>(
    owner: object,
    { signal }: CallOptions,
    take: (pointer: Pointer) => Result,
    begin: (callback: Pointer, id: Pointer, error: Out) => Pointer | null,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (signal !== undefined && signal !== null && !(signal instanceof AbortSignal)) {
        throw new TypeError("signal must be an AbortSignal");
      }
      signal?.throwIfAborted();
      if (hasEnded) throw closedClient();
      const id = ++lastId;
      const error = new BigUint64Array(1);
      const call = begin(callback, id, error);
      if (call === null) throw takeError(error[0]!);

      const abort = () => {
        // The end of the call frees it.
        if (calls.has(id)) zelf.zelf_call_cancel(call);
        reject(signal?.reason);
      };
      // A call under way keeps the process alive, a client does not.
      if (this.#calls++ === 0) this.#poll.ref();
      calls.set(id, (pointer, error) => {
        void owner;
        if (--this.#calls === 0 && clients.has(this)) this.#poll.unref();
        signal?.removeEventListener("abort", abort);
        zelf.zelf_call_free(call);
        if (pointer === null) reject(takeError(error));
        else if (signal?.aborted) take(pointer)[Symbol.dispose]();
        else resolve(take(pointer));
      });
      if (signal) {
        // Many calls with one signal are no leak: each removes its listener.
        setMaxListeners(0, signal);
        signal.addEventListener("abort", abort, { once: true });
      }
    });
  }
}

/** The error of a client that was closed. */
export function closedClient(): Error {
  return errorOf("the client is closed", { status: constants.ZELF_ERROR_SHUT_DOWN });
}
