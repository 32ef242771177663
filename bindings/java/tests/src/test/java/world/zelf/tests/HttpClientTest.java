// SPDX-License-Identifier: MIT OR Apache-2.0

package world.zelf.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import world.zelf.Session;
import world.zelf.SessionOptions;
import world.zelf.SessionProvider;
import world.zelf.ZelfClient;
import world.zelf.ZelfException;
import world.zelf.ZelfHttpClient;

final class HttpClientTest {
    private final String identifier = Sandbox.identifier();
    private ZelfClient client;
    private SessionProvider provider;
    private HttpClient http;

    @BeforeEach
    void open() throws Exception {
        client = Sandbox.client().origin("https://java.example").build();
        provider = SessionProvider.create(client, SessionOptions.of(identifier));
        http = new ZelfHttpClient(provider, Sandbox.http().build());
    }

    @AfterEach
    void close() {
        Sandbox.reset();
        provider.close();
        client.close();
    }

    private static HttpRequest.Builder request(String target) {
        return HttpRequest.newBuilder(URI.create(Sandbox.HTTPS + target)).timeout(Sandbox.LONG);
    }

    private String token() {
        try (Session session = provider.get()) {
            return session.token();
        }
    }

    @Test
    @DisplayName("the HttpClient puts the token and the origin on a request")
    void sends() throws Exception {
        URI uri = URI.create(Sandbox.HTTPS.replace("localhost", "LOCALHOST")
                + "/sandbox/echo?check=session&id=" + identifier);
        HttpResponse<String> response = http.send(
                HttpRequest.newBuilder(uri).header("X-Own", "kept")
                        .POST(BodyPublishers.ofString("hello")).build(), BodyHandlers.ofString());
        assertEquals(200, response.statusCode());
        assertEquals("hello", response.body());
        String sent = Sandbox.requests("id=" + identifier).get(0);
        assertTrue(sent.contains("https://java.example") && sent.contains("kept"), sent);
    }

    @Test
    @DisplayName("the HttpClient renews a refused session and sends the request once more")
    void renews() throws Exception {
        String first = token();
        Sandbox.use(identifier);
        HttpResponse<String> response = http.send(request(Sandbox.ROUTE).build(), BodyHandlers.ofString());
        assertEquals(200, response.statusCode());
        assertTrue(response.body().contains("\"zelfName\":\"java.zelf\""));
        String second = token();
        assertNotEquals(first, second);
        Sandbox.use(identifier);
        HttpResponse<String> later = http.sendAsync(request(Sandbox.ROUTE).build(), BodyHandlers.ofString())
                .get(10, TimeUnit.SECONDS);
        assertEquals(200, later.statusCode());
        assertNotEquals(second, token());
    }

    @Test
    @DisplayName("the HttpClient gives the second refusal to the program, with its body")
    void refusedTwice() throws Exception {
        Sandbox.fault("{\"kind\":\"refusal\",\"as\":\"not_active\",\"path\":\"/sandbox/echo\"}");
        for (boolean isAsync : new boolean[] {false, true}) {
            String id = Sandbox.identifier();
            HttpRequest request = request("/sandbox/echo?id=" + id).build();
            HttpResponse<String> response = isAsync
                    ? http.sendAsync(request, BodyHandlers.ofString()).get(10, TimeUnit.SECONDS)
                    : http.send(request, BodyHandlers.ofString());
            assertEquals(403, response.statusCode());
            assertTrue(response.body().contains("Session is not active"));
            assertEquals(2, Sandbox.requests("id=" + id).size(), "two requests");
        }
    }

