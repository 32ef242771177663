/* The first header that this library had, as it was: what was built with it has to go on running. */
/*
 * zelf.h: a Zelf session token for your program.
 *
 *   zelf_client *client = zelf_client_new(NULL, &error);
 *   zelf_session *session = zelf_session_create(client, options, &error);
 *   puts(zelf_session_token(session));
 *
 * Ownership. What a function named _new or _create returns is yours: give it
 * to the _free of its type. Every const char * you get is borrowed from the
 * object you asked, and valid until that object is freed. Every const char *
 * you pass is copied. A _free accepts NULL, and so does every getter.
 *
 * Errors. A function that can fail returns NULL and, if you passed a place for
 * it, puts a zelf_error there; a place that held an error before is overwritten,
 * not freed. On success the place is not touched.
 *
 * Threads. Every function may be called from any thread. A client, a session
 * and an error may be used by any number of threads at once; a configuration
 * and options by one at a time while it is being changed.
 *
 * Strings are UTF-8 and end with a NUL. Times are Unix seconds, durations say
 * their unit in their name.
 *
 * Loading the library does nothing: no thread, no file, no environment. It
 * never prints, never touches the disposition of a signal, and leaves errno as
 * it was. A client survives fork: the child makes connections of its own.
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
 * Compare it with ZELF_VERSION, the version of this header, to see whether
 * both belong together.
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
 * The operating system refused something: no file descriptor, thread or
 * memory was left.
 */
#define ZELF_ERROR_SYSTEM 4

/** The server's name could not be resolved. */
#define ZELF_ERROR_DNS 10

/** No connection to the server could be made. */
#define ZELF_ERROR_CONNECT 11

/**
 * No secure connection could be made: the certificate is not trusted, has
 * expired or belongs to another host, or the peer does not speak TLS.
 */
#define ZELF_ERROR_TLS 12

/** The time limit of the call, or that of connecting, has passed. */
#define ZELF_ERROR_TIMEOUT 13

/** The connection broke before the whole answer had arrived. */
#define ZELF_ERROR_CONNECTION_LOST 14

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

/** HTTP 404 "Not Found", what the server says while it is starting. */
#define ZELF_ERROR_STARTING_UP 36

/**
 * The session has been used more often than the server allows; create it
 * again with zelf_session_options_set_kill_session.
 */
#define ZELF_ERROR_LIMIT_EXCEEDED 37

/** HTTP 403 "Session is not active": the session has ended on the server. */
#define ZELF_ERROR_SESSION_NOT_ACTIVE 38

/** HTTP 429: too many requests; see zelf_error_retry_after_ms. */
#define ZELF_ERROR_RATE_LIMITED 39

/** HTTP 5xx: the server, or a proxy in front of it, failed. */
#define ZELF_ERROR_SERVER 40

/** An HTTP status that the session API does not have. */
#define ZELF_ERROR_UNEXPECTED_HTTP_STATUS 41

/** The server handed out a session that has already expired, by its own clock. */
#define ZELF_ERROR_SESSION_EXPIRED 50

/** The server handed out the session of another identifier. */
#define ZELF_ERROR_FOREIGN_SESSION 51

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
 * The HTTP status of the server's answer, such as 403. 0 when no answer came,
 * or error is NULL.
 *
 * Since 0.1.0.
 */
ZELF_API int32_t zelf_error_http_status(const zelf_error *error);

/**
 * The server's own words: one line of UTF-8 text of at most 515 bytes, without
 * control characters. Show it as text only; the server, or whoever stands in
 * front of it, chose it.
 *
 * Borrowed from error, valid until zelf_error_free. NULL when the server said
 * nothing, or error is NULL.
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
 * How long the server asks to wait before the next attempt (its Retry-After
 * header), in milliseconds. 0 when it did not say, or error is NULL.
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
 * The time limit of making one connection in milliseconds: name look-up, TCP
 * and TLS together. The limit of the whole call holds as well.
 *
 * Default: 5000.
 *
 * Since 0.1.0.
 */
