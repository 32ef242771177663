/* Answers that odd servers, proxies and networks send. */
#include "calls.h"
#include "raw.h"

#define LENGTH(text) (sizeof(text) - 1)
#define HEAD "HTTP/1.1 200 OK\r\nDate: Fri, 27 Nov 2026 00:00:00 GMT\r\n"
#define SESSION "{\"data\":{\"token\":\"abc\",\"expiresAt\":1795738200}}"
#define GZIP "\x1f\x8b\x08\0\0\0\0\0\0\x03\xab\x56\x4a\x2d\x2a\xca\x2f\x02\x11\xa5\x05"
/* {"error":"rejected"} */
#define UTF_16                                                                                  \
    "\xff\xfe{\0\"\0e\0r\0r\0o\0r\0\"\0:\0\"\0r\0e\0j\0e\0c\0t\0e\0d\0\"\0}\0"

struct answer {
    const char *title;
    const char *bytes;
    size_t length;
    zelf_status status;
    int32_t http_status;
    const char *server_message; /* NULL: there is none */
    const char *in_message;     /* "": any text */
};

/* A time limit that these tests wait for. The head has to arrive before it, also under valgrind, so
   they do not use TLS. */
#define SHORT_MS 800
static const struct answer unending[] = {
    {"a Content-Length that is too large", HEAD "Content-Length: 999\r\n\r\n" SESSION,
     LENGTH(HEAD "Content-Length: 999\r\n\r\n" SESSION), ZELF_ERROR_TIMEOUT, 200, NULL,
     "answered HTTP 200, but the answer was incomplete"},
    {"no length and half an object", HEAD "\r\n{\"data\":{\"token\":\"abc\"",
     LENGTH(HEAD "\r\n{\"data\":{\"token\":\"abc\""), ZELF_ERROR_TIMEOUT, 200, NULL, "was incomplete"},
    {"no last chunk", HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
     LENGTH(HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"), ZELF_ERROR_TIMEOUT, 200, NULL,
     "was incomplete"},
    {"half of its headers", HEAD, LENGTH(HEAD), ZELF_ERROR_TIMEOUT, 0, NULL,
     "did not answer within"},
};

static const struct answer answers[] = {
    {"a whole object without a length", HEAD "\r\n" SESSION, LENGTH(HEAD "\r\n" SESSION), ZELF_OK, 0,
     NULL, ""},
    {"a whole object in HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\n" SESSION "\n",
     LENGTH("HTTP/1.0 200 OK\r\n\r\n" SESSION "\n"), ZELF_OK, 0, NULL, ""},
    {"Transfer-Encoding: identity", HEAD "Transfer-Encoding: identity\r\n\r\n" SESSION,
     LENGTH(HEAD "Transfer-Encoding: identity\r\n\r\n" SESSION), ZELF_OK, 0, NULL, ""},
    {"a space before a colon, a folded line, and what is no header",
     "HTTP/1.1 200 OK\r\nContent-Length : 22\r\nX: a\r\n  b\r\nX\x01y: \x02\r\n\r\n{\"data\":{\"token\":\"a\"}}",
     LENGTH("HTTP/1.1 200 OK\r\nContent-Length : 22\r\nX: a\r\n  b\r\nX\x01y: \x02\r\n\r\n{\"data\":{\"token\":\"a\"}}"),
     ZELF_OK, 0, NULL, ""},
    {"control characters in the status line and a bare CR in a header",
     "HTTP/1.1 200 \x01O\rK\r\nX: a\rb\r\nContent-Length: 22\r\n\r\n{\"data\":{\"token\":\"a\"}}",
     LENGTH("HTTP/1.1 200 \x01O\rK\r\nX: a\rb\r\nContent-Length: 22\r\n\r\n{\"data\":{\"token\":\"a\"}}"),
     ZELF_OK, 0, NULL, ""},
    {"a status line that is none", "HTTP/1.1 OK\r\n\r\n", LENGTH("HTTP/1.1 OK\r\n\r\n"),
     ZELF_ERROR_BAD_RESPONSE, 0, NULL, "its status line is malformed"},
    {"two differing Content-Lengths", HEAD "Content-Length: 3\r\nContent-Length: 4\r\n\r\n{}  ",
     LENGTH(HEAD "Content-Length: 3\r\nContent-Length: 4\r\n\r\n{}  "), ZELF_ERROR_BAD_RESPONSE, 0, NULL,
     "two different Content-Lengths"},
    {"a byte order mark", HEAD "\r\n\xef\xbb\xbf" SESSION, LENGTH(HEAD "\r\n\xef\xbb\xbf" SESSION),
     ZELF_OK, 0, NULL, ""},
    {"a doubled key, of which the last counts",
     HEAD "\r\n{\"data\":0,\"data\":{\"token\":[],\"token\":\"abc\"}}",
     LENGTH(HEAD "\r\n{\"data\":0,\"data\":{\"token\":[],\"token\":\"abc\"}}"), ZELF_OK, 0, NULL, ""},
    {"a doubled key, of which the first holds no value that can be read",
     HEAD "\r\n{\"data\":[1e999,\"\\ud800\"],\"data\":{\"token\":\"abc\"}}",
     LENGTH(HEAD "\r\n{\"data\":[1e999,\"\\ud800\"],\"data\":{\"token\":\"abc\"}}"), ZELF_OK, 0, NULL,
     ""},
    {"numbers too large for their use",
     HEAD "\r\n{\"n\":1e999,\"data\":{\"token\":\"abc\",\"expiresAt\":1e999,\"activatedAt\":-1e999}}",
     LENGTH(HEAD "\r\n{\"n\":1e999,\"data\":{\"token\":\"abc\",\"expiresAt\":1e999,\"activatedAt\":-1e999}}"),
     ZELF_OK, 0, NULL, ""},
    {"text behind the object", HEAD "Content-Length: 25\r\n\r\n{\"data\":{\"token\":\"abc\"}}x",
     LENGTH(HEAD "Content-Length: 25\r\n\r\n{\"data\":{\"token\":\"abc\"}}x"), ZELF_ERROR_BAD_RESPONSE, 200,
     NULL, "not JSON"},
    {"gzip in place of a session", HEAD "Content-Length: 21\r\n\r\n" GZIP,
     LENGTH(HEAD "Content-Length: 21\r\n\r\n" GZIP), ZELF_ERROR_BAD_RESPONSE, 200, NULL, "gzip"},
    {"Brotli in place of a session",
     HEAD "Content-Encoding: br\r\nContent-Length: 4\r\n\r\n\x0b\x01\x80{",
     LENGTH(HEAD "Content-Encoding: br\r\nContent-Length: 4\r\n\r\n\x0b\x01\x80{"),
     ZELF_ERROR_BAD_RESPONSE, 200, NULL, "Brotli"},
    {"a session that is called gzip and is not",
     HEAD "Content-Encoding: gzip\r\nContent-Length: 24\r\n\r\n{\"data\":{\"token\":\"abc\"}}",
     LENGTH(HEAD "Content-Encoding: gzip\r\nContent-Length: 24\r\n\r\n{\"data\":{\"token\":\"abc\"}}"), ZELF_OK,
     0, NULL, ""},
    {"a refusal in gzip", "HTTP/1.1 403 X\r\nContent-Length: 21\r\n\r\n" GZIP,
     LENGTH("HTTP/1.1 403 X\r\nContent-Length: 21\r\n\r\n" GZIP), ZELF_ERROR_FORBIDDEN, 403, NULL, "gzip"},
    {"a refusal in UTF-16", "HTTP/1.1 403 X\r\nContent-Length: 42\r\n\r\n" UTF_16,
     LENGTH("HTTP/1.1 403 X\r\nContent-Length: 42\r\n\r\n" UTF_16), ZELF_ERROR_REJECTED_ORIGIN, 403,
     "rejected", ""},
    {"a refusal with a byte order mark",
     "HTTP/1.1 403 X\r\nContent-Length: 23\r\n\r\n\xef\xbb\xbf{\"error\":\"rejected\"}",
     LENGTH("HTTP/1.1 403 X\r\nContent-Length: 23\r\n\r\n\xef\xbb\xbf{\"error\":\"rejected\"}"),
     ZELF_ERROR_REJECTED_ORIGIN, 403, "rejected", ""},
    {"a captive portal's page",
     HEAD "Content-Length: 38\r\n\r\n<html><title>Sign in to WiFi</title>x\n",
     LENGTH(HEAD "Content-Length: 38\r\n\r\n<html><title>Sign in to WiFi</title>x\n"),
     ZELF_ERROR_BAD_RESPONSE, 200, "Sign in to WiFi", "captive portal"},
    {"a network that wants a sign-in",
     "HTTP/1.1 511 X\r\nContent-Length: 35\r\n\r\n<html><title>Sign in, guest</title>",
     LENGTH("HTTP/1.1 511 X\r\nContent-Length: 35\r\n\r\n<html><title>Sign in, guest</title>"),
     ZELF_ERROR_UNEXPECTED_HTTP_STATUS, 511, "Sign in, guest", "captive portal"},
    {"a server that never will", "HTTP/1.1 501 X\r\nContent-Length: 0\r\n\r\n",
     LENGTH("HTTP/1.1 501 X\r\nContent-Length: 0\r\n\r\n"), ZELF_ERROR_UNEXPECTED_HTTP_STATUS, 501, NULL,
     "does not support"},
    {"a server of another HTTP", "HTTP/1.1 505 X\r\nContent-Length: 0\r\n\r\n",
     LENGTH("HTTP/1.1 505 X\r\nContent-Length: 0\r\n\r\n"), ZELF_ERROR_UNEXPECTED_HTTP_STATUS, 505, NULL,
     "does not support"},
    {"a redirect",
     "HTTP/1.1 307 X\r\nLocation: https://u:s3cr3t@b.test/v2/new?k=s3cr3t\r\nContent-Length: 0\r\n\r\n",
     LENGTH("HTTP/1.1 307 X\r\nLocation: https://u:s3cr3t@b.test/v2/new?k=s3cr3t\r\nContent-Length: 0\r\n\r\n"),
     ZELF_ERROR_REDIRECTED, 307, NULL, "to https://b.test/v2/new)"},
};

static int is_as_expected(const struct answer *answer, const zelf_session *session,
                          const zelf_error *error)
{
    const char *words = error ? zelf_error_server_message(error) : NULL;
    const char *message = error ? zelf_error_message(error) : "";
    if (answer->status == ZELF_OK) return session != NULL;
    return !session && zelf_error_status(error) == answer->status
        && zelf_error_http_status(error) == answer->http_status
        && (words && answer->server_message ? strcmp(words, answer->server_message) == 0
                                            : !words == !answer->server_message)
        && strstr(message, answer->in_message) && !strstr(message, "s3cr3t")
        && !strstr(message, "\xef\xbf\xbd");
}

/* Makes one attempt if the answer will soon be another one. */
static void is_understood(const struct answer *answer, int tls, uint32_t timeout_ms)
{
    zelf_client *client = sandbox_client(tls, timeout_ms, 3);
    zelf_error *error = NULL;
    zelf_session *session;

    answer_with(answer->bytes, answer->length);
    forget_requests();
    session = create(client, "odd-answer-x", &error);
    PROMISE(is_as_expected(answer, session, error) && requests_arrived() == 1, "%s: %s, %s",
            answer->title, zelf_status_name(zelf_error_status(error)),
            error ? zelf_error_message(error) : "a session");
    zelf_session_free(session);
    zelf_error_free(error);
    zelf_client_free(client);
}

static const struct answer *expected;
static int as_expected;
static char said[512];

static void on_answer(zelf_session *session, zelf_error *error, void *user_data)
{
    as_expected = is_as_expected(expected, session, error);
    snprintf(said, sizeof said, "%s", error ? zelf_error_message(error) : "a session");
    zelf_session_free(session);
    zelf_error_free(error);
    (void)user_data;
}

static void is_understood_asynchronously(const struct answer *answer)
{
    struct record record = {0};
    zelf_client *client = sandbox_client(0, SHORT_MS, 3);
    zelf_session_options *options = options_for("odd-answer-x");
    expected = answer;
    as_expected = 0;
    answer_with(answer->bytes, answer->length);
    record.call = zelf_session_create_async(client, options, on_answer, &record, on_destroy, NULL);
    zelf_session_options_free(options);
    PROMISE(await(&record, 1, 5) && as_expected, "%s, in an asynchronous call: %s", answer->title, said);
    zelf_call_free(record.call);
    zelf_client_free(client);
}

static void waits_are_told(void)
{
    static const struct {
        const char *asked;
        uint64_t ms;
    } waits[] = {
        {"7", 7000},   {"1.5", 2000},   {"0.001", 1000}, {"2 s", 2000}, {"3 minutes", 180000},
        {"-4", 1000},  {"+4", 4000},    {"2, 9", 9000},  {"0", 0},      {"soon", 0},
        {"99999999999999999999999", UINT64_MAX}, {"18446744073709551615", UINT64_MAX},
    };
    size_t i;
    for (i = 0; i < sizeof waits / sizeof *waits; i++) {
        zelf_client *client = sandbox_client(1, 5000, 1);
        zelf_error *error = NULL;
        char json[256];
        snprintf(json, sizeof json,
                 "{\"kind\":\"answer\",\"status\":429,\"headers\":{\"Retry-After\":\"%s\"}}",
                 waits[i].asked);
        fault(json);
        zelf_session_free(create(client, "waits-x", &error));
        PROMISE(zelf_error_retry_after_ms(error) == waits[i].ms, "Retry-After: %s is %lu ms",
                waits[i].asked, (unsigned long)zelf_error_retry_after_ms(error));
        zelf_error_free(error);
        zelf_client_free(client);
    }
}

int main(void)
{
    size_t i;
    for (i = 0; i < sizeof answers / sizeof *answers; i++) is_understood(&answers[i], 1, 5000);
    for (i = 0; i < sizeof unending / sizeof *unending; i++) {
        is_understood(&unending[i], 0, SHORT_MS);
        is_understood_asynchronously(&unending[i]);
    }
    waits_are_told();
    fault(NULL);
    return check_failed;
}
