// SPDX-License-Identifier: MIT OR Apache-2.0

package world.zelf.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import world.zelf.Request;
import world.zelf.Response;
import world.zelf.Session;
import world.zelf.SessionOptions;
import world.zelf.SessionProvider;
import world.zelf.ZelfClient;
import world.zelf.ZelfException;

final class AsyncTest {
    private static final String STALL =
            "{\"kind\":\"stall\",\"stage\":\"request\",\"path\":\"/api/sessions\"}";

    @AfterEach
    void reset() {
        Sandbox.reset();
    }

    @Test
    @DisplayName("a cancelled future ends its call at once, while the server stalls")
    void cancel() throws Exception {
        Sandbox.fault(STALL);
        try (ZelfClient client = Sandbox.client().timeout(Duration.ofSeconds(60)).build()) {
            CompletableFuture<Session> future = client.createSessionAsync(Sandbox.options());
            Sandbox.awaitRequest("/api/sessions");
            assertTrue(future.cancel(true));
            assertThrows(CancellationException.class, () -> future.get(1, TimeUnit.SECONDS));
            Sandbox.awaitCallbacks();
        }
    }

    @Test
    @DisplayName("a future that times out by orTimeout ends its call")
    void orTimeout() throws Exception {
        Sandbox.fault(STALL);
        try (ZelfClient client = Sandbox.client().timeout(Duration.ofSeconds(60)).build()) {
            CompletableFuture<Session> future =
                    client.createSessionAsync(Sandbox.options()).orTimeout(100, TimeUnit.MILLISECONDS);
            ExecutionException failure =
                    assertThrows(ExecutionException.class, () -> future.get(10, TimeUnit.SECONDS));
            assertInstanceOf(TimeoutException.class, failure.getCause());
            Sandbox.awaitCallbacks();
        }
    }

    @Test
    @DisplayName("twenty sessions are created at once")
    void twenty() throws Exception {
        Sandbox.fault("{\"kind\":\"delay\",\"ms\":500,\"path\":\"/api/sessions\"}");
        try (ZelfClient client = Sandbox.client().timeout(Duration.ofSeconds(30)).build()) {
            Instant begin = Instant.now();
            List<CompletableFuture<Session>> futures = new ArrayList<>();
            Set<String> wanted = new HashSet<>();
            for (int number = 0; number < 20; number++) {
                String identifier = Sandbox.identifier();
                wanted.add(identifier);
                futures.add(client.createSessionAsync(SessionOptions.of(identifier)));
            }
            Set<String> got = new HashSet<>();
            for (CompletableFuture<Session> future : futures) {
                try (Session session = future.get(30, TimeUnit.SECONDS)) {
                    got.add(session.identifier().orElseThrow());
                }
            }
            assertEquals(wanted, got);
            // One after the other takes 10 s.
            assertTrue(Duration.between(begin, Instant.now()).toSeconds() < 8);
        }
    }

    @Test
    @DisplayName("what an executor throws ends the future, and a rejection completes it")
    void executorThrows() throws Exception {
        for (Throwable thrown : new Throwable[] {new IllegalStateException("closed"), new StackOverflowError()}) {
            Executor executor = task -> {
                if (thrown instanceof Error error) {
                    throw error;
                }
                throw (RuntimeException) thrown;
            };
            try (ZelfClient client = Sandbox.client().executor(executor).build()) {
                CompletableFuture<Session> future = client.createSessionAsync(Sandbox.options());
                ExecutionException failure =
                        assertThrows(ExecutionException.class, () -> future.get(10, TimeUnit.SECONDS));
                assertEquals(thrown, failure.getCause());
            }
        }
        Executor rejecting = task -> {
            throw new RejectedExecutionException();
        };
        try (ZelfClient client = Sandbox.client().executor(rejecting).build()) {
            client.createSessionAsync(Sandbox.options()).get(10, TimeUnit.SECONDS).close();
        }
    }

    @Test
    @DisplayName("a stage of a future may block, and does not hold up other calls")
    void stages() throws Exception {
        try (ZelfClient client = Sandbox.client().build()) {
            CompletableFuture<String> other = new CompletableFuture<>();
            // Its stage waits for a later call of the same client.
            CompletableFuture<String> first = client.createSessionAsync(Sandbox.options())
                    .thenApply(session -> {
                        session.close();
                        return other.join();
                    });
            client.createSessionAsync(Sandbox.options()).thenAccept(session -> {
                try (session) {
                    other.complete(session.token());
                }
            });
            assertTrue(first.get(10, TimeUnit.SECONDS).startsWith("eyJ"));
        }
    }

