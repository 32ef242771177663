// SPDX-License-Identifier: MIT OR Apache-2.0

package world.zelf;

import java.io.IOException;
import java.net.Authenticator;
import java.net.CookieHandler;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.PushPromiseHandler;
import java.net.http.WebSocket;
import java.time.Duration;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;

/**
 * An {@link HttpClient} that puts the token of a {@link SessionProvider} on its requests.
 *
 * <p>It sets the headers Authorization and Origin. If the server refuses the session, it sends
 * the request once more with the next session; the body's publisher is then used twice. A request
 * to another origin than that of the client's base URL is sent unchanged, without the token.
 *
 * <p>Another {@link HttpClient} makes the connections: the pins, the CA file and the proxy of the
 * {@link ZelfClient} do not apply to them.
 *
 * <p>If the renewal after a refusal fails, the call fails with the exception of the renewal. The
 * refusal is then not returned.
 *
 * <p>In Java 21 an HttpClient has close, shutdown and awaitTermination. Here they do nothing: close
 * the other client.
 *
 * <p>The request of an answer ({@code HttpResponse.request()}) has the token in its headers: do not
 * log them.
 *
 * <p>{@link #send} may block while the provider renews a session. Then an interrupt takes effect
 * after the renewal. Cancelling the future of {@link #sendAsync} cancels all parts of the call.
 */
public final class ZelfHttpClient extends HttpClient {
    private final SessionProvider provider;
    private final HttpClient http;
    /** The origin of the base URL. */
    private final String server;

    /**
     * Makes a client that sends with the default {@link HttpClient}.
     *
     * @param provider where the sessions come from; it is not closed
     */
    public ZelfHttpClient(SessionProvider provider) {
        this(provider, HttpClient.newHttpClient());
    }

    /**
     * Makes a client that sends with another one.
     *
     * @param provider where the sessions come from; it is not closed
     * @param http what sends the requests
     * @throws IllegalArgumentException if that client follows redirects: they would carry the
     *     token to other servers
     */
    public ZelfHttpClient(SessionProvider provider, HttpClient http) {
        if (http.followRedirects() != Redirect.NEVER) {
            throw new IllegalArgumentException("the HttpClient follows redirects");
        }
        this.provider = Objects.requireNonNull(provider, "provider");
        this.http = http;
        this.server = origin(URI.create(provider.client().baseUrl()));
    }

    @Override
    public <T> HttpResponse<T> send(HttpRequest request, BodyHandler<T> handler)
            throws IOException, InterruptedException {
        if (!isToServer(request)) {
            return http.send(request, handler);
        }
        try (Session session = provider.get()) {
            RefusalHandler<T> judge = new RefusalHandler<>(provider, session, handler);
            HttpResponse<T> response = http.send(authorized(request, session), judge);
            if (!judge.isRefused()) {
                return response;
            }
        }
        try (Session session = provider.get()) {
            return http.send(authorized(request, session), handler);
        }
    }

    @Override
    public <T> CompletableFuture<HttpResponse<T>> sendAsync(HttpRequest request, BodyHandler<T> handler) {
        return sendAsync(request, handler, null);
    }

    @Override
    public <T> CompletableFuture<HttpResponse<T>> sendAsync(
            HttpRequest request, BodyHandler<T> handler, PushPromiseHandler<T> pushHandler) {
        if (!isToServer(request)) {
            return http.sendAsync(request, handler, pushHandler);
        }
        CompletableFuture<HttpResponse<T>> result = new CompletableFuture<>();
        attempt(result, request, handler, pushHandler, true);
        return result;
    }

    /** Completes result with the answer. Only the first attempt judges it. */
    private <T> void attempt(CompletableFuture<HttpResponse<T>> result, HttpRequest request,
            BodyHandler<T> handler, PushPromiseHandler<T> pushHandler, boolean isFirst) {
        follow(result, provider.getAsync(), session -> {
            RefusalHandler<T> judge = isFirst ? new RefusalHandler<>(provider, session, handler) : null;
            CompletableFuture<HttpResponse<T>> answer = http.sendAsync(
                    authorized(request, session), isFirst ? judge : handler, pushHandler);
            answer.whenComplete((response, failure) -> session.close());
            follow(result, answer, response -> {
                if (isFirst && judge.isRefused()) {
                    attempt(result, request, handler, pushHandler, false);
                } else {
                    result.complete(response);
                }
            });
        });
    }

    /** What to do with the value of a step. */
    private interface Next<V> {
        void accept(V value);
    }

    /** Goes on after a step. Its failure is the result's. The end of the result cancels it. */
    private static <V> void follow(CompletableFuture<?> result, CompletableFuture<V> step, Next<V> next) {
        step.whenComplete((value, failure) -> {
            if (failure != null) {
                result.completeExceptionally(failure);
                return;
            }
            try {
                next.accept(value);
            } catch (Throwable thrown) {
                result.completeExceptionally(thrown);
            }
        });
        result.whenComplete((value, failure) -> step.cancel(true));
    }

    private HttpRequest authorized(HttpRequest request, Session session) {
        return HttpRequest.newBuilder(request, (name, value) -> true)
                .setHeader("Authorization", session.authorization())
                .setHeader("Origin", provider.client().origin())
                .build();
    }

    private boolean isToServer(HttpRequest request) {
        return origin(request.uri()).equals(server);
    }

    /** Returns scheme, host and port, without the usual port. A request always has a host. */
    private static String origin(URI url) {
        String scheme = url.getScheme().toLowerCase(Locale.ROOT);
        String host = Objects.toString(url.getHost(), "").toLowerCase(Locale.ROOT);
        boolean isUsual = url.getPort() == -1 || url.getPort() == (scheme.equals("https") ? 443 : 80);
        return scheme + "://" + host + (isUsual ? "" : ":" + url.getPort());
    }

    @Override
    public Optional<CookieHandler> cookieHandler() {
        return http.cookieHandler();
    }

    @Override
    public Optional<Duration> connectTimeout() {
        return http.connectTimeout();
    }

    @Override
    public Redirect followRedirects() {
        return http.followRedirects();
    }

    @Override
    public Optional<ProxySelector> proxy() {
        return http.proxy();
    }

    @Override
    public SSLContext sslContext() {
        return http.sslContext();
    }

    @Override
    public SSLParameters sslParameters() {
        return http.sslParameters();
    }

    @Override
    public Optional<Authenticator> authenticator() {
        return http.authenticator();
    }

    @Override
    public Version version() {
        return http.version();
    }

    @Override
    public Optional<Executor> executor() {
        return http.executor();
    }

    /** Returns a builder of the other client: a WebSocket gets no token. */
    @Override
    public WebSocket.Builder newWebSocketBuilder() {
        return http.newWebSocketBuilder();
    }
}
