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

/* ---- Version ------------------------------------------------------------- */

/** The version of this header. */
#define ZELF_VERSION "0.1.0"

/** Its first number. */
#define ZELF_VERSION_MAJOR 0

/** Its second number. */
#define ZELF_VERSION_MINOR 1

/** Its third number. */
#define ZELF_VERSION_PATCH 0

/**
 * Returns the version of the running library, such as "0.1.0".
 *
 * A library has all functions of this header if its major version is greater than
 * ZELF_VERSION_MAJOR, or equal and its minor version at least ZELF_VERSION_MINOR. The string is
 * static.
 */
ZELF_API
const char *zelf_version(void);

/* ---- Status -------------------------------------------------------------- */

/**
 * The result of a call: ZELF_OK, or one of the ZELF_ERROR_ constants.
 *
 * A number is never reused. A later version may add numbers: treat an unknown one as a
 * failure.
 */
typedef int32_t zelf_status;

/** Success. */
#define ZELF_OK 0

/**
 * An argument is unusable: NULL, not UTF-8, out of range or forbidden. Or the function cannot
 * run on this thread, or with this client. The message says which. Nothing was sent.
 */
#define ZELF_ERROR_INVALID_ARGUMENT 1

/** A setting of the configuration is unusable. The message names it. */
#define ZELF_ERROR_INVALID_CONFIG 2

/** The library has a bug. It caught it before it could harm your process. */
#define ZELF_ERROR_PANIC 3

/**
 * The operating system refused something.
 *
 * No descriptor or thread was left, a system call found no memory, or a sandbox, container or
 * firewall forbids a system call. The message names the call. A forbidden call is not
 * retryable.
 */
#define ZELF_ERROR_SYSTEM 4

/**
 * The call was cancelled: by zelf_call_cancel, zelf_client_shutdown or zelf_client_free, or a
 * callback ended the thread that does its I/O.
 */
#define ZELF_ERROR_CANCELLED 5

/** The client has been shut down and takes no more calls. */
#define ZELF_ERROR_SHUT_DOWN 6

/**
 * The process is a forked child, and the client is bound to its parent. Make a client in the
 * child.
 */
#define ZELF_ERROR_FORKED 7

/** The name of the server or proxy could not be resolved. */
#define ZELF_ERROR_DNS 10

/**
 * No connection to the server or proxy could be made, or a SOCKS proxy could not reach the
 * server.
 */
#define ZELF_ERROR_CONNECT 11

/**
 * No secure connection could be made. The message says why.
 *
 * The certificate is not trusted, has expired or is for another host; or the peer does not
 * speak TLS 1.2 or 1.3, shares no cipher, or wants a client certificate.
 */
#define ZELF_ERROR_TLS 12

/**
 * A time limit has passed: that of the call, of connecting, or the server's or proxy's
 * (HTTP 408).
 */
#define ZELF_ERROR_TIMEOUT 13

/** The connection broke before the whole answer arrived. */
#define ZELF_ERROR_CONNECTION_LOST 14

/**
 * The server's certificate is trusted, but its key is not pinned (zelf_config_add_pin).
 */
#define ZELF_ERROR_PIN_MISMATCH 15

/**
 * The proxy refused, wants other credentials (HTTP 407), or does not speak its protocol.
 *
 * zelf_error_http_status and zelf_error_server_message return what it said. A proxy's HTTP 408,
 * 429 and 5xx (not 501, 505 and 511) give the same status as from the server.
 */
#define ZELF_ERROR_PROXY 16

/**
 * The answer is not a session: not HTTP, not JSON, no token, or a token that no header can
 * carry.
 */
#define ZELF_ERROR_BAD_RESPONSE 20

/** The answer is too large (64 KiB for a session) or has too many headers. */
#define ZELF_ERROR_RESPONSE_TOO_LARGE 21

/** The server redirects. The library does not follow: correct the base URL. */
#define ZELF_ERROR_REDIRECTED 22

/** HTTP 403 "rejected": the server does not accept the origin. */
#define ZELF_ERROR_REJECTED_ORIGIN 30

/**
 * HTTP 401, except "Invalid session": the server wants a token for this path. Usually the base
 * URL is wrong.
 */
#define ZELF_ERROR_UNAUTHORIZED 31

/**
 * HTTP 403, except "rejected", "Session is not active" and "... limit exceeded": for example
 * from a firewall in front of the server.
 */
#define ZELF_ERROR_FORBIDDEN 32

/** HTTP 400, 413, 415 or 431: the server cannot read the request. */
#define ZELF_ERROR_BAD_REQUEST 33

/** HTTP 409 or 422: the server refuses a value. */
#define ZELF_ERROR_VALIDATION 34

/** HTTP 404, except the text "Not Found": there is no session API at this address. */
#define ZELF_ERROR_NOT_FOUND 35

/**
 * The server answered 404 "Not Found" until the time limit: it is starting, or the path does
 * not exist. Check the base URL.
 */
#define ZELF_ERROR_STARTING_UP 36

/**
 * HTTP 401 "Invalid session" or 403 "... limit exceeded": the session's quota is used up. Create
 * a session with zelf_session_options_set_kill_session.
 */
#define ZELF_ERROR_LIMIT_EXCEEDED 37

/** HTTP 403 "Session is not active": the session has ended on the server. */
#define ZELF_ERROR_SESSION_NOT_ACTIVE 38

/**
 * HTTP 429 from the server or proxy: too many requests (see zelf_error_retry_after_ms).
 */
#define ZELF_ERROR_RATE_LIMITED 39

/** HTTP 5xx, except 501, 505 and 511: the server or a proxy before it failed. */
#define ZELF_ERROR_SERVER 40

/**
 * An HTTP status that the session API does not have.
 *
 * This includes 501 and 505, which are permanent, and 511: the network wants a person to
 * sign in.
 */
#define ZELF_ERROR_UNEXPECTED_HTTP_STATUS 41

/** The server returned a session that has expired by the server's own clock. */
#define ZELF_ERROR_SESSION_EXPIRED 50

/** The server returned the session of another identifier. */
#define ZELF_ERROR_FOREIGN_SESSION 51

/**
 * The server returned sessions that do not exist.
 *
 * The causes: the network has changed, and the server makes no session until the old one has
 * ended; another process replaced the session at the same time; or the server misreads the
 * identifier (see zelf_session_options_set_identifier). A send also fails with it if the server
 * refuses three sessions.
 */
#define ZELF_ERROR_GHOST_SESSION 52

/**
 * The server returned a session with another tag name, domain or Ethereum address.
 *
 * It ignored the new value. Use zelf_session_options_set_kill_session or another identifier.
 */
#define ZELF_ERROR_OTHER_OPTIONS 53

