// SPDX-License-Identifier: MIT OR Apache-2.0

package world.zelf;

import com.sun.jna.Pointer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Function;

/** An asynchronous call of the library, as a future. */
final class Call<T extends AutoCloseable> {
    /** Starts a call, with SESSION or RESPONSE of Callbacks, and no destroy. */
    interface Start {
        Pointer start(Pointer userData, long[] error);
    }

    private final CompletableFuture<T> future = new CompletableFuture<>();
    /** Stays reachable during the call: the garbage collector would close it. */
    private final ZelfClient client;
    private final Function<Pointer, T> wrap;
    /** The library's handle; null before and after the call. */
    private Pointer handle;

    private Call(ZelfClient client, Function<Pointer, T> wrap) {
        this.client = client;
        this.wrap = wrap;
    }

    /** Starts a call, and keeps client reachable until it ends. */
    static <T extends AutoCloseable> CompletableFuture<T> start(
            ZelfClient client, Function<Pointer, T> wrap, Start start) {
        Call<T> call = new Call<>(client, wrap);
        Pointer userData = Callbacks.add(call);
        long[] error = new long[1];
        // The callback may come before start returns: it waits for the handle.
        synchronized (call) {
            call.handle = start.start(userData, error);
            if (call.handle == null) {
                Callbacks.remove(userData);
                return CompletableFuture.failedFuture(ZelfException.take(error));
            }
        }
        // The future may also be ended by cancel, orTimeout or complete.
        call.future.whenComplete((result, failure) -> call.cancel());
        return call.future;
    }

    private synchronized void cancel() {
        if (handle != null) {
            Zelf.zelf_call_cancel(handle);
        }
    }

    void finish(Pointer result, Pointer error) {
        synchronized (this) {
            Zelf.zelf_call_free(handle);
            handle = null;
        }
        Runnable end;
        T value = result == null ? null : wrap.apply(result);
        if (value != null) {
            end = () -> complete(value);
        } else {
            ZelfException failure = ZelfException.take(error);
            end = () -> future.completeExceptionally(failure);
        }
        // What the program does with the future must not hold up other calls.
        Executor executor = client.executor() == null ? future.defaultExecutor() : client.executor();
        try {
            executor.execute(end);
        } catch (RejectedExecutionException e) {
            end.run();
        } catch (Throwable e) {
            // Nobody else would end the future.
            if (future.completeExceptionally(e) && value != null) {
                close(value);
            }
        }
    }

    private void complete(T value) {
        if (!future.complete(value)) {
            close(value);
        }
    }

    private static void close(AutoCloseable value) {
        try {
            value.close();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }
}
