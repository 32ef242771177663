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

/* ---- Version ------------------------------------------------------------- */

/* The version of this header. */
#define ZELF_VERSION "0.1.0"
#define ZELF_VERSION_MAJOR 0
#define ZELF_VERSION_MINOR 1
#define ZELF_VERSION_PATCH 0

/**
 * The version of the library that is running, such as "0.1.0".
 *
 * A library that is not older than this header has all that it declares:
 * compare the first two numbers with ZELF_VERSION_MAJOR and
 * ZELF_VERSION_MINOR. A newer one is as good; do not ask for the same.
 *
 * Returns a static string: never NULL, not to be freed.
 *
 * Since 0.1.0.
 */
ZELF_API const char *zelf_version(void);

/* ---- Status -------------------------------------------------------------- */

/**
 * Why a call failed: ZELF_OK, or one of the ZELF_ERROR_ constants.
 *
 * A number once given is never reused. A later version may add numbers, so
 * treat one you do not know as a failure.
 */
typedef int32_t zelf_status;

/** Success; not an error. */
#define ZELF_OK 0

/**
 * An argument cannot be used: a NULL client, an option that is not UTF-8, out
 * of range or forbidden. The message names it. Nothing was sent.
 */
#define ZELF_ERROR_INVALID_ARGUMENT 1

/** A setting of the configuration cannot be used; the message names it. */
#define ZELF_ERROR_INVALID_CONFIG 2

/** A bug in this library, caught before it could harm your process. */
#define ZELF_ERROR_PANIC 3

/**
 * The operating system refused something: no file descriptor or thread was
 * left.
 */
#define ZELF_ERROR_SYSTEM 4

/**
 * The call was cancelled: by zelf_call_cancel, zelf_client_shutdown or
 * zelf_client_free.
 */
#define ZELF_ERROR_CANCELLED 5

/** The client has been shut down and takes no more calls. */
#define ZELF_ERROR_SHUT_DOWN 6

/**
 * The process is a forked child, and what was asked for needs threads that
 * only its parent has. Make a client in the child.
 */
#define ZELF_ERROR_FORKED 7

/** The name of the server, or of the proxy, could not be resolved. */
#define ZELF_ERROR_DNS 10

/**
 * No connection to the server, or to the proxy, could be made; or a SOCKS proxy
 * could not make its own to the server.
 */
#define ZELF_ERROR_CONNECT 11

/**
 * No secure connection could be made: the certificate is not trusted, has
 * expired or belongs to another host, or the peer does not speak TLS 1.2 or 1.3,
 * has no cipher in common, or wants a client certificate. The message says which.
 */
#define ZELF_ERROR_TLS 12

/**
 * The time limit of the call, or that of connecting, has passed; or HTTP 408,
 * the server's or the proxy's own.
 */
#define ZELF_ERROR_TIMEOUT 13

/** The connection broke before the whole answer had arrived. */
#define ZELF_ERROR_CONNECTION_LOST 14

/**
 * The server's certificate is trusted, but its key is none of those pinned
 * with zelf_config_add_pin.
 */
#define ZELF_ERROR_PIN_MISMATCH 15

/**
 * The proxy refused, wants other credentials (HTTP 407), or does not speak its
 * protocol. What it says is in zelf_error_http_status and
 * zelf_error_server_message. Its 408, 429 and 5xx, which may pass, have the
 * status that they have from a server.
 */
#define ZELF_ERROR_PROXY 16

/**
 * The answer is not a session: not HTTP, not JSON, no token, or a token that
 * cannot go into a header.
 */
#define ZELF_ERROR_BAD_RESPONSE 20

/** The answer is larger than any session (64 KiB) or has too many headers. */
#define ZELF_ERROR_RESPONSE_TOO_LARGE 21

/**
 * The server redirects. That is never followed, since it would send the
 * request to a place you did not choose; correct the base URL.
 */
#define ZELF_ERROR_REDIRECTED 22

/** HTTP 403 "rejected": the server does not accept the origin. */
#define ZELF_ERROR_REJECTED_ORIGIN 30

/**
 * HTTP 401: the server wants a token for this path; usually the base URL is
 * wrong.
 */
#define ZELF_ERROR_UNAUTHORIZED 31

/** Any other HTTP 403, for example from a firewall in front of the server. */
#define ZELF_ERROR_FORBIDDEN 32

/** HTTP 400, 413, 415 or 431: the server could not take the request. */
#define ZELF_ERROR_BAD_REQUEST 33

/** HTTP 409 or 422: the server refuses a value. */
#define ZELF_ERROR_VALIDATION 34

/** HTTP 404: there is no session API at this address. */
#define ZELF_ERROR_NOT_FOUND 35

/**
 * HTTP 404 "Not Found", what the server says while it is starting, and said until
 * the time limit. A path that does not exist gets the same answer: check the base
 * URL.
 */
#define ZELF_ERROR_STARTING_UP 36

/**
 * The session has been used more often than the server allows; create it
 * again with zelf_session_options_set_kill_session.
 */
#define ZELF_ERROR_LIMIT_EXCEEDED 37

/** HTTP 403 "Session is not active": the session has ended on the server. */
#define ZELF_ERROR_SESSION_NOT_ACTIVE 38

/**
 * HTTP 429: too many requests, says the server or the proxy; see
 * zelf_error_retry_after_ms.
 */
#define ZELF_ERROR_RATE_LIMITED 39

/**
 * HTTP 5xx, except 501, 505 and 511: the server, or a proxy on the way to it,
 * failed.
 */
#define ZELF_ERROR_SERVER 40

/**
 * An HTTP status that the session API does not have. Also 501 and 505, with
 * which a server says that it never will, and 511, with which a network wants a
 * person to sign in first.
 */
#define ZELF_ERROR_UNEXPECTED_HTTP_STATUS 41

/** The server handed out a session that has already expired, by its own clock. */
#define ZELF_ERROR_SESSION_EXPIRED 50

/** The server handed out the session of another identifier. */
#define ZELF_ERROR_FOREIGN_SESSION 51

/**
 * The server returned another session each time it was asked, so none of them
 * exists. Either the network has changed, and no session can be had until the old
 * one has ended; or the server mistakes the identifier for a date or a database key
 * (see zelf_session_options_set_identifier).
 */
#define ZELF_ERROR_GHOST_SESSION 52

/**
 * The server returned a session that was made with another tag name, domain or
 * Ethereum address than the one asked for. It has ignored the new value. Use
 * zelf_session_options_set_kill_session, or another identifier.
 */
#define ZELF_ERROR_OTHER_OPTIONS 53

/**
 * The name of a status, such as "ZELF_ERROR_TIMEOUT".
 *
 * Returns a static string: never NULL, not to be freed. A number that this
 * version does not know gives "ZELF_ERROR_UNKNOWN".
 *
 * Since 0.1.0.
 */
ZELF_API const char *zelf_status_name(zelf_status status);

/* ---- Errors -------------------------------------------------------------- */

/**
 * Why one call failed. Immutable: any number of threads may read it at once.
 * It never holds a token.
 */
typedef struct zelf_error zelf_error;

/**
 * What kind of failure it was, to branch on. ZELF_OK when error is NULL.
 *
 * Since 0.1.0.
 */
ZELF_API zelf_status zelf_error_status(const zelf_error *error);

/**
 * One sentence in English for a person: what failed and what can be done.
 * Its wording may change in any version; branch on the status instead.
 *
 * Borrowed from error, valid until zelf_error_free. NULL when error is NULL.
 *
 * Since 0.1.0.
 */
ZELF_API const char *zelf_error_message(const zelf_error *error);

/**
 * The HTTP status of the answer, such as 403: the server's, or that of a proxy
 * which did not connect to it. A time-out has it too when an answer began and did
 * not end. 0 when no answer came, or error is NULL.
 *
 * Since 0.1.0.
 */
ZELF_API int32_t zelf_error_http_status(const zelf_error *error);

