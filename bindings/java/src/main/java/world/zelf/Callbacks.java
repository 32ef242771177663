// SPDX-License-Identifier: MIT OR Apache-2.0

package world.zelf;

import com.sun.jna.Callback;
import com.sun.jna.CallbackThreadInitializer;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * The functions that the library calls. There is one of each kind, so that none is freed while
 * the library may call it. The user_data of the library is the number of a receiver.
 */
final class Callbacks {
    /** Receives a log message. */
    interface Log {
        void accept(int level, String message);
    }

    /** Keeps its members reachable for as long as the library may call. */
    private static final Map<Long, Object> RECEIVERS = new ConcurrentHashMap<>();
    private static final AtomicLong LAST = new AtomicLong();

    // A thread of the library must not keep Java from ending. It stays attached until it ends,
    // since it calls often.
    private static final CallbackThreadInitializer THREADS =
            new CallbackThreadInitializer(true, false, "zelf");

    static final Zelf.SessionCallback SESSION = initialized((session, error, data) ->
            guarded(() -> ((Call<?>) remove(data)).finish(session, error)));
    static final Zelf.ResponseCallback RESPONSE = initialized((response, error, data) ->
            guarded(() -> ((Call<?>) remove(data)).finish(response, error)));
    static final Zelf.LogCallback LOG = initialized((level, message, data) ->
            guarded(() -> ((Log) find(data)).accept(level, Bytes.text(message))));
    static final Zelf.RenewedCallback RENEWED = initialized((session, data) ->
            guarded(() -> renewed(session, data)));
    static final Zelf.DestroyCallback DESTROY = initialized(data -> guarded(() -> remove(data)));

    private Callbacks() {}

    /** Returns the user_data for a receiver. */
    static Pointer add(Object receiver) {
        long number = LAST.incrementAndGet();
        RECEIVERS.put(number, receiver);
        return new Pointer(number);
    }

    static Object remove(Pointer data) {
        return RECEIVERS.remove(Pointer.nativeValue(data));
    }

    private static Object find(Pointer data) {
        return RECEIVERS.get(Pointer.nativeValue(data));
    }

    @SuppressWarnings("unchecked")
    private static void renewed(Pointer pointer, Pointer data) {
        // The library owns the session and may free it after the call. Other threads may use it.
        Session session = new Session(pointer, borrowed -> { });
        try {
            ((Consumer<Session>) find(data)).accept(session);
        } finally {
            session.closeAndWait();
        }
    }

    private static <C extends Callback> C initialized(C callback) {
        Native.setCallbackThreadInitializer(callback, THREADS);
        return callback;
    }

    /** An exception must not reach C. It goes where those of a thread go. */
    private static void guarded(Runnable body) {
        try {
            body.run();
        } catch (Throwable failure) {
            Thread thread = Thread.currentThread();
            thread.getUncaughtExceptionHandler().uncaughtException(thread, failure);
        }
    }
}
