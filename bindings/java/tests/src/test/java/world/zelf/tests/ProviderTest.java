// SPDX-License-Identifier: MIT OR Apache-2.0

package world.zelf.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import world.zelf.Request;
import world.zelf.Response;
import world.zelf.Session;
import world.zelf.SessionOptions;
import world.zelf.SessionProvider;
import world.zelf.ZelfClient;
import world.zelf.ZelfException;

final class ProviderTest {
    private final String identifier = Sandbox.identifier();
    private final SessionOptions options = SessionOptions.of(identifier);

    @AfterEach
    void reset() {
        Sandbox.reset();
    }

    private static String token(SessionProvider provider) {
        try (Session session = provider.get()) {
            return session.token();
        }
    }

    @Test
    @DisplayName("a provider hands out one session, and renews it when it has too little left")
    void expiry() throws Exception {
        try (ZelfClient client = Sandbox.client().build();
                SessionProvider provider = SessionProvider.builder(client, options)
                        .minValid(Duration.ofSeconds(5)).build()) {
            client.createSession(options).close();
            // 8 s are left.
            Sandbox.age(identifier, 592);
            String first = token(provider);
            assertEquals(first, token(provider));
            String second = first;
            for (int tries = 0; second.equals(first) && tries < 1000; tries++) {
                Thread.sleep(10);
                second = token(provider);
            }
            assertNotEquals(first, second);
            try (Session session = provider.get()) {
                assertTrue(session.timeLeft().toSeconds() > 590);
            }
        }
    }

    @Test
    @DisplayName("a provider replaces a session that a route refused")
    void rejection() throws Exception {
        try (ZelfClient client = Sandbox.client().build();
                SessionProvider provider = SessionProvider.create(client, options);
                Session first = provider.get()) {
            Sandbox.use(identifier);
            try (Response response = client.send(first, Request.get(Sandbox.ROUTE))) {
                assertEquals(403, response.httpStatus());
                assertEquals(Optional.of("Session is not active"), response.serverMessage());
                assertTrue(provider.invalidateIfRefused(first, response.httpStatus(), response.body()));
            }
            assertFalse(provider.invalidate(first), "it is no longer held");
            try (Session second = provider.getAsync().get(10, TimeUnit.SECONDS)) {
                assertNotEquals(first.token(), second.token());
                try (Response response = client.send(second, Request.get(Sandbox.ROUTE))) {
                    assertEquals(200, response.httpStatus());
                }
                assertTrue(provider.invalidate(second));
            }
        }
    }

    @Test
    @DisplayName("an answer about a quota does not invalidate the session")
    void quota() {
        try (ZelfClient client = Sandbox.client().build();
                SessionProvider provider = SessionProvider.create(client, options);
                Session session = provider.get()) {
            byte[] body = "{\"error\":\"Search limit exceeded\"}".getBytes(StandardCharsets.UTF_8);
            assertFalse(provider.invalidateIfRefused(session, 403, body));
            assertFalse(provider.invalidateIfRefused(session, 200, new byte[0]));
            assertEquals(session.token(), token(provider));
        }
    }

    @Test
    @DisplayName("a provider tells why its last renewal failed, and when it tries again")
    void lastError() {
        try (ZelfClient client = Sandbox.client().maxAttempts(1).build();
                SessionProvider provider = SessionProvider.create(client, options)) {
            assertEquals(Optional.empty(), provider.lastError());
            Sandbox.fault("{\"kind\":\"answer\",\"status\":429,\"error\":\"slow down\","
                    + "\"path\":\"/api/sessions\",\"headers\":{\"Retry-After\":\"60\"}}");
            ZelfException thrown = assertThrows(ZelfException.RateLimited.class, provider::get);
            ZelfException last = provider.lastError().orElseThrow();
            assertEquals(thrown.getMessage(), last.getMessage());
            assertTrue(last.retryAfter().toSeconds() > 50 && last.retryAfter().toSeconds() <= 60);
        }
    }

    @Test
    @DisplayName("a provider reports a new session, and closes it after the report")
    void renewed() {
        List<String> tokens = new CopyOnWriteArrayList<>();
        List<Session> sessions = new CopyOnWriteArrayList<>();
        try (ZelfClient client = Sandbox.client().build();
                SessionProvider provider = SessionProvider.builder(client, options)
                        .onRenewed(session -> {
                            tokens.add(session.token());
                            sessions.add(session);
                        }).build()) {
            String first = token(provider);
            assertEquals(List.of(first), tokens);
            assertThrows(IllegalStateException.class, sessions.get(0)::token);
            Sandbox.use(identifier);
            try (Response response = provider.send(Request.get(Sandbox.ROUTE))) {
                assertEquals(200, response.httpStatus());
            }
            assertEquals(List.of(first, token(provider)), tokens);
        }
    }