/**
 * The words of the server, or of a proxy that did not connect to it: one line
 * of UTF-8 text of at most 515 bytes (without the NUL), without control
 * characters. Show it as text only: anyone on the way may have chosen it.
 *
 * Borrowed from error, valid until zelf_error_free. NULL when nothing was said,
 * or error is NULL.
 *
 * Since 0.1.0.
 */
ZELF_API const char *zelf_error_server_message(const zelf_error *error);

/**
 * Whether the same call may succeed a little later without any change. false
 * when error is NULL.
 *
 * Since 0.1.0.
 */
ZELF_API bool zelf_error_is_retryable(const zelf_error *error);

/**
 * How long the server, or the proxy, asks to wait before the next attempt (its
 * Retry-After header), in milliseconds. A provider's error says when its next attempt
 * may come. A part of a second is rounded up to a whole
 * one. A number too large for the type is UINT64_MAX. 0 when it did not say, or
 * error is NULL.
 *
 * Since 0.1.0.
 */
ZELF_API uint64_t zelf_error_retry_after_ms(const zelf_error *error);

/**
 * Frees an error and the strings borrowed from it. NULL is fine.
 *
 * Since 0.1.0.
 */
ZELF_API void zelf_error_free(zelf_error *error);

/* ---- Log ----------------------------------------------------------------- */

/** How much to tell, or what a message is. */
typedef int32_t zelf_log_level;

/**
 * Receives one message: a line of UTF-8 text without a line feed, borrowed
 * for the call.
 */
typedef void (*zelf_log_callback)(zelf_log_level level,
                                  const char *message,
                                  void *user_data);

/** Frees user data when the library is done with it. */
typedef void (*zelf_destroy_callback)(void *user_data);

/** Calls that failed, each once, with what zelf_error_message says. */
#define ZELF_LOG_ERROR 1

/** Also attempts that failed and are made again. */
#define ZELF_LOG_WARNING 2

/** Also what the library did on its own, such as replacing an expired session. */
#define ZELF_LOG_INFO 3

/** Also every answer, with its time and whether its connection was kept. */
#define ZELF_LOG_DEBUG 4

/* ---- Configuration ------------------------------------------------------- */

/**
 * The settings of a client.
 *
 * The setters copy what they are given and never fail; zelf_client_new checks
 * everything and names the first setting that is wrong. A string of NULL and
 * a number of 0 bring the default back. A NULL config is ignored.
 *
 * Not for two threads at once, unless both only read (zelf_client_new reads).
 */
typedef struct zelf_config zelf_config;

/**
 * A new configuration in which everything has its default, which works
 * against the public API.
 *
 * Returns an object that is yours: give it to zelf_config_free, which may be
 * as soon as the client is made. NULL only for a bug in this library.
 *
 * Since 0.1.0.
 */
ZELF_API zelf_config *zelf_config_new(void);

/**
 * Where the API is: "https://host", with a port or a path if need be;
 * "/api/sessions" is appended. Plain "http://" is for this machine only
 * (localhost, 127.0.0.0/8, [::1]). Credentials, a query and a fragment are
 * refused.
 *
 * Default: "https://api.zelf.world".
 *
 * Since 0.1.0.
 */
ZELF_API void zelf_config_set_base_url(zelf_config *config, const char *url);

/**
 * The Origin header, of which the server requires that there is one: the
 * scheme and host of your application, such as "https://app.example". ASCII,
 * at most 1024 bytes.
 *
 * Default: that of the base URL.
 *
 * Since 0.1.0.
 */
ZELF_API void zelf_config_set_origin(zelf_config *config, const char *origin);

/**
 * The User-Agent header: ASCII, at most 1024 bytes.
 *
 * Default: "libzelf/" and the version.
 *
 * Since 0.1.0.
 */
ZELF_API void zelf_config_set_user_agent(zelf_config *config, const char *agent);

/**
 * The time limit of a whole call in milliseconds, from name look-up to the
 * last byte of the answer, retries included.
 *
 * Default: 15000.
 *
 * Since 0.1.0.
 */
ZELF_API void zelf_config_set_timeout_ms(zelf_config *config, uint32_t ms);

/**
 * The time limit of making one connection in milliseconds: name look-up, TCP,
 * the proxy and TLS together. The limit of the whole call holds as well.
 *
 * Default: 5000.
 *
 * Since 0.1.0.
 */
ZELF_API void zelf_config_set_connect_timeout_ms(zelf_config *config, uint32_t ms);

/**
 * How often a call may try in all when a failure is worth another attempt
 * (see zelf_error_is_retryable). 1 turns retries off. Retries also have a
 * budget, so that an outage is not multiplied: in a minute they add about a
 * tenth to a client's calls, or two where that is more.
 *
 * A request that goes out again because a connection kept from an earlier call
 * was dead before a byte of the answer came is not counted. That happens once a
 * call at most. A call that replaces an expired session makes its further
 * requests by the same rules.
 *
 * Not counted either is an answer of a server that is starting (404 "Not Found"):
 * the library asks again after 0.3 s to 3 s, until the time limit of the call.
 *
 * Default: 3.
 *
 * Since 0.1.0.
 */
ZELF_API void zelf_config_set_max_attempts(zelf_config *config, uint32_t attempts);

/**
 * Trust only the certificates in this PEM file, instead of the authorities that
 * the system trusts, for the server and for a proxy with "https://".
 * zelf_client_new reads it; the path is UTF-8.
 *
 * A certificate in it is an authority, or an intermediate one, that signs those
 * of servers. It may also be a server's own, self-signed or not: that one is
 * trusted in its time, for the hosts of its subjectAltName, or for its common
 * name where it has none.
 *
 * It must be a regular file of at most 16 MiB, and every certificate in it must
 * be usable: the error names the one that is not by its number and line. Keys and
 * text between the certificates are skipped. A BEGIN may be indented; behind other
 * text on its line it is text.
 *
 * Default: the system's trust, read by zelf_client_new. On Linux and the BSDs
 * that is the distribution's file of certificates, or its folder of them where
 * there is no such file. The environment can change it. SSL_CERT_FILE names
 * another file, and no folder of the system is read then. SSL_CERT_DIR names
 * folders, with colons between them, that are read as well as the file. Empty,
 * they count as not set. A place that cannot be used is named with its variable
 * when zelf_client_new finds no other, and when a server's certificate is not
 * trusted. A program that must not trust its environment, such as a setuid one,
 * sets a file here.
 *
 * Since 0.1.0.
 */
ZELF_API void zelf_config_set_ca_file(zelf_config *config, const char *pem_path);

/**
 * The same from memory: certificates in PEM form, copied. Setting both is an
 * error of zelf_client_new, and so is a text of more than 16 MiB.
 *
 * pem: the text; NULL brings the default back.
 * length: its bytes, without a NUL at the end if it has one.
 *
 * Since 0.1.0.
 */
ZELF_API void zelf_config_set_ca_pem(zelf_config *config, const char *pem, size_t length);

/**
 * Adds a pin: the SHA-256 of the SubjectPublicKeyInfo of a key that the
 * server's certificate may have, in base64 (44 characters). With one or more,
 * a server with another key is ZELF_ERROR_PIN_MISMATCH, even with a
 * certificate that is trusted; the usual checks come first and stay. Pin a
 * spare key too, or a lost one locks your program out. The key is that of the
 * server's own certificate, not of an authority's. A proxy has no pins: a proxy
 * with "https://" is trusted by its certificate alone. NULL removes all pins.
 *
 * A pin of a certificate: openssl x509 -in cert.pem -pubkey -noout | openssl
 * pkey -pubin -outform der | openssl dgst -sha256 -binary | base64
 *
 * Since 0.1.0.
 */
ZELF_API void zelf_config_add_pin(zelf_config *config, const char *spki_sha256_base64);

