// SPDX-License-Identifier: MIT OR Apache-2.0

package world.zelf;

import com.sun.jna.Pointer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * Keeps one session for a program and renews it, so that a valid token is always there.
 *
 * <p>It repeats a failed renewal after a pause. During the pause a {@code get} without a valid
 * session fails at once with the same error. Processes with one identifier renew one at a time,
 * by a lock file.
 */
public final class SessionProvider implements AutoCloseable {
    /** When a provider renews its session, and whether it may end the old one. */
    public enum Renewal {
        /**
         * Renews when too little is left. If the server returns the same session, the provider
         * ends and replaces it. This is the default.
         */
        AT_EXPIRY(Zelf.RENEWAL_AT_EXPIRY),
        /**
         * Never ends a session. While the server returns the old one, the provider hands it out.
         * It is for identifiers that several devices share.
         */
        NEVER_KILL(Zelf.RENEWAL_NEVER_KILL),
        /**
         * Ends the old session before its time: a minute, or a tenth of its life if that is less.
         * It is for an identifier that a single process uses.
         */
        EARLY(Zelf.RENEWAL_EARLY);

        private final int number;

        Renewal(int number) {
            this.number = number;
        }
    }

    private final ZelfClient client;
    private final Handle handle;

    private SessionProvider(ZelfClient client, Pointer provider) {
        this.client = client;
        handle = new Handle(this, "provider", provider, Zelf::zelf_session_provider_free);
    }

    /**
     * Makes a provider with every setting at its default. It makes no request.
     *
     * @param client the client that renews sessions
     * @param options what to ask of sessions; they must have an identifier and must not kill
     * @return the provider, to close
     * @throws ZelfException.InvalidArgument if an option is wrong
     */
    public static SessionProvider create(ZelfClient client, SessionOptions options) {
        return builder(client, options).build();
    }

    /**
     * Makes a builder with every setting at its default.
     *
     * @param client the client that renews sessions
     * @param options what to ask of sessions; they must have an identifier and must not kill
     * @return the builder
     */
    public static Builder builder(ZelfClient client, SessionOptions options) {
        return new Builder(Objects.requireNonNull(client, "client"), Objects.requireNonNull(options, "options"));
    }

    /**
     * Returns a valid session. It blocks, up to the client's time limit, only if there is none
     * yet, or it has to be renewed or confirmed.
     *
     * @return the session, to close
     * @throws ZelfException if there is no session
     */
    public Session get() {
        return handle.with(this, provider -> {
            long[] error = new long[1];
            return new Session(ZelfException.check(Zelf.zelf_session_provider_get(provider, error), error));
        });
    }

    /**
     * Gets a session without blocking. The future is already complete if there is a valid session.
     *
     * @return a future of the session, which fails with a {@link ZelfException}
     */
    public CompletableFuture<Session> getAsync() {
        return handle.with(this, provider -> {
            Pointer current = Zelf.zelf_session_provider_current(provider);
            return current != null
                    ? CompletableFuture.completedFuture(new Session(current))
                    : Call.start(client, Session::new,
                            (userData, error) -> Zelf.zelf_session_provider_get_async(
                                    provider, Callbacks.SESSION, userData, null, error));
        });
    }

    /**
     * Tells the provider that a route refused its session: with 401 "Protected resource" or 403
     * "Session is not active". Then repeat the request with the session of the next {@link
     * #get()}. Do not call it for other answers.
     *
     * @param rejected the refused session
     * @return true if the provider held that session
     */
    public boolean invalidate(Session rejected) {
        return handle.with(this, provider -> rejected.with(
                session -> Zelf.zelf_session_provider_invalidate(provider, session) != 0));
    }

    /**
     * Judges an answer that you received with an HTTP client. If it refuses the session, this
     * method does what {@link #invalidate} does: repeat the request once with the next session.
     *
     * @param session the session that the request was sent with
     * @param httpStatus the HTTP status of the answer
     * @param body the body of the answer, or its first 64 KiB
     * @return true if the answer refuses the session
     */
    public boolean invalidateIfRefused(Session session, int httpStatus, byte[] body) {
        Objects.requireNonNull(body, "body");
        return handle.with(this, provider -> session.with(
                held -> Zelf.zelf_session_provider_invalidate_if_refused(
                        provider, held, httpStatus, body, body.length) != 0));
    }

    /**
     * Returns why the last renewal failed.
     *
     * @return the failure, or nothing if the last renewal worked or there was none
     */
    public Optional<ZelfException> lastError() {
        return handle.with(this, provider ->
                Optional.ofNullable(Zelf.zelf_session_provider_last_error(provider)).map(ZelfException::take));
    }