/**
 * Returns the name of a status, such as "ZELF_ERROR_TIMEOUT".
 *
 * The string is static. An unknown number gives "ZELF_ERROR_UNKNOWN".
 */
ZELF_API const char *zelf_status_name(zelf_status status);

/**
 * Returns the meaning of a status, such as "a time limit has passed".
 *
 * For functions that return only a status: zelf_error_message says more about an error.
 * The string is English and static, its wording may change. An unknown number gives "unknown status".
 */
ZELF_API
const char *zelf_status_message(zelf_status status);

/* ---- Errors -------------------------------------------------------------- */

/** Why a call failed. It is immutable and never contains a token. */
typedef struct zelf_error zelf_error;

/** Returns the kind of the failure, to branch on. */
ZELF_API zelf_status zelf_error_status(const zelf_error *error);

/**
 * Returns one English sentence that says what failed and what to do.
 *
 * Its wording may change in any version: branch on the status instead.
 */
ZELF_API const char *zelf_error_message(const zelf_error *error);

/**
 * Returns the HTTP status of the answer, such as 403.
 *
 * It is the server's, or that of a proxy that did not connect to the server. A time-out has
 * one if an answer began but did not end. 0 if no answer came.
 */
ZELF_API
int32_t zelf_error_http_status(const zelf_error *error);

/**
 * Returns the error message in the server's answer, or in a proxy's.
 *
 * It is a proxy's if that did not connect to the server. It is one line of UTF-8 of at most 515
 * bytes, without control characters. Display it as plain text only: anyone between you and the
 * server may have written it. NULL if there is none.
 */
ZELF_API
const char *zelf_error_server_message(const zelf_error *error);

/** Returns whether the same call may succeed later, unchanged. */
ZELF_API bool zelf_error_is_retryable(const zelf_error *error);

/**
 * Returns how long to wait before the next attempt, in milliseconds.
 *
 * It is the Retry-After of the server or proxy; for an error of a provider, the time until the
 * provider's next attempt. For a provider's ghost session after a change of network, it is the
 * time until the server has removed the old session. It is rounded up; UINT64_MAX if it does
 * not fit. 0 if there is no such time.
 */
ZELF_API
uint64_t zelf_error_retry_after_ms(const zelf_error *error);

/** Frees an error. */
ZELF_API void zelf_error_free(zelf_error *error);

/* ---- Log ----------------------------------------------------------------- */

/** The importance of a log message. */
typedef int32_t zelf_log_level;

/** Receives one log message: one line of UTF-8, valid during the call. */
typedef void (*zelf_log_callback)(zelf_log_level level,
                                  const char *message,
                                  void *user_data);

/** Frees user_data when the library no longer needs it. */
typedef void (*zelf_destroy_callback)(void *user_data);

/** Calls to the server that failed, with their zelf_error_message. */
#define ZELF_LOG_ERROR 1

/** Also failed attempts that are repeated. */
#define ZELF_LOG_WARNING 2

/** Also actions of the library, such as replacing an expired session. */
#define ZELF_LOG_INFO 3

/** Also every answer, with its duration and whether its connection was kept alive. */
#define ZELF_LOG_DEBUG 4

/* ---- Configuration ------------------------------------------------------- */

/**
 * The settings of a client.
 *
 * Setters copy their arguments and never fail: zelf_client_new checks all settings and
 * names the first wrong one. A string of NULL and a number of 0 restore the default. An empty
 * string is an error.
 */
typedef struct zelf_config zelf_config;

/**
 * Makes a configuration with every setting at its default.
 *
 * The defaults work with the public API. It may be freed as soon as zelf_client_new has
 * returned.
 */
ZELF_API ZELF_MUST_USE zelf_config *zelf_config_new(void);

/**
 * Sets the address of the API: "https://host", with an optional port and path.
 *
 * The library appends "/api/sessions". It accepts "http://" only for this machine
 * (localhost, 127.0.0.0/8, [::1]). It refuses credentials, a query and a fragment. A host name
 * outside ASCII is given in its ASCII form ("xn--...").
 *
 * Default: "https://api.zelf.world".
 */
ZELF_API
void zelf_config_set_base_url(zelf_config *config,
                              const char *url);

/**
 * Sets the Origin header, which the server requires.
 *
 * Use the scheme and host of your application, such as "https://app.example": ASCII, at
 * most 1024 bytes.
 *
 * Default: the origin of the base URL.
 */
ZELF_API void zelf_config_set_origin(zelf_config *config, const char *origin);

/**
 * Sets the User-Agent header: ASCII, at most 1024 bytes.
 *
 * Default: "libzelf/" and the version.
 */
ZELF_API void zelf_config_set_user_agent(zelf_config *config, const char *agent);

/**
 * Limits the time of a whole session call, in milliseconds.
 *
 * The limit covers everything from the name look-up to the last byte of the answer, retries
 * included. Requests have zelf_request_set_timeout_ms.
 *
 * Default: 15000.
 */
ZELF_API
void zelf_config_set_timeout_ms(zelf_config *config,
                                uint32_t ms);

/**
 * Limits the time to make one connection, in milliseconds.
 *
 * The limit covers name look-up, TCP, proxy and TLS together. The limit of the whole call
 * applies as well.
 *
 * Default: 5000.
 */
ZELF_API void zelf_config_set_connect_timeout_ms(zelf_config *config, uint32_t ms);

/**
 * Sets how many attempts a call or request may make, counting the first.
 *
 * Another attempt follows a retryable error (see zelf_error_is_retryable). 1 disables retries.
 * A budget limits the retries of a client to a tenth of its calls, or two in a minute if that
 * is more. A resend after a dead kept-alive connection does not count, nor do the answers of a
 * server that is starting (404 "Not Found"), which the library asks again until the time limit.
 *
 * Default: 3.
 */
ZELF_API
void zelf_config_set_max_attempts(zelf_config *config,
                                  uint32_t attempts);

/**
 * Trusts only the certificates in a PEM file, not those of the system.
 *
 * They apply to the server and to a proxy with "https://". zelf_client_new reads the file: a
 * regular file of at most 16 MiB, its path in UTF-8. It contains roots, intermediates, or a
 * server's own certificate, which is trusted for its names while it is valid.
 *
 * Default: the certificates of the system. On Linux and the BSDs the environment variables
 * SSL_CERT_FILE and SSL_CERT_DIR change them (docs/guide.md). A setuid program must not trust
 * them: it sets a file.
 */
ZELF_API
void zelf_config_set_ca_file(zelf_config *config,
                             const char *pem_path);

/**
 * Trusts only these certificates, as zelf_config_set_ca_file does with a file.
 *
 * zelf_client_new fails if both are set, or if the text is longer than 16 MiB.
 *
 * pem: the certificates in PEM form; NULL restores the default.
 * length: the length of pem in bytes, without a terminating NUL.
 */