/**
 * The proxy to go through: "http://", "https://", "socks5://" or "socks5h://"
 * (the proxy resolves names), with "user:password@" if need be. The session is
 * encrypted between this library and the server. A base URL with plain http is
 * never proxied.
 *
 * In the user and the password write "@", ":", "/", "\", "?", "#", "%" and a
 * space in percent form. HTTP cannot carry a user with a ":". The host is a name or an address, an IPv6 address in
 * brackets and without a zone. The default ports are 80, 443 and 1080.
 * zelf_client_new refuses a URL that it cannot use exactly as it is written: no
 * call goes around a proxy.
 *
 * A proxy with "https://" is spoken to over TLS. Its certificate is checked as the
 * server's is, with the same CA file, and pins do not concern it. A proxy with
 * "http://" or "socks5://" is not checked, and sees the credentials that are sent
 * to it, as does anyone on the way there.
 *
 * Default: none, whatever the environment says.
 *
 * Since 0.1.0.
 */
ZELF_API
void zelf_config_set_proxy(zelf_config *config,
                           const char *url);

/**
 * Lets zelf_client_new take the proxy from the environment, unless one is set:
 * https_proxy, or else all_proxy, each also in capitals. A URL without a scheme
 * has "http://", one that cannot be used is an error, and an empty one is none.
 *
 * no_proxy, or else NO_PROXY, lists exceptions with commas or spaces between: names
 * and their subdomains, addresses, networks ("10.0.0.0/8", "2001:db8::/32"), each
 * with a port if need be ("host:443", "[::1]:443"), or "*". An empty no_proxy has
 * none.
 *
 * Do not call zelf_client_new then while another thread changes the environment.
 *
 * Default: off.
 *
 * Since 0.1.0.
 */
ZELF_API void zelf_config_set_proxy_from_env(zelf_config *config, bool from_env);

/**
 * Tells you what the library does: attempts, retries, connections, timings.
 * Never a token. Nothing is ever written elsewhere.
 *
 * callback: called on the thread of the call that it speaks of, so possibly
 *   on several at once, and for asynchronous calls on the one that does their
 *   I/O, with a stack of 512 KiB: while it runs, none of the client's
 *   asynchronous calls goes on, and no blocking one for an identifier that such
 *   a call is about. NULL turns the log off. It may call
 *   anything of this library but zelf_session_create. It must return: no
 *   exception, longjmp or pthread_exit, and no child that was forked in it. On
 *   the client's threads it falls silent at exit of the process, as
 *   zelf_session_create_async says. On the client's threads signals are
 *   blocked in it, which a program that it starts inherits.
 * user_data: passed to callback and destroy.
 * destroy: called once with user_data, when the configuration and all clients
 *   made from it are freed or have got another log, and no call is under way;
 *   on the thread that comes last, which may be a client's. In a forked child
 *   it is not called for what its parent has used. NULL for nothing to do.
 * level: the most that is told, one of ZELF_LOG_; another number turns the log
 *   off.
 *
 * With config NULL destroy is called at once.
 *
 * Since 0.1.0.
 */
ZELF_API
void zelf_config_set_log_callback(zelf_config *config,
                                  zelf_log_callback callback,
                                  void *user_data,
                                  zelf_destroy_callback destroy,
                                  zelf_log_level level);

/**
 * Lets your program run the callbacks of zelf_session_create_async itself, on
 * the thread of its choice: wait until zelf_client_descriptor is readable, then
 * call zelf_client_dispatch. The client has no callback thread then.
 *
 * On Windows zelf_client_new refuses such a configuration.
 *
 * Default: off, callbacks run on a thread of the client's.
 *
 * Since 0.1.0.
 */
ZELF_API void zelf_config_set_dispatch(zelf_config *config, bool by_host);

/**
 * Frees a configuration. Clients made from it stay as they are. NULL is fine.
 *
 * Since 0.1.0.
 */
ZELF_API void zelf_config_free(zelf_config *config);

/* ---- Client -------------------------------------------------------------- */

/**
 * Makes sessions with one set of settings. Make one and use it from any number
 * of threads at once.
 *
 * It keeps connections for the next call: as many as there were calls at once,
 * at most 32 blocking and 32 asynchronous ones. Each is one descriptor. A
 * connection of a blocking call stays open until a later call finds it old, or
 * the client is freed.
 */
typedef struct zelf_client zelf_client;

/**
 * Checks the settings and makes a client. Reads the CA file, or the system's
 * trusted certificates (not for a base URL with plain http); starts no thread
 * and opens no connection.
 *
 * config: the settings, copied; NULL for the defaults.
 * error: where to put the reason on failure, or NULL.
 *
 * Returns a client that is yours: give it to zelf_client_free. On failure
 * NULL, and *error, if given, is yours for zelf_error_free; on success *error
 * is not written. Errors: ZELF_ERROR_INVALID_CONFIG, ZELF_ERROR_TLS when the
 * system's certificates cannot be used, ZELF_ERROR_SYSTEM when no descriptor or
 * memory is left to read certificates, ZELF_ERROR_PANIC.
 *
 * Since 0.1.0.
 */
ZELF_API zelf_client *zelf_client_new(const zelf_config *config, zelf_error **error);

/**
 * Cancels the asynchronous calls of a client, waits until their callbacks have
 * returned, and ends the client's threads. After ZELF_OK no callback of this
 * client ever runs again; its connections are closed when it is freed. A name
 * look-up that hangs goes on, on a thread of its own that calls nothing of
 * yours and ends with it. From the beginning of this call on the client takes
 * no more calls: those that create a session fail with ZELF_ERROR_SHUT_DOWN.
 * Blocking calls under way on other threads go on to their end, and tell the
 * log, and a provider's renewed callback, until then.
 *
 * Every call that is cancelled calls back with ZELF_ERROR_CANCELLED first. With
 * zelf_config_set_dispatch that happens on this thread. Inside a callback it
 * is allowed as well: the callbacks that are left run then, and the one that
 * called, with its destroy, is the last to return. So is a log callback.
 *
 * It makes the client this process's own, as an asynchronous call does.
 *
 * timeout_ms: how long to wait, in milliseconds, and up to 100 more for the
 *   threads to end, on Linux with the destructors of what your callbacks left
 *   in thread-specific data. Callbacks are your code, and how long they run is up
 *   to it. 0 does not wait, but cancels all the same.
 *
 * Returns ZELF_OK; ZELF_ERROR_TIMEOUT when callbacks, the log's included, or
 * threads of the client were still running (call again to go on waiting);
 * ZELF_ERROR_INVALID_ARGUMENT for NULL; ZELF_ERROR_FORKED in a child whose
 * parent used the client for asynchronous calls.
 *
 * Since 0.1.0.
 */
ZELF_API zelf_status zelf_client_shutdown(zelf_client *client, uint32_t timeout_ms);

/**
 * A descriptor that poll, select, epoll or kqueue report as readable while
 * callbacks are due, for a client with zelf_config_set_dispatch.
 *
 * It belongs to the client, which closes it when freed: take it out of your
 * loop before. Do not read from it. A loop that is told of changes only
 * (EPOLLET, EV_CLEAR) works too. While one thread runs callbacks it may be
 * silent for all: a callback with a loop of its own has to dispatch unasked.
 *
 * Asking for it makes the client this process's own, as an asynchronous call
 * does: a child forked later needs another client.
 *
 * Returns -1 without zelf_config_set_dispatch, for NULL, in a forked child
 * whose parent used the client in that way, and when the system has no more
 * descriptors.
 *
 * Since 0.1.0.
 */
ZELF_API int zelf_client_descriptor(zelf_client *client);

/**
 * Runs the callbacks that are due, on the calling thread, for a client with
 * zelf_config_set_dispatch. Does not block but in your callbacks. Those that
 * become due meanwhile are left for the next time. While another thread runs
 * some, it runs none: there is never more than one of them at a time.
 *
 * Returns ZELF_OK, also when none was due; ZELF_ERROR_INVALID_ARGUMENT for
 * NULL or without zelf_config_set_dispatch; ZELF_ERROR_FORKED in a child whose
 * parent used the client for asynchronous calls, also when it was forked in a
 * callback and returned from that: then what is due remains the parent's.
 *
 * Since 0.1.0.
 */
ZELF_API zelf_status zelf_client_dispatch(zelf_client *client);

