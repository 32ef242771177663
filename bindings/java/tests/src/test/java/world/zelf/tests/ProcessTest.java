// SPDX-License-Identifier: MIT OR Apache-2.0

package world.zelf.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ProcessTest {
    @AfterEach
    void reset() {
        Sandbox.reset();
    }

    /** Starts a program of Programs in a Java with these options. */
    private static Process start(String program, String... options) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
        command.addAll(List.of(options));
        command.addAll(List.of("-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                Programs.class.getName(), program));
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    /** Expects that a program with calls under way ends in 2 s. */
    private static void endsSoon(String program, int status) throws Exception {
        Process process = start(program);
        try (BufferedReader output = process.inputReader()) {
            String line = output.readLine();
            assertEquals("ending", line);
            Instant begin = Instant.now();
            assertTrue(process.waitFor(30, TimeUnit.SECONDS), "it does not end");
            Duration elapsed = Duration.between(begin, Instant.now());
            String rest = String.join("\n", output.lines().toList());
            assertEquals(status, process.exitValue(), rest);
            assertTrue(elapsed.toMillis() < 2000, elapsed::toString);
            assertEquals(status != 0, rest.contains("the program fails"), rest);
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    @DisplayName("System.exit ends a program with calls under way with status 0, in under 2 s")
    void exit() throws Exception {
        endsSoon("exit", 0);
    }

    @Test
    @DisplayName("a program with calls under way ends with status 0 in under 2 s when main returns")
    void mainReturns() throws Exception {
        endsSoon("return", 0);
    }

    @Test
    @DisplayName("a program with calls under way ends in under 2 s when main throws")
    void mainThrows() throws Exception {
        endsSoon("throw", 1);
    }

    @Test
    @DisplayName("System.exit in a callback ends a program with status 0 in under 2 s")
    void exitInCallback() throws Exception {
        endsSoon("exitInCallback", 0);
    }

    @Test
    @DisplayName("System.exit among callbacks ends a program with status 0 in under 2 s")
    void exitAmongCallbacks() throws Exception {
        endsSoon("exitAmongCallbacks", 0);
    }

    /** Expects that a program ends with no more memory (in KiB), descriptors and threads. */
    private static void isFlat(String program, int limit) throws Exception {
        // A heap of fixed size, so that only native memory can grow.
        Process process = start(program, "-Xms48m", "-Xmx48m", "-XX:+AlwaysPreTouch");
        try (BufferedReader output = process.inputReader()) {
            List<String> lines = output.lines().toList();
            assertTrue(process.waitFor(10, TimeUnit.SECONDS));
            String last = lines.isEmpty() ? "" : lines.get(lines.size() - 1);
            assertTrue(last.startsWith("grown "), lines::toString);
            System.err.println(program + ": " + last);
            String[] words = last.split(" ");
            assertTrue(Integer.parseInt(words[1]) < limit, last + " KiB");
            assertTrue(Integer.parseInt(words[2]) <= 2, last + " descriptors");
            assertTrue(Integer.parseInt(words[3]) <= 2, last + " threads");
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    @DisplayName("10,000 sessions need no more memory and descriptors")
    void sessions() throws Exception {
        isFlat("create", 2048);
    }

    @Test
    @DisplayName("10,000 asynchronous sessions need no more memory and descriptors")
    void asynchronousSessions() throws Exception {
        isFlat("createAsync", 2048);
    }

    @Test
    @DisplayName("the garbage collector closes what a program does not close")
    void abandoned() throws Exception {
        isFlat("abandon", 4096);
    }

    @Test
    @DisplayName("the garbage collector closes nothing while a method runs")
    void inUse() throws Exception {
        // Collections come often, also at the beginning of a method.
        Process process = start("use", "-Xmn512k", "-XX:-Inline", "-XX:TieredStopAtLevel=4");
        try (BufferedReader output = process.inputReader()) {
            assertEquals(List.of("used"), output.lines().toList());
            assertEquals(0, process.waitFor());
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    @DisplayName("a hundred clients with asynchronous calls leave no thread and no memory when they are closed")
    void clients() throws Exception {
        isFlat("clients", 4096);
    }

    @Test
    @DisplayName("a library that is older than the package is refused, with both versions in the error")
    void oldLibrary(@TempDir Path directory) throws Exception {
        Path source = directory.resolve("old.c");
        Files.writeString(source, "const char *zelf_version(void) { return \"0.0.9\"; }\n");
        Path library = directory.resolve("libzelf.so");
        Process compiler = new ProcessBuilder("cc", "-shared", "-fPIC", "-o", library.toString(), source.toString())
                .inheritIO().start();
        assertEquals(0, compiler.waitFor());
        Process process = start("load", "-Dzelf.library=" + library);
        try (BufferedReader output = process.inputReader()) {
            String text = String.join("\n", output.lines().toList());
            assertTrue(text.contains("java.lang.UnsatisfiedLinkError: libzelf 0.0.9 ("), text);
            assertTrue(text.contains("is too old: this package needs 0.1.0 or newer"), text);
            assertEquals(1, process.waitFor());
        }
    }

    @Test
    @DisplayName("the system property zelf.library names another library to load")
    void otherLibrary() throws Exception {
        Process process = start("load", "-Dzelf.library=" + System.getenv("ZELF_PREFIX") + "/lib/libzelf.so.0");
        try (BufferedReader output = process.inputReader()) {
            assertEquals(List.of("loaded ZelfClient[https://api.zelf.world] 0.1.0"), output.lines().toList());
            assertEquals(0, process.waitFor());
        }
    }
}