    @Test
    @DisplayName("a future of a valid session is complete at once, while the thread of the callbacks is busy")
    void current() throws Exception {
        CountDownLatch busy = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        try (ZelfClient client = Sandbox.client().executor(Runnable::run).build();
                SessionProvider provider = SessionProvider.create(client, Sandbox.options());
                Session session = provider.get()) {
            CompletableFuture<Void> blocked = client.createSessionAsync(Sandbox.options()).thenAccept(other -> {
                other.close();
                busy.countDown();
                try {
                    end.await();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            });
            assertTrue(busy.await(10, TimeUnit.SECONDS));
            try (Session current = provider.getAsync().getNow(null)) {
                assertEquals(session.token(), current.token());
            } finally {
                end.countDown();
            }
            blocked.get(10, TimeUnit.SECONDS);
        }
    }

    @Test
    @DisplayName("a stage of a future may close the client")
    void closeInStage() throws Exception {
        ZelfClient client = Sandbox.client().executor(Runnable::run).build();
        CompletableFuture<Void> closed = client.createSessionAsync(Sandbox.options()).thenAccept(session -> {
            session.close();
            client.close();
        });
        closed.get(10, TimeUnit.SECONDS);
        assertThrows(IllegalStateException.class, () -> client.createSession(Sandbox.options()));
    }

    @Test
    @DisplayName("the failure of an asynchronous call is the cause of its future's exception")
    void failure() {
        try (ZelfClient client = Sandbox.client().build()) {
            ExecutionException failure = assertThrows(ExecutionException.class,
                    () -> client.createSessionAsync(SessionOptions.of("")).get(10, TimeUnit.SECONDS));
            assertInstanceOf(ZelfException.InvalidArgument.class, failure.getCause());
        }
    }

    @Test
    @DisplayName("a client that nobody holds goes on with its call")
    void unreachable() throws Exception {
        Sandbox.fault("{\"kind\":\"delay\",\"ms\":300,\"path\":\"/api/sessions\"}");
        CompletableFuture<Session> future = Sandbox.client().build().createSessionAsync(Sandbox.options());
        while (!future.isDone()) {
            System.gc();
            Thread.sleep(10);
        }
        try (Session session = future.get()) {
            assertTrue(session.token().startsWith("eyJ"));
        }
    }

    @Test
    @DisplayName("an asynchronous request with a session sends its token, and is not renewed")
    void sendWithSession() throws Exception {
        SessionOptions options = SessionOptions.of(Sandbox.identifier());
        try (ZelfClient client = Sandbox.client().build(); Session session = client.createSession(options)) {
            assertEquals(200, status(client.sendAsync(session, Request.get(Sandbox.ROUTE))));
            assertEquals(401, status(client.sendAsync(null, Request.get(Sandbox.ROUTE))));
            Sandbox.use(session.identifier().orElseThrow());
            Sandbox.control("DELETE", "/sandbox/requests", "");
            assertEquals(403, status(client.sendAsync(session, Request.get(Sandbox.ROUTE))));
            assertEquals(1, Sandbox.requests("").size());
        }
    }

    private static int status(CompletableFuture<Response> future) throws Exception {
        try (Response response = future.get(10, TimeUnit.SECONDS)) {
            return response.httpStatus();
        }
    }

    @Test
    @DisplayName("an asynchronous request with a session can be cancelled")
    void cancelSendWithSession() throws Exception {
        Sandbox.fault("{\"kind\":\"stall\",\"stage\":\"request\",\"path\":\"/sandbox/echo\"}");
        try (ZelfClient client = Sandbox.client().build();
                Session session = client.createSession(Sandbox.options())) {
            CompletableFuture<Response> future = client.sendAsync(session, Request.get("/sandbox/echo"));
            Sandbox.awaitRequest("/sandbox/echo");
            assertTrue(future.cancel(true));
            Sandbox.awaitCallbacks();
        }
    }

    @Test
    @DisplayName("an asynchronous request can be cancelled, and its provider works on")
    void cancelRequest() throws Exception {
        SessionOptions options = Sandbox.options();
        try (ZelfClient client = Sandbox.client().build();
                SessionProvider provider = SessionProvider.create(client, options)) {
            Sandbox.fault("{\"kind\":\"stall\",\"stage\":\"request\",\"path\":\"/sandbox/echo\"}");
            CompletableFuture<Response> future =
                    provider.sendAsync(Request.get("/sandbox/echo?id=" + Sandbox.identifier()));
            Sandbox.awaitRequest("/sandbox/echo");
            assertTrue(future.cancel(true));
            Sandbox.awaitCallbacks();
            Sandbox.removeFaults();
            try (Response response = provider.sendAsync(Request.get("/sandbox/echo")).get(10, TimeUnit.SECONDS)) {
                assertEquals(200, response.httpStatus());
            }
        }
    }
}