/**
 * Frees a client. NULL is fine.
 *
 * Calls of other threads that are inside the library go on to their end;
 * asynchronous ones are cancelled. Their callbacks run a little later on the
 * client's thread, which then ends; with zelf_config_set_dispatch they run here,
 * or on the thread that is inside one.
 * Use zelf_client_shutdown before if your program must know when the last has
 * returned. Sessions, errors and calls that came from the client stay valid.
 *
 * Since 0.1.0.
 */
ZELF_API void zelf_client_free(zelf_client *client);

/* ---- Identifiers --------------------------------------------------------- */

/**
 * Bytes that an identifier from these functions needs: 32 lower-case hex
 * digits and the NUL at the end.
 */
#define ZELF_IDENTIFIER_SIZE 33

/**
 * Makes an identifier from whatever tells this device or installation apart:
 * a serial number, a UUID, a MAC address as text. The same input gives the
 * same identifier on every device and in every version of this library.
 *
 * The input cannot be computed back (PBKDF2-HMAC-SHA-256, salted, 10000
 * rounds: a few milliseconds of CPU, so keep the result). Whoever has a list
 * of possible inputs can still try them all; where that matters, keep a
 * random identifier instead.
 *
 * device_id: any bytes up to a NUL, at least one.
 * out: where to put the identifier and its NUL; not written on failure.
 * capacity: the bytes that out has room for, at least ZELF_IDENTIFIER_SIZE.
 *
 * Returns ZELF_OK, or ZELF_ERROR_INVALID_ARGUMENT when a pointer is NULL,
 * device_id is empty or capacity too small.
 *
 * Since 0.1.0.
 */
ZELF_API
zelf_status zelf_identifier_derive(const char *device_id,
                                   char *out,
                                   size_t capacity);

/**
 * Makes a random identifier (128 bits from the system). Keep it: another one
 * is another device to the server.
 *
 * out: where to put the identifier and its NUL; not written on failure.
 * capacity: the bytes that out has room for, at least ZELF_IDENTIFIER_SIZE.
 *
 * Returns ZELF_OK, ZELF_ERROR_INVALID_ARGUMENT when out is NULL or capacity
 * too small, or ZELF_ERROR_SYSTEM when the system has no random numbers.
 *
 * Since 0.1.0.
 */
ZELF_API zelf_status zelf_identifier_random(char *out, size_t capacity);

/* ---- Session options ----------------------------------------------------- */

/**
 * What to ask of a new session. Only what was set is sent.
 *
 * The setters copy what they are given and never fail; zelf_session_create
 * checks everything and names the first option that is wrong. Strings are
 * UTF-8 without control characters; NULL takes an option back. NULL options
 * are ignored.
 *
 * Not for two threads at once, unless both only read (zelf_session_create
 * reads).
 */
typedef struct zelf_session_options zelf_session_options;

/**
 * What a session is created for. The server mistakes any other value for a
 * session that does not exist, so none can be sent.
 */
typedef int32_t zelf_session_type;

/** Anything; what the server assumes when no type is sent. */
#define ZELF_SESSION_TYPE_GENERAL 0

/** Creating a wallet. */
#define ZELF_SESSION_TYPE_CREATE_WALLET 1

/** Decrypting a wallet. */
#define ZELF_SESSION_TYPE_DECRYPT_WALLET 2

/** Importing a wallet. */
#define ZELF_SESSION_TYPE_IMPORT_WALLET 3

/**
 * New options in which nothing is set.
 *
 * Returns an object that is yours: give it to zelf_session_options_free. It
 * can serve any number of calls. NULL only for a bug in this library.
 *
 * Since 0.1.0.
 */
ZELF_API zelf_session_options *zelf_session_options_new(void);

/**
 * The device's unique identifier, at most 1024 bytes. Set one: without it the
 * server returns any session that it has for your public IP address, and
 * behind a shared address that can be somebody else's.
 *
 * Choose it per installation, random or a hash, and keep it. The server
 * mishandles what looks like a date or a database key ("my-device-1",
 * "build 2024", 24 upper-case hex digits): from the second call on it returns
 * tokens without a session. A lower-case UUID or 32 lower-case hex digits are
 * safe. The empty string and "undefined" are refused.
 *
 * Since 0.1.0.
 */
ZELF_API
void zelf_session_options_set_identifier(zelf_session_options *options,
                                         const char *identifier);

/**
 * What the session is for: one of the ZELF_SESSION_TYPE_ constants. Any other
 * number makes zelf_session_create fail.
 *
 * Since 0.1.0.
 */
ZELF_API
void zelf_session_options_set_type(zelf_session_options *options,
                                   zelf_session_type session_type);

/**
 * Whether the session belongs to a browser extension.
 *
 * Since 0.1.0.
 */
ZELF_API
void zelf_session_options_set_web_extension(zelf_session_options *options,
                                            bool is_web_extension);

/**
 * The name service domain, such as "zelf" (what the server assumes when none
 * is sent); at most 512 bytes.
 *
 * Since 0.1.0.
 */
ZELF_API
void zelf_session_options_set_domain(zelf_session_options *options,
                                     const char *domain);

/**
 * A tag name, such as "alice.zelf"; at most 512 bytes. The server then also
 * looks for a session of this name, and may return the one of another
 * identifier: see zelf_session_identifier.
 *
 * Since 0.1.0.
 */
ZELF_API
void zelf_session_options_set_tag_name(zelf_session_options *options,
                                       const char *tag_name);

/**
 * An Ethereum address, copied into the token; at most 512 bytes.
 *
 * Since 0.1.0.
 */
ZELF_API
void zelf_session_options_set_eth_address(zelf_session_options *options,
                                          const char *eth_address);

/**
 * Whether to end the session that the server has for the identifier and make
 * a new one; its old token stops working. Needs an identifier: without one it
 * could end somebody else's session, so zelf_session_create refuses. With a tag
 * name the server ends the first session that it finds for either, which may
 * be another identifier's.
 *
 * Such a request is made again only when the server has certainly not carried
 * it out; after a connection that broke, a time limit or an HTTP status of 5xx
 * nobody knows, and the call fails.
 *
 * Since 0.1.0.
 */
ZELF_API
void zelf_session_options_set_kill_session(zelf_session_options *options,
                                           bool kill_session);

/**
 * Whether zelf_session_create makes sure that the session exists. Default: false.
 *
 * The server can return a token whose session does not exist (a ghost): after a
 * change of network, after a race with another process, or for an identifier that
 * it mistakes. Such a token is refused with 403 "Session is not active". With this
 * option the library asks again, 250 ms after an answer with a session that is new.
 * The same session comes twice only if it exists. After three different ones the
 * call fails with ZELF_ERROR_GHOST_SESSION. This costs one more request whenever
 * the session is new; all of it counts against the time limit.
 *
 * Since 0.1.0.
 */
ZELF_API
void zelf_session_options_set_confirm(zelf_session_options *options,
                                      bool confirm);

/**
 * Frees options. NULL is fine.
 *
 * Since 0.1.0.
 */
ZELF_API void zelf_session_options_free(zelf_session_options *options);

/* ---- Sessions ------------------------------------------------------------ */

/**
 * A session that the server created or had. Immutable: any number of threads
 * may read it at once. The getters never block and accept NULL.
 */
typedef struct zelf_session zelf_session;