ZELF_API void zelf_config_set_ca_pem(zelf_config *config, const char *pem, size_t length);

/**
 * Adds a pin: the server's own certificate must have one of the pinned keys.
 *
 * A server with another key gives ZELF_ERROR_PIN_MISMATCH. The usual checks still apply and
 * come first. Pin a spare key as well, in case a key is lost. Pins do not apply to a proxy.
 *
 * spki_sha256_base64: the SHA-256 of the key's SubjectPublicKeyInfo in base64, 44 characters
 *   (see docs/guide.md). NULL removes all pins.
 */
ZELF_API
void zelf_config_add_pin(zelf_config *config,
                         const char *spki_sha256_base64);

/**
 * Sets the proxy: "http://", "https://", "socks5://", or "socks5h://" to resolve names there.
 *
 * The URL may contain "user:password@", percent-encoded; only "https://" encrypts them. The
 * default ports are 80, 443 and 1080. zelf_client_new refuses a URL that it cannot use exactly
 * as it is written. Every call uses the proxy, unless the base URL begins with "http://". See
 * docs/guide.md.
 *
 * Default: none, also if the environment names one.
 */
ZELF_API
void zelf_config_set_proxy(zelf_config *config,
                           const char *url);

/**
 * Takes the proxy from the environment, unless one is set.
 *
 * zelf_client_new uses the first of https_proxy, HTTPS_PROXY, all_proxy and ALL_PROXY that is
 * not empty. A URL without a scheme means "http://". An unusable URL is an error. no_proxy, else
 * NO_PROXY, lists exceptions (docs/guide.md). No other thread may change the environment during
 * zelf_client_new.
 *
 * Default: off.
 */
ZELF_API
void zelf_config_set_proxy_from_env(zelf_config *config,
                                    bool from_env);

/**
 * Sets a function that receives log messages. A message never contains a token or a body.
 *
 * callback: runs on the thread of the call that the message is about; several threads may run
 *   it at the same time. For asynchronous calls and background renewals it runs on the
 *   client's I/O thread, which has a stack of 512 KiB. All of them wait until it returns. In
 *   it, functions that may wait for the server fail with ZELF_ERROR_INVALID_ARGUMENT. A child
 *   forked in it must not return from it. NULL turns the log off.
 * destroy: called once with user_data, when no configuration, client, provider or call uses
 *   it, possibly on a client's thread. Called at once if config is NULL. Not called in a forked
 *   child if the parent set it. May be NULL.
 * level: the most detailed level to report, one of ZELF_LOG_; any other number turns the
 *   log off.
 */
ZELF_API
void zelf_config_set_log_callback(zelf_config *config,
                                  zelf_log_callback callback,
                                  void *user_data,
                                  zelf_destroy_callback destroy,
                                  zelf_log_level level);

/**
 * Lets your program run the callbacks of asynchronous calls, on threads of its choice.
 *
 * Wait until zelf_client_descriptor is readable, then call zelf_client_dispatch. The client
 * has no callback thread then.
 *
 * Default: off; callbacks run on a thread of the client.
 */
ZELF_API
void zelf_config_set_dispatch(zelf_config *config,
                              bool by_host);

/** Frees a configuration. Its clients are not affected. */
ZELF_API void zelf_config_free(zelf_config *config);

/* ---- Client -------------------------------------------------------------- */

/**
 * Creates sessions with one set of settings. One client serves all threads of a program.
 *
 * A client keeps connections for later calls: at most 32 for blocking and 32 for
 * asynchronous calls, one descriptor each.
 */
typedef struct zelf_client zelf_client;

/**
 * Checks the settings and makes a client.
 *
 * It reads the CA file or the system's certificates (not for a base URL with "http://"). It
 * starts no thread and opens no connection.
 *
 * config: copied; NULL for the defaults.
 *
 * Errors: ZELF_ERROR_INVALID_CONFIG, ZELF_ERROR_TLS if the system's certificates cannot be
 * used, ZELF_ERROR_SYSTEM if the system refuses a descriptor, memory or random numbers.
 */
ZELF_API
ZELF_MUST_USE
zelf_client *zelf_client_new(const zelf_config *config,
                             zelf_error **error);

/**
 * Returns the base URL of the API, such as "https://api.zelf.world".
 *
 * It is in the normal form of URLs, without "/" at its end.
 */
ZELF_API const char *zelf_client_base_url(const zelf_client *client);

/**
 * Returns the Origin header that the client sends, such as "https://app.example".
 *
 * Requests with another HTTP client need it, too. Send the token only to the host of
 * zelf_client_base_url.
 */
ZELF_API const char *zelf_client_origin(const zelf_client *client);

/**
 * Cancels all asynchronous calls, waits for their callbacks and ends the client's threads.
 *
 * After ZELF_OK no callback of an asynchronous call runs, except one that has called this
 * function. New calls fail with ZELF_ERROR_SHUT_DOWN from the start of the shutdown;
 * zelf_session_provider_get still returns a valid session. Blocking calls on other threads
 * continue, and may still call the log and a renewed callback.
 *
 * The callback of each cancelled call gets ZELF_ERROR_CANCELLED. With zelf_config_set_dispatch
 * it runs inside this function. A callback, or a log callback, may call this function: the
 * remaining callbacks then run first. If that callback itself runs inside another callback of
 * this client, the function runs no callbacks, and returns ZELF_ERROR_TIMEOUT at once if some
 * remain. It does the same if 8 callbacks, of any clients, run inside each other on this thread:
 * the remaining callbacks run when one of the 8 has returned. The shutdown binds the client to
 * this process.
 *
 * timeout_ms: how long to wait for callbacks, in milliseconds. 0 cancels and does not wait;
 *   with zelf_config_set_dispatch each such call runs one callback. The function may take up to
 *   100 ms longer, until the threads have ended. On Linux and Windows, that includes their
 *   thread-specific destructors.
 *
 * Returns ZELF_OK; ZELF_ERROR_TIMEOUT if callbacks or threads still run (call again to wait
 * longer); ZELF_ERROR_SYSTEM if no thread can be started; ZELF_ERROR_FORKED if the client is
 * bound to another process.
 */
ZELF_API
zelf_status zelf_client_shutdown(zelf_client *client,
                                 uint32_t timeout_ms);

/**
 * Returns a descriptor that is readable while callbacks are due.
 *
 * It is for a client with zelf_config_set_dispatch, and works with poll, select, epoll and
 * kqueue, also edge-triggered. Do not read from it. zelf_client_free closes it: remove it from
 * your loop first. It may not become readable while a callback runs: an event loop inside a
 * callback calls zelf_client_dispatch without waiting for it. The function binds the client to
 * this process.
 *
 * On Windows it is a SOCKET, for select, WSAPoll and WSAEventSelect. A SOCKET has at most 32
 * significant bits: cast the int to SOCKET.
 *
 * The result is -1 without zelf_config_set_dispatch, for NULL, if the client is bound to
 * another process, or if the system has no descriptor left.
 */
