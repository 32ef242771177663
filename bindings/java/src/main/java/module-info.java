// SPDX-License-Identifier: MIT OR Apache-2.0

/** Creates Zelf session tokens and sends requests with them. */
module world.zelf {
    requires com.sun.jna;
    requires transitive java.net.http;

    exports world.zelf;

    // JNA calls the callbacks by reflection.
    opens world.zelf to com.sun.jna;
}