/**
 * Creates a session with a POST to /api/sessions, on the calling thread.
 *
 * The request is made again where that is worth it (see
 * zelf_config_set_max_attempts). The server may return a session that has
 * expired. When an identifier is set, the library then asks for a new one with
 * killSession, as zelf_session_options_set_kill_session does (but not if a tag
 * name may have found another identifier's). A session with under 2 s left when
 * the answer comes counts as expired.
 *
 * A session is replaced only when it has expired by the time in its token, and by
 * the answer's Date header if that is sane. A token that tells no time leaves it to
 * Date and the device's clock: both must say so. A slow answer is no reason, nor is
 * a time that cannot be meant. The error is ZELF_ERROR_SESSION_EXPIRED when the
 * clocks disagree.
 *
 * The server ignores a tag name, domain or Ethereum address that a live session was
 * not made with. The token says so, and the call fails with
 * ZELF_ERROR_OTHER_OPTIONS.
 *
 * Calls of one client that come at once for one identifier take turns, and those
 * with equal options share one request. Each call gets its own session object.
 *
 * Blocks until the answer is there, at most for the configured time limit.
 * Any number of threads may call it at once. A thread that is already ending (in
 * a thread-specific destructor, an atexit handler) may get
 * ZELF_ERROR_INVALID_ARGUMENT. A stack of 128 KiB is enough. pthread_cancel takes
 * effect after the call. errno and the signal mask stay as they were, and SIGPIPE
 * cannot reach your process from here. No thread is left behind. A name look-up
 * runs on a thread that ends with it and takes no signals of yours.
 *
 * client: the client; another thread may free it meanwhile.
 * options: what to ask for; NULL sends the empty object.
 * error: where to put the reason on failure, or NULL.
 *
 * Returns a session that is yours: give it to zelf_session_free. On failure
 * NULL, and *error, if given, is yours for zelf_error_free; on success *error
 * is not written. Errors: any but ZELF_ERROR_INVALID_CONFIG, _CANCELLED and
 * _FORKED.
 *
 * Since 0.1.0.
 */
ZELF_API
zelf_session *zelf_session_create(zelf_client *client,
                                  const zelf_session_options *options,
                                  zelf_error **error);

/**
 * The token, for later requests. A secret: keep it out of logs. Not verified:
 * only the server has the key.
 *
 * Borrowed from session, valid until zelf_session_free. NULL when session is
 * NULL.
 *
 * Since 0.1.0.
 */
ZELF_API const char *zelf_session_token(const zelf_session *session);

/**
 * The whole value of the Authorization header: "Bearer " and the token. Send
 * it as it is; the server takes whatever follows for part of the token.
 *
 * Borrowed from session, valid until zelf_session_free. NULL when session is
 * NULL.
 *
 * Since 0.1.0.
 */
ZELF_API const char *zelf_session_authorization(const zelf_session *session);

/**
 * The session's id on the server, read from the token without verifying it:
 * UTF-8 text that the server chose, of any characters.
 *
 * Borrowed from session, valid until zelf_session_free. NULL when the token
 * does not say, or session is NULL.
 *
 * Since 0.1.0.
 */
ZELF_API const char *zelf_session_id(const zelf_session *session);

/**
 * Whose session it is: the identifier in the token, read without verifying
 * it. When you set none, this tells whether the session is yours; the server
 * then writes your public IP address here, or somebody else's identifier.
 *
 * Borrowed from session, valid until zelf_session_free. NULL when the token
 * does not say, or session is NULL.
 *
 * Since 0.1.0.
 */
ZELF_API const char *zelf_session_identifier(const zelf_session *session);

/**
 * The domain that the session was made with, read from the token without verifying
 * it. The server writes "zelf" when none was asked for.
 *
 * Borrowed from session, valid until zelf_session_free. NULL when the token
 * does not say, or session is NULL.
 *
 * Since 0.1.0.
 */
ZELF_API const char *zelf_session_domain(const zelf_session *session);

/**
 * The tag name that the session was made with, read from the token without
 * verifying it.
 *
 * Borrowed from session, valid until zelf_session_free. NULL when the session was
 * made without one, the token does not say, or session is NULL.
 *
 * Since 0.1.0.
 */
ZELF_API const char *zelf_session_tag_name(const zelf_session *session);

/**
 * The Ethereum address that the session was made with, read from the token without
 * verifying it.
 *
 * Borrowed from session, valid until zelf_session_free. NULL when the session was
 * made without one, the token does not say, or session is NULL.
 *
 * Since 0.1.0.
 */
ZELF_API const char *zelf_session_eth_address(const zelf_session *session);

/**
 * When the session began, in Unix seconds by the server's clock. It can be
 * earlier than your call: the server returns a live session again. 0 when the
 * server did not say, or session is NULL.
 *
 * Since 0.1.0.
 */
ZELF_API int64_t zelf_session_activated_at(const zelf_session *session);

/**
 * When the session ends, in Unix seconds by the server's clock; do not compare
 * it with the device's clock, use zelf_session_seconds_left. When the server
 * did not say, or said what cannot be meant, 600 s after the session began or
 * the answer came. The server may write the time as a number or as text, in
 * seconds or parts of them, or as a date (RFC 3339). 0 when session is NULL.
 *
 * Since 0.1.0.
 */
ZELF_API int64_t zelf_session_expires_at(const zelf_session *session);

/**
 * How many whole seconds the session still lives; 0 when it has expired, or
 * session is NULL. Counted from the server's clock on one that runs while the
 * device sleeps (CLOCK_BOOTTIME on Linux and Android, CLOCK_MONOTONIC on
 * Apple's systems, the performance counter on Windows), so a device whose date
 * is wrong gets the right answer. Counted from when the request left: it can be
 * too low by the time that the answer took, and 0 after a slow answer. The
 * device's own clock counts only when the Date header and the token do not tell
 * the time or contradict each other, and when it lies within the session. When
 * nothing tells the time, the session counts as new.
 *
 * Since 0.1.0.
 */
ZELF_API int64_t zelf_session_seconds_left(const zelf_session *session);

/**
 * Frees a session and the strings borrowed from it. One from a provider lives on in the
 * provider, and in what else was got from it. With the last of them the token is overwritten
 * with zeros first, as the library's other copies of it were. Those that the
 * system and the buffers of TLS and HTTP had in passing are not. The session
 * lives on at the server. NULL is fine.
 *
 * Since 0.1.0.
 */
ZELF_API
void zelf_session_free(zelf_session *session);

/* ---- Asynchronous calls -------------------------------------------------- */

/**
 * An asynchronous call under way, or ended: what it takes to cancel it. It may
 * be used by any number of threads at once.
 */
typedef struct zelf_call zelf_call;

/**
 * Receives what an asynchronous call came to: a session or an error, the other
 * is NULL. It is yours, for zelf_session_free or zelf_error_free.
 */
typedef void (*zelf_session_callback)(zelf_session *session,
                                      zelf_error *error,
                                      void *user_data);

/**
 * Creates a session as zelf_session_create does, without waiting for it.
 *
 * When it returns a call, callback runs exactly once, whatever becomes of the
 * call, and then destroy exactly once. When it returns NULL neither ever runs,
 * and user_data stays yours.
 *
 * Callbacks run one at a time, on a thread of the client's that takes no
 * signals of yours, or where zelf_client_dispatch is called. What a callback
 * starts on the client's thread, a program or a thread, inherits its blocked
 * signals. callback never runs inside this function. It may well run on its
 * own thread before yours has stored the returned pointer: if callback needs
 * it, hold a lock around this call. It may do what it likes, for as long as it
 * likes (other callbacks of the client wait): call anything of this library,
 * create a session in either way, free the call and the client. But it must
 * return: no exception, longjmp or pthread_exit. The client's thread has a
 * stack of 2 MiB; a child forked on it that returns from the callback ends.
 *
 * All asynchronous calls of a client share one thread for their I/O, started
 * by the first of them. Those for a session share 32 connections; more calls wait
 * in the order they came. One that has to wait a second or more for another attempt gives up its
 * place and queues again then. The configured time limit runs from the
 * beginning. Calls for one identifier take turns, as zelf_session_create says.
 *
 * exit takes down first what your program set up last, by atexit or as a C++
 * object with static storage. When it comes to what was there before your
 * first asynchronous call, no callback begins any more on a thread of ours;
 * exit has waited for one that ran, at most 500 ms. A forked child counts from
 * its own first call; quick_exit is an exit as well, on Linux. What a callback
 * uses and was set up later may be gone before: shut the client down first.
 * After that point zelf_client_shutdown runs what is due itself, and without
 * it destroy is never called.
 *
 * client: the client; it may be freed meanwhile.
 * options: what to ask for, copied; NULL sends the empty object.
 * callback: what to call; not NULL.
 * user_data: passed to callback and destroy, on another thread.
 * destroy: frees user_data; NULL for nothing to do.
 * error: where to put the reason on failure, or NULL.
 *
 * Returns a call that is yours: give it to zelf_call_free, at any time. On
 * failure NULL, and *error, if given, is yours for zelf_error_free; on success
 * *error is not written. Errors: ZELF_ERROR_INVALID_ARGUMENT,
 * ZELF_ERROR_SYSTEM when no thread could be started, ZELF_ERROR_SHUT_DOWN (also
 * at exit, when no callback would begin any more),
 * ZELF_ERROR_FORKED in a child whose parent used the client for asynchronous
 * calls, ZELF_ERROR_PANIC. Everything else comes to callback.
 *
 * Since 0.1.0.
 */
