// SPDX-License-Identifier: MIT OR Apache-2.0

package world.zelf;

import java.nio.charset.StandardCharsets;
import java.util.Objects;

/** Makes identifiers of devices: 32 lower-case hex digits. */
public final class Identifiers {
    private Identifiers() {}

    /**
     * Makes a random identifier. Keep it: to the server, another identifier is another device.
     *
     * @return the identifier
     * @throws ZelfException if the system has no random numbers
     */
    public static String random() {
        byte[] out = new byte[Zelf.IDENTIFIER_SIZE];
        ZelfException.check(Zelf.zelf_identifier_random(out, out.length));
        return text(out);
    }

    /**
     * Derives an identifier from a device id, such as a serial number. The same device id gives
     * the same identifier everywhere. This takes a few milliseconds. Someone with a list of
     * possible device ids can try them all; if that matters, use {@link #random()}.
     *
     * @param deviceId the device id; not empty
     * @return the identifier
     * @throws ZelfException.InvalidArgument if the device id is empty
     */
    public static String derive(String deviceId) {
        byte[] out = new byte[Zelf.IDENTIFIER_SIZE];
        byte[] in = Bytes.of(Objects.requireNonNull(deviceId, "deviceId"));
        ZelfException.check(Zelf.zelf_identifier_derive(in, out, out.length));
        return text(out);
    }

    private static String text(byte[] out) {
        return new String(out, 0, out.length - 1, StandardCharsets.US_ASCII);
    }
}
