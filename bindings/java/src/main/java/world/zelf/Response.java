// SPDX-License-Identifier: MIT OR Apache-2.0

package world.zelf;

import com.sun.jna.Pointer;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.Optional;

/** A complete answer of the server, with any status. It is immutable. */
public final class Response implements AutoCloseable {
    private static final byte[] NOTHING = {};

    private final Handle handle;

    /** Takes ownership of a response. */
    Response(Pointer response) {
        handle = new Handle(this, "response", response, Zelf::zelf_response_free);
    }

    /**
     * Returns the HTTP status.
     *
     * @return a number such as 200
     */
    public int httpStatus() {
        return handle.with(this, Zelf::zelf_response_http_status);
    }

    /**
     * Returns the value of the first header with this name, in any case. U+FFFD stands for bytes
     * that are not UTF-8.
     *
     * @param name the name
     * @return the value, or nothing if there is none
     */
    public Optional<String> header(String name) {
        byte[] bytes = Bytes.of(Objects.requireNonNull(name, "name"));
        return Optional.ofNullable(
                handle.with(this, response -> Bytes.text(Zelf.zelf_response_header(response, bytes))));
    }

    /**
     * Returns a copy of the body.
     *
     * @return the body, without transfer coding
     */
    public byte[] body() {
        return handle.with(this, response -> {
            long[] length = new long[1];
            Pointer body = Zelf.zelf_response_body(response, length);
            return length[0] == 0 ? NOTHING : body.getByteArray(0, Math.toIntExact(length[0]));
        });
    }

    /**
     * Returns the body as UTF-8 text.
     *
     * @return the text
     */
    public String text() {
        return new String(body(), StandardCharsets.UTF_8);
    }

    /**
     * Returns the server's words in a response with status 400 or more. Display them as plain
     * text only.
     *
     * @return one line, or nothing if there are none
     */
    public Optional<String> serverMessage() {
        return Optional.ofNullable(
                handle.with(this, response -> Bytes.text(Zelf.zelf_response_server_message(response))));
    }

    /** Wipes the body and releases the response. */
    @Override
    public void close() {
        handle.close();
    }

    @Override
    public String toString() {
        try {
            return "Response[httpStatus=" + httpStatus() + "]";
        } catch (IllegalStateException closed) {
            return "Response[closed]";
        }
    }
}
