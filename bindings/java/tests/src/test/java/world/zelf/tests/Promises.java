// SPDX-License-Identifier: MIT OR Apache-2.0

package world.zelf.tests;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;

/** Writes one line for each test to the file ZELF_PROMISES, if it is set. */
public final class Promises implements TestExecutionListener {
    private static final String FILE = System.getenv("ZELF_PROMISES");

    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
        boolean isKept = result.getStatus() == TestExecutionResult.Status.SUCCESSFUL;
        // A class fails as a whole in a method such as BeforeAll.
        if (FILE != null && (test.isTest() || !isKept)) {
            write((isKept ? "ok - " : "not ok - ") + test.getDisplayName());
        }
    }

    @Override
    public void executionSkipped(TestIdentifier test, String reason) {
        if (FILE != null) {
            write("not ok - " + test.getDisplayName() + ": skipped: " + reason);
        }
    }

    private static void write(String line) {
        try {
            Files.writeString(Path.of(FILE), line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
