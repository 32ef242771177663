// SPDX-License-Identifier: MIT OR Apache-2.0

package world.zelf;

import com.sun.jna.Pointer;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;

/** Owns an object of the library, and frees it when it is closed and no call uses it. */
final class Handle {
    private static final Cleaner CLEANER = Cleaner.create();
    private static final int CLOSED = Integer.MIN_VALUE;

    private final String name;
    private final Pointer pointer;
    private final Consumer<Pointer> free;
    private final Cleaner.Cleanable cleanable;
    /** The number of calls that use the object, and the bit CLOSED. */
    private final AtomicInteger users = new AtomicInteger();

    /** Owns pointer for owner. The garbage collector closes the handle when owner is gone. */
    Handle(Object owner, String name, Pointer pointer, Consumer<Pointer> free) {
        this.name = name;
        this.pointer = pointer;
        this.free = free;
        this.cleanable = CLEANER.register(owner, this::end);
    }

    /**
     * Calls use with the object, which is not freed meanwhile. The garbage collector could close
     * the handle before the first use if owner were not reachable.
     */
    <T> T with(Object owner, Function<Pointer, T> use) {
        try {
            if (!enter()) {
                throw new IllegalStateException("the " + name + " is closed");
            }
            try {
                return use.apply(pointer);
            } finally {
                leave();
            }
        } finally {
            Reference.reachabilityFence(owner);
        }
    }

    boolean isClosed() {
        return users.get() < 0;
    }

    void close() {
        cleanable.clean();
    }

    /** Closes the handle, and waits until no call uses the object. */
    void closeAndWait() {
        close();
        while (users.get() != CLOSED) {
            Thread.onSpinWait();
            Thread.yield();
        }
    }

    private boolean enter() {
        int count;
        do {
            count = users.get();
            if (count < 0) {
                return false;
            }
        } while (!users.compareAndSet(count, count + 1));
        return true;
    }

    private void leave() {
        if (users.decrementAndGet() == CLOSED) {
            free.accept(pointer);
        }
    }

    /** Runs once: a Cleanable sees to that. */
    private void end() {
        if (users.getAndUpdate(count -> count | CLOSED) == 0) {
            free.accept(pointer);
        }
    }
}