ZELF_API
zelf_call *zelf_session_create_async(zelf_client *client,
                                     const zelf_session_options *options,
                                     zelf_session_callback callback,
                                     void *user_data,
                                     zelf_destroy_callback destroy,
                                     zelf_error **error);

/**
 * Cancels a call. Its callback runs with ZELF_ERROR_CANCELLED, within
 * milliseconds, wherever the call stood; the server may have carried it out all
 * the same. Of a call that has ended, or has been cancelled, nothing happens.
 * Does not wait for the callback. NULL is fine.
 *
 * Since 0.1.0.
 */
ZELF_API void zelf_call_cancel(zelf_call *call);

/**
 * Lets go of a call, at any time, also inside its callback; it goes on and
 * calls back all the same. Nobody may use the object after that, so no other
 * thread may be about to cancel it. NULL is fine.
 *
 * Since 0.1.0.
 */
ZELF_API void zelf_call_free(zelf_call *call);

/* ---- Provider options ---------------------------------------------------- */

/**
 * How a provider keeps its session. All of it has defaults.
 *
 * The setters copy what they are given and never fail; zelf_session_provider_new checks
 * everything and names the first option that is wrong. NULL options are ignored.
 *
 * Not for two threads at once, unless both only read (zelf_session_provider_new
 * reads).
 */
typedef struct zelf_provider_options zelf_provider_options;

/** When a provider renews its session, and whether it may end the old one. */
typedef int32_t zelf_renewal;

/**
 * Receives the session that a provider holds from now on, borrowed for the call.
 *
 * It runs on the thread that has renewed: one that is inside
 * zelf_session_provider_get, or the client's, where it must be quick. Several threads
 * may be in it at once. It may call anything of this library but what creates a
 * session, gets one that is not there yet, or frees the provider. It must return: no
 * exception, longjmp or pthread_exit. After zelf_session_provider_free it is not called
 * for another session; a call under way goes on, and zelf_client_shutdown waits for
 * those on the client's thread.
 */
typedef void (*zelf_renewed_callback)(const zelf_session *session, void *user_data);

/**
 * When too little is left. A plain request finds a session that another process has
 * renewed. If the same session comes back, one killSession replaces it: the old token
 * stops working for all who share the identifier.
 */
#define ZELF_RENEWAL_AT_EXPIRY 0

/**
 * Plain requests only, at most one in 4 to 6 seconds. The server goes on accepting an
 * expired session until it removes it, up to a minute after its end. As long as the
 * server returns that session, it is handed out, with less than min_valid left, down to
 * zelf_session_seconds_left 0.
 * For identifiers that several devices share.
 */
#define ZELF_RENEWAL_NEVER_KILL 1

/**
 * By a killSession before the end: a minute before, or a tenth of the session's life
 * where that is less. For an identifier that one process owns. A forked child that goes
 * on with the provider is another process.
 */
#define ZELF_RENEWAL_EARLY 2

/**
 * New options in which everything has its default.
 *
 * Returns an object that is yours: give it to zelf_provider_options_free. NULL only for
 * a bug in this library.
 *
 * Since 0.1.0.
 */
ZELF_API zelf_provider_options *zelf_provider_options_new(void);

/**
 * How many seconds a session must have left to be handed out, at most 86400. It is the
 * time that your request needs to arrive.
 *
 * Default: 5.
 *
 * Since 0.1.0.
 */
ZELF_API
void zelf_provider_options_set_min_valid_s(zelf_provider_options *options,
                                           uint32_t seconds);

/**
 * When to renew: one of the ZELF_RENEWAL_ constants. Any other number makes
 * zelf_session_provider_new fail.
 *
 * Default: ZELF_RENEWAL_AT_EXPIRY.
 *
 * Since 0.1.0.
 */
ZELF_API
void zelf_provider_options_set_renewal(zelf_provider_options *options,
                                       zelf_renewal renewal);

/**
 * Whether the client's thread renews the session some seconds before it is of no more
 * use, and confirms new ones, so that no caller waits for that. Without it there is no
 * thread, and the caller who finds the session expired renews it.
 *
 * In a forked child there is no such thread: callers renew.
 *
 * Default: false.
 *
 * Since 0.1.0.
 */
ZELF_API
void zelf_provider_options_set_background(zelf_provider_options *options,
                                          bool background);

/**
 * A directory in which the session is stored, so that a process that lives briefly
 * starts with a token and makes no request. It must exist; UTF-8. NULL takes it back.
 * Choose a local directory: with a network's file system the client's thread waits for
 * the network.
 *
 * A stored session that was not confirmed is confirmed by the next process that reads it
 * 250 ms or more later, before it is handed out. If that fails within 2 s, it is handed
 * out unconfirmed. zelf_session_options_set_confirm has the first process confirm it.
 *
 * The file is for its user alone (mode 0600). It is replaced as a whole, and holds the
 * token: choose a directory that only the user can write to. What is read is checked:
 * owner, mode, the base URL, the origin, all session options, and that the system has
 * not been started anew since. Anything odd counts as no session. Whatever cannot be
 * written is told to the log and does no harm.
 *
 * The lock file lies there too (see zelf_session_provider). Both are for Linux, Android,
 * Apple's systems and the BSDs; the session is stored where the system tells its starts
 * apart, which the BSDs do not.
 *
 * Default: none; nothing is stored.
 *
 * Since 0.1.0.
 */
ZELF_API
void zelf_provider_options_set_directory(zelf_provider_options *options,
                                         const char *path);

/**
 * What to call when the provider holds another session.
 *
 * destroy, if not NULL, is called with user_data once, when neither options nor
 * providers need it any more; a later call of this function is such a moment. In a
 * forked child whose parent was called it is never called.
 *
 * With options NULL destroy is called at once.
 *
 * Default: none.
 *
 * Since 0.1.0.
 */
ZELF_API
void zelf_provider_options_set_renewed_callback(zelf_provider_options *options,
                                                zelf_renewed_callback callback,
                                                void *user_data,
                                                zelf_destroy_callback destroy);

/**
 * Frees options. NULL is fine.
 *
 * Since 0.1.0.
 */
ZELF_API void zelf_provider_options_free(zelf_provider_options *options);

/* ---- Session providers --------------------------------------------------- */

/**
 * Keeps one session for your program, and renews it: a token that works, at any
 * moment, for years.
 *
 * Several processes may use one identifier. They renew one at a time. For each base URL
 * and identifier there is a lock file. It lies in the directory of
 * zelf_provider_options_set_directory, else in XDG_RUNTIME_DIR, else in the folder
 * zelf-UID of TMPDIR or /tmp, which is made when it is needed. Processes with different
 * environments (a desktop's and cron's) meet only in a directory that is set. The system
 * frees the lock when a process dies. A process that is stopped keeps it: the others go
 * on without the lock 2 s after the holder's time limit, and until then a get without a
 * session may fail with ZELF_ERROR_TIMEOUT. They also go on without it where no lock file
 * can be had, or where other users may open it. The log is told of both. Confirmation
 * then finds the sessions that do not exist.
 *
 * A new session is confirmed: the first get 250 ms later (with background the client's
 * thread) asks the server again. Only a session that exists comes twice. The caller of
 * that get waits for at most 2 s. Other callers are handed the session meanwhile. If the
 * request fails, another get repeats it 1 s to 30 s later. After
 * ZELF_ERROR_GHOST_SESSION, and with zelf_session_options_set_confirm, a session is
 * confirmed before it is handed out for the first time.
 *
 * A renewal that fails is repeated after a random pause of up to 1 s, then 2 s, up to
 * 30 s; Retry-After is kept, up to 10 minutes. A get without a valid session fails at
 * once with the same error until then. A permanent error is remembered for 1 s, and for
 * 4 s to 6 s when the server has returned a session that does not serve
 * (ZELF_ERROR_OTHER_OPTIONS, for example).
 *
 * Any number of threads may use a provider at once. A forked child goes on with the
 * session that its parent had, and renews for itself.
 */
