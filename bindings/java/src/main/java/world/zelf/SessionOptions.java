// SPDX-License-Identifier: MIT OR Apache-2.0

package world.zelf;

import com.sun.jna.Pointer;
import java.util.Objects;
import java.util.function.Function;

/** What to ask of a new session. Only what is set is sent. It is immutable. */
public final class SessionOptions {
    /** The purpose of a session. */
    public enum Type {
        /** Anything. The server assumes it if no type is sent. */
        GENERAL(Zelf.SESSION_TYPE_GENERAL),
        /** Create a wallet. */
        CREATE_WALLET(Zelf.SESSION_TYPE_CREATE_WALLET),
        /** Decrypt a wallet. */
        DECRYPT_WALLET(Zelf.SESSION_TYPE_DECRYPT_WALLET),
        /** Import a wallet. */
        IMPORT_WALLET(Zelf.SESSION_TYPE_IMPORT_WALLET);

        private final int number;

        Type(int number) {
            this.number = number;
        }
    }

    private final byte[] identifier;
    private final Type type;
    private final Boolean webExtension;
    private final byte[] domain;
    private final byte[] tagName;
    private final byte[] ethAddress;
    private final boolean killSession;
    private final boolean confirm;

    private SessionOptions(Builder builder) {
        identifier = builder.identifier;
        type = builder.type;
        webExtension = builder.webExtension;
        domain = builder.domain;
        tagName = builder.tagName;
        ethAddress = builder.ethAddress;
        killSession = builder.killSession;
        confirm = builder.confirm;
    }

    /**
     * Makes options with an identifier and nothing else.
     *
     * @param identifier the identifier, as for {@link Builder#identifier}
     * @return the options
     */
    public static SessionOptions of(String identifier) {
        return builder().identifier(Objects.requireNonNull(identifier, "identifier")).build();
    }

    /**
     * Makes a builder with nothing set.
     *
     * @return the builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Calls use with the options of the library. */
    <T> T with(Function<Pointer, T> use) {
        Pointer options = Zelf.zelf_session_options_new();
        try {
            Zelf.zelf_session_options_set_identifier(options, identifier);
            if (type != null) {
                Zelf.zelf_session_options_set_type(options, type.number);
            }
            if (webExtension != null) {
                Zelf.zelf_session_options_set_web_extension(options, Bytes.of(webExtension));
            }
            Zelf.zelf_session_options_set_domain(options, domain);
            Zelf.zelf_session_options_set_tag_name(options, tagName);
            Zelf.zelf_session_options_set_eth_address(options, ethAddress);
            Zelf.zelf_session_options_set_kill_session(options, Bytes.of(killSession));
            Zelf.zelf_session_options_set_confirm(options, Bytes.of(confirm));
            return use.apply(options);
        } finally {
            Zelf.zelf_session_options_free(options);
        }
    }

    /**
     * Makes session options. A null text is not sent. The client that uses the options checks
     * them; a text with a NUL or an unpaired surrogate is an {@link IllegalArgumentException}.
     */
    public static final class Builder {
        private byte[] identifier;
        private Type type;
        private Boolean webExtension;
        private byte[] domain;
        private byte[] tagName;
        private byte[] ethAddress;
        private boolean killSession;
        private boolean confirm;

        private Builder() {}

        /**
         * Sets the unique identifier of the device, at most 1024 bytes.
         *
         * <p>Always set one: without it the server returns any session of your public IP address,
         * possibly somebody else's. Use one per installation ({@link Identifiers#random()}), and
         * keep it.
         *
         * @param identifier the identifier
         * @return this builder
         */
        public Builder identifier(String identifier) {
            this.identifier = Bytes.of(identifier);
            return this;
        }

        /**
         * Sets the purpose of the session.
         *
         * @param type the purpose
         * @return this builder
         */
        public Builder type(Type type) {
            this.type = type;
            return this;
        }

        /**
         * Sets whether the session belongs to a browser extension.
         *
         * @param isWebExtension whether it does
         * @return this builder
         */
        public Builder webExtension(boolean isWebExtension) {
            this.webExtension = isWebExtension;
            return this;
        }

        /**
         * Sets the name service domain, such as {@code zelf}, at most 512 bytes.
         *
         * @param domain the domain
         * @return this builder
         */
        public Builder domain(String domain) {
            this.domain = Bytes.of(domain);
            return this;
        }

        /**
         * Sets a tag name, such as {@code alice.zelf}, at most 512 bytes. The server then also
         * looks for a session with this name, and may return that of another identifier.
         *
         * @param tagName the tag name
         * @return this builder
         */
        public Builder tagName(String tagName) {
            this.tagName = Bytes.of(tagName);
            return this;
        }

        /**
         * Sets an Ethereum address, which the server copies into the token, at most 512 bytes.
         *
         * @param ethAddress the address
         * @return this builder
         */
        public Builder ethAddress(String ethAddress) {
            this.ethAddress = Bytes.of(ethAddress);
            return this;
        }

        /**
         * Sets whether to end the server's session for the identifier and make a new one. The old
         * token stops working. An identifier is required.
         *
         * @param killSession whether to end it
         * @return this builder
         */
        public Builder killSession(boolean killSession) {
            this.killSession = killSession;
            return this;
        }

        /**
         * Sets whether to confirm that a new session exists, which costs one request.
         *
         * @param confirm whether to confirm it
         * @return this builder
         */
        public Builder confirm(boolean confirm) {
            this.confirm = confirm;
            return this;
        }

        /**
         * Makes the options.
         *
         * @return the options
         */
        public SessionOptions build() {
            return new SessionOptions(this);
        }
    }
}
