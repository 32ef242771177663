// SPDX-License-Identifier: MIT OR Apache-2.0

package world.zelf.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.NotSerializableException;
import java.io.ObjectOutputStream;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import world.zelf.Identifiers;
import world.zelf.Request;
import world.zelf.Response;
import world.zelf.Session;
import world.zelf.SessionOptions;
import world.zelf.SessionProvider;
import world.zelf.ZelfClient;
import world.zelf.ZelfException;

final class SessionTest {
    @AfterEach
    void reset() {
        Sandbox.reset();
    }

    @Test
    @DisplayName("a client creates a session over TLS, and reads its token and times")
    void session() {
        String identifier = Sandbox.identifier();
        try (ZelfClient client = Sandbox.client().build();
                Session session = client.createSession(SessionOptions.of(identifier))) {
            assertTrue(session.token().matches("eyJ[\\w-]+\\.[\\w-]+\\.[\\w-]+"));
            assertEquals("Bearer " + session.token(), session.authorization());
            assertEquals(Optional.of(identifier), session.identifier());
            assertEquals(Optional.of("zelf"), session.domain());
            assertTrue(session.id().isPresent());
            Instant activated = session.activatedAt().orElseThrow();
            assertTrue(Duration.between(activated, Instant.now()).abs().toMinutes() < 1);
            assertEquals(activated.plusSeconds(600), session.expiresAt());
            assertTrue(session.timeLeft().toSeconds() > 590 && session.timeLeft().toSeconds() <= 600);
        }
    }

    @Test
    @DisplayName("a client tells its base URL and its origin")
    void addresses() {
        ZelfClient client = Sandbox.client().baseUrl("HTTPS://LOCALHOST:443/v1/").build();
        client.close();
        assertEquals("https://localhost/v1", client.baseUrl());
        assertEquals("https://localhost", client.origin());
    }

    @Test
    @DisplayName("every option of a session is sent")
    void options() {
        String identifier = Sandbox.identifier();
        SessionOptions options = SessionOptions.builder().identifier(identifier)
                .type(SessionOptions.Type.DECRYPT_WALLET).webExtension(true).domain("avax")
                .tagName(identifier + ".zelf").ethAddress("0xabc").killSession(true).confirm(false).build();
        try (ZelfClient client = Sandbox.client().build(); Session session = client.createSession(options)) {
            assertEquals(Optional.of("avax"), session.domain());
            assertEquals(Optional.of(identifier + ".zelf"), session.tagName());
            assertEquals(Optional.of("0xabc"), session.ethAddress());
        }
        String sent = Sandbox.requests(identifier).get(0);
        for (String member : List.of("decryptWallet", "isWebExtension", "killSession")) {
            assertTrue(sent.contains(member), () -> member + " is not in " + sent);
        }
    }

    @Test
    @DisplayName("every setting of a client is used")
    void settings() throws Exception {
        String identifier = Sandbox.identifier();
        Queue<String> log = new ConcurrentLinkedQueue<>();
        try (ZelfClient client = ZelfClient.builder().baseUrl(Sandbox.HTTPS).origin("https://java.example")
                .userAgent("java-test/1").timeout(Sandbox.LONG).connectTimeout(Duration.ofSeconds(9))
                .maxAttempts(2).caPem(Files.readString(Sandbox.CA)).addPin(Sandbox.PIN).proxy(null)
                .proxyFromEnv(false).log(Level.DEBUG, (level, message) -> log.add(level + " " + message))
                .executor(Runnable::run).build();
                Session session = client.createSession(SessionOptions.of(identifier))) {
            assertEquals(Optional.of(identifier), session.identifier());
            assertTrue(log.stream().anyMatch(line -> line.startsWith("DEBUG ")), log::toString);
            assertTrue(log.stream().noneMatch(line -> line.contains(session.token())));
        }
        String sent = Sandbox.requests(identifier).get(0);
        assertTrue(sent.contains("https://java.example") && sent.contains("java-test/1"));
        assertThrows(ZelfException.Tls.class, () -> {
            String other = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
            try (ZelfClient client = Sandbox.client().addPin(other).build()) {
                client.createSession(Sandbox.options());
            }
        });
        assertThrows(ZelfException.Connection.class, () -> {
            try (ZelfClient client = Sandbox.client().proxy("http://127.0.0.1:9").maxAttempts(1).build()) {
                client.createSession(Sandbox.options());
            }
        });
    }

