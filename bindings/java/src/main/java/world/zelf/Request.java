// SPDX-License-Identifier: MIT OR Apache-2.0

package world.zelf;

import com.sun.jna.Pointer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;

/**
 * A request to any route of the server. It is immutable and can be sent any number of times. The
 * method that sends it checks it.
 */
public final class Request {
    private record Header(byte[] name, byte[] value) {}

    private final String method;
    private final String target;
    private final List<Header> headers;
    private final byte[] body;
    private final byte[] contentType;
    private final int timeoutMs;
    private final long maxResponseBytes;
    private final Boolean repeatable;

    private Request(Builder builder) {
        method = builder.method;
        target = builder.target;
        headers = List.copyOf(builder.headers);
        body = builder.body;
        contentType = builder.contentType;
        timeoutMs = builder.timeoutMs;
        maxResponseBytes = builder.maxResponseBytes;
        repeatable = builder.repeatable;
    }

    /**
     * Makes a GET request.
     *
     * @param target path and query, as for {@link #builder}
     * @return the request
     */
    public static Request get(String target) {
        return builder("GET", target).build();
    }

    /**
     * Makes a builder.
     *
     * @param method an HTTP method such as {@code GET}; not {@code CONNECT}
     * @param target path and query, such as {@code /api/tags/search?tagName=a.zelf}, at most 8192
     *     bytes. It begins with {@code /}, is percent-encoded and has no fragment. It is appended
     *     to the path of the base URL.
     * @return the builder
     */
    public static Builder builder(String method, String target) {
        return new Builder(Objects.requireNonNull(method, "method"), Objects.requireNonNull(target, "target"));
    }

    /** Calls use with the request of the library. */
    <T> T with(Function<Pointer, T> use) {
        Pointer request = Zelf.zelf_request_new(Bytes.of(method), Bytes.of(target));
        try {
            for (Header header : headers) {
                Zelf.zelf_request_set_header(request, header.name, header.value);
            }
            Zelf.zelf_request_set_body(request, body, body == null ? 0 : body.length, contentType);
            Zelf.zelf_request_set_timeout_ms(request, timeoutMs);
            Zelf.zelf_request_set_max_response_bytes(request, maxResponseBytes);
            if (repeatable != null) {
                Zelf.zelf_request_set_repeatable(request, Bytes.of(repeatable));
            }
            return use.apply(request);
        } finally {
            Zelf.zelf_request_free(request);
        }
    }

    /** Returns the method and the path. A query may be private. */
    @Override
    public String toString() {
        int query = target.indexOf('?');
        return "Request[" + method + " " + (query < 0 ? target : target.substring(0, query)) + "]";
    }

    /** Makes requests. */
    public static final class Builder {
        private final String method;
        private final String target;
        private final List<Header> headers = new ArrayList<>();
        private byte[] body;
        private byte[] contentType;
        private int timeoutMs;
        private long maxResponseBytes;
        private Boolean repeatable;

        private Builder(String method, String target) {
            this.method = method;
            this.target = target;
        }

        /**
         * Sets a header, and replaces one with the same name in any case.
         *
         * <p>The library refuses the headers that it sets (Host, Origin, User-Agent,
         * Authorization, Content-Length, Accept-Encoding) and those of the connection.
         *
         * @param name the name
         * @param value visible ASCII with spaces and tabs inside; null removes the header
         * @return this builder
         */
        public Builder header(String name, String value) {
            headers.add(new Header(Bytes.of(Objects.requireNonNull(name, "name")), Bytes.of(value)));
            return this;
        }

        /**
         * Sets the body, which is copied. The default is none.
         *
         * @param bytes the body; null removes it
         * @param contentType the Content-Type header; null sends none
         * @return this builder
         */
        public Builder body(byte[] bytes, String contentType) {
            this.body = bytes == null ? null : bytes.clone();
            this.contentType = Bytes.of(contentType);
            return this;
        }

        /**
         * Sets a body of JSON.
         *
         * @param json the text
         * @return this builder
         */
        public Builder json(String json) {
            return body(json.getBytes(StandardCharsets.UTF_8), "application/json");
        }

        /**
         * Limits the time of the whole call: session, all attempts and response. The default is
         * 30 s.
         *
         * @param timeout a positive duration
         * @return this builder
         */
        public Builder timeout(Duration timeout) {
            this.timeoutMs = Bytes.milliseconds(timeout);
            return this;
        }

        /**
         * Limits the body of the response. The default is 8 MiB.
         *
         * @param bytes the limit; 0 restores the default
         * @return this builder
         */
        public Builder maxResponseBytes(long bytes) {
            if (bytes < 0) {
                throw new IllegalArgumentException("maxResponseBytes is negative: " + bytes);
            }
            this.maxResponseBytes = bytes;
            return this;
        }

        /**
         * Sets whether the server may carry the request out more than once. The default is true
         * for GET and HEAD, and false for other methods.
         *
         * @param repeatable whether it may
         * @return this builder
         */
        public Builder repeatable(boolean repeatable) {
            this.repeatable = repeatable;
            return this;
        }

        /**
         * Makes the request.
         *
         * @return the request
         */
        public Request build() {
            return new Request(this);
        }
    }
}
