/*
 * zelf.h: a Zelf session token for your program.
 *
 *   zelf_client *client = zelf_client_new(NULL, &error);
 *   zelf_session *session = client ? zelf_session_create(client, options, &error) : NULL;
 *   if (session) send_with(zelf_session_authorization(session));
 *   else         fprintf(stderr, "%s\n", zelf_error_message(error));
 *
 * These rules hold everywhere. A function's comment states what differs.
 *
 * Ownership. Free every object that a function returns, or that a callback
 * receives, with the _free of its type, unless the comment says that it is
 * borrowed. A const char * or const void * from an object is valid until that
 * object is freed. The library copies every const char * that you pass.
 *
 * NULL. Any object that you pass may be NULL. zelf_client_shutdown,
 * zelf_client_dispatch and every function with an error parameter then fail with
 * ZELF_ERROR_INVALID_ARGUMENT. Any other function does nothing, and returns NULL, 0,
 * false or ZELF_OK.
 *
 * Errors. A function that returns an object returns NULL on failure. If it takes
 * zelf_error **error, it then stores an error there that you free. error may be
 * NULL. An older value there is overwritten, not freed. On success nothing is
 * stored. Every such function may also fail with ZELF_ERROR_PANIC. A function
 * zelf_..._new without an error parameter fails only if the library has a bug. If an
 * allocation fails, the process is aborted with a line on stderr; this is all that
 * the library ever prints.
 *
 * Threads. Any thread may call any function. Any number of threads may use a
 * client, session, provider, call, response or error at once. Only one thread at
 * a time may change a configuration, options or a request, and no other may use
 * it meanwhile. No other thread may use an object while you free it, or later. There
 * are two exceptions. Calls that already run continue after zelf_client_free. A
 * provider may return one session several times: free it once for each. A thread with
 * PTHREAD_CANCEL_ASYNCHRONOUS must not call the library. A deferred cancellation takes
 * effect after the function has returned.
 *
 * Blocking calls. Functions that may wait for the server (zelf_session_create,
 * zelf_session_send, zelf_session_provider_get and _send) need a stack of 128 KiB on
 * Linux, and elsewhere the default stack of a thread. A name look-up, and a check by
 * the system's verifier (docs/guide.md), run on helper threads, which may outlive the
 * call. On a thread that is ending (thread-specific destructor, atexit handler) these
 * functions fail with ZELF_ERROR_INVALID_ARGUMENT if it is too late to open a
 * connection.
 *
 * Asynchronous calls. If a function returns a zelf_call, its callback runs exactly
 * once, and destroy exactly once after it, in the process that made the call. If it
 * returns NULL, neither runs, and user_data stays yours. The callback never runs on
 * your thread inside the function that starts the call, but it may run before that
 * function returns. "Exit" says what happens at the end of the process.
 *
 * A client starts an I/O thread, and a callback thread unless
 * zelf_config_set_dispatch is set, with its first asynchronous call or provider
 * with background. zelf_client_shutdown and zelf_client_free end them.
 *
 * Strings. They are UTF-8 and end with a NUL. Times are Unix seconds. The name of a
 * duration says its unit.
 *
 * Side effects. Loading the library does nothing: no thread, no file, no
 * environment. The library leaves errno, the signal mask and signal dispositions
 * unchanged, and raises no SIGPIPE. On Windows it also leaves GetLastError and
 * WSAGetLastError unchanged, and the module that contains it stays loaded after the
 * first call: FreeLibrary is safe, and frees nothing.
 *
 * Callbacks. The callbacks of a client's asynchronous calls run on its callback
 * thread, which has a stack of 2 MiB, or with zelf_config_set_dispatch inside
 * zelf_client_dispatch, zelf_client_shutdown and zelf_client_free. Two threads never
 * run them at the same time. destroy runs directly after the callback, on the same
 * thread. A callback may block, and may call any function of the library, also to
 * free the call and the client. If it calls zelf_client_dispatch,
 * zelf_client_shutdown or zelf_client_free, other callbacks may run inside it: hold
 * no lock that they need.
 *
 * A callback of any kind returns normally. longjmp must not leave it. A C++ exception
 * that leaves it ends the process (std::terminate). It may end its thread with
 * pthread_exit only with glibc on x86-64 and AArch64 (docs/guide.md). pthread_cancel
 * has no effect on a client's thread.
 *
 * Signals. On a client's thread, your callbacks and the destructors of
 * thread-specific data run with the signal mask of the thread that started the
 * client's first thread. The library's own code there blocks all signals except
 * faults, SIGPROF, and the signals that garbage collectors use (on Linux SIGPWR,
 * SIGXCPU and real-time signals, unless that thread blocked them). The library does
 * not change the mask of your threads.
 *
 * Fork. A forked child may use inherited objects; it opens its own connections.
 * The client's first asynchronous call binds it to its process. So do a provider
 * with background, zelf_client_shutdown and, with zelf_config_set_dispatch,
 * zelf_client_descriptor and zelf_client_dispatch. In a child that is forked later,
 * these fail with ZELF_ERROR_FORKED: make another client there. Blocking calls, getters
 * and frees work in that child, and zelf_client_free runs no callbacks there. A child
 * forked in a callback on a client's thread ends when the callback returns. If another
 * thread was resolving a name during the fork, the C library's resolver may stay
 * locked in the child: calls there then fail at their time limit.
 *
 * Exit. The first asynchronous call of a process, or its first provider with
 * background, registers an exit handler. exit runs handlers in reverse order. When it
 * reaches this one, it waits up to 500 ms for a running callback, and no callback
 * starts on a client's thread any more. A callback that takes longer runs on beside
 * the rest of exit. The callbacks that have not started never run, and neither do
 * their destroy functions, unless zelf_client_shutdown runs them during exit. So
 * callbacks may use things whose exit handlers were registered earlier. If they use
 * things whose handlers were registered later, call zelf_client_shutdown before exit.
 * docs/guide.md is about quick_exit, and about the C runtimes of Windows.
 *
 * Versions. Everything here is since 0.1.0 unless its comment says otherwise.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#ifndef ZELF_H
#define ZELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Functions of the library. Define ZELF_STATIC before including this header
   when you link libzelf statically on Windows. */
#ifndef ZELF_API
#if defined(_WIN32) && !defined(ZELF_STATIC)
#define ZELF_API __declspec(dllimport)
#elif defined(__GNUC__)
#define ZELF_API __attribute__((visibility("default")))
#else
#define ZELF_API
#endif
#endif

/* Marks functions whose result you have to use: an object to free, or a status that says
   whether an identifier was written. The compiler warns if you ignore it. Define ZELF_MUST_USE
   as nothing before including this header to silence the warning. */
#ifndef ZELF_MUST_USE
#if defined(__GNUC__)
#define ZELF_MUST_USE __attribute__((warn_unused_result))
#else
#define ZELF_MUST_USE
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif
