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
 * NULL. A _free and a getter accept NULL. A function that needs an object fails
 * with ZELF_ERROR_INVALID_ARGUMENT for NULL.
 *
 * Errors. A function that returns an object returns NULL on failure. If it takes
 * zelf_error **error, it then stores an error there that you free. error may be
 * NULL. An older value there is overwritten, not freed. On success nothing is
 * stored. Every such function may also fail with ZELF_ERROR_PANIC. If an
 * allocation fails, the process is aborted with a line on stderr; this is all
 * that the library ever prints.
 *
 * Threads. Any thread may call any function. Any number of threads may use a
 * client, session, provider, call, response or error at once. Only one thread at
 * a time may change a configuration, options or a request, and no other may use
 * it meanwhile. Functions that may wait for the server need a stack of 128 KiB on
 * Linux, and elsewhere the default stack of a thread.
 * A thread with PTHREAD_CANCEL_ASYNCHRONOUS must not call the library. A deferred
 * cancellation takes effect after the function has returned.
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
 * Callbacks. A callback returns normally. longjmp must not leave it. A C++
 * exception that leaves it ends the process (std::terminate). With glibc on
 * x86-64 and AArch64 a callback may end its thread with pthread_exit, as Python
 * before 3.14 does when it exits. On a thread of yours, the function that you
 * called then does not return, and you get no object. A thread of the client is
 * replaced. If it was the I/O thread, its unfinished calls end with
 * ZELF_ERROR_CANCELLED, and from then on callers renew the sessions of providers
 * with background. destroy still runs. On other systems a callback must not end its
 * thread: the library does not learn of it, no further callback runs, and a shutdown
 * waits until its time limit. With glibc on other processors the process is aborted.
 * pthread_cancel has no effect on a client's thread.
 *
 * Signals. On a client's thread, your callbacks and the destructors of
 * thread-specific data run with the signal mask of the thread that started the
 * client's first thread. The library's own code there blocks all signals except
 * faults, SIGPROF, and the signals that garbage collectors use (on Linux SIGPWR,
 * SIGXCPU and real-time signals, unless that thread blocked them). The library does not change
 * the mask of your threads.
 *
 * Fork. A forked child may use inherited objects; it opens its own connections.
 * The client's first asynchronous call binds it to its process. So do a provider
 * with background, zelf_client_shutdown and, with zelf_config_set_dispatch,
 * zelf_client_descriptor and zelf_client_dispatch. In a child that is forked later,
 * these fail with ZELF_ERROR_FORKED: make another client there. If another thread was resolving a
 * name during the fork, the C library's resolver may stay locked in the child:
 * calls there then fail at their time limit.
 *
 * Exit. The first asynchronous call of a process, or its first provider with
 * background, registers an exit handler. exit
 * runs handlers in reverse order. When it reaches this one, it waits up to 500 ms
 * for a running callback, and no callback starts on a client's thread any more.
 * So callbacks may use what was registered before. If they use what was registered
 * later, call zelf_client_shutdown before exit. A shutdown during exit
 * runs the remaining callbacks itself; without one, neither they nor their destroy
 * run. On Linux and Android the same holds for quick_exit. A forked child registers
 * the handler again. On Windows the handler is that of ucrtbase.dll and
 * msvcrt.dll, if they are loaded by then, and of the program's own C runtime, if
 * libzelf is linked into the program. A program with another C runtime calls
 * zelf_client_shutdown before exit. ExitProcess ends the
 * client's threads where they are.
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

/* Marks functions that do nothing but return an object, which has to be freed: the compiler
   warns if the result is not used. Define ZELF_MUST_USE as nothing before including this
   header to silence the warning. */
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
