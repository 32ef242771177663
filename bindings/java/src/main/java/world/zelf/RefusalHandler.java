// SPDX-License-Identifier: MIT OR Apache-2.0

package world.zelf;

import java.io.ByteArrayOutputStream;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.ResponseInfo;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;

/**
 * Finds out whether an answer refuses the session. If not, the program's own handler gets the
 * whole answer; otherwise it gets nothing.
 */
final class RefusalHandler<T> implements BodyHandler<T> {
    private static final int LIMIT = 64 * 1024;

    private final SessionProvider provider;
    private final Session session;
    private final BodyHandler<T> handler;
    private volatile boolean refused;

    RefusalHandler(SessionProvider provider, Session session, BodyHandler<T> handler) {
        this.provider = provider;
        this.session = session;
        this.handler = handler;
    }

    /** Returns whether the answer refuses the session, when the answer is there. */
    boolean isRefused() {
        return refused;
    }

    @Override
    public BodySubscriber<T> apply(ResponseInfo info) {
        boolean mayRefuse = info.statusCode() == 401 || info.statusCode() == 403;
        return mayRefuse ? new Judge(info) : handler.apply(info);
    }

    /** Holds the beginning of a body until it is judged, then hands it on. */
    private final class Judge implements BodySubscriber<T>, Flow.Subscription {
        private final ResponseInfo info;
        private final CompletableFuture<T> body = new CompletableFuture<>();
        private final ByteArrayOutputStream beginning = new ByteArrayOutputStream();
        private Flow.Subscription source;
        /** The program's subscriber, once the answer is judged. */
        private volatile BodySubscriber<T> target;
        // Under the lock of this. The beginning is taken, then handed on.
        private boolean isTaken;
        private boolean isHanded;
        private boolean isComplete;
        private long demand;

        Judge(ResponseInfo info) {
            this.info = info;
        }

        @Override
        public CompletionStage<T> getBody() {
            return body;
        }

        @Override
        public void onSubscribe(Flow.Subscription subscription) {
            source = subscription;
            source.request(1);
        }

        @Override
        public void onNext(List<ByteBuffer> buffers) {
            if (target != null) {
                target.onNext(buffers);
                return;
            }
            for (ByteBuffer buffer : buffers) {
                byte[] bytes = new byte[buffer.remaining()];
                buffer.get(bytes);
                beginning.writeBytes(bytes);
            }
            if (beginning.size() < LIMIT) {
                source.request(1);
            } else {
                judge();
            }
        }

        @Override
        public void onError(Throwable failure) {
            if (target != null) {
                target.onError(failure);
            } else {
                body.completeExceptionally(failure);
            }
        }

        @Override
        public void onComplete() {
            boolean isOver;
            synchronized (this) {
                isComplete = true;
                isOver = isHanded;
            }
            if (target == null) {
                judge();
            } else if (isOver) {
                target.onComplete();
            }
        }

        private void judge() {
            byte[] bytes = beginning.toByteArray();
            try {
                if (provider.invalidateIfRefused(session, info.statusCode(),
                        bytes.length <= LIMIT ? bytes : Arrays.copyOf(bytes, LIMIT))) {
                    refused = true;
                    source.cancel();
                    body.complete(null);
                    return;
                }
                BodySubscriber<T> subscriber = handler.apply(info);
                subscriber.getBody().whenComplete((value, failure) -> {
                    if (failure != null) {
                        body.completeExceptionally(failure);
                    } else {
                        body.complete(value);
                    }
                });
                target = subscriber;
                target.onSubscribe(this);
                // Nothing to hand on: the target need not ask.
                if (bytes.length == 0) {
                    target.onComplete();
                }
            } catch (Throwable failure) {
                source.cancel();
                body.completeExceptionally(failure);
            }
        }

        /** Answers the target's first request with the beginning, later ones from the source. */
        @Override
        public void request(long n) {
            boolean hands = false;
            synchronized (this) {
                demand = n > Long.MAX_VALUE - demand ? Long.MAX_VALUE : demand + n;
                if (!isTaken && beginning.size() > 0) {
                    hands = isTaken = true;
                    demand--;
                } else if (!isHanded) {
                    // The thread that hands the beginning on asks for the rest: one at a time.
                    return;
                }
            }
            if (hands) {
                target.onNext(List.of(ByteBuffer.wrap(beginning.toByteArray()).asReadOnlyBuffer()));
            }
            boolean isOver;
            long more;
            synchronized (this) {
                isHanded = true;
                isOver = isComplete;
                more = demand;
                demand = 0;
            }
            if (isOver && hands) {
                target.onComplete();
            } else if (!isOver && more > 0) {
                source.request(more);
            }
        }

        @Override
        public void cancel() {
            source.cancel();
        }
    }
}
