// SPDX-License-Identifier: MIT OR Apache-2.0

package world.zelf;

import com.sun.jna.Pointer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.BiConsumer;
import java.util.function.Function;

/**
 * Creates sessions with one set of settings. One client serves all threads of a program.
 *
 * <p>Methods that return a {@link CompletableFuture} do not block. If the future is completed
 * before the answer comes, by {@code cancel}, {@code orTimeout} or in another way, the call is
 * cancelled; the server may have carried the request out. A blocking call does not end at an
 * interrupt: it ends at its time limit.
 */
public final class ZelfClient implements AutoCloseable {
    private final Handle handle;
    private final Executor executor;
    private final String baseUrl;
    private final String origin;

    private ZelfClient(Pointer client, Builder builder) {
        handle = new Handle(this, "client", client, Zelf::zelf_client_free);
        executor = builder.executor;
        baseUrl = Bytes.text(Zelf.zelf_client_base_url(client));
        origin = Bytes.text(Zelf.zelf_client_origin(client));
    }

    /**
     * Makes a client for the public API, with every setting at its default.
     *
     * @return the client
     * @throws ZelfException if the system's certificates cannot be used
     */
    public static ZelfClient create() {
        return builder().build();
    }

    /**
     * Makes a builder with every setting at its default.
     *
     * @return the builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns the address of the API, also of a closed client.
     *
     * @return the base URL, without "/" at its end
     */
    public String baseUrl() {
        return baseUrl;
    }

    /**
     * Returns the Origin header, which the server requires, also of a closed client.
     *
     * @return an origin such as {@code https://app.example}
     */
    public String origin() {
        return origin;
    }

    /**
     * Creates a session. Blocks until the answer or the time limit.
     *
     * @param options what to ask of the session
     * @return the session, to close
     * @throws ZelfException if there is no session
     */
    public Session createSession(SessionOptions options) {
        return handle.with(this, client -> options.with(sessionOptions -> {
            long[] error = new long[1];
            return new Session(ZelfException.check(
                    Zelf.zelf_session_create(client, sessionOptions, error), error));
        }));
    }

    /**
     * Creates a session without blocking.
     *
     * @param options what to ask of the session
     * @return a future of the session, which fails with a {@link ZelfException}
     */
    public CompletableFuture<Session> createSessionAsync(SessionOptions options) {
        return handle.with(this, client -> options.with(sessionOptions -> Call.start(this, Session::new,
                (userData, error) -> Zelf.zelf_session_create_async(
                        client, sessionOptions, Callbacks.SESSION, userData, null, error))));
    }

    /**
     * Sends a request with a session, and does not renew it. An answer that refuses the session
     * is a response.
     *
     * @param session whose token to send, of the same server; null sends none
     * @param request the request
     * @return the response, to close
     * @throws ZelfException if there is no response
     */
    public Response send(Session session, Request request) {
        return handle.with(this, client -> with(session, held -> request.with(sent -> {
            long[] error = new long[1];
            return new Response(ZelfException.check(
                    Zelf.zelf_session_send(client, held, sent, error), error));
        })));
    }

    /**
     * Sends a request like {@link #send}, without blocking.
     *
     * @param session whose token to send, of the same server; null sends none
     * @param request the request
     * @return a future of the response, which fails with a {@link ZelfException}
     */
    public CompletableFuture<Response> sendAsync(Session session, Request request) {
        return handle.with(this, client -> with(session, held -> request.with(sent -> Call.start(this, Response::new,
                (userData, error) -> Zelf.zelf_session_send_async(
                        client, held, sent, Callbacks.RESPONSE, userData, null, error)))));
    }

    private static <T> T with(Session session, Function<Pointer, T> use) {
        return session == null ? use.apply(null) : session.with(use);
    }

    /**
     * Cancels all asynchronous calls, waits for their ends, and ends the client's threads. Their
     * futures fail with {@link ZelfException.Cancelled}. New calls fail with {@link
     * Zelf#ERROR_SHUT_DOWN}. Blocking calls continue.
     *
     * @param timeout how long to wait; zero cancels without waiting
     * @return false if some still run after that time
     */
    public boolean shutdown(Duration timeout) {
        int milliseconds = timeout.isZero() ? 0 : Bytes.milliseconds(timeout);
        int status = handle.with(this, client -> Zelf.zelf_client_shutdown(client, milliseconds));
        if (status != Zelf.ERROR_TIMEOUT) {
            ZelfException.check(status);
        }
        return status == Zelf.OK;
    }