ZELF_API
int zelf_client_descriptor(zelf_client *client);

/**
 * Runs the callbacks that are due, on the calling thread.
 *
 * It is for a client with zelf_config_set_dispatch. It blocks only while your callbacks run.
 * Callbacks that become due meanwhile wait for the next call. It runs none while another
 * thread runs a callback, none in a log callback on an I/O thread, and none if 8 callbacks, of
 * any clients, already run inside each other on this thread. It binds the client to this
 * process.
 *
 * Returns ZELF_OK, also if no callback was due; ZELF_ERROR_INVALID_ARGUMENT without
 * zelf_config_set_dispatch; ZELF_ERROR_FORKED if the client is bound to another
 * process, also in a child that a callback has forked, when that callback returns.
 */
ZELF_API
zelf_status zelf_client_dispatch(zelf_client *client);

/**
 * Frees a client and cancels its asynchronous calls.
 *
 * No thread may start a call with the client during this function or after it. Calls that run
 * on other threads continue. The callbacks of cancelled calls run soon after on the client's
 * callback thread, which then ends. With zelf_config_set_dispatch they run inside this
 * function, or on the thread that runs a callback at that moment. If 8 callbacks, of any
 * clients, run inside each other on this thread, they run when one of these has returned. In a
 * log callback on an I/O thread they run on a thread of the client, and this function may wait
 * until that thread can be started. To know when the last callback has returned, call
 * zelf_client_shutdown first. Sessions, responses, errors, calls and providers of the client
 * stay valid.
 */
ZELF_API
void zelf_client_free(zelf_client *client);

/* ---- Android ------------------------------------------------------------- */

#if defined(__ANDROID__)
/**
 * Gives the library the Java environment that it needs to ask Android's trust manager.
 *
 * Call it once, before zelf_client_new, on a thread of the Java virtual machine, such as in a
 * native method. Until it has succeeded, zelf_client_new fails with ZELF_ERROR_TLS, unless the
 * configuration has a CA file, PEM certificates or an "http://" base URL.
 *
 * The app must contain the class org.rustls.platformverifier.CertificateVerifier: add the Maven
 * package org.rustls:rustls-platform-verifier in version 0.2.0 (docs/guide.md).
 *
 * env: the JNIEnv * of the calling thread. The type is void * so that this header does not need
 *   jni.h.
 * context: a jobject, any android.content.Context of the app. The library keeps a global
 *   reference to the application's context.
 *
 * Returns ZELF_OK, also if it has succeeded before; ZELF_ERROR_INVALID_ARGUMENT for NULL;
 * ZELF_ERROR_TLS if the class cannot be loaded. No Java exception is pending afterwards.
 */
ZELF_API
zelf_status zelf_android_init(void *env,
                              void *context);
#endif

/* ---- Identifiers --------------------------------------------------------- */

/** Size of an identifier in bytes: 32 lower-case hex digits and a NUL. */
#define ZELF_IDENTIFIER_SIZE 33

/**
 * Derives an identifier from a device id, such as a serial number.
 *
 * The same input gives the same identifier on every device and in every version
 * (PBKDF2-HMAC-SHA-256, fixed salt). It takes a few milliseconds: keep the result. Someone with
 * a list of possible inputs can try them all; zelf_identifier_random has no such weakness.
 *
 * device_id: a serial number, UUID, MAC address or other bytes up to a NUL, at least one.
 * out: receives the identifier and a NUL; not written on failure.
 * capacity: the size of out in bytes, at least ZELF_IDENTIFIER_SIZE.
 *
 * Returns ZELF_OK or ZELF_ERROR_INVALID_ARGUMENT.
 */
ZELF_API
ZELF_MUST_USE
zelf_status zelf_identifier_derive(const char *device_id,
                                   char *out,
                                   size_t capacity);

/**
 * Makes a random identifier of 128 bits.
 *
 * Keep it: to the server, another identifier is another device.
 *
 * out, capacity: as in zelf_identifier_derive.
 *
 * Returns ZELF_OK, ZELF_ERROR_INVALID_ARGUMENT, or ZELF_ERROR_SYSTEM if the system has no
 * random numbers.
 */
ZELF_API ZELF_MUST_USE zelf_status zelf_identifier_random(char *out, size_t capacity);

/* ---- Session options ----------------------------------------------------- */

/**
 * What to ask of a new session. Only what is set is sent.
 *
 * Setters copy their arguments and never fail: zelf_session_create checks all options and
 * names the first wrong one. Strings are UTF-8 without control characters. NULL unsets an
 * option. An empty string is an error.
 */
typedef struct zelf_session_options zelf_session_options;

/**
 * The purpose of a session.
 *
 * For an unknown type the server returns a token without a session, so the library refuses
 * to send one.
 */
typedef int32_t zelf_session_type;

/** Anything. The server assumes it if no type is sent. */
#define ZELF_SESSION_TYPE_GENERAL 0

/** Create a wallet. */
#define ZELF_SESSION_TYPE_CREATE_WALLET 1

/** Decrypt a wallet. */
#define ZELF_SESSION_TYPE_DECRYPT_WALLET 2

/** Import a wallet. */
#define ZELF_SESSION_TYPE_IMPORT_WALLET 3

/** Makes options with nothing set. They can serve any number of calls. */
ZELF_API ZELF_MUST_USE zelf_session_options *zelf_session_options_new(void);

/**
 * Sets the unique identifier of the device, at most 1024 bytes.
 *
 * Always set one: without it the server returns any session of your public IP address,
 * possibly somebody else's. Make one per installation (zelf_identifier_random,
 * zelf_identifier_derive), and keep it. The server misreads identifiers that look like a date
 * or a database key ("my-device-1", "build 2024", 24 upper-case hex digits) and returns tokens
 * without a session. A lower-case UUID or 32 lower-case hex digits are safe.
 */
ZELF_API
void zelf_session_options_set_identifier(zelf_session_options *options,
                                         const char *identifier);

/** Sets the purpose of the session: one of the ZELF_SESSION_TYPE_ constants. */
ZELF_API
void zelf_session_options_set_type(zelf_session_options *options,
                                   zelf_session_type session_type);

/** Sets whether the session belongs to a browser extension. */
ZELF_API
void zelf_session_options_set_web_extension(zelf_session_options *options,
                                            bool is_web_extension);

/**
 * Sets the name service domain, such as "zelf"; at most 512 bytes.
 *
 * The server assumes "zelf" if none is sent.
 */
ZELF_API
void zelf_session_options_set_domain(zelf_session_options *options,
                                     const char *domain);

