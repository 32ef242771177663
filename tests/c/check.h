/* Code shared by all test programs: promises, and requests to the sandbox. */
#ifndef CHECK_H
#define CHECK_H

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <zelf.h>

static int check_failed;

/* Prints one line per promise. The runner counts them. */
#define PROMISE(kept, ...)                                        \
    do {                                                          \
        int check_kept = (kept);                                  \
        printf(check_kept ? "ok - " : "not ok - ");               \
        printf(__VA_ARGS__);                                      \
        if (!check_kept) {                                        \
            printf(" [%s:%d: %s]", __FILE__, __LINE__, #kept);    \
            check_failed = 1;                                     \
        }                                                         \
        putchar('\n');                                            \
        fflush(stdout);                                           \
    } while (0)

static inline const char *need_env(const char *name)
{
    const char *value = getenv(name);
    if (!value) {
        printf("not ok - %s is set by the runner\n", name);
        exit(1);
    }
    return value;
}

/* Returns the number of entries in a folder, without "." and "..". */
static inline int entries(const char *folder)
{
    DIR *dir = opendir(folder);
    int count = -2;
    while (dir && readdir(dir)) count++;
    if (dir) closedir(dir);
    return count;
}

/* Returns the number that the runner has set, or the usual one. */
static inline int number_from_env(const char *name, int usual)
{
    const char *value = getenv(name);
    return value ? atoi(value) : usual;
}

/* ThreadSanitizer runs a thread, and an emulator too. */
#ifdef ZELF_RACES
#define OTHER_THREADS 1
#else
#define OTHER_THREADS number_from_env("ZELF_OTHER_THREADS", 0)
#endif

static inline int threads_alive(void) { return entries("/proc/self/task") - OTHER_THREADS; }

/* Returns how many times longer an emulator takes. */
static inline int slowness(void) { return number_from_env("ZELF_SLOW", 1); }

/* In seconds. Something that happens at once takes less, even on a busy machine. Each time limit
   that must not apply is longer: the library's default is 15 s. */
#define AT_ONCE (10 * slowness())

/* Returns a time limit for the library. It is longer in an emulator if it must not apply. */
static inline uint32_t limit_ms(uint32_t ms)
{
    return ms < 5000 ? ms : ms * (uint32_t)slowness();
}

/* A busy machine may delay a thread for longer than a promise of some milliseconds allows. Such a
   promise is measured until it is kept, at most this many times. */
#define MEASUREMENTS 5

/* A flag that one thread sets and another reads. */
static inline int get_flag(const int *flag) { return __atomic_load_n(flag, __ATOMIC_SEQ_CST); }
static inline void set_flag(int *flag, int value) { __atomic_store_n(flag, value, __ATOMIC_SEQ_CST); }

static inline double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Sends a request to http://127.0.0.1:PORT/path, and returns the status. The whole answer is in a
   static buffer. */
static char http_answer[1 << 20];

static inline int http_request(const char *method, const char *base, const char *path,
                               const char *headers, const char *body)
{
    static char request[65536];
    struct sockaddr_in to;
    size_t used = 0;
    ssize_t got;
    int port = 0, status = 0, s;

    if (sscanf(base, "http://127.0.0.1:%d", &port) != 1) return -1;
    memset(&to, 0, sizeof to);
    to.sin_family = AF_INET;
    to.sin_port = htons((unsigned short)port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s = socket(AF_INET, SOCK_STREAM, 0);
    if (s < 0 || connect(s, (struct sockaddr *)&to, sizeof to) != 0) {
        if (s >= 0) close(s);
        return -1;
    }
    snprintf(request, sizeof request,
             "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n%s"
             "Content-Type: application/json\r\nContent-Length: %lu\r\n\r\n%s",
             method, path, headers, (unsigned long)strlen(body), body);
    if (send(s, request, strlen(request), MSG_NOSIGNAL) < 0) {
        close(s);
        return -1;
    }
    while ((got = recv(s, http_answer + used, sizeof http_answer - 1 - used, 0)) > 0)
        used += (size_t)got;
    http_answer[used] = '\0';
    close(s);
    if (sscanf(http_answer, "HTTP/1.1 %d", &status) != 1) return -1;
    return status;
}

static inline void sandbox(const char *method, const char *path, const char *body)
{
    int status = http_request(method, need_env("ZELF_CONTROL"), path, "", body);
    if (status < 200 || status > 299) {
        printf("not ok - the sandbox takes %s %s %s: %d %s\n", method, path, body, status,
               http_answer);
        exit(1);
    }
}

static inline void fault(const char *json)
{
    sandbox("DELETE", "/sandbox/faults", "");
    if (json) sandbox("POST", "/sandbox/faults", json);
}

/* Returns how many requests for a session have arrived since the last clearing. */
static inline int requests_arrived(void)
{
    const char *at;
    int count = 0;
    sandbox("GET", "/sandbox/requests", "");
    at = http_answer;
    while ((at = strstr(at, "\"/api/sessions\"")) != NULL) {
        count++;
        at++;
    }
    return count;
}

static inline void forget_requests(void)
{
    sandbox("DELETE", "/sandbox/requests", "");
}

/* Returns the status of the session-checked route for this Authorization header. */
static inline int route_status(const char *authorization)
{
    char header[16384];
    snprintf(header, sizeof header, "Authorization: %s\r\n", authorization);
    return http_request("GET", need_env("ZELF_HTTP"),
                        "/api/zelf-name-service/v2/search?zelfName=abc.zelf", header, "");
}

/* Returns a client for the sandbox, over TLS or plain HTTP. */
static inline zelf_client *sandbox_client(int tls, uint32_t timeout_ms, uint32_t attempts)
{
    zelf_error *error = NULL;
    zelf_config *config = zelf_config_new();
    zelf_client *client;
    zelf_config_set_base_url(config, need_env(tls ? "ZELF_HTTPS" : "ZELF_HTTP"));
    if (tls) zelf_config_set_ca_file(config, need_env("ZELF_CA"));
    zelf_config_set_timeout_ms(config, limit_ms(timeout_ms));
    zelf_config_set_max_attempts(config, attempts);
    client = zelf_client_new(config, &error);
    zelf_config_free(config);
    if (!client) {
        printf("not ok - a client can be made: %s\n", zelf_error_message(error));
        exit(1);
    }
    return client;
}

static inline zelf_session_options *options_for(const char *identifier)
{
    zelf_session_options *options = zelf_session_options_new();
    zelf_session_options_set_identifier(options, identifier);
    return options;
}

/* Returns a session for an identifier, or NULL. */
static inline zelf_session *create(zelf_client *client, const char *identifier,
                                   zelf_error **error)
{
    zelf_session_options *options = options_for(identifier);
    zelf_session *session = zelf_session_create(client, options, error);
    zelf_session_options_free(options);
    return session;
}

/* Returns settings for the sandbox over TLS, which the test can change. */
static inline zelf_config *tls_config(void)
{
    zelf_config *config = zelf_config_new();
    zelf_config_set_base_url(config, need_env("ZELF_HTTPS"));
    zelf_config_set_ca_file(config, need_env("ZELF_CA"));
    zelf_config_set_timeout_ms(config, limit_ms(5000));
    zelf_config_set_max_attempts(config, 1);
    return config;
}

/* Makes a client from the configuration, frees the configuration, and creates one session. */
static inline zelf_status outcome(zelf_config *config)
{
    zelf_error *error = NULL;
    zelf_client *client = zelf_client_new(config, &error);
    zelf_session *session = client ? create(client, "transport-x", &error) : NULL;
    zelf_status status = session ? ZELF_OK : zelf_error_status(error);
    zelf_session_free(session);
    zelf_error_free(error);
    zelf_client_free(client);
    zelf_config_free(config);
    return status;
}

/* Promises that a call fails at once or at its time limit, with this status and a message. */
static inline void expect_failure(zelf_client *client, zelf_status status, const char *promise)
{
    zelf_error *error = NULL;
    double began = seconds_now(), took;
    zelf_session *session = create(client, "5f0c6a3e8d2b4c719e6a0b1c2d3e4f50", &error);
    took = seconds_now() - began;
    PROMISE(session == NULL, "%s: no session is returned", promise);
    PROMISE(zelf_error_status(error) == status, "%s: the status is %s: %s", promise,
            zelf_status_name(status), zelf_status_name(zelf_error_status(error)));
    PROMISE(error && strlen(zelf_error_message(error)) > 20, "%s: the message says why: %s", promise,
            error ? zelf_error_message(error) : "-");
    PROMISE(took < AT_ONCE, "%s: the call ends in time: %.1f s", promise, took);
    zelf_session_free(session);
    zelf_error_free(error);
}

#endif