ZELF_API void zelf_config_set_connect_timeout_ms(zelf_config *config, uint32_t ms);

/**
 * How often a call may try in all when a failure is worth another attempt
 * (see zelf_error_is_retryable). 1 turns retries off.
 *
 * Default: 3.
 *
 * Since 0.1.0.
 */
ZELF_API void zelf_config_set_max_attempts(zelf_config *config, uint32_t attempts);

/**
 * Trust only the certificate authorities in this PEM file, instead of those
 * that the system trusts. zelf_client_new reads it; the path is UTF-8.
 *
 * Default: the system's trust, read by the first call that needs it.
 *
 * Since 0.1.0.
 */
ZELF_API void zelf_config_set_ca_file(zelf_config *config, const char *pem_path);

/**
 * Frees a configuration. Clients made from it stay as they are. NULL is fine.
 *
 * Since 0.1.0.
 */
ZELF_API void zelf_config_free(zelf_config *config);

/* ---- Client -------------------------------------------------------------- */

/**
 * Makes sessions with one set of settings, and keeps connections warm between
 * calls. Make one and use it from any number of threads at once.
 */
typedef struct zelf_client zelf_client;

/**
 * Checks the settings and makes a client. Reads the CA file if one is set;
 * starts no thread and opens no connection.
 *
 * config: the settings, copied; NULL for the defaults.
 * error: where to put the reason on failure, or NULL.
 *
 * Returns a client that is yours: give it to zelf_client_free. On failure
 * NULL, and *error, if given, is yours for zelf_error_free; on success *error
 * is not written. Errors: ZELF_ERROR_INVALID_CONFIG.
 *
 * Since 0.1.0.
 */
ZELF_API zelf_client *zelf_client_new(const zelf_config *config, zelf_error **error);

/**
 * Frees a client and closes its connections. NULL is fine. Calls that other
 * threads are still inside of go on to their end; none may begin after this.
 * Sessions and errors that came from the client stay valid.
 *
 * Since 0.1.0.
 */
ZELF_API void zelf_client_free(zelf_client *client);

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
 * could end somebody else's session, so zelf_session_create refuses.
 *
 * Since 0.1.0.
 */
ZELF_API
void zelf_session_options_set_kill_session(zelf_session_options *options,
                                           bool kill_session);

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
 * Creates a session: one POST to /api/sessions, on the calling thread.
 *
 * Blocks until the answer is there, at most for the configured time limit.
 * Safe from any thread, and from any number at once; a stack of 128 KiB is
 * enough. Leaves errno and the signal mask as they were, and SIGPIPE cannot
 * reach your process from it.
 *
 * client: the client; it may be freed meanwhile by another thread.
 * options: what to ask for; NULL sends the empty object.
 * error: where to put the reason on failure, or NULL.
 *
 * Returns a session that is yours: give it to zelf_session_free. On failure
 * NULL, and *error, if given, is yours for zelf_error_free; on success *error
 * is not written. Errors: any but ZELF_ERROR_INVALID_CONFIG.
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
 * The session's id on the server, read from the token without verifying it.
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
 * did not say, 600 s after the session began or the answer came. 0 when
 * session is NULL.
 *
 * Since 0.1.0.
 */
ZELF_API int64_t zelf_session_expires_at(const zelf_session *session);

/**
 * How many whole seconds the session still lives; 0 when it has expired, or
 * session is NULL. Counted from the server's clock on one that runs while the
 * device sleeps (CLOCK_BOOTTIME on Linux and Android, CLOCK_MONOTONIC on
 * Apple's systems, the performance counter on Windows), so a device whose date
 * is wrong gets the right answer.
 *
 * Since 0.1.0.
 */
ZELF_API int64_t zelf_session_seconds_left(const zelf_session *session);

/**
 * Frees a session and the strings borrowed from it; the token is overwritten
 * with zeros first. The session lives on at the server. NULL is fine.
 *
 * Since 0.1.0.
 */
ZELF_API void zelf_session_free(zelf_session *session);

#ifdef __cplusplus
}
#endif

#endif /* ZELF_H */
