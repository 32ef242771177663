// SPDX-License-Identifier: MIT OR Apache-2.0

package world.zelf;

import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** Converts Java's values to those of the library. */
final class Bytes {
    private static final long UINT32_MAX = 0xFFFF_FFFFL;

    private Bytes() {}

    /** Returns UTF-8 with a NUL at the end; null for null. */
    static byte[] of(String text) {
        if (text == null) {
            return null;
        }
        // The library would read up to a NUL only.
        if (text.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("a text contains a NUL character");
        }
        try {
            ByteBuffer encoded = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
            byte[] bytes = new byte[encoded.remaining() + 1];
            encoded.get(bytes, 0, bytes.length - 1);
            return bytes;
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("a text contains an unpaired surrogate", e);
        }
    }

    /** Reads UTF-8 up to a NUL; null for null. */
    static String text(Pointer text) {
        return text == null ? null : text.getString(0, StandardCharsets.UTF_8.name());
    }

    /** Returns a bool. */
    static byte of(boolean value) {
        return (byte) (value ? 1 : 0);
    }

    /** Returns milliseconds, rounded up, as a uint32_t. A duration that has none is refused. */
    static int milliseconds(Duration duration) {
        if (duration.isNegative() || duration.isZero()) {
            throw new IllegalArgumentException("a duration is not positive: " + duration);
        }
        if (duration.compareTo(Duration.ofMillis(UINT32_MAX)) > 0) {
            throw new IllegalArgumentException("a duration is too long: " + duration);
        }
        return (int) duration.plusNanos(999_999).toMillis();
    }

    /** Returns seconds, rounded up, as a uint32_t. */
    static int seconds(Duration duration) {
        if (duration.isNegative() || duration.compareTo(Duration.ofSeconds(UINT32_MAX)) > 0) {
            throw new IllegalArgumentException("a duration is negative or too long: " + duration);
        }
        return (int) duration.plusNanos(999_999_999).toSeconds();
    }
}