typedef struct zelf_session_provider zelf_session_provider;

/**
 * Makes a provider. Makes no request and starts no thread, but with
 * zelf_provider_options_set_background: the client's thread then asks for a session at
 * once. Without a directory it reads the environment variables XDG_RUNTIME_DIR and
 * TMPDIR, but not in a program with more rights than its user (setuid).
 *
 * client: the client; it may be freed meanwhile. Renewals fail with
 *   ZELF_ERROR_SHUT_DOWN then, and what is held is handed out to its end.
 * options: what to ask for, copied. It must have an identifier, and must not kill.
 * provider: how to keep the session, copied; NULL for the defaults.
 * error: where to put the reason on failure, or NULL.
 *
 * Returns a provider that is yours: give it to zelf_session_provider_free. On failure
 * NULL, and *error, if given, is yours for zelf_error_free; on success *error is not
 * written. Errors: ZELF_ERROR_INVALID_ARGUMENT, and with background what
 * zelf_session_create_async returns.
 *
 * Since 0.1.0.
 */
ZELF_API
zelf_session_provider *zelf_session_provider_new(zelf_client *client,
                                                 const zelf_session_options *options,
                                                 const zelf_provider_options *provider,
                                                 zelf_error **error);

/**
 * Returns a session that is valid for min_valid seconds or more (but see
 * ZELF_RENEWAL_NEVER_KILL).
 *
 * While there is one, this takes some nanoseconds: no lock, no system call, no memory
 * (but in the first call of a thread). A stack of 64 KiB is enough for such a get. Any get
 * may have to make a request: give its thread 128 KiB.
 *
 * Without background one caller at a time confirms a new session, for at most 2 s, and
 * renews it early with ZELF_RENEWAL_EARLY. Without a session it blocks while one is asked
 * for, at most for the client's time limit. One caller makes the request for all who
 * wait. It is as zelf_session_create in everything else.
 *
 * error: where to put the reason on failure, or NULL.
 *
 * Returns a session that is yours: give it to zelf_session_free. Many calls may return
 * the same object, and each has to be freed. On failure NULL, and *error, if given, is
 * yours for zelf_error_free; on success *error is not written. Errors: those of
 * zelf_session_create, ZELF_ERROR_GHOST_SESSION, and ZELF_ERROR_SESSION_NOT_ACTIVE when
 * the server goes on returning a session that was invalidated.
 * zelf_error_retry_after_ms says when the next attempt may come. Of a ghost, after a
 * change of network, it says when the old session must have ended; attempts are made
 * every 8 to 12 s until then.
 *
 * Since 0.1.0.
 */
ZELF_API
zelf_session *zelf_session_provider_get(zelf_session_provider *provider,
                                        zelf_error **error);

/**
 * Gets a session as zelf_session_provider_get does, without waiting for it: callback
 * receives it as that of zelf_session_create_async does, with the same promises, also
 * when the session is there already. min_valid counts from when the session came: look at
 * zelf_session_seconds_left where callbacks run late. A call that is cancelled while it
 * replaces a session lets that request go on to its end, for later calls.
 *
 * Returns a call that is yours: give it to zelf_call_free, at any time. On failure
 * NULL, and neither callback nor destroy ever runs. Errors: those of
 * zelf_session_create_async.
 *
 * Since 0.1.0.
 */
ZELF_API
zelf_call *zelf_session_provider_get_async(zelf_session_provider *provider,
                                           zelf_session_callback callback,
                                           void *user_data,
                                           zelf_destroy_callback destroy,
                                           zelf_error **error);

/**
 * Tells a provider that a route has refused its session. Call it for two answers: 401
 * "Protected resource", and 403 "Session is not active". The next get asks the server: another session is taken as it is; the
 * same one is replaced with one killSession (but see ZELF_RENEWAL_NEVER_KILL).
 *
 * Of many threads with the same refusal one causes a renewal: the others' session is no
 * longer the one that is held. Then repeat your request with what
 * zelf_session_provider_get returns. Any other 401 or 403 is not about the session: for
 * 401 "Invalid session" and 403 "... limit exceeded" its quota is used up, and a new
 * session would end the token of all who share the identifier.
 *
 * rejected: the session that was refused; it stays yours.
 *
 * Returns whether that was the session that is held, and it is no longer handed out.
 * false for NULL. Does not make a request; removes the stored session.
 *
 * Since 0.1.0.
 */
ZELF_API
bool zelf_session_provider_invalidate(zelf_session_provider *provider,
                                      const zelf_session *rejected);

/**
 * Why the last renewal failed. zelf_error_retry_after_ms of it says when the next
 * attempt may come; it is made by a get, or by the client's thread with background.
 *
 * Returns an error that is yours: give it to zelf_error_free. NULL when the last renewal
 * worked, there was none, or provider is NULL.
 *
 * Since 0.1.0.
 */
ZELF_API
zelf_error *zelf_session_provider_last_error(const zelf_session_provider *provider);

/**
 * Frees a provider. No thread may be inside one of its functions, or enter one.
 * Asynchronous calls that it began go on to their end. So does a renewal that the
 * client's thread has begun: destroy of zelf_provider_options_set_renewed_callback may
 * run on that thread until the client's time limit is over. Sessions that came from it
 * stay valid. NULL is fine.
 *
 * Since 0.1.0.
 */
ZELF_API void zelf_session_provider_free(zelf_session_provider *provider);

/* ---- Requests ------------------------------------------------------------ */

/**
 * A request to any route of the server, for zelf_session_provider_send and
 * zelf_session_send.
 *
 * It is made once and can be sent any number of times. The setters copy what they are
 * given and never fail. Sending checks everything and names the first thing that is
 * wrong. The setters ignore a NULL request.
 *
 * Any number of threads may send it at once. No thread may change it meanwhile.
 */
typedef struct zelf_request zelf_request;

/**
 * New request.
 *
 * method: "GET", "POST" or another method of HTTP, as the server wants it written. Not
 *   CONNECT.
 * target: a path with a query, at most 8192 bytes: "/api/tags/search?tagName=a.zelf". It
 *   is appended to the path of the base URL and is sent as it is. It begins with "/", is
 *   percent-encoded and has no fragment. Any other target is refused when it is sent.
 *
 * Returns an object that is yours: give it to zelf_request_free. NULL only for a bug in
 * this library.
 *
 * Since 0.1.0.
 */
ZELF_API zelf_request *zelf_request_new(const char *method, const char *target);

/**
 * Sets a header, in place of one of the same name (in any case). NULL for the value
 * removes it.
 *
 * The library sets Host, Origin, User-Agent, Authorization, Content-Length and
 * Accept-Encoding (identity). It refuses these names, and those that concern the
 * connection: Connection, Transfer-Encoding, Upgrade, Expect, TE, Trailer, Keep-Alive,
 * HTTP2-Settings, Proxy-Connection and Proxy-Authorization. A value is visible ASCII
 * with spaces and tabs inside, at most 8192 bytes. At most 64 headers can be set.
 *
 * Default: Accept: any type.
 *
 * Since 0.1.0.
 */
ZELF_API
void zelf_request_set_header(zelf_request *request,
                             const char *name,
                             const char *value);

