// SPDX-License-Identifier: MIT OR Apache-2.0

package world.zelf.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import java.io.InputStream;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import world.zelf.Zelf;
import world.zelf.ZelfClient;

final class TableTest {
    /** Returns the header without its comments, and without the functions of Android. */
    private static String header() throws Exception {
        String text = Files.readString(Path.of(System.getenv("ZELF_PREFIX"), "include", "zelf.h"));
        text = Pattern.compile("^#if defined\\(__ANDROID__\\)\n.*?^#endif\n", Pattern.DOTALL | Pattern.MULTILINE)
            .matcher(text).replaceAll("");
        return Pattern.compile("/\\*.*?\\*/", Pattern.DOTALL).matcher(text).replaceAll("");
    }

    @Test
    @DisplayName("the table has every function of the header with its number of parameters, and no other")
    void functions() throws Exception {
        Map<String, Integer> declared = new TreeMap<>();
        Matcher function = Pattern.compile("\\b(zelf_\\w+)\\(([^()]*)\\);").matcher(header());
        while (function.find()) {
            boolean isNothing = function.group(2).strip().equals("void");
            declared.put(function.group(1), isNothing ? 0 : function.group(2).split(",").length);
        }
        Map<String, Integer> listed = new TreeMap<>();
        for (Method method : Zelf.class.getDeclaredMethods()) {
            if (Modifier.isNative(method.getModifiers())) {
                listed.put(method.getName(), method.getParameterCount());
            }
        }
        assertTrue(declared.size() > 70, () -> declared.size() + " functions");
        assertEquals(declared, listed);
    }

    @Test
    @DisplayName("the table has every constant of the header with its value, and no other")
    void constants() throws Exception {
        Map<String, String> declared = new TreeMap<>();
        Matcher define = Pattern.compile("#define ZELF_(\\w+) (\"[^\"]*\"|\\d+)").matcher(header());
        while (define.find()) {
            declared.put(define.group(1), define.group(2).replace("\"", ""));
        }
        Map<String, String> listed = new TreeMap<>();
        for (Field field : Zelf.class.getDeclaredFields()) {
            if (Modifier.isPublic(field.getModifiers())) {
                listed.put(field.getName(), String.valueOf(field.get(null)));
            }
        }
        assertTrue(declared.size() > 40, () -> declared.size() + " constants");
        assertEquals(declared, listed);
    }

    @Test
    @DisplayName("the library in the package has every function of the table, and no symbols to strip")
    void library() throws Exception {
        // The resource, not the system's library.
        NativeLibrary library = NativeLibrary.getInstance(
                Native.extractFromResourcePath("zelf", Zelf.class.getClassLoader()).getPath());
        Set<Long> addresses = new TreeSet<>();
        int functions = 0;
        for (Method method : Zelf.class.getDeclaredMethods()) {
            if (Modifier.isNative(method.getModifiers())) {
                addresses.add(com.sun.jna.Pointer.nativeValue(library.getFunction(method.getName())));
                functions++;
            }
        }
        assertTrue(!addresses.contains(0L) && addresses.size() > functions / 2);
        try (InputStream packaged = Zelf.class.getResourceAsStream(
                "/" + com.sun.jna.Platform.RESOURCE_PREFIX + "/" + System.mapLibraryName("zelf"))) {
            byte[] bytes = packaged.readAllBytes();
            assertNotEquals(0, bytes.length);
            String text = new String(bytes, java.nio.charset.StandardCharsets.ISO_8859_1);
            assertTrue(text.contains(".dynsym") && !text.contains(".symtab"), "it is stripped");
        }
    }
}