/**
 * Sets a tag name, such as "alice.zelf"; at most 512 bytes.
 *
 * The server then also looks for a session with this name, and may return that of another
 * identifier (see zelf_session_identifier).
 */
ZELF_API
void zelf_session_options_set_tag_name(zelf_session_options *options,
                                       const char *tag_name);

/**
 * Sets an Ethereum address of at most 512 bytes. The server copies it into the token.
 */
ZELF_API
void zelf_session_options_set_eth_address(zelf_session_options *options,
                                          const char *eth_address);

/**
 * Sets whether the server ends the identifier's session and makes a new one.
 *
 * The old token stops working. An identifier is required. With a tag name the server ends the
 * first session that it finds for the identifier or the tag name, possibly another
 * identifier's. The library repeats such a request only if the server has certainly not
 * carried it out. After a broken connection, a time-out or HTTP 5xx the call fails, and the
 * session may have been replaced: another call may then end the new session.
 */
ZELF_API
void zelf_session_options_set_kill_session(zelf_session_options *options,
                                           bool kill_session);

/**
 * Sets whether creating a session confirms that it exists. Default: false.
 *
 * The server can return a token whose session does not exist: after a change of network or a
 * race with another process, or if it misreads the identifier. Routes refuse it with 403
 * "Session is not active". To confirm a new session, the library asks again after 250 ms. After
 * three different sessions the call fails with ZELF_ERROR_GHOST_SESSION. A provider confirms in
 * any case. With this setting, it confirms a session before it first returns it.
 */
ZELF_API
void zelf_session_options_set_confirm(zelf_session_options *options,
                                      bool confirm);

/** Frees options. */
ZELF_API void zelf_session_options_free(zelf_session_options *options);

/* ---- Sessions ------------------------------------------------------------ */

/**
 * A session. It is immutable, and its getters do not block.
 *
 * Texts from the token are not verified: only the server has the key.
 */
typedef struct zelf_session zelf_session;

/** Returns the token, a secret. */
ZELF_API const char *zelf_session_token(const zelf_session *session);

/**
 * Returns the value of the Authorization header: "Bearer " and the token.
 *
 * Send it unchanged.
 */
ZELF_API const char *zelf_session_authorization(const zelf_session *session);

/**
 * Returns the session's id on the server, from the token.
 *
 * It is UTF-8 text of any characters. NULL if the token has none.
 */
ZELF_API const char *zelf_session_id(const zelf_session *session);

/**
 * Returns the identifier in the token, which says whose session it is.
 *
 * If you set none, the server writes your public IP address here, or it returned the
 * session of somebody else's identifier. NULL if the token has none.
 */
ZELF_API const char *zelf_session_identifier(const zelf_session *session);

/**
 * Returns the domain that the session was made with, from the token.
 *
 * The server writes "zelf" if none was asked for. NULL if the token has none.
 */
ZELF_API const char *zelf_session_domain(const zelf_session *session);

/**
 * Returns the tag name that the session was made with, from the token.
 *
 * NULL if it was made without one, or the token has none.
 */
ZELF_API const char *zelf_session_tag_name(const zelf_session *session);

/**
 * Returns the Ethereum address that the session was made with, from the token.
 *
 * NULL if it was made without one, or the token has none.
 */
ZELF_API const char *zelf_session_eth_address(const zelf_session *session);

/**
 * Returns when the session began, in Unix seconds of the server's clock.
 *
 * It may lie before your call: the server returns a live session again. 0 if the server
 * did not say.
 */
ZELF_API int64_t zelf_session_activated_at(const zelf_session *session);

/**
 * Returns when the session ends, in Unix seconds of the server's clock.
 *
 * Use zelf_session_seconds_left to compare it with now. If the server says nothing usable, it
 * is 600 s after the session began, or after the answer came if the beginning is unknown or
 * too long ago.
 */
ZELF_API
int64_t zelf_session_expires_at(const zelf_session *session);

/**
 * Returns how many whole seconds the session has left. 0 if it has expired.
 *
 * It starts from the server's clock at the moment the request left, and counts on a clock that
 * runs during sleep. The device's date has no effect if the server sends a usable time.
 */
ZELF_API
int64_t zelf_session_seconds_left(const zelf_session *session);

/**
 * Frees a session. The session on the server is not affected.
 *
 * When the last reference is freed (a provider may hold one), the library overwrites the token
 * with zeros, but not copies in the kernel and in the buffers of the TLS library.
 */
ZELF_API
void zelf_session_free(zelf_session *session);

/* ---- Asynchronous calls -------------------------------------------------- */

/** A handle of an asynchronous call, to cancel it. */
typedef struct zelf_call zelf_call;

/**
 * Receives the result of an asynchronous call: exactly one of session and error is non-NULL.
 *
 * The callback owns it and frees it with zelf_session_free or zelf_error_free.
 */
typedef void (*zelf_session_callback)(zelf_session *session,
                                      zelf_error *error,
                                      void *user_data);

/**
 * Cancels a call. Its callback gets ZELF_ERROR_CANCELLED as soon as callbacks can run.
 *
 * If the call already has a result, the function does nothing, and the callback gets that
 * result. The function does not wait for the callback. The server may have carried out the
 * request.
 */
ZELF_API
void zelf_call_cancel(zelf_call *call);

/**
 * Releases the handle. The call continues and its callback still runs.
 *
 * It may be called at any time, also inside the callback. No other thread may use the
 * handle at that moment or later.
 */
ZELF_API void zelf_call_free(zelf_call *call);

/* ---- Creating sessions --------------------------------------------------- */

/**
 * Creates a session with POST /api/sessions. Blocks until the answer or the time limit.
 *
 * If the server returns a session that has expired or has under 2 s left, the library
 * replaces it once with killSession, if an identifier is set, the server cannot have found the
 * session by the tag name, and the clocks agree (docs/guide.md). Otherwise the call fails with
 * ZELF_ERROR_SESSION_EXPIRED.
 *
 * Calls of one client for one identifier take turns. Calls with equal options share one
 * request and its outcome, and each gets its own session object. docs/guide.md has the
 * details.
 *
 * options: NULL sends an empty object.
 *
 * Errors: any except ZELF_ERROR_INVALID_CONFIG, ZELF_ERROR_CANCELLED and ZELF_ERROR_FORKED.
 */
ZELF_API
ZELF_MUST_USE
zelf_session *zelf_session_create(zelf_client *client,
                                  const zelf_session_options *options,
                                  zelf_error **error);