    /**
     * Shuts the client down without waiting, and closes its connections when the last blocking
     * call has ended. Sessions and responses stay valid. Providers hand out their session until
     * its end.
     */
    @Override
    public void close() {
        // Not only at the free, for which blocking calls may have to end first.
        if (!handle.isClosed()) {
            try {
                shutdown(Duration.ZERO);
            } catch (IllegalStateException closedMeanwhile) {
                return;
            } finally {
                handle.close();
            }
        }
    }

    @Override
    public String toString() {
        return "ZelfClient[" + (handle.isClosed() ? "closed" : baseUrl) + "]";
    }

    /** Calls use with the client of the library. */
    <T> T with(Function<Pointer, T> use) {
        return handle.with(this, use);
    }

    Executor executor() {
        return executor;
    }

    /**
     * Makes clients. {@link #build()} checks all settings, and its exception names the first wrong
     * one. A null text restores the default.
     */
    public static final class Builder {
        private String baseUrl;
        private String origin;
        private String userAgent;
        private int timeoutMs;
        private int connectTimeoutMs;
        private int maxAttempts;
        private Path caFile;
        private byte[] caPem;
        private final List<String> pins = new ArrayList<>();
        private String proxy;
        private boolean proxyFromEnv;
        private System.Logger.Level logLevel;
        private BiConsumer<System.Logger.Level, String> log;
        private Executor executor;
        // There is no zelf_config_set_dispatch: Java cannot wait for a descriptor.

        private Builder() {}

        /**
         * Sets the address of the API: {@code https://host}, with an optional port and path. The
         * library accepts {@code http://} only for this machine. The default is {@code
         * https://api.zelf.world}.
         *
         * @param url the address
         * @return this builder
         */
        public Builder baseUrl(String url) {
            this.baseUrl = url;
            return this;
        }

        /**
         * Sets the Origin header, which the server requires. Use the scheme and host of your
         * application. The default is the origin of the base URL.
         *
         * @param origin an origin such as {@code https://app.example}
         * @return this builder
         */
        public Builder origin(String origin) {
            this.origin = origin;
            return this;
        }

        /**
         * Sets the User-Agent header. The default is {@code libzelf/} and the version.
         *
         * @param agent ASCII, at most 1024 bytes
         * @return this builder
         */
        public Builder userAgent(String agent) {
            this.userAgent = agent;
            return this;
        }

        /**
         * Limits the time of a whole call, retries included. The default is 15 s.
         *
         * @param timeout a positive duration
         * @return this builder
         */
        public Builder timeout(Duration timeout) {
            this.timeoutMs = Bytes.milliseconds(timeout);
            return this;
        }

        /**
         * Limits the time to make one connection. The default is 5 s.
         *
         * @param timeout a positive duration
         * @return this builder
         */
        public Builder connectTimeout(Duration timeout) {
            this.connectTimeoutMs = Bytes.milliseconds(timeout);
            return this;
        }

        /**
         * Sets how many attempts a call may make, counting the first. 1 disables retries. The
         * default is 3.
         *
         * @param attempts the number; 0 restores the default
         * @return this builder
         */
        public Builder maxAttempts(int attempts) {
            if (attempts < 0) {
                throw new IllegalArgumentException("maxAttempts is negative: " + attempts);
            }
            this.maxAttempts = attempts;
            return this;
        }

        /**
         * Trusts only the certificates in a PEM file, instead of those that the system trusts.
         *
         * @param pemFile the file
         * @return this builder
         */
        public Builder caFile(Path pemFile) {
            this.caFile = pemFile;
            return this;
        }

        /**
         * Trusts only these certificates, instead of those that the system trusts.
         *
         * @param pem the certificates in PEM form
         * @return this builder
         */
        public Builder caPem(String pem) {
            this.caPem = pem == null ? null : pem.getBytes(StandardCharsets.UTF_8);
            return this;
        }

        /**
         * Adds a pin: the server's own certificate must have one of the pinned keys. Pin a spare
         * key as well.
         *
         * @param spkiSha256Base64 the SHA-256 of the key's SubjectPublicKeyInfo in base64; null
         *     removes all pins
         * @return this builder
         */
        public Builder addPin(String spkiSha256Base64) {
            if (spkiSha256Base64 == null) {
                pins.clear();
            } else {
                pins.add(spkiSha256Base64);
            }
            return this;
        }

