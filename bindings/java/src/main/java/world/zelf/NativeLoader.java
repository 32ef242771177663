// SPDX-License-Identifier: MIT OR Apache-2.0

package world.zelf;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import java.io.File;
import java.io.IOException;

/** Loads the library. */
final class NativeLoader {
    /** The system property with the path of a library to load instead of the one in the jar. */
    static final String PROPERTY = "zelf.library";

    private NativeLoader() {}

    /** Loads the library, and refuses one that is older than the table of functions. */
    static NativeLibrary load() {
        if (Native.SIZE_T_SIZE != Long.BYTES) {
            throw new UnsatisfiedLinkError("libzelf for Java needs a 64-bit system");
        }
        NativeLibrary library = open();
        Pointer version = (Pointer) library.getFunction("zelf_version").invoke(Pointer.class, new Object[0]);
        check(version.getString(0, "UTF-8"), library.getFile());
        return library;
    }

    /** The rule is in the comment of zelf_version. */
    private static void check(String version, File file) {
        String[] numbers = version.split("\\.");
        int major = Integer.parseInt(numbers[0]);
        int minor = Integer.parseInt(numbers[1]);
        if (major < Zelf.VERSION_MAJOR
                || major == Zelf.VERSION_MAJOR && minor < Zelf.VERSION_MINOR) {
            throw new UnsatisfiedLinkError("libzelf " + version + " (" + file
                    + ") is too old: this package needs " + Zelf.VERSION + " or newer");
        }
    }

    private static NativeLibrary open() {
        String path = System.getProperty(PROPERTY);
        if (path != null) {
            return NativeLibrary.getInstance(new File(path).getAbsolutePath());
        }
        File file;
        try {
            file = Native.extractFromResourcePath("zelf", NativeLoader.class.getClassLoader());
        } catch (IOException notInTheJar) {
            // The jar has none for this platform: the system may.
            return NativeLibrary.getInstance("zelf");
        }
        NativeLibrary library = NativeLibrary.getInstance(file.getAbsolutePath());
        // A copy from the jar is no longer needed once it is loaded. JNA names it like this.
        // Windows does not delete a file that is in use; JNA deletes it at the next start.
        if (file.getName().startsWith("jna")) {
            file.delete();
        }
        return library;
    }
}