/**
 * Creates a session like zelf_session_create, without blocking.
 *
 * "Asynchronous calls" and "Callbacks" at the top say when and where callback and destroy run.
 * callback may run before this function returns. If it needs the returned pointer: lock a mutex
 * before this call, unlock it when the pointer is stored, and lock it in callback.
 *
 * All asynchronous calls of a client share its I/O thread and, for session calls, 32
 * connections. Further calls wait in order. The time limit includes all waiting.
 *
 * options: copied; NULL sends an empty object.
 * callback: must not be NULL.
 * destroy: frees user_data; may be NULL.
 *
 * Returns a call; free it with zelf_call_free at any time.
 *
 * Errors: ZELF_ERROR_INVALID_ARGUMENT; ZELF_ERROR_SYSTEM if no thread can be started;
 * ZELF_ERROR_SHUT_DOWN, also late during exit; ZELF_ERROR_FORKED. callback receives all other
 * errors.
 */
ZELF_API
ZELF_MUST_USE
zelf_call *zelf_session_create_async(zelf_client *client,
                                     const zelf_session_options *options,
                                     zelf_session_callback callback,
                                     void *user_data,
                                     zelf_destroy_callback destroy,
                                     zelf_error **error);

/* ---- Provider options ---------------------------------------------------- */

/**
 * How a provider keeps its session.
 *
 * Setters copy their arguments and never fail: zelf_session_provider_new checks all options
 * and names the first wrong one.
 */
typedef struct zelf_provider_options zelf_provider_options;

/** When a provider renews its session, and whether it may end the old one. */
typedef int32_t zelf_renewal;

/**
 * Receives the session that a provider holds from now on, also the first one.
 *
 * session: borrowed; valid during the call.
 *
 * It runs on a thread that renews the session: one inside zelf_session_provider_get or
 * zelf_session_provider_send, or the client's I/O thread, with a stack of 512 KiB, where it
 * must return quickly. One provider calls it on one thread at a time, and the newest session
 * comes last. If a thread renews while another one runs it, that one calls it again. Several
 * providers with the same options may call it at the same time. It must not free the provider,
 * nor wait for the server (create or get a session, send a request). A call may still run after
 * zelf_session_provider_free: user_data is valid until destroy.
 */
typedef void (*zelf_renewed_callback)(const zelf_session *session, void *user_data);

/**
 * Renews when the session has less than min_valid left.
 *
 * The provider first asks without killSession. If another process has renewed the session, the
 * server returns the new one. If it returns the same one, the provider replaces it with one
 * killSession: the old token stops working in all programs with this identifier.
 */
#define ZELF_RENEWAL_AT_EXPIRY 0

/**
 * Renews without killSession. For shared identifiers.
 *
 * The server accepts an expired session until it removes it, up to a minute after its end.
 * Until then the provider returns that session, even with less than min_valid left
 * (zelf_session_seconds_left may be 0), and asks the server once in 4 to 6 seconds.
 */
#define ZELF_RENEWAL_NEVER_KILL 1

/**
 * Replaces the session with killSession before its end: by a minute, or a tenth of its life if
 * that is shorter.
 *
 * It is for an identifier that a single process uses. A forked child that uses the provider is
 * another process.
 */
#define ZELF_RENEWAL_EARLY 2

/** Makes options with every setting at its default. */
ZELF_API ZELF_MUST_USE zelf_provider_options *zelf_provider_options_new(void);

/**
 * Sets how many seconds a session must have left when a get returns it.
 *
 * It is the time that your request needs to arrive, at most 86400 seconds. 0 is 0 seconds. If
 * sessions live shorter, gets fail with ZELF_ERROR_SESSION_EXPIRED.
 *
 * Default: 5.
 */
ZELF_API
void zelf_provider_options_set_min_valid_s(zelf_provider_options *options,
                                           uint32_t seconds);

/**
 * Sets when to renew: one of the ZELF_RENEWAL_ constants.
 *
 * Default: ZELF_RENEWAL_AT_EXPIRY.
 */
ZELF_API
void zelf_provider_options_set_renewal(zelf_provider_options *options,
                                       zelf_renewal renewal);

/**
 * Sets whether the client's I/O thread renews and confirms sessions ahead of time.
 *
 * Callers then wait only for the first session, after an invalidation and after failures.
 * Without it, a caller that finds no valid session renews. In a forked child callers renew.
 *
 * Default: false.
 */
ZELF_API
void zelf_provider_options_set_background(zelf_provider_options *options,
                                          bool background);

/**
 * Sets a directory in which the provider stores the session.
 *
 * Short-lived processes share it: one that finds a good session there makes no request. Choose an existing local
 * directory that only the user can write to; the path is UTF-8. If others can write to it, the
 * library logs a warning and still stores the session. A failed write is only logged. NULL
 * unsets it. It also contains the lock file (see zelf_session_provider).
 *
 * The session's file contains the token, has mode 0600 and is replaced atomically. The library
 * ignores it if its owner or mode is wrong, it belongs to another base URL, origin or set of
 * session options, or the system was restarted.
 *
 * It works on Linux, Android and Apple's systems. On Windows and the BSDs the library cannot tell
 * whether the system was restarted: zelf_session_provider_new refuses a directory. The lock file
 * works there too.
 *
 * Default: none; nothing is stored.
 */
ZELF_API
void zelf_provider_options_set_directory(zelf_provider_options *options,
                                         const char *path);

/**
 * Sets a function that is called when the provider holds another session.
 *
 * callback: NULL for none.
 * destroy: called once with user_data, when neither options nor providers need it. Called at
 *   once if options is NULL. Not called in a forked child if the parent set it. May be NULL.
 *
 * Default: none.
 */
ZELF_API
void zelf_provider_options_set_renewed_callback(zelf_provider_options *options,
                                                zelf_renewed_callback callback,
                                                void *user_data,
                                                zelf_destroy_callback destroy);

/** Frees options. */
ZELF_API void zelf_provider_options_free(zelf_provider_options *options);

/* ---- Session providers --------------------------------------------------- */

/**
 * Keeps one session for your program and renews it, so that a valid token is always there.
 *
 * Confirmation. A new session may not exist on the server (see
 * zelf_session_options_set_confirm). So the provider asks the server a second time, 250 ms
 * after the session came or later. With background, the client's I/O thread asks. Otherwise one
 * get asks, and waits for up to 2 s. Other gets return the session at once.
 *
 * Failures. After a failed renewal the provider pauses for up to 30 s, or for a Retry-After of
 * up to 10 minutes (docs/guide.md). Then the client's thread (with background) or the next get
 * tries again. During the pause a get without a valid session fails at once with the same
 * error.
 *
 * Several processes. Processes with one identifier renew one at a time, by a lock file in the
 * directory of zelf_provider_options_set_directory, else in XDG_RUNTIME_DIR, TMPDIR or /tmp, on
 * Windows in the folder zelf of LOCALAPPDATA. While another process renews, a get without a
 * session may fail with ZELF_ERROR_TIMEOUT. If no private lock file can be made, or the process
 * that holds it is suspended, they continue without it and log that (docs/guide.md).
 *
 * A forked child starts with its parent's session and renews on its own.
 */
