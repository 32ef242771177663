/* Trust, pins, names, kept connections, and the log. The sandbox closes idle connections after 100
   ms. */
#include <netdb.h>

#include <pthread.h>

#include "check.h"
#include "heap.h"

/* Replaces the C library's look-up. It blocks until the test releases it, then returns this
   machine. */
static int look_up_hangs, look_ups;

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **result)
{
    struct addrinfo *found = calloc(1, sizeof *found);
    struct sockaddr_in *address = calloc(1, sizeof *address);
    (void)node, (void)service, (void)hints;
    __sync_fetch_and_add(&look_ups, 1);
    while (get_flag(&look_up_hangs)) usleep(1000);
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    found->ai_family = AF_INET;
    found->ai_socktype = SOCK_STREAM;
    found->ai_addrlen = sizeof *address;
    found->ai_addr = (struct sockaddr *)address;
    *result = found;
    return 0;
}

void freeaddrinfo(struct addrinfo *found)
{
    free(found->ai_addr);
    free(found);
}

static void names_cannot_hold_up_a_deadline(void)
{
    zelf_config *config = zelf_config_new();
    zelf_client *client;
    zelf_error *error = NULL;
    double began, took;
    int i, timeouts = 0;

    zelf_config_set_base_url(config, "https://slow-name.test");
    zelf_config_set_timeout_ms(config, 200);
    zelf_config_set_max_attempts(config, 1);
    client = zelf_client_new(config, NULL);
    zelf_config_free(config);
    set_flag(&look_up_hangs, 1);
    set_flag(&look_ups, 0);
    began = seconds_now();
    for (i = 0; i < 3; i++) {
        zelf_session_free(create(client, "slow-name-x", &error));
        timeouts += zelf_error_status(error) == ZELF_ERROR_TIMEOUT;
        zelf_error_free(error);
        error = NULL;
    }
    took = seconds_now() - began;
    PROMISE(timeouts == 3, "calls time out while a name look-up hangs: %d of 3", timeouts);
    PROMISE(took < AT_ONCE, "they return at their time limits: %.2f s for three of 0.2 s", took);
    PROMISE(get_flag(&look_ups) == 1, "while one look-up hangs no second one begins");
    PROMISE(threads_alive() == 2, "while it hangs there is one thread");
    began = seconds_now();
    zelf_client_free(client);
    took = seconds_now() - began;
    PROMISE(took < AT_ONCE, "zelf_client_free does not wait for it: %.2f s", took);
    set_flag(&look_up_hangs, 0);
    began = seconds_now();
    while (threads_alive() > 1 && seconds_now() - began < AT_ONCE) usleep(1000);
    PROMISE(threads_alive() == 1, "the look-up's thread ends with it");
}

#define LOOKERS 8

static void *looks_up_often(void *client)
{
    long i, misses = 0;
    for (i = 0; i < 60; i++) {
        char identifier[40];
        zelf_error *error = NULL;
        snprintf(identifier, sizeof identifier, "looks-%p-x", (void *)&identifier);
        zelf_session_free(create(client, identifier, &error));
        misses += zelf_error_status(error) != ZELF_ERROR_TLS;
        zelf_error_free(error);
    }
    return (void *)misses;
}

static void look_ups_at_once_all_find_their_answer(void)
{
    char url[64];
    zelf_config *config = zelf_config_new();
    zelf_client *client;
    pthread_t threads[LOOKERS];
    long misses = 0;
    int i;

    /* The name is found and the server reached. Only the certificate's name is refused. */
    snprintf(url, sizeof url, "https://any-name.test%s", strrchr(need_env("ZELF_HTTPS"), ':'));
    zelf_config_set_base_url(config, url);
    zelf_config_set_ca_file(config, need_env("ZELF_CA"));
    zelf_config_set_max_attempts(config, 1);
    client = zelf_client_new(config, NULL);
    zelf_config_free(config);
    for (i = 0; i < LOOKERS; i++) pthread_create(&threads[i], NULL, looks_up_often, client);
    for (i = 0; i < LOOKERS; i++) {
        void *missed;
        pthread_join(threads[i], &missed);
        misses += (long)missed;
    }
    PROMISE(misses == 0, "many look-ups at once all find their answer: %ld did not", misses);
    zelf_client_free(client);
}