    /**
     * Sends a request with the provider's session. If the server refuses the session, the provider
     * renews it and sends the request again. An answer of any other kind is the response.
     *
     * @param request the request
     * @return the response, to close
     * @throws ZelfException if there is no response
     */
    public Response send(Request request) {
        return handle.with(this, provider -> request.with(sent -> {
            long[] error = new long[1];
            return new Response(ZelfException.check(
                    Zelf.zelf_session_provider_send(provider, sent, error), error));
        }));
    }

    /**
     * Sends a request like {@link #send}, without blocking.
     *
     * @param request the request
     * @return a future of the response, which fails with a {@link ZelfException}
     */
    public CompletableFuture<Response> sendAsync(Request request) {
        return handle.with(this, provider -> request.with(sent -> Call.start(client, Response::new,
                (userData, error) -> Zelf.zelf_session_provider_send_async(
                        provider, sent, Callbacks.RESPONSE, userData, null, error))));
    }

    /** Releases the provider. Its asynchronous calls continue, and its sessions stay valid. */
    @Override
    public void close() {
        handle.close();
    }

    @Override
    public String toString() {
        return "SessionProvider[" + (handle.isClosed() ? "closed" : client) + "]";
    }

    ZelfClient client() {
        return client;
    }

    /** Makes providers. {@link #build()} checks all settings. */
    public static final class Builder {
        private final ZelfClient client;
        private final SessionOptions options;
        private Duration minValid;
        private Renewal renewal = Renewal.AT_EXPIRY;
        private boolean background;
        private Path directory;
        private Consumer<Session> renewed;

        private Builder(ZelfClient client, SessionOptions options) {
            this.client = client;
            this.options = options;
        }

        /**
         * Sets how long a session must last to be handed out: the time that your request needs to
         * arrive, at most a day. The default is 5 s.
         *
         * @param minValid whole seconds; a fraction is rounded up
         * @return this builder
         */
        public Builder minValid(Duration minValid) {
            Bytes.seconds(minValid);
            this.minValid = minValid;
            return this;
        }

        /**
         * Sets when to renew.
         *
         * @param renewal the rule
         * @return this builder
         */
        public Builder renewal(Renewal renewal) {
            this.renewal = Objects.requireNonNull(renewal, "renewal");
            return this;
        }

        /**
         * Sets whether a thread of the client renews sessions ahead of time, so that no caller
         * waits. The default is false.
         *
         * @param background whether it does
         * @return this builder
         */
        public Builder background(boolean background) {
            this.background = background;
            return this;
        }

        /**
         * Sets a directory in which the session is stored, so that short-lived processes share it.
         * It must exist, be local and writable only by the user. The default is none.
         *
         * @param directory the directory; null stores nothing
         * @return this builder
         */
        public Builder directory(Path directory) {
            this.directory = directory;
            return this;
        }

        /**
         * Sets a function that is called when the provider holds another session.
         *
         * @param renewed the function; null sets none. Its session is closed when it returns, as
         *     soon as no other thread is inside a method with that session. It runs on a thread
         *     that renews the session, possibly one of the library, and must be quick. It must
         *     not create a session, or get one that is not there yet.
         * @return this builder
         */
        public Builder onRenewed(Consumer<Session> renewed) {
            this.renewed = renewed;
            return this;
        }

        /**
         * Makes a provider. It makes no request, except with {@link #background}.
         *
         * @return the provider, to close
         * @throws ZelfException.InvalidArgument if an option is wrong
         */
        public SessionProvider build() {
            Pointer config = Zelf.zelf_provider_options_new();
            try {
                if (minValid != null) {
                    Zelf.zelf_provider_options_set_min_valid_s(config, Bytes.seconds(minValid));
                }
                Zelf.zelf_provider_options_set_renewal(config, renewal.number);
                Zelf.zelf_provider_options_set_background(config, Bytes.of(background));
                Zelf.zelf_provider_options_set_directory(
                        config, Bytes.of(directory == null ? null : directory.toString()));
                if (renewed != null) {
                    Zelf.zelf_provider_options_set_renewed_callback(
                            config, Callbacks.RENEWED, Callbacks.add(renewed), Callbacks.DESTROY);
                }
                return client.with(held -> options.with(sessionOptions -> {
                    long[] error = new long[1];
                    return new SessionProvider(client, ZelfException.check(
                            Zelf.zelf_session_provider_new(held, sessionOptions, config, error), error));
                }));
            } finally {
                Zelf.zelf_provider_options_free(config);
            }
        }
    }
}