typedef struct zelf_session_provider zelf_session_provider;

/**
 * Makes a provider.
 *
 * It makes no request and starts no thread, except with
 * zelf_provider_options_set_background: then the client's thread asks for a session at
 * once.
 *
 * client: may be freed or shut down before the provider is freed. Renewals and sends then fail
 *   with ZELF_ERROR_SHUT_DOWN, and gets return the current session while it is valid.
 * options: copied. They must have an identifier and must not kill.
 * provider: copied; NULL for the defaults.
 *
 * Errors: ZELF_ERROR_INVALID_ARGUMENT; with background also those of
 * zelf_session_create_async.
 */
ZELF_API
ZELF_MUST_USE
zelf_session_provider *zelf_session_provider_new(zelf_client *client,
                                                 const zelf_session_options *options,
                                                 const zelf_provider_options *provider,
                                                 zelf_error **error);

/**
 * Returns a session with at least min_valid seconds left.
 *
 * Several calls may return the same object; free it once per call. With
 * ZELF_RENEWAL_NEVER_KILL the session may have less left.
 *
 * Usually the provider holds a valid session, and this takes nanoseconds: no lock, no system
 * call, no allocation (except in the first call of a thread). Without background, two calls wait
 * although the session is valid: one that confirms a new session, for up to 2 s, and one that
 * renews early (ZELF_RENEWAL_EARLY). If there is no valid session, one caller asks the server,
 * and all wait for its result, up to the client's time limit.
 *
 * Errors: those of zelf_session_create; ZELF_ERROR_SESSION_NOT_ACTIVE if the server keeps
 * returning an invalidated session. zelf_error_retry_after_ms returns the time until the next
 * attempt.
 */
ZELF_API
ZELF_MUST_USE
zelf_session *zelf_session_provider_get(zelf_session_provider *provider,
                                        zelf_error **error);

/**
 * Gets a session like zelf_session_provider_get, without blocking.
 *
 * callback and destroy run as for every asynchronous call, also if the session is already
 * there. min_valid counts from the moment the session came: check
 * zelf_session_seconds_left if your callbacks run late. Cancelling a call while it replaces
 * a session does not stop that request; later calls use its result.
 *
 * Errors: those of zelf_session_create_async.
 */
ZELF_API
ZELF_MUST_USE
zelf_call *zelf_session_provider_get_async(zelf_session_provider *provider,
                                           zelf_session_callback callback,
                                           void *user_data,
                                           zelf_destroy_callback destroy,
                                           zelf_error **error);

/**
 * Returns the session that a get returns at once, else NULL. Free it.
 *
 * It never blocks and makes no request. After NULL, call zelf_session_provider_get_async: its
 * callback gets a session or an error.
 */
ZELF_API
ZELF_MUST_USE
zelf_session *zelf_session_provider_current(zelf_session_provider *provider);

/**
 * Tells the provider that a route refused its session.
 *
 * Call it for 403 "Session is not active", then repeat your request with the session of the
 * next zelf_session_provider_get. That get asks the server: it takes a different session as it
 * is, and replaces the same one with one killSession (except with ZELF_RENEWAL_NEVER_KILL). The
 * function makes no request. With a directory it reads and removes the stored session's file.
 *
 * Do not call it for other answers: a 401 may mean a path that does not exist, and "Invalid
 * session" and "... limit exceeded" a quota. A new session would end the token of everyone with
 * the identifier. zelf_session_provider_invalidate_if_refused tells them apart.
 *
 * rejected: the refused session; it stays yours.
 *
 * Returns true for the first report of a session that the provider holds. Repeat your request
 * also after false: another thread has reported the session.
 */
ZELF_API
bool zelf_session_provider_invalidate(zelf_session_provider *provider,
                                      const zelf_session *rejected);

/**
 * Invalidates the session if an answer refuses it. For programs with another HTTP client.
 *
 * 403 "Session is not active" and 401 "Protected resource" refuse it. If the function returns
 * true, repeat your request once, with the session of the next zelf_session_provider_get. After
 * a 401 that get does not kill. The function makes no request. With a directory it reads and
 * removes the stored session's file.
 *
 * session: the session that you sent; it stays yours.
 * http_status: the status of the answer.
 * body, length: the body of the answer, without content coding; may be NULL. More than 4096
 *   bytes are never a refusal.
 *
 * Returns whether the answer refuses the session.
 */
ZELF_API
bool zelf_session_provider_invalidate_if_refused(zelf_session_provider *provider,
                                                 const zelf_session *session,
                                                 int32_t http_status,
                                                 const void *body,
                                                 size_t length);

/**
 * Returns why the last renewal failed. Free it. NULL if it worked, or there was none.
 *
 * zelf_error_retry_after_ms returns the time until the next attempt.
 */
ZELF_API
ZELF_MUST_USE
zelf_error *zelf_session_provider_last_error(const zelf_session_provider *provider);

/**
 * Frees a provider.
 *
 * No other thread may be inside a function of the provider, or call one later. Its
 * asynchronous calls continue, and so does a renewal on the client's I/O thread: destroy of
 * zelf_provider_options_set_renewed_callback may run there until the client's time limit.
 * Sessions of the provider stay valid.
 */
ZELF_API
void zelf_session_provider_free(zelf_session_provider *provider);

/* ---- Requests ------------------------------------------------------------ */

/**
 * A request to any route of the server.
 *
 * It can be sent any number of times, by any number of threads at once. No thread may change
 * it meanwhile. Setters copy their arguments and never fail: sending checks everything and
 * names the first wrong thing.
 */
typedef struct zelf_request zelf_request;

/**
 * Makes a request.
 *
 * method: an HTTP method such as "GET" or "POST", in the upper or lower case that the server
 *   expects; not CONNECT.
 * target: path and query, such as "/api/tags/search?tagName=a.zelf", at most 8192 bytes. It
 *   begins with "/", is percent-encoded, has no fragment, and is sent unchanged, appended to
 *   the path of the base URL.
 */
ZELF_API
ZELF_MUST_USE
zelf_request *zelf_request_new(const char *method,
                               const char *target);

/**
 * Sets a header, and replaces one with the same name in any case. NULL as value removes it.
 *
 * The library refuses the headers that it sets (Host, Origin, User-Agent, Authorization,
 * Content-Length, Accept-Encoding) and those of the connection (such as Connection,
 * Transfer-Encoding, Expect, Upgrade). A value is visible ASCII with spaces and tabs inside,
 * at most 8192 bytes. A request has at most 64 headers.
 *
 * Default: an Accept header for all types.
 */
ZELF_API
void zelf_request_set_header(zelf_request *request,
                             const char *name,
                             const char *value);

