// SPDX-License-Identifier: MIT OR Apache-2.0

package world.zelf.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.lang.reflect.Method;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import world.zelf.Session;
import world.zelf.SessionOptions;
import world.zelf.SessionProvider;
import world.zelf.Zelf;
import world.zelf.ZelfClient;
import world.zelf.ZelfException;

final class ErrorTest {
    @AfterEach
    void reset() {
        Sandbox.reset();
    }

    /** Returns the exception of a call while a fault strikes. */
    private static <E extends ZelfException> E failure(Class<E> type, int status, String fault,
            ZelfClient.Builder builder) {
        if (fault != null) {
            Sandbox.fault(fault);
        }
        try (ZelfClient client = builder.maxAttempts(1).build()) {
            E failure = assertThrows(type, () -> client.createSession(Sandbox.options()));
            assertEquals(status, failure.status(), failure.toString());
            assertFalse(failure.getMessage().isEmpty());
            return failure;
        }
    }

    @Test
    @DisplayName("an origin that the server refuses is a RejectedOrigin, with the server's words")
    void rejectedOrigin() {
        ZelfException failure = failure(ZelfException.RejectedOrigin.class, Zelf.ERROR_REJECTED_ORIGIN,
                "{\"kind\":\"answer\",\"status\":403,\"error\":\"rejected\",\"path\":\"/api/sessions\"}",
                Sandbox.client());
        assertEquals("ZELF_ERROR_REJECTED_ORIGIN", failure.statusName());
        assertEquals(403, failure.httpStatus());
        assertEquals(Optional.of("rejected"), failure.serverMessage());
        assertFalse(failure.isRetryable());
        assertEquals(Duration.ZERO, failure.retryAfter());
    }

    @Test
    @DisplayName("a time limit that passes is a Timeout")
    void timeout() {
        Instant begin = Instant.now();
        ZelfException failure = failure(ZelfException.Timeout.class, Zelf.ERROR_TIMEOUT,
                "{\"kind\":\"stall\",\"stage\":\"request\",\"path\":\"/api/sessions\"}",
                Sandbox.client().timeout(Duration.ofMillis(300)));
        assertTrue(failure.isRetryable());
        assertEquals(0, failure.httpStatus());
        long elapsed = Duration.between(begin, Instant.now()).toMillis();
        assertTrue(elapsed >= 300 && elapsed < 5000, () -> elapsed + " ms");
    }

    @Test
    @DisplayName("a certificate that is not trusted is a Tls")
    void tls() {
        failure(ZelfException.Tls.class, Zelf.ERROR_TLS, null, Sandbox.client().caFile(Sandbox.OTHER_CA));
    }

    @Test
    @DisplayName("an unusable argument or setting is an InvalidArgument")
    void invalidArgument() {
        try (ZelfClient client = Sandbox.client().build()) {
            ZelfException failure = assertThrows(ZelfException.InvalidArgument.class,
                    () -> client.createSession(SessionOptions.of("undefined")));
            assertEquals(Zelf.ERROR_INVALID_ARGUMENT, failure.status());
            assertTrue(failure.getMessage().contains("identifier"));
            assertThrows(ZelfException.InvalidArgument.class,
                    () -> SessionProvider.create(client, SessionOptions.builder().build()));
        }
        ZelfException failure = assertThrows(ZelfException.InvalidArgument.class,
                () -> ZelfClient.builder().baseUrl("http://api.example").build());
        assertEquals(Zelf.ERROR_INVALID_CONFIG, failure.status());
    }

    @Test
    @DisplayName("too many requests are a RateLimited, with its delay")
    void rateLimited() {
        ZelfException failure = failure(ZelfException.RateLimited.class, Zelf.ERROR_RATE_LIMITED,
                "{\"kind\":\"answer\",\"status\":429,\"error\":\"slow down\",\"path\":\"/api/sessions\","
                        + "\"headers\":{\"Retry-After\":\"7\"}}", Sandbox.client());
        assertEquals(Duration.ofSeconds(7), failure.retryAfter());
        assertEquals(429, failure.httpStatus());
        assertTrue(failure.isRetryable());
    }

    @Test
    @DisplayName("a server that fails is a Server")
    void server() {
        ZelfException failure = failure(ZelfException.Server.class, Zelf.ERROR_SERVER,
                "{\"kind\":\"answer\",\"status\":500,\"error\":\"no database\",\"path\":\"/api/sessions\"}",
                Sandbox.client());
        assertEquals(Optional.of("no database"), failure.serverMessage());
    }

    @Test
    @DisplayName("a server that is not there or hangs up is a Connection")
    void connection() {
        failure(ZelfException.Connection.class, Zelf.ERROR_CONNECT, null,
                Sandbox.client().baseUrl("https://127.0.0.1:9"));
        failure(ZelfException.Connection.class, Zelf.ERROR_DNS, null,
                Sandbox.client().baseUrl("https://nowhere.invalid"));
        failure(ZelfException.Connection.class, Zelf.ERROR_CONNECTION_LOST,
                "{\"kind\":\"reset\",\"stage\":\"answer\",\"path\":\"/api/sessions\"}", Sandbox.client());
    }

    @Test
    @DisplayName("a client that is shut down cancels its calls with a Cancelled")
    void cancelled() throws Exception {
        Sandbox.fault("{\"kind\":\"stall\",\"stage\":\"request\",\"path\":\"/api/sessions\"}");
        try (ZelfClient client = Sandbox.client().build()) {
            CompletableFuture<Session> future = client.createSessionAsync(Sandbox.options());
            assertTrue(client.shutdown(Sandbox.LONG));
            ExecutionException failure =
                    assertThrows(ExecutionException.class, () -> future.get(10, TimeUnit.SECONDS));
            assertEquals(Zelf.ERROR_CANCELLED,
                    assertInstanceOf(ZelfException.Cancelled.class, failure.getCause()).status());
            ZelfException late =
                    assertThrows(ZelfException.class, () -> client.createSession(Sandbox.options()));
            assertEquals(Zelf.ERROR_SHUT_DOWN, late.status());
        }
    }

    @Test
    @DisplayName("a status of a newer library is a ZelfException with its number")
    void unknownStatus() throws Exception {
        Method of = ZelfException.class.getDeclaredMethod("of", int.class);
        of.setAccessible(true);
        ZelfException failure = (ZelfException) of.invoke(null, 999);
        assertEquals(ZelfException.class, failure.getClass());
        assertEquals(999, failure.status());
        assertEquals("ZELF_ERROR_UNKNOWN", failure.statusName());
    }

    @Test
    @DisplayName("an exception can be serialised")
    void serialised() throws Exception {
        ZelfException failure = assertThrows(ZelfException.InvalidArgument.class,
                () -> ZelfClient.builder().baseUrl("x").build());
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        new ObjectOutputStream(bytes).writeObject(failure);
        ZelfException copy = (ZelfException) new ObjectInputStream(
                new ByteArrayInputStream(bytes.toByteArray())).readObject();
        assertEquals(failure.toString(), copy.toString());
        assertEquals(failure.status(), copy.status());
    }

    @Test
    @DisplayName("a duration that is not positive or too long is an IllegalArgumentException")
    void durations() {
        for (Duration wrong : new Duration[] {Duration.ZERO, Duration.ofSeconds(-1), Duration.ofDays(50)}) {
            assertThrows(IllegalArgumentException.class, () -> ZelfClient.builder().timeout(wrong));
        }
    }
}
