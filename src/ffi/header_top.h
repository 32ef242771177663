/*
 * zelf.h: a Zelf session token for your program.
 *
 *   zelf_client *client = zelf_client_new(NULL, &error);
 *   zelf_session *session = client ? zelf_session_create(client, options, &error) : NULL;
 *   if (session) send_with(zelf_session_authorization(session));
 *   else         fprintf(stderr, "%s\n", zelf_error_message(error));
 *
 * Ownership. Every object that a function returns is yours: give it to the
 * _free of its type. So is an object that a callback receives, unless the
 * callback says otherwise. Every const char * and const void * you get from an
 * object is borrowed from it, and valid until that object is freed. Every
 * const char * you pass is copied. A _free accepts NULL, and so does every
 * getter.
 *
 * Errors. A function that makes an object returns NULL when it fails and, if
 * you passed a place for it, puts a zelf_error there; one that was there before
 * is overwritten, not freed. On success the place is not touched.
 *
 * Threads. Every function may be called from any thread. Any number of threads
 * may use a client, a session, a session provider, a call or an error at once.
 * One thread at a time may change a configuration or options.
 *
 * Strings are UTF-8 and end with a NUL. Times are Unix seconds, durations say
 * their unit in their name.
 *
 * Loading the library does nothing: no thread, no file, no environment. It
 * never prints, never touches the disposition of a signal, and leaves errno as
 * it was. A client survives fork: the child makes connections of its own, and
 * asynchronous calls stay with the parent. A child that was forked while another
 * thread looked a name up may find the C library's own look-up locked; its calls
 * then end at their time limit. The one thing that the library
 * cannot turn into an error is that memory runs out: then the process is
 * aborted, with a line on stderr.
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

#ifdef __cplusplus
extern "C" {
#endif