static void trust_is_what_was_set(void)
{
    zelf_config *config = tls_config();
    char pem[8192];
    size_t length;
    FILE *file = fopen(need_env("ZELF_CA"), "rb");

    length = fread(pem, 1, sizeof pem, file);
    fclose(file);
    zelf_config_set_ca_file(config, NULL);
    zelf_config_set_ca_pem(config, pem, length);
    PROMISE(outcome(config) == ZELF_OK, "certificates from memory are trusted");

    config = tls_config();
    zelf_config_set_ca_pem(config, pem, length);
    PROMISE(outcome(config) == ZELF_ERROR_INVALID_CONFIG, "a file and memory at once are refused");

    config = tls_config();
    zelf_config_set_ca_file(config, NULL);
    zelf_config_set_ca_pem(config, "nothing", 7);
    PROMISE(outcome(config) == ZELF_ERROR_INVALID_CONFIG, "text without a certificate is refused");

    config = tls_config();
    zelf_config_set_ca_file(config, NULL);
    zelf_config_set_ca_pem(config, pem, (size_t)-1);
    PROMISE(outcome(config) == ZELF_ERROR_INVALID_CONFIG,
            "a mistaken length is refused, and does not fall back to the system's trust");

    config = tls_config();
    zelf_config_set_ca_file(config, "/dev/zero");
    PROMISE(outcome(config) == ZELF_ERROR_INVALID_CONFIG, "a CA file without an end is refused");

    config = tls_config();
    zelf_config_set_ca_file(config, NULL);
    PROMISE(outcome(config) == ZELF_ERROR_TLS, "the system does not trust the sandbox's CA");
}

/* Returns whether a call, or its client, fails with this status and this text. */
static int fails_with(zelf_config *config, zelf_status status, const char *words)
{
    zelf_error *error = NULL;
    zelf_client *client;
    int fine;
    zelf_config_set_max_attempts(config, 1);
    client = zelf_client_new(config, &error);
    if (client) zelf_session_free(zelf_session_create(client, NULL, &error));
    fine = zelf_error_status(error) == status && strstr(zelf_error_message(error), words);
    if (!fine) printf("# %s\n", zelf_error_message(error));
    zelf_error_free(error);
    zelf_client_free(client);
    zelf_config_free(config);
    return fine;
}

static void a_bad_certificate_is_named(void)
{
    zelf_config *config = tls_config();
    char pem[8192], text[8300];
    int length;
    FILE *file = fopen(need_env("ZELF_CA"), "rb");

    pem[fread(pem, 1, sizeof pem - 1, file)] = '\0';
    fclose(file);
    length = snprintf(text, sizeof text,
                      "%s-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n", pem);
    zelf_config_set_ca_file(config, NULL);
    zelf_config_set_ca_pem(config, text, (size_t)length);
    PROMISE(fails_with(config, ZELF_ERROR_INVALID_CONFIG, "the 2nd certificate, line "),
            "a certificate that cannot be used is named by its number and line");
}

static void the_environment_changes_the_trust(void)
{
    zelf_config *config = tls_config();
    zelf_config_set_ca_file(config, NULL);
    setenv("SSL_CERT_FILE", need_env("ZELF_CA"), 1);
    unsetenv("SSL_CERT_DIR");
    PROMISE(outcome(config) == ZELF_OK, "the file of SSL_CERT_FILE is trusted");

    config = tls_config();
    zelf_config_set_ca_file(config, NULL);
    setenv("SSL_CERT_FILE", need_env("ZELF_OTHER_CA"), 1);
    setenv("SSL_CERT_DIR", "/nonexistent", 1);
    PROMISE(fails_with(config, ZELF_ERROR_TLS, "\"/nonexistent\", which SSL_CERT_DIR names"),
            "a place that cannot be used is named when a certificate is not trusted");

    config = tls_config();
    zelf_config_set_ca_file(config, NULL);
    setenv("SSL_CERT_FILE", "/", 1);
    PROMISE(fails_with(config, ZELF_ERROR_TLS, "\"/\", which SSL_CERT_FILE names"),
            "it is named when no other gives a certificate");
    unsetenv("SSL_CERT_FILE");
    unsetenv("SSL_CERT_DIR");
}