/**
 * Sets the body. The copy is wiped before it is freed.
 *
 * bytes: the body; NULL with length 0 removes it, any other pointer with length 0 is an
 *   empty body. With NULL and another length, the send fails.
 * content_type: the Content-Type header; NULL sends none.
 *
 * Default: none. POST, PUT and PATCH then send Content-Length: 0.
 */
ZELF_API
void zelf_request_set_body(zelf_request *request,
                           const void *bytes,
                           size_t length,
                           const char *content_type);

/**
 * Limits the time of the whole call, in milliseconds: session, all attempts and response.
 *
 * 0 restores the default.
 *
 * Default: 30000.
 */
ZELF_API void zelf_request_set_timeout_ms(zelf_request *request, uint32_t ms);

/**
 * Limits the body of the response, in bytes.
 *
 * A longer body gives ZELF_ERROR_RESPONSE_TOO_LARGE. 0 restores the default.
 *
 * Default: 8388608 (8 MiB).
 */
ZELF_API void zelf_request_set_max_response_bytes(zelf_request *request, size_t bytes);

/**
 * Sets whether the server may carry the request out more than once.
 *
 * The library repeats a repeatable request after a lost connection, 429, 502, 503, 504 and
 * the 404 of a starting server; any other only if the server has certainly not carried it out.
 *
 * Default: true for GET and HEAD, false for other methods.
 */
ZELF_API
void zelf_request_set_repeatable(zelf_request *request,
                                 bool repeatable);

/**
 * Frees a request and wipes its body. Calls under way keep a copy of what they need.
 */
ZELF_API void zelf_request_free(zelf_request *request);

/* ---- Responses ----------------------------------------------------------- */

/** A complete answer of the server, with any status. It is immutable. */
typedef struct zelf_response zelf_response;

/** Returns the HTTP status, such as 200. */
ZELF_API int32_t zelf_response_http_status(const zelf_response *response);

/**
 * Returns the value of the first header with this name, in any case. NULL if there is none.
 *
 * It has the bytes that the server sent, which may not be UTF-8.
 */
ZELF_API
const char *zelf_response_header(const zelf_response *response,
                                 const char *name);

/**
 * Returns the body, without transfer coding. The library asks for no content coding.
 *
 * A NUL that is not counted follows, so text can be read as a C string.
 *
 * An empty body is not NULL.
 *
 * length: receives the length in bytes, 0 if response is NULL; may be NULL.
 */
ZELF_API const void *zelf_response_body(const zelf_response *response, size_t *length);

/**
 * Returns the server's error message in a response with status 400 or more.
 *
 * It is as in zelf_error_server_message. NULL if there is none.
 */
ZELF_API const char *zelf_response_server_message(const zelf_response *response);

/**
 * Wipes and frees a response.
 *
 * Buffers of the TLS library have held parts of the body and are not wiped.
 */
ZELF_API void zelf_response_free(zelf_response *response);

/* ---- Sending requests ---------------------------------------------------- */

/**
 * Receives the result of a request: exactly one of response and error is non-NULL.
 *
 * The callback owns it and frees it with zelf_response_free or zelf_error_free.
 */
typedef void (*zelf_response_callback)(zelf_response *response,
                                       zelf_error *error,
                                       void *user_data);

/**
 * Sends a request with the provider's session. Blocks for at most the request's time limit.
 *
 * An answer of any status is a response, after the library has handled these:
 *
 * - 403 "Session is not active": it renews the session (see
 *   zelf_session_provider_invalidate) and sends the request again, with any method. After a
 *   second such answer it does this once more, without killSession. After a third one the
 *   call fails with ZELF_ERROR_GHOST_SESSION.
 * - 401 "Protected resource", perhaps an unknown path: it asks for a session without
 *   killSession and sends the request again, once.
 * - 429, 502, 503, 504 and 404 "Not Found" as text (the server is starting): it repeats a
 *   repeatable request, as zelf_config_set_max_attempts and Retry-After say.
 *
 * A redirect is a response: the token goes only to the host of the base URL. So are answers
 * about the session's quota (docs/guide.md).
 *
 * After a failed connection the library repeats a request that was not sent completely, if no
 * answer has begun, with any method; one that was sent completely only if it is repeatable. A
 * request that is not repeatable goes over a new connection or one that was used in the last
 * second. If the server may have carried it out when it fails, the message says so, and
 * zelf_error_is_retryable returns false.
 *
 * A client sends at most 32 requests at once; more wait.
 *
 * Errors: ZELF_ERROR_INVALID_ARGUMENT for a request that cannot be sent;
 * ZELF_ERROR_RESPONSE_TOO_LARGE; ZELF_ERROR_CONNECTION_LOST, also for a body that is
 * shorter than announced; ZELF_ERROR_SHUT_DOWN; errors of the connection; those of
 * zelf_session_provider_get.
 */
ZELF_API
ZELF_MUST_USE
zelf_response *zelf_session_provider_send(zelf_session_provider *provider,
                                          const zelf_request *request,
                                          zelf_error **error);

/**
 * Sends a request like zelf_session_provider_send, without blocking.
 *
 * The request's time limit includes the wait for a connection. The request may be changed or
 * freed as soon as this function returns. The server may have carried out a cancelled call.
 *
 * Errors: ZELF_ERROR_INVALID_ARGUMENT for a request that cannot be sent, and those of
 * zelf_session_create_async.
 */
ZELF_API
ZELF_MUST_USE
zelf_call *zelf_session_provider_send_async(zelf_session_provider *provider,
                                            const zelf_request *request,
                                            zelf_response_callback callback,
                                            void *user_data,
                                            zelf_destroy_callback destroy,
                                            zelf_error **error);

/**
 * Sends a request with your session, or without one.
 *
 * It is like zelf_session_provider_send, but does not renew: an answer that refuses the session
 * is a response.
 *
 * session: the library sends its token; it must come from the same server. NULL sends no token.
 *
 * Errors: those of zelf_session_provider_send, except those of a get.
 */
ZELF_API
ZELF_MUST_USE
zelf_response *zelf_session_send(zelf_client *client,
                                 const zelf_session *session,
                                 const zelf_request *request,
                                 zelf_error **error);

/**
 * Sends a request like zelf_session_send, without blocking.
 *
 * The request's time limit includes the wait for a connection. The session may be freed, and the
 * request changed or freed, as soon as this function returns. The server may have carried out a
 * cancelled call.
 *
 * Errors: those of zelf_session_provider_send_async.
 */
ZELF_API
ZELF_MUST_USE
zelf_call *zelf_session_send_async(zelf_client *client,
                                   const zelf_session *session,
                                   const zelf_request *request,
                                   zelf_response_callback callback,
                                   void *user_data,
                                   zelf_destroy_callback destroy,
                                   zelf_error **error);

#ifdef __cplusplus
}
#endif

#endif /* ZELF_H */