        /**
         * Sets the proxy. No call goes around it, except that a base URL with {@code http://} never
         * uses one. The default is none.
         *
         * @param url {@code http://}, {@code https://}, {@code socks5://} or {@code socks5h://}; it
         *     may contain {@code user:password@}, percent-encoded
         * @return this builder
         */
        public Builder proxy(String url) {
            this.proxy = url;
            return this;
        }

        /**
         * Takes the proxy from the environment, unless one is set. The default is off.
         *
         * @param fromEnv whether to take it
         * @return this builder
         */
        public Builder proxyFromEnv(boolean fromEnv) {
            this.proxyFromEnv = fromEnv;
            return this;
        }

        /**
         * Sets a function that receives log messages. A message never contains a token.
         *
         * <p>For a {@link System.Logger}: {@code log(Level.INFO, System.getLogger("zelf")::log)}.
         *
         * @param level the most detailed level to report
         * @param log the function; null turns the log off. It runs on the thread of the call that
         *     the message is about, so possibly on several threads at once. For asynchronous calls
         *     that is a thread of the library with a stack of 512 KiB, and all calls of the client
         *     wait meanwhile. It must not create a session with {@link #createSession}.
         * @return this builder
         */
        public Builder log(System.Logger.Level level, BiConsumer<System.Logger.Level, String> log) {
            this.logLevel = Objects.requireNonNull(level, "level");
            this.log = log;
            return this;
        }

        /**
         * Sets what completes the futures. The default is that of {@link CompletableFuture}: the
         * common pool. The future of a task that the executor rejects is completed at once, and
         * another exception of the executor ends it.
         *
         * @param executor the executor; null restores the default
         * @return this builder
         */
        public Builder executor(Executor executor) {
            this.executor = executor;
            return this;
        }

        /**
         * Makes a client. It starts no thread and opens no connection.
         *
         * @return the client, to close
         * @throws ZelfException.InvalidArgument if a setting is wrong
         * @throws ZelfException if the system's certificates cannot be used
         */
        public ZelfClient build() {
            byte[] pem = caPem;
            Pointer config = Zelf.zelf_config_new();
            try {
                Zelf.zelf_config_set_base_url(config, Bytes.of(baseUrl));
                Zelf.zelf_config_set_origin(config, Bytes.of(origin));
                Zelf.zelf_config_set_user_agent(config, Bytes.of(userAgent));
                Zelf.zelf_config_set_timeout_ms(config, timeoutMs);
                Zelf.zelf_config_set_connect_timeout_ms(config, connectTimeoutMs);
                Zelf.zelf_config_set_max_attempts(config, maxAttempts);
                Zelf.zelf_config_set_ca_file(config, Bytes.of(caFile == null ? null : caFile.toString()));
                Zelf.zelf_config_set_ca_pem(config, pem, pem == null ? 0 : pem.length);
                for (String pin : pins) {
                    Zelf.zelf_config_add_pin(config, Bytes.of(pin));
                }
                Zelf.zelf_config_set_proxy(config, Bytes.of(proxy));
                Zelf.zelf_config_set_proxy_from_env(config, Bytes.of(proxyFromEnv));
                if (log != null) {
                    BiConsumer<System.Logger.Level, String> receiver = log;
                    Callbacks.Log converted =
                            (level, message) -> receiver.accept(javaLevel(level), message);
                    Zelf.zelf_config_set_log_callback(config, Callbacks.LOG, Callbacks.add(converted),
                            Callbacks.DESTROY, libraryLevel(logLevel));
                }
                long[] error = new long[1];
                Pointer client = ZelfException.check(Zelf.zelf_client_new(config, error), error);
                return new ZelfClient(client, this);
            } finally {
                Zelf.zelf_config_free(config);
            }
        }

        private static int libraryLevel(System.Logger.Level level) {
            return switch (level) {
                case OFF -> 0;
                case ERROR -> Zelf.LOG_ERROR;
                case WARNING -> Zelf.LOG_WARNING;
                case INFO -> Zelf.LOG_INFO;
                case DEBUG, TRACE, ALL -> Zelf.LOG_DEBUG;
            };
        }

        private static System.Logger.Level javaLevel(int level) {
            return switch (level) {
                case Zelf.LOG_ERROR -> System.Logger.Level.ERROR;
                case Zelf.LOG_WARNING -> System.Logger.Level.WARNING;
                case Zelf.LOG_INFO -> System.Logger.Level.INFO;
                default -> System.Logger.Level.DEBUG;
            };
        }
    }
}
