// SPDX-License-Identifier: MIT OR Apache-2.0

package world.zelf;

import com.sun.jna.Pointer;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * A session. It is immutable, and its methods do not block. {@code toString} does not contain the
 * token.
 *
 * <p>Texts from the token are not verified: only the server has the key. {@link #close()} does
 * not affect the session on the server.
 */
public final class Session implements AutoCloseable {
    private final Handle handle;

    /** Takes ownership of a session. */
    Session(Pointer session) {
        this(session, Zelf::zelf_session_free);
    }

    Session(Pointer session, Consumer<Pointer> free) {
        handle = new Handle(this, "session", session, free);
    }

    /** Calls use with the session of the library. */
    <T> T with(Function<Pointer, T> use) {
        return handle.with(this, use);
    }

    /** Closes the session, and waits until no thread is inside one of its methods. */
    void closeAndWait() {
        handle.closeAndWait();
    }

    /**
     * Returns the token, a secret.
     *
     * @return the token
     */
    public String token() {
        return text(Zelf::zelf_session_token);
    }

    /**
     * Returns the value of the Authorization header: {@code Bearer} and the token. Send it
     * unchanged.
     *
     * @return the value, a secret
     */
    public String authorization() {
        return text(Zelf::zelf_session_authorization);
    }

    /**
     * Returns the session's id on the server, from the token.
     *
     * @return the id, or nothing if the token has none
     */
    public Optional<String> id() {
        return Optional.ofNullable(text(Zelf::zelf_session_id));
    }

    /**
     * Returns the identifier in the token, which says whose session it is. If you set none, the
     * server writes your public IP address here, or it returned the session of somebody else's
     * identifier.
     *
     * @return the identifier, or nothing if the token has none
     */
    public Optional<String> identifier() {
        return Optional.ofNullable(text(Zelf::zelf_session_identifier));
    }

    /**
     * Returns the domain that the session was made with, from the token.
     *
     * @return the domain, or nothing if the token has none
     */
    public Optional<String> domain() {
        return Optional.ofNullable(text(Zelf::zelf_session_domain));
    }

    /**
     * Returns the tag name that the session was made with, from the token.
     *
     * @return the tag name, or nothing if the token has none
     */
    public Optional<String> tagName() {
        return Optional.ofNullable(text(Zelf::zelf_session_tag_name));
    }

    /**
     * Returns the Ethereum address that the session was made with, from the token.
     *
     * @return the address, or nothing if the token has none
     */
    public Optional<String> ethAddress() {
        return Optional.ofNullable(text(Zelf::zelf_session_eth_address));
    }

    /**
     * Returns when the session began, by the server's clock. It may lie before your call: the
     * server returns a live session again.
     *
     * @return the time, or nothing if the server did not say
     */
    public Optional<Instant> activatedAt() {
        long seconds = with(Zelf::zelf_session_activated_at);
        return seconds == 0 ? Optional.empty() : Optional.of(Instant.ofEpochSecond(seconds));
    }

    /**
     * Returns when the session ends, by the server's clock. Do not compare it with the clock of
     * the device: use {@link #timeLeft()}.
     *
     * @return the time
     */
    public Instant expiresAt() {
        return Instant.ofEpochSecond(with(Zelf::zelf_session_expires_at));
    }

    /**
     * Returns how long the session lasts from now on. The date of the device has no effect on it.
     *
     * @return whole seconds; zero if the session has expired
     */
    public Duration timeLeft() {
        return Duration.ofSeconds(with(Zelf::zelf_session_seconds_left));
    }

    /** Releases the session. The token in the library is overwritten with its last owner. */
    @Override
    public void close() {
        handle.close();
    }

    @Override
    public String toString() {
        try {
            return "Session[identifier=" + identifier().orElse("none") + ", expiresAt=" + expiresAt() + "]";
        } catch (IllegalStateException closed) {
            return "Session[closed]";
        }
    }

    private String text(Function<Pointer, Pointer> get) {
        return with(session -> Bytes.text(get.apply(session)));
    }
}