    @Test
    @DisplayName("a report of a new session waits for the threads that use its session")
    void lent() throws Exception {
        CountDownLatch isUsed = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        // What every method of a session calls.
        Method with = Session.class.getDeclaredMethod("with", Function.class);
        with.setAccessible(true);
        Function<Object, Object> use = pointer -> {
            isUsed.countDown();
            try {
                return end.await(10, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        };
        try (ZelfClient client = Sandbox.client().build();
                SessionProvider provider = SessionProvider.builder(client, options).onRenewed(session -> {
                    CompletableFuture.runAsync(() -> {
                        try {
                            with.invoke(session, use);
                        } catch (ReflectiveOperationException e) {
                            throw new AssertionError(e);
                        }
                    });
                    try {
                        isUsed.await();
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                }).build()) {
            CompletableFuture<String> call = CompletableFuture.supplyAsync(() -> token(provider));
            assertTrue(isUsed.await(10, TimeUnit.SECONDS));
            assertThrows(TimeoutException.class, () -> call.get(300, TimeUnit.MILLISECONDS));
            end.countDown();
            assertTrue(call.get(10, TimeUnit.SECONDS).startsWith("eyJ"));
        }
    }

    @Test
    @DisplayName("a provider stores its session in a directory, and renews in the background")
    void directory(@TempDir Path directory) throws Exception {
        Files.setPosixFilePermissions(directory,
                java.nio.file.attribute.PosixFilePermissions.fromString("rwx------"));
        try (ZelfClient client = Sandbox.client().build()) {
            String first;
            try (SessionProvider provider = SessionProvider.builder(client, options)
                    .renewal(SessionProvider.Renewal.EARLY).directory(directory).build()) {
                first = token(provider);
            }
            try (Stream<Path> files = Files.list(directory)) {
                assertTrue(files.findAny().isPresent());
            }
            Sandbox.fault("{\"kind\":\"answer\",\"status\":500,\"path\":\"/api/sessions\"}");
            try (SessionProvider provider = SessionProvider.builder(client, options)
                    .renewal(SessionProvider.Renewal.EARLY).directory(directory).background(true).build()) {
                assertEquals(first, token(provider));
            }
        }
    }

    @Test
    @DisplayName("a request is sent with the token, and its JSON comes back")
    void request() {
        try (ZelfClient client = Sandbox.client().build();
                SessionProvider provider = SessionProvider.create(client, options)) {
            Request request = Request.builder("POST", "/sandbox/echo?check=session&id=" + identifier)
                    .header("X-Test", "a").header("X-Other", "b").header("x-other", null)
                    .json("{\"n\":\"é\"}").timeout(Sandbox.LONG).maxResponseBytes(1000).repeatable(true).build();
            try (Response response = provider.send(request)) {
                assertEquals(200, response.httpStatus());
                assertEquals("{\"n\":\"é\"}", response.text());
                assertEquals(Optional.of("application/json"), response.header("content-TYPE"));
                assertEquals(Optional.empty(), response.header("x-none"));
                assertEquals(Optional.empty(), response.serverMessage());
            }
            String sent = Sandbox.requests("id=" + identifier).get(0).toLowerCase();
            assertTrue(sent.contains("x-test"));
            assertFalse(sent.contains("x-other"));
            try (Response response = provider.send(Request.get(Sandbox.ROUTE))) {
                assertTrue(response.text().contains("\"zelfName\":\"java.zelf\""));
            }
        }
    }

    @Test
    @DisplayName("a request whose session has ended is sent again with a new session")
    void renewedRequest() throws Exception {
        try (ZelfClient client = Sandbox.client().build();
                SessionProvider provider = SessionProvider.create(client, options)) {
            String first = token(provider);
            Sandbox.use(identifier);
            try (Response response = provider.send(Request.get(Sandbox.ROUTE))) {
                assertEquals(200, response.httpStatus());
            }
            String second = token(provider);
            assertNotEquals(first, second);
            Sandbox.use(identifier);
            try (Response response = provider.sendAsync(Request.get(Sandbox.ROUTE)).get(10, TimeUnit.SECONDS)) {
                assertEquals(200, response.httpStatus());
            }
            assertNotEquals(second, token(provider));
        }
    }

    @Test
    @DisplayName("a response has every byte of its body, up to the limit of its request")
    void bytes() {
        try (ZelfClient client = Sandbox.client().build()) {
            byte[] expected = new byte[100_000];
            for (int i = 0; i < expected.length; i++) {
                expected[i] = (byte) (i % 251);
            }
            try (Response response = client.send(null, Request.get("/sandbox/bytes/100000"))) {
                assertArrayEquals(expected, response.body());
            }
            try (Response response = client.send(null, Request.get("/sandbox/bytes/0"))) {
                assertEquals(0, response.body().length);
            }
            ZelfException failure = assertThrows(ZelfException.class, () -> client.send(null,
                    Request.builder("GET", "/sandbox/bytes/100000").maxResponseBytes(99_999).build()));
            assertEquals("ZELF_ERROR_RESPONSE_TOO_LARGE", failure.statusName());
            try (Response response = client.send(null, Request.builder("PUT", "/sandbox/echo")
                    .body(expected, "application/octet-stream").build())) {
                assertArrayEquals(expected, response.body());
            }
        }
    }
}