    @Test
    @DisplayName("the HttpClient hands on every byte of a 403 that does not refuse the session")
    void otherAnswers() throws Exception {
        String first = token();
        for (int length : new int[] {0, 1, 65_535, 65_536, 65_537, 1_000_000}) {
            byte[] expected = new byte[length];
            for (int i = 0; i < length; i++) {
                expected[i] = (byte) (i % 251);
            }
            HttpRequest request = request("/sandbox/bytes/" + length + "?status=403").build();
            assertArrayEquals(expected, http.send(request, BodyHandlers.ofByteArray()).body());
            try (InputStream body = http.send(request, BodyHandlers.ofInputStream()).body()) {
                assertArrayEquals(expected, body.readAllBytes());
            }
            assertArrayEquals(expected, http.sendAsync(request, BodyHandlers.buffering(
                    BodyHandlers.ofByteArray(), 1000)).get(10, TimeUnit.SECONDS).body());
            http.send(request, BodyHandlers.discarding());
        }
        Sandbox.fault("{\"kind\":\"refusal\",\"as\":\"search_limit\",\"path\":\"/sandbox/echo\"}");
        try (Stream<String> lines = http.send(request("/sandbox/echo").build(), BodyHandlers.ofLines()).body()) {
            assertTrue(lines.findFirst().orElseThrow().contains("Search limit exceeded"));
        }
        assertEquals(first, token());
    }

    @Test
    @DisplayName("the HttpClient sends a request to another origin unchanged, without the token")
    void otherOrigin() throws Exception {
        String id = Sandbox.identifier();
        URI other = URI.create(System.getenv("ZELF_HTTP") + "/sandbox/echo?id=" + id);
        assertEquals(200, http.send(HttpRequest.newBuilder(other).build(), BodyHandlers.discarding()).statusCode());
        assertEquals(200, http.sendAsync(HttpRequest.newBuilder(other).build(), BodyHandlers.discarding())
                .get(10, TimeUnit.SECONDS).statusCode());
        assertEquals(2, Sandbox.requests(id).size());
        for (String sent : Sandbox.requests(id)) {
            assertFalse(sent.toLowerCase().contains("authorization"), sent);
        }
    }

    @Test
    @DisplayName("the HttpClient refuses to send with a client that follows redirects")
    void redirects() throws Exception {
        HttpClient following = Sandbox.http().followRedirects(HttpClient.Redirect.NORMAL).build();
        assertThrows(IllegalArgumentException.class, () -> new ZelfHttpClient(provider, following));
    }

    @Test
    @DisplayName("the HttpClient fails with the exception of the session or of the connection")
    void failures() {
        Sandbox.fault("{\"kind\":\"answer\",\"status\":403,\"error\":\"rejected\",\"path\":\"/api/sessions\"}");
        HttpRequest request = request("/sandbox/echo").build();
        assertThrows(ZelfException.RejectedOrigin.class, () -> http.send(request, BodyHandlers.discarding()));
        ExecutionException failure = assertThrows(ExecutionException.class,
                () -> http.sendAsync(request, BodyHandlers.discarding()).get(10, TimeUnit.SECONDS));
        assertInstanceOf(ZelfException.RejectedOrigin.class, failure.getCause());
    }

    @Test
    @DisplayName("a future of the HttpClient can be cancelled while it waits for a session or an answer")
    void cancel() throws Exception {
        Sandbox.fault("{\"kind\":\"stall\",\"stage\":\"request\",\"path\":\"/api/sessions\"}");
        CompletableFuture<HttpResponse<Void>> waiting =
                http.sendAsync(request("/sandbox/echo").build(), BodyHandlers.discarding());
        assertTrue(waiting.cancel(true));
        Sandbox.awaitCallbacks();
        Sandbox.removeFaults();
        token();
        Sandbox.fault("{\"kind\":\"stall\",\"stage\":\"request\",\"path\":\"/sandbox/echo\"}");
        String id = Sandbox.identifier();
        CompletableFuture<HttpResponse<Void>> sent =
                http.sendAsync(request("/sandbox/echo?id=" + id).build(), BodyHandlers.discarding());
        Sandbox.awaitRequest("id=" + id);
        assertTrue(sent.cancel(true));
        assertThrows(CancellationException.class, () -> sent.get(1, TimeUnit.SECONDS));
    }
}