    @Test
    @DisplayName("the log reports each failure, and an exception in it harms nothing")
    void log() {
        Queue<String> uncaught = new ConcurrentLinkedQueue<>();
        Thread.UncaughtExceptionHandler before = Thread.getDefaultUncaughtExceptionHandler();
        Thread.setDefaultUncaughtExceptionHandler((thread, failure) -> uncaught.add(failure.getMessage()));
        try (ZelfClient client = Sandbox.client().log(Level.ERROR, (level, message) -> {
            throw new IllegalStateException(level + " " + message);
        }).build()) {
            ZelfException failure = assertThrows(ZelfException.InvalidArgument.class,
                    () -> client.createSession(SessionOptions.of("")));
            assertEquals(List.of("ERROR " + failure.getMessage()), List.copyOf(uncaught));
        } finally {
            Thread.setDefaultUncaughtExceptionHandler(before);
        }
    }

    @Test
    @DisplayName("identifiers are random, or derived from a device id")
    void identifiers() {
        assertTrue(Identifiers.random().matches("[0-9a-f]{32}"));
        assertNotEquals(Identifiers.random(), Identifiers.random());
        assertTrue(Identifiers.derive("serial 1").matches("[0-9a-f]{32}"));
        assertEquals(Identifiers.derive("serial 1"), Identifiers.derive("serial 1"));
        assertNotEquals(Identifiers.derive("serial 1"), Identifiers.derive("serial 2"));
        assertThrows(ZelfException.InvalidArgument.class, () -> Identifiers.derive(""));
        assertThrows(IllegalArgumentException.class, () -> Identifiers.derive("a\0b"));
        assertThrows(IllegalArgumentException.class, () -> Identifiers.derive("\uD800"));
    }

    @Test
    @DisplayName("no text form of any object contains a token, and a session is not serialised")
    void secrets() throws Exception {
        String identifier = Sandbox.identifier();
        SessionOptions options = SessionOptions.of(identifier);
        List<Object> seen = new ArrayList<>();
        try (ZelfClient client = Sandbox.client().proxy(null).build();
                Session session = client.createSession(options);
                SessionProvider provider = SessionProvider.create(client, options);
                Session same = provider.get()) {
            String token = session.token();
            assertEquals(token, same.token());
            Request request = Request.builder("GET", "/sandbox/echo?password=x&check=token").build();
            try (Response response = provider.send(request)) {
                seen.addAll(List.of(client, session, provider, same, options, request, response));
                seen.add(Optional.of(session));
                seen.add(client.createSessionAsync(options));
            }
            Sandbox.fault("{\"kind\":\"refusal\",\"as\":\"invalid_session\",\"path\":\"/api/sessions\"}");
            seen.add(assertThrows(ZelfException.class, () -> client.createSession(options)));
            String secret = token.substring(token.length() - 20);
            for (Object object : seen) {
                assertFalse(object.toString().contains(secret), object.toString());
                assertFalse(object.toString().contains("password"), object.toString());
            }
            assertTrue(session.toString().contains(identifier));
            assertThrows(NotSerializableException.class,
                    () -> new ObjectOutputStream(new ByteArrayOutputStream()).writeObject(session));
        }
    }

