// SPDX-License-Identifier: MIT OR Apache-2.0

package world.zelf.tests;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import world.zelf.Session;
import world.zelf.SessionOptions;
import world.zelf.SessionProvider;
import world.zelf.Zelf;
import world.zelf.ZelfClient;

/** The programs that ProcessTest runs. The first argument is the name of one. */
public final class Programs {
    private static final int CREATIONS = 10_000;
    private static final int WARM_UP = 3_000;

    private Programs() {}

    /** Runs a program. */
    public static void main(String[] arguments) throws Exception {
        switch (arguments[0]) {
            case "exit" -> exit();
            case "return" -> underWay();
            case "throw" -> {
                underWay();
                throw new IllegalStateException("the program fails");
            }
            case "exitInCallback" -> exitInCallback();
            case "exitAmongCallbacks" -> exitAmongCallbacks();
            case "create" -> create();
            case "createAsync" -> createAsync();
            case "abandon" -> abandon();
            case "use" -> use();
            case "clients" -> clients();
            case "load" -> System.out.println("loaded " + ZelfClient.create() + " " + Zelf.VERSION);
            default -> throw new IllegalArgumentException(arguments[0]);
        }
    }

    /** Has blocking and asynchronous calls under way, which the server does not answer. */
    private static void underWay() throws Exception {
        ZelfClient client = Sandbox.client().timeout(Duration.ofSeconds(60)).build();
        // A callback has run before, and its thread is attached.
        client.createSessionAsync(Sandbox.options()).get().close();
        Sandbox.reset();
        Sandbox.fault("{\"kind\":\"stall\",\"stage\":\"request\",\"path\":\"/api/sessions\"}");
        for (int number = 0; number < 5; number++) {
            Thread thread = new Thread(() -> client.createSession(Sandbox.options()));
            thread.setDaemon(true);
            thread.start();
            client.createSessionAsync(Sandbox.options());
        }
        SessionProvider.builder(client, Sandbox.options()).background(true).build().getAsync();
        Sandbox.awaitRequest("/api/sessions");
        System.out.println("ending");
    }

    private static void exit() throws Exception {
        underWay();
        System.exit(0);
    }

    /** Exits on a thread of the library. */
    private static void exitInCallback() throws Exception {
        ZelfClient client = Sandbox.client().executor(Runnable::run).build();
        client.createSessionAsync(Sandbox.options()).thenRun(() -> {
            System.out.println("ending");
            System.exit(0);
        });
        Thread.sleep(Long.MAX_VALUE);
    }

    /** Exits while callbacks come one after the other, on the library's and on Java's threads. */
    private static void exitAmongCallbacks() throws Exception {
        AtomicInteger callbacks = new AtomicInteger();
        for (Executor executor : new Executor[] {Runnable::run, null}) {
            ZelfClient client = Sandbox.client().executor(executor)
                    .log(System.Logger.Level.DEBUG, (level, message) -> callbacks.incrementAndGet()).build();
            for (int chain = 0; chain < 8; chain++) {
                again(client, Sandbox.options(), callbacks);
            }
        }
        while (callbacks.get() < 500) {
            Thread.sleep(1);
        }
        System.out.println("ending");
        System.exit(0);
    }

    private static void again(ZelfClient client, SessionOptions options, AtomicInteger callbacks) {
        client.createSessionAsync(options).thenAccept(session -> {
            session.close();
            callbacks.incrementAndGet();
            again(client, options, callbacks);
        });
    }

    private static void create() throws Exception {
        try (ZelfClient client = Sandbox.client().build()) {
            measured(count -> {
                ExecutorService pool = Executors.newFixedThreadPool(8);
                Future<?>[] workers = new Future<?>[8];
                for (int worker = 0; worker < workers.length; worker++) {
                    SessionOptions options = Sandbox.options();
                    workers[worker] = pool.submit(() -> {
                        for (int number = 0; number < count / workers.length; number++) {
                            try (Session session = client.createSession(options)) {
                                session.authorization();
                            }
                        }
                    });
                }
                for (Future<?> worker : workers) {
                    worker.get();
                }
                pool.shutdown();
            });
        }
    }

    private static void createAsync() throws Exception {
        SessionOptions[] options = Stream.generate(Sandbox::options).limit(32).toArray(SessionOptions[]::new);
        try (ZelfClient client = Sandbox.client().build()) {
            measured(count -> {
                Deque<CompletableFuture<Session>> underWay = new ArrayDeque<>();
                for (int number = 0; number < count; number++) {
                    underWay.add(client.createSessionAsync(options[number % options.length]));
                    if (underWay.size() == options.length) {
                        underWay.remove().get().close();
                    }
                }
                for (CompletableFuture<Session> future : underWay) {
                    future.get().close();
                }
            });
        }
    }

    /** Leaves the closing of all objects to the garbage collector. */
    private static void abandon() throws Exception {
        SessionOptions options = Sandbox.options();
        Sandbox.client().build().close();
        int before = descriptors();
        measured(count -> {
            for (int number = 0; number < count / 200; number++) {
                ZelfClient client = Sandbox.client().build();
                SessionProvider provider = SessionProvider.create(client, options);
                for (int get = 0; get < 200; get++) {
                    provider.get().token();
                }
            }
            // Until the cleaner has closed them.
            for (int tries = 0; descriptors() > before && tries < 500; tries++) {
                System.gc();
                Thread.sleep(10);
            }
        });
    }

    /** Uses sessions that nothing else refers to, while the garbage collector runs. */
    private static void use() throws Exception {
        try (ZelfClient client = Sandbox.client().build();
                SessionProvider provider = SessionProvider.create(client, Sandbox.options())) {
            ExecutorService pool = Executors.newFixedThreadPool(8);
            List<Future<?>> workers = new ArrayList<>();
            for (int worker = 0; worker < 8; worker++) {
                workers.add(pool.submit(() -> {
                    int allocated = 0;
                    for (int number = 0; number < 100_000; number++) {
                        provider.get().token();
                        // So that the collector runs often.
                        allocated += new byte[4096].length;
                    }
                    return allocated;
                }));
            }
            for (Future<?> worker : workers) {
                worker.get();
            }
            pool.shutdown();
        }
        System.out.println("used");
    }

    /** Makes and closes clients, each with a callback thread. */
    private static void clients() throws Exception {
        SessionOptions options = Sandbox.options();
        measured(count -> {
            for (int number = 0; number < count / 100; number++) {
                try (ZelfClient client = Sandbox.client().build()) {
                    client.createSessionAsync(options).get().close();
                }
            }
        });
    }

    /** A part of a program. */
    private interface Work {
        void run(int count) throws Exception;
    }

    /** Prints the growth of memory in KiB, and of the numbers of descriptors and threads. */
    private static void measured(Work work) throws Exception {
        work.run(WARM_UP);
        System.gc();
        long memory = memory();
        int descriptors = descriptors();
        int threads = threads();
        work.run(CREATIONS);
        System.gc();
        // A thread that has been joined may not have left the system yet.
        for (int tries = 0; threads() > threads && tries < 500; tries++) {
            Thread.sleep(10);
        }
        System.out.println("grown " + (memory() - memory) + " " + (descriptors() - descriptors)
                + " " + (threads() - threads));
    }

    private static long memory() throws Exception {
        String status = Files.readString(Path.of("/proc/self/status"));
        return Long.parseLong(status.replaceAll("(?s).*VmRSS:\\s*(\\d+) kB.*", "$1"));
    }

    private static int threads() {
        return new File("/proc/self/task").list().length;
    }

    private static int descriptors() {
        return new File("/proc/self/fd").list().length;
    }
}
