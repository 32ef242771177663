// SPDX-License-Identifier: MIT OR Apache-2.0

package world.zelf.tests;

import java.io.ByteArrayInputStream;
import java.lang.reflect.Field;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import world.zelf.SessionOptions;
import world.zelf.ZelfClient;

/** The running sandbox, and what tests ask of it. */
final class Sandbox {
    static final String HTTPS = System.getenv("ZELF_HTTPS");
    static final Path CA = Path.of(System.getenv("ZELF_CA"));
    static final Path OTHER_CA = Path.of(System.getenv("ZELF_OTHER_CA"));
    static final String PIN = System.getenv("ZELF_PIN");
    private static final String CONTROL = System.getenv("ZELF_CONTROL");

    static final Duration LONG = Duration.ofSeconds(10);
    /** A route that checks that the session exists. */
    static final String ROUTE = "/api/zelf-name-service/v2/search?zelfName=java.zelf";

    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static final AtomicInteger LAST = new AtomicInteger();

    private Sandbox() {}

    static ZelfClient.Builder client() {
        return ZelfClient.builder().baseUrl(HTTPS).caFile(CA).timeout(LONG);
    }

    /** Returns an identifier that no other test has. */
    static String identifier() {
        return "java" + Long.toHexString(ProcessHandle.current().pid()) + "x" + LAST.incrementAndGet();
    }

    static SessionOptions options() {
        return SessionOptions.of(identifier());
    }

    /** Adds a fault that strikes until the faults are removed. */
    static void fault(String json) {
        control("POST", "/sandbox/faults", json);
    }

    static void removeFaults() {
        control("DELETE", "/sandbox/faults", "");
    }

    static void age(String identifier, int seconds) {
        control("POST", "/sandbox/age", "{\"identifier\":\"" + identifier + "\",\"seconds\":" + seconds + "}");
    }

    static void use(String identifier) {
        control("POST", "/sandbox/use", "{\"identifier\":\"" + identifier + "\"}");
    }

    /** Removes the faults, and forgets the requests. */
    static void reset() {
        removeFaults();
        control("DELETE", "/sandbox/requests", "");
    }

    /** Returns the requests since the last reset that contain this text, each as JSON. */
    static List<String> requests(String text) {
        return Arrays.stream(control("GET", "/sandbox/requests", "").split("(?=\\{\"arrived_ms\")"))
                .filter(request -> request.startsWith("{\"arrived_ms\"") && request.contains(text)).toList();
    }

    /** Waits until the server has received a request with this text in it. */
    static void awaitRequest(String text) throws InterruptedException {
        await(() -> !requests(text).isEmpty(), LONG, () -> "no request arrived with " + text);
    }

    /** Waits until the library has called back for every asynchronous call. */
    static void awaitCallbacks() throws Exception {
        Field field = Class.forName("world.zelf.Callbacks").getDeclaredField("RECEIVERS");
        field.setAccessible(true);
        Map<?, ?> receivers = (Map<?, ?>) field.get(null);
        await(receivers::isEmpty, Duration.ofSeconds(2), () -> receivers.size() + " calls go on");
    }

    private static void await(BooleanSupplier condition, Duration limit, Supplier<String> failure)
            throws InterruptedException {
        Instant end = Instant.now().plus(limit);
        while (!condition.getAsBoolean()) {
            if (Instant.now().isAfter(end)) {
                throw new AssertionError(failure.get());
            }
            Thread.sleep(5);
        }
    }

    static String control(String method, String path, String body) {
        HttpRequest request = HttpRequest.newBuilder(URI.create(CONTROL + path))
                .method(method, body.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(body))
                .build();
        try {
            HttpResponse<String> response = HTTP.send(request, BodyHandlers.ofString());
            if (response.statusCode() >= 300) {
                throw new AssertionError(method + " " + path + ": " + response.body());
            }
            return response.body();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    /** Returns a builder of Java's own client, which trusts the sandbox. */
    static HttpClient.Builder http() throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        store.setCertificateEntry("sandbox", CertificateFactory.getInstance("X.509")
                .generateCertificate(new ByteArrayInputStream(Files.readAllBytes(CA))));
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return HttpClient.newBuilder().sslContext(context);
    }
}