    @Test
    @DisplayName("after close, every object throws IllegalStateException")
    void closed() {
        ZelfClient client = Sandbox.client().build();
        SessionOptions options = Sandbox.options();
        SessionProvider provider = SessionProvider.create(client, options);
        Session session = provider.get();
        Response response = provider.send(Request.get("/sandbox/echo"));
        for (AutoCloseable object : List.of(response, session, provider, client)) {
            for (int times = 0; times < 2; times++) {
                try {
                    object.close();
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            }
        }
        assertThrows(IllegalStateException.class, response::body);
        assertThrows(IllegalStateException.class, () -> response.header("a"));
        assertThrows(IllegalStateException.class, session::token);
        assertThrows(IllegalStateException.class, session::timeLeft);
        assertThrows(IllegalStateException.class, provider::get);
        assertThrows(IllegalStateException.class, provider::getAsync);
        assertThrows(IllegalStateException.class, provider::lastError);
        assertThrows(IllegalStateException.class, () -> provider.send(Request.get("/")));
        assertThrows(IllegalStateException.class, () -> client.createSession(options));
        assertThrows(IllegalStateException.class, () -> client.createSessionAsync(options));
        IllegalStateException failure = assertThrows(IllegalStateException.class,
                () -> SessionProvider.create(client, options));
        assertEquals("the client is closed", failure.getMessage());
        assertEquals("Session[closed]", session.toString());
    }

    @Test
    @DisplayName("a client, a provider and a session may be closed while threads use them")
    void closeWhileInUse() throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(8);
        try {
            for (int round = 0; round < 24; round++) {
                SessionOptions options = Sandbox.options();
                ZelfClient client = Sandbox.client().build();
                SessionProvider provider = SessionProvider.create(client, options);
                Session session = provider.get();
                CountDownLatch started = new CountDownLatch(8);
                AtomicInteger uses = new AtomicInteger();
                List<Future<?>> users = new ArrayList<>();
                for (int thread = 0; thread < 8; thread++) {
                    boolean isCreator = thread == 0;
                    users.add(pool.submit(() -> {
                        started.countDown();
                        try {
                            while (true) {
                                session.token();
                                try (Session got = isCreator ? client.createSession(options) : provider.get()) {
                                    got.timeLeft();
                                }
                                uses.incrementAndGet();
                            }
                        } catch (IllegalStateException closed) {
                            return null;
                        } catch (ZelfException failure) {
                            // From the shutdown to the close.
                            assertEquals("ZELF_ERROR_SHUT_DOWN", failure.statusName());
                            return null;
                        }
                    }));
                }
                started.await();
                while (uses.get() < 20) {
                    Thread.onSpinWait();
                }
                if (round % 3 == 0) {
                    session.close();
                }
                if (round % 3 == 1) {
                    provider.close();
                }
                client.close();
                provider.close();
                session.close();
                for (Future<?> user : users) {
                    assertNull(user.get(10, TimeUnit.SECONDS));
                }
            }
        } finally {
            pool.shutdownNow();
        }
    }

    @Test
    @DisplayName("close returns at once while a blocking call runs, which then ends as usual")
    void closeDuringCall() throws Exception {
        SessionOptions options = Sandbox.options();
        Sandbox.fault("{\"kind\":\"delay\",\"ms\":700,\"path\":\"/api/sessions\"}");
        ZelfClient client = Sandbox.client().build();
        ExecutorService pool = Executors.newSingleThreadExecutor();
        try {
                Future<String> token = pool.submit(() -> {
                try (Session session = client.createSession(options)) {
                    return session.token();
                }
            });
            Sandbox.awaitRequest("/api/sessions");
            Instant begin = Instant.now();
            client.close();
            assertTrue(Duration.between(begin, Instant.now()).toMillis() < 500);
            assertTrue(token.get(10, TimeUnit.SECONDS).startsWith("eyJ"));
        } finally {
            pool.shutdownNow();
        }
    }

    @Test
    @DisplayName("32 threads share a client and a provider")
    void threads() throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(32);
        SessionOptions options = Sandbox.options();
        try (ZelfClient client = Sandbox.client().build();
                SessionProvider provider = SessionProvider.create(client, options)) {
            List<Future<String>> tokens = new ArrayList<>();
            for (int thread = 0; thread < 32; thread++) {
                tokens.add(pool.submit(() -> {
                    String own = Sandbox.identifier();
                    for (int round = 0; round < 10; round++) {
                        try (Session session = client.createSession(SessionOptions.of(own))) {
                            assertEquals(Optional.of(own), session.identifier());
                        }
                        try (Session session = client.createSessionAsync(SessionOptions.of(own)).get()) {
                            assertEquals(Optional.of(own), session.identifier());
                        }
                    }
                    try (Session session = provider.get()) {
                        return session.token();
                    }
                }));
            }
            String first = tokens.get(0).get(30, TimeUnit.SECONDS);
            for (Future<String> token : tokens) {
                assertEquals(first, token.get(30, TimeUnit.SECONDS));
            }
        } finally {
            pool.shutdownNow();
        }
    }
}
