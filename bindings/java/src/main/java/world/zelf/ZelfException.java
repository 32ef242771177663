// SPDX-License-Identifier: MIT OR Apache-2.0

package world.zelf;

import com.sun.jna.Pointer;
import java.io.Serializable;
import java.time.Duration;
import java.util.Optional;

/**
 * A call failed. The subclasses are the kinds that programs handle most often; {@link #status()}
 * says more. It never contains a token.
 *
 * <p>A future that fails has this exception as its cause. A future that you cancel has a {@link
 * java.util.concurrent.CancellationException}.
 */
public sealed class ZelfException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** What the error says. */
    private final Details details;

    private record Details(int status, String statusName, String message, int httpStatus,
            String serverMessage, boolean isRetryable, Duration retryAfter) implements Serializable {}

    private ZelfException(Details details) {
        super(details.message);
        this.details = details;
    }

    /**
     * Returns the kind of the failure: one of the {@code ERROR_} constants of {@link Zelf}, or a
     * number of a newer library.
     *
     * @return the number
     */
    public int status() {
        return details.status;
    }

    /**
     * Returns the name of the status.
     *
     * @return a name such as {@code ZELF_ERROR_TIMEOUT}
     */
    public String statusName() {
        return details.statusName;
    }

    /**
     * Returns the HTTP status of the answer.
     *
     * @return a number such as 403, or 0 if no answer came
     */
    public int httpStatus() {
        return details.httpStatus;
    }

    /**
     * Returns the words of the server, or of a proxy that did not connect to it. Display them as
     * plain text only: anyone on the way may have written them.
     *
     * @return one line, or nothing if there are none
     */
    public Optional<String> serverMessage() {
        return Optional.ofNullable(details.serverMessage);
    }

    /**
     * Returns whether the same call may succeed later, unchanged.
     *
     * @return true if it may
     */
    public boolean isRetryable() {
        return details.isRetryable;
    }

    /**
     * Returns how long to wait before the next attempt.
     *
     * @return a duration; zero if nobody asks to wait
     */
    public Duration retryAfter() {
        return details.retryAfter;
    }

    /** Returns result, or throws the error that the library stored instead. */
    static Pointer check(Pointer result, long[] error) {
        if (result == null) {
            throw take(error);
        }
        return result;
    }

    /** Throws an exception for a status that is not OK. */
    static void check(int status) {
        if (status != Zelf.OK) {
            throw of(status);
        }
    }

    /** Makes an exception of the error that the library stored, and frees the error. */
    static ZelfException take(long[] error) {
        return take(error[0] == 0 ? null : new Pointer(error[0]));
    }

    /** Makes an exception of an error, and frees the error. */
    static ZelfException take(Pointer error) {
        if (error == null) {
            // Only a bug of the library leaves no error.
            return of(Zelf.ERROR_PANIC);
        }
        try {
            int status = Zelf.zelf_error_status(error);
            long retryAfter = Zelf.zelf_error_retry_after_ms(error);
            return of(new Details(status, Bytes.text(Zelf.zelf_status_name(status)),
                    Bytes.text(Zelf.zelf_error_message(error)), Zelf.zelf_error_http_status(error),
                    Bytes.text(Zelf.zelf_error_server_message(error)),
                    Zelf.zelf_error_is_retryable(error) != 0,
                    // A number of 2^63 and more looks negative.
                    Duration.ofMillis(retryAfter < 0 ? Long.MAX_VALUE : retryAfter)));
        } finally {
            Zelf.zelf_error_free(error);
        }
    }

    /** Makes an exception of a status alone. */
    static ZelfException of(int status) {
        return of(new Details(status, Bytes.text(Zelf.zelf_status_name(status)),
                Bytes.text(Zelf.zelf_status_message(status)), 0, null, false, Duration.ZERO));
    }

    private static ZelfException of(Details details) {
        return switch (details.status) {
            case Zelf.ERROR_INVALID_ARGUMENT, Zelf.ERROR_INVALID_CONFIG -> new InvalidArgument(details);
            case Zelf.ERROR_CANCELLED -> new Cancelled(details);
            case Zelf.ERROR_DNS, Zelf.ERROR_CONNECT, Zelf.ERROR_CONNECTION_LOST, Zelf.ERROR_PROXY ->
                new Connection(details);
            case Zelf.ERROR_TLS, Zelf.ERROR_PIN_MISMATCH -> new Tls(details);
            case Zelf.ERROR_TIMEOUT -> new Timeout(details);
            case Zelf.ERROR_REJECTED_ORIGIN -> new RejectedOrigin(details);
            case Zelf.ERROR_RATE_LIMITED -> new RateLimited(details);
            case Zelf.ERROR_SERVER -> new Server(details);
            default -> new ZelfException(details);
        };
    }

    /** An argument or a setting is unusable. The message names it. Nothing was sent. */
    public static final class InvalidArgument extends ZelfException {
        private static final long serialVersionUID = 1;

        private InvalidArgument(Details details) {
            super(details);
        }
    }

    /** The client was shut down or closed during the call. */
    public static final class Cancelled extends ZelfException {
        private static final long serialVersionUID = 1;

        private Cancelled(Details details) {
            super(details);
        }
    }

    /** The server or proxy was not found, was not reached, refused, or hung up. */
    public static final class Connection extends ZelfException {
        private static final long serialVersionUID = 1;

        private Connection(Details details) {
            super(details);
        }
    }

    /** No secure connection could be made, or the server's key is not pinned. */
    public static final class Tls extends ZelfException {
        private static final long serialVersionUID = 1;

        private Tls(Details details) {
            super(details);
        }
    }

    /** A time limit has passed. */
    public static final class Timeout extends ZelfException {
        private static final long serialVersionUID = 1;

        private Timeout(Details details) {
            super(details);
        }
    }

    /** The server does not accept the origin ({@link ZelfClient.Builder#origin}). */
    public static final class RejectedOrigin extends ZelfException {
        private static final long serialVersionUID = 1;

        private RejectedOrigin(Details details) {
            super(details);
        }
    }

    /** There were too many requests: wait for {@link #retryAfter()}. */
    public static final class RateLimited extends ZelfException {
        private static final long serialVersionUID = 1;

        private RateLimited(Details details) {
            super(details);
        }
    }

    /** The server, or a proxy before it, failed. */
    public static final class Server extends ZelfException {
        private static final long serialVersionUID = 1;

        private Server(Details details) {
            super(details);
        }
    }
}