/**
 * Sets the body. The copy is wiped before it is freed.
 *
 * bytes: the body, of this length; they may hold NULs. NULL with a length of 0 takes the
 *   body back. An empty body is a pointer with a length of 0.
 * content_type: what Content-Type says; NULL sends no such header.
 *
 * Default: none. POST, PUT and PATCH say Content-Length: 0 then.
 *
 * Since 0.1.0.
 */
ZELF_API
void zelf_request_set_body(zelf_request *request,
                           const void *bytes,
                           size_t length,
                           const char *content_type);

/**
 * Limits the time of the whole call, in milliseconds: for a session, all attempts, and
 * the response. 0 means the default.
 *
 * Default: 30000.
 *
 * Since 0.1.0.
 */
ZELF_API void zelf_request_set_timeout_ms(zelf_request *request, uint32_t ms);

/**
 * Limits the body of the response, in bytes. A longer one is
 * ZELF_ERROR_RESPONSE_TOO_LARGE. 0 means the default.
 *
 * Default: 8388608 (8 MiB).
 *
 * Since 0.1.0.
 */
ZELF_API void zelf_request_set_max_response_bytes(zelf_request *request, size_t bytes);

/**
 * Whether the server may carry the request out more than once.
 *
 * A repeatable request is sent again after a lost connection, 429, 502 to 504, and the
 * 404 of a server that is starting. A request that is not is sent again only where the
 * server has certainly not carried it out.
 *
 * Default: GET and HEAD are repeatable, other methods are not.
 *
 * Since 0.1.0.
 */
ZELF_API void zelf_request_set_repeatable(zelf_request *request, bool repeatable);

/**
 * Frees a request, and wipes its body. Calls that are under way keep what they need of
 * it. NULL is fine.
 *
 * Since 0.1.0.
 */
ZELF_API void zelf_request_free(zelf_request *request);

/* ---- Responses ----------------------------------------------------------- */

/**
 * A whole answer of the server, of any status. Immutable: any number of threads may read
 * it at once. The getters make no system call and accept NULL. The first call of
 * zelf_response_header and of zelf_response_server_message reads the answer, and another
 * thread that calls it meanwhile waits for that.
 */
typedef struct zelf_response zelf_response;

/**
 * Returns the HTTP status, 200 for example. 0 for NULL.
 *
 * Since 0.1.0.
 */
ZELF_API int32_t zelf_response_http_status(const zelf_response *response);

/**
 * Returns the value of a header, without the spaces around it: of the first with this
 * name, in any case. The text lives as long as the response. NULL when there is none.
 *
 * Since 0.1.0.
 */
ZELF_API
const char *zelf_response_header(const zelf_response *response,
                                 const char *name);

/**
 * Returns the body as the server has sent it, after any chunked coding. A NUL follows
 * that is not counted, so a text can be read as a C string.
 *
 * length: where to put the length in bytes, or NULL.
 *
 * Returns bytes that live as long as the response. NULL only for NULL; *length is 0
 * then.
 *
 * Since 0.1.0.
 */
ZELF_API const void *zelf_response_body(const zelf_response *response, size_t *length);

/**
 * Returns the server's words in a response whose status is 400 or more, for a person, as
 * zelf_error_server_message does. The text lives as long as the response. NULL when
 * there are none.
 *
 * Since 0.1.0.
 */
ZELF_API const char *zelf_response_server_message(const zelf_response *response);

/**
 * Wipes and frees a response. Buffers of the TLS library have held parts of the body, and
 * are not wiped. NULL is fine.
 *
 * Since 0.1.0.
 */
ZELF_API void zelf_response_free(zelf_response *response);

/* ---- Sending requests ---------------------------------------------------- */

/**
 * Receives what zelf_session_provider_send_async came to: a response or an error, the
 * other is NULL. It is yours, for zelf_response_free or zelf_error_free.
 */
typedef void (*zelf_response_callback)(zelf_response *response,
                                       zelf_error *error,
                                       void *user_data);

/**
 * Sends a request with the provider's session, on the calling thread.
 *
 * An answer of any status is a response. These answers are not handed over at once:
 *
 * - 403 "Session is not active": the server has done no work. The session is renewed (see
 *   zelf_session_provider_invalidate) and the request is sent again, whatever its
 *   method. After a second such answer the server is asked without killSession, and the
 *   request is sent once more. The third such answer is ZELF_ERROR_GHOST_SESSION.
 * - 401 "Protected resource": the server is asked for a session without killSession, and
 *   the request is sent again once. The server says the same of an unknown path, so the
 *   second such answer is the response.
 * - 429, 502, 503, 504: a repeatable request is sent again, as often and with such pauses
 *   as zelf_config_set_max_attempts says. Retry-After is kept, within the time limit. The
 *   last such answer is the response.
 * - 404 "Not Found" as text: the server is starting. A repeatable request is sent again
 *   within the time limit.
 *
 * "Invalid session" and "... limit exceeded" are responses: the session's quota is used
 * up, and only zelf_session_options_set_kill_session resets it. A redirect is a response
 * too, and is not followed: the token goes to the host of the base URL only.
 *
 * What failed before it was sent whole is sent again, whatever its method, within the
 * attempts and the time limit. What was sent whole is sent again only if it is
 * repeatable. A request that is not repeatable goes over a new connection, or over one
 * that was used in the last second. If that connection turns out to be dead, the error is
 * ZELF_ERROR_CONNECTION_LOST: nobody knows whether the server has carried it out.
 *
 * Uses the client's connections, trust, proxy and log. Bodies are not logged. A client
 * makes at most 32 requests at once; more wait. Threads, stack, signals and errno are as
 * for zelf_session_create. Blocks for at most the request's time limit.
 *
 * error: where to put the reason on failure, or NULL.
 *
 * Returns a response that is yours: give it to zelf_response_free. On failure NULL, and
 * *error, if given, is yours for zelf_error_free; on success *error is not written.
 * Errors: ZELF_ERROR_INVALID_ARGUMENT for a request that cannot be sent;
 * ZELF_ERROR_RESPONSE_TOO_LARGE; ZELF_ERROR_CONNECTION_LOST for a body that is shorter
 * than it says; ZELF_ERROR_SHUT_DOWN; those of a connection, and those of
 * zelf_session_provider_get. Where the server may have carried out a request that is not
 * repeatable, the message says so, and zelf_error_is_retryable says false.
 *
 * Since 0.1.0.
 */
ZELF_API
zelf_response *zelf_session_provider_send(zelf_session_provider *provider,
                                          const zelf_request *request,
                                          zelf_error **error);

/**
 * Sends a request as zelf_session_provider_send does, without waiting for it: callback
 * receives the response as that of zelf_session_create_async receives a session, with
 * the same promises. The request's time limit runs from here, also while the call waits
 * for a connection.
 *
 * The request may be changed or freed at once. A call that is cancelled may have been
 * carried out.
 *
 * Returns a call that is yours: give it to zelf_call_free, at any time. On failure NULL,
 * and neither callback nor destroy ever runs. Errors: ZELF_ERROR_INVALID_ARGUMENT for a
 * request that cannot be sent, and those of zelf_session_create_async.
 *
 * Since 0.1.0.
 */
ZELF_API
zelf_call *zelf_session_provider_send_async(zelf_session_provider *provider,
                                            const zelf_request *request,
                                            zelf_response_callback callback,
                                            void *user_data,
                                            zelf_destroy_callback destroy,
                                            zelf_error **error);

/**
 * Sends a request with a session, on the calling thread, as zelf_session_provider_send
 * does. The session is not renewed: an answer that refuses it is a response.
 *
 * client: the client; another thread may free it meanwhile.
 * session: whose token to send, of the same server; NULL sends none.
 * error: where to put the reason on failure, or NULL.
 *
 * Returns a response that is yours: give it to zelf_response_free. On failure NULL, and
 * *error, if given, is yours for zelf_error_free; on success *error is not written.
 *
 * Since 0.1.0.
 */
ZELF_API
zelf_response *zelf_session_send(zelf_client *client,
                                 const zelf_session *session,
                                 const zelf_request *request,
                                 zelf_error **error);

#ifdef __cplusplus
}
#endif

#endif /* ZELF_H */