static void pins_are_checked(void)
{
    static const char other[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    static const char *const nonsense[] = {"", "x", "AAAA", "sha256//AAAA", "\xff"};
    zelf_config *config = tls_config();
    size_t i;

    zelf_config_add_pin(config, need_env("ZELF_PIN"));
    PROMISE(outcome(config) == ZELF_OK, "a server with the pinned key is accepted");

    config = tls_config();
    zelf_config_add_pin(config, other);
    PROMISE(outcome(config) == ZELF_ERROR_PIN_MISMATCH, "a server with another key is not");

    config = tls_config();
    zelf_config_add_pin(config, other);
    zelf_config_add_pin(config, need_env("ZELF_PIN"));
    PROMISE(outcome(config) == ZELF_OK, "one pin of several is enough");

    config = tls_config();
    zelf_config_add_pin(config, other);
    zelf_config_add_pin(config, NULL);
    PROMISE(outcome(config) == ZELF_OK, "NULL removes all pins");

    config = tls_config();
    zelf_config_set_ca_file(config, need_env("ZELF_OTHER_CA"));
    zelf_config_add_pin(config, need_env("ZELF_PIN"));
    PROMISE(outcome(config) == ZELF_ERROR_TLS, "a pin does not make a certificate trusted");

    for (i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        config = tls_config();
        zelf_config_add_pin(config, nonsense[i]);
        PROMISE(outcome(config) == ZELF_ERROR_INVALID_CONFIG, "\"%s\" is not a pin",
                i == 4 ? "garbage" : nonsense[i]);
    }
}

static int connections_open(void)
{
    sandbox("GET", "/sandbox/connections", "");
    return atoi(strstr(http_answer, "\"open\":") + 7);
}

static void pins_hold_on_every_connection(void)
{
    zelf_config *config = tls_config();
    zelf_client *client;
    int i, created = 0, open = connections_open();

    zelf_config_add_pin(config, need_env("ZELF_PIN"));
    client = zelf_client_new(config, NULL);
    zelf_config_free(config);
    for (i = 0; i < 3; i++) {
        zelf_session *session = create(client, "pinned-x", NULL);
        created += session != NULL;
        zelf_session_free(session);
        /* Waits until the server has closed, so that the next call opens a new connection. */
        while (connections_open() > open) usleep(5000);
        usleep(50000);
    }
    fault("{\"kind\":\"certificate\",\"wrong\":\"expired\"}");
    expect_failure(client, ZELF_ERROR_TLS, "a new connection is verified again");
    fault(NULL);
    PROMISE(created == 3, "a pinned client makes new connections");
    zelf_client_free(client);
}

static void an_unrequested_answer_is_not_used(void)
{
    zelf_client *client = sandbox_client(1, 20000, 1);
    int i, own = 0;

    fault("{\"kind\":\"unasked\",\"text\":\"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\n"
          "Content-Length: 69\\r\\n\\r\\n{\\\"data\\\":{\\\"token\\\":\\\"not-yours\\\","
          "\\\"activatedAt\\\":1,\\\"expiresAt\\\":4102444800}}\"}");
    for (i = 0; i < 10; i++) {
        zelf_session *session = zelf_session_create(client, NULL, NULL);
        own += session && strcmp(zelf_session_token(session), "not-yours") != 0;
        zelf_session_free(session);
        usleep(20000);
    }
    PROMISE(own == 10, "an answer that comes before its request is not used: %d of 10", own);
    fault(NULL);
    zelf_client_free(client);
}

static void a_kill_does_not_meet_a_dead_connection(void)
{
    zelf_client *client = sandbox_client(1, 20000, 1);
    zelf_session_options *kill = options_for("killed-x");
    int i, killed = 0;

    zelf_session_options_set_kill_session(kill, true);
    for (i = 0; i < 4; i++) {
        zelf_session *session;
        zelf_session_free(create(client, "killed-x", NULL));
        usleep(i % 2 ? 150000 : 600000); /* the server closes after 100 ms */
        session = zelf_session_create(client, kill, NULL);
        killed += session != NULL;
        zelf_session_free(session);
    }
    PROMISE(killed == 4, "a kill succeeds after the server has closed the kept connection: %d of 4", killed);
    zelf_session_options_free(kill);
    zelf_client_free(client);
}

static void a_dead_kept_connection_is_no_failure(void)
{
    zelf_client *client = sandbox_client(1, 20000, 1);
    int i, created = 0;

    /* The server closes it after 100 ms. */
    for (i = 0; i < 6; i++) {
        zelf_session *session = create(client, "rests-x", NULL);
        created += session != NULL;
        zelf_session_free(session);
        usleep(i % 2 ? 700000 : 200000);
    }
    PROMISE(created == 6, "a call succeeds after the server has closed the kept connection: %d of 6",
            created);

    fault("{\"kind\":\"reset\",\"stage\":\"request\",\"times\":1}");
    zelf_session_free(create(client, "rests-x", NULL));
    forget_requests();
    fault(NULL);
    zelf_session_free(create(client, "rests-x", NULL));
    fault("{\"kind\":\"reset\",\"stage\":\"request\"}");
    expect_failure(client, ZELF_ERROR_CONNECTION_LOST, "a server that resets each connection");
    PROMISE(requests_arrived() >= 1 && requests_arrived() <= 3, "a dead connection is replaced once, not for ever");
    fault(NULL);
    zelf_client_free(client);
}

static void frees_its_config(void *config)
{
    zelf_config_free(config);
}

static void ignores(zelf_log_level level, const char *message, void *user_data)
{
    (void)level, (void)message, (void)user_data;
}

static char logged[65536];
static int destroyed;
static zelf_client *logging_client;

static void collect(zelf_log_level level, const char *message, void *user_data)
{
    zelf_error *error = NULL;
    size_t used = strlen(logged);
    snprintf(logged + used, sizeof logged - used, "%d %s\n", (int)level, message);
    if (user_data != logged) abort();
    zelf_session_free(zelf_session_create(logging_client, NULL, &error));
    if (zelf_error_status(error) != ZELF_ERROR_INVALID_ARGUMENT) abort();
    zelf_error_free(error);
}

static void count(void *user_data)
{
    if (user_data == logged) destroyed++;
}

static void the_log_tells_what_happens(void)
{
    static const char *const words[] = {"HTTP 503", "2 ", "attempt 2 follows", "HTTP 200",
                                        "new connection", "kept connection"};
    zelf_config *config = tls_config();
    zelf_session *session;
    size_t i;

    zelf_config_set_max_attempts(config, 2);
    zelf_config_set_log_callback(config, collect, logged, count, ZELF_LOG_DEBUG);
    logging_client = zelf_client_new(config, NULL);
    fault("{\"kind\":\"answer\",\"status\":503,\"error\":\"down\",\"times\":1}");
    zelf_session_free(create(logging_client, "logged-x", NULL));
    session = create(logging_client, "logged-x", NULL);
    PROMISE(session != NULL, "a call with a log callback gets its session");
    for (i = 0; i < sizeof words / sizeof *words; i++)
        PROMISE(strstr(logged, words[i]) != NULL, "the log says \"%s\"", words[i]);
    PROMISE(!strstr(logged, "eyJ"), "the log has no token");
    zelf_session_free(session);
    PROMISE(destroyed == 0, "the log's data lives as long as its configuration and client");
    zelf_config_free(config);
    PROMISE(destroyed == 0, "it outlives the configuration");
    zelf_client_free(logging_client);
    PROMISE(destroyed == 1, "it is destroyed once, with the client");

    zelf_config_set_log_callback(NULL, collect, logged, count, ZELF_LOG_INFO);
    PROMISE(destroyed == 2, "for a NULL configuration it is destroyed at once");
    config = tls_config();
    zelf_config_set_log_callback(config, NULL, logged, count, ZELF_LOG_INFO);
    zelf_config_set_log_callback(config, collect, logged, count, 77);
    PROMISE(destroyed == 4, "it is destroyed at once without a callback, and for an unknown level");
    zelf_config_set_log_callback(config, collect, logged, NULL, ZELF_LOG_ERROR);
    zelf_config_set_log_callback(config, collect, logged, count, ZELF_LOG_ERROR);
    zelf_config_set_log_callback(config, NULL, NULL, NULL, 0);
    PROMISE(destroyed == 5, "a second log callback replaces the first, whose data is destroyed");
    {
        zelf_config *own = zelf_config_new();
        zelf_config_set_log_callback(own, ignores, own, frees_its_config, ZELF_LOG_INFO);
        zelf_config_set_log_callback(own, NULL, NULL, NULL, 0);
        own = zelf_config_new();
        zelf_config_set_log_callback(own, ignores, own, frees_its_config, 77);
        PROMISE(1, "freeing the configuration in destroy does not crash");
    }
    logged[0] = '\0';
    zelf_config_set_log_callback(config, collect, logged, count, ZELF_LOG_ERROR);
    logging_client = zelf_client_new(config, NULL);
    zelf_config_free(config);
    zelf_session_free(create(logging_client, "logged-x", NULL));
    PROMISE(logged[0] == '\0', "at ZELF_LOG_ERROR a success writes no line");
    fault("{\"kind\":\"answer\",\"status\":409,\"error\":\"no\"}");
    zelf_session_free(create(logging_client, "logged-x", NULL));
    fault(NULL);
    PROMISE(strncmp(logged, "1 ", 2) == 0 && strchr(logged, '\n') == strrchr(logged, '\n'),
            "at ZELF_LOG_ERROR a failure writes one line: %.60s", logged);
    zelf_client_free(logging_client);
}

static void memory_does_not_grow(void)
{
    zelf_client *client = sandbox_client(1, 20000, 1);
    size_t early, late;
    int i;

    for (i = 0; i < 200; i++) zelf_session_free(create(client, "memory-x", NULL));
    early = heap_in_use();
    for (i = 0; i < 2000; i++) zelf_session_free(create(client, "memory-x", NULL));
    late = heap_in_use();
    PROMISE(late <= early + 256, "2000 calls leave no byte of heap: %ld more",
            (long)late - (long)early);
    zelf_client_free(client);
}

/* A server that only speaks older versions sends the alert protocol_version. */
static void old_tls_is_refused(void)
{
    zelf_client *client = sandbox_client(1, 3000, 1);
    fault("{\"kind\":\"garbage\",\"stage\":\"tls\",\"base64\":\"FQMBAAICRg==\"}");
    expect_failure(client, ZELF_ERROR_TLS, "a server with neither TLS 1.2 nor 1.3 is refused");
    fault(NULL);
    zelf_client_free(client);
}

int main(void)
{
    names_cannot_hold_up_a_deadline();
    look_ups_at_once_all_find_their_answer();
    trust_is_what_was_set();
    a_bad_certificate_is_named();
    the_environment_changes_the_trust();
    pins_are_checked();
    pins_hold_on_every_connection();
    old_tls_is_refused();
    an_unrequested_answer_is_not_used();
    a_kill_does_not_meet_a_dead_connection();
    a_dead_kept_connection_is_no_failure();
    the_log_tells_what_happens();
    memory_does_not_grow();
    return check_failed;
}
