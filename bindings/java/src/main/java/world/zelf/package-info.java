// SPDX-License-Identifier: MIT OR Apache-2.0

/**
 * Creates Zelf session tokens and sends requests with them.
 *
 * <p>{@link world.zelf.ZelfClient} creates sessions. {@link world.zelf.SessionProvider} keeps
 * one session for a program, and renews it. {@link world.zelf.ZelfHttpClient} puts its token on
 * the requests of a {@link java.net.http.HttpClient}.
 *
 * <p>Any number of threads may use any object at once, except builders. Close an object when
 * you no longer need it; the garbage collector closes it otherwise. After {@code close}, its
 * methods throw {@link java.lang.IllegalStateException}. A thread may close an object while
 * others use it: their calls end as usual.
 *
 * <p>The jar contains the library. The system property {@code zelf.library} names another file to
 * load instead. A library that is older than the package is refused with an {@link
 * java.lang.UnsatisfiedLinkError}.
 *
 * <p>A method that takes an object throws {@link java.lang.NullPointerException} for null, unless
 * its comment allows null. A failure of the library is a {@link world.zelf.ZelfException}, which
 * is unchecked.
 */
package world.zelf;
