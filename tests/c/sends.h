/* Code shared by the tests of requests: how to send, and what has arrived. */
#ifndef SENDS_H
#define SENDS_H

#include "calls.h"

/* The error of the last sending. */
static zelf_error *send_error;

static inline const char *why(void) { return send_error ? zelf_error_message(send_error) : "-"; }

/* Frees the last error, and returns the place for the next one. */
static inline zelf_error **next_error(void)
{
    zelf_error_free(send_error);
    send_error = NULL;
    return &send_error;
}

/* Returns a client for the sandbox with three attempts, and a time limit for sessions that is
   longer than AT_ONCE. A client may retry twice in a minute, so a test of retries has its own
   client. */
static inline zelf_client *client_against(const char *base)
{
    zelf_config *config = tls_config();
    zelf_error *error = NULL;
    zelf_client *client;
    zelf_config_set_base_url(config, base);
    zelf_config_set_max_attempts(config, 3);
    zelf_config_set_timeout_ms(config, limit_ms(20000));
    client = zelf_client_new(config, &error);
    zelf_config_free(config);
    if (!client) {
        printf("not ok - a client can be made: %s\n", zelf_error_message(error));
        exit(1);
    }
    return client;
}

static inline zelf_client *new_client(void) { return client_against(need_env("ZELF_HTTPS")); }

/* confirms: the provider confirms its session before it returns it. Otherwise it does so by a request
   250 ms later, which a slow machine makes in the middle of a test. */
static inline zelf_session_provider *provider_that(zelf_client *client, const char *identifier,
                                                   bool confirms)
{
    zelf_session_options *options = options_for(identifier);
    zelf_error *error = NULL;
    zelf_session_provider *provider;
    zelf_session_options_set_confirm(options, confirms);
    provider = zelf_session_provider_new(client, options, NULL, &error);
    zelf_session_options_free(options);
    if (!provider) {
        printf("not ok - a provider can be made: %s\n", zelf_error_message(error));
        exit(1);
    }
    return provider;
}

static inline zelf_session_provider *provider_for(zelf_client *client, const char *identifier)
{
    return provider_that(client, identifier, false);
}

/* Returns a provider of the client that already holds a session, which is confirmed. */
static inline zelf_session_provider *confirmed_provider(zelf_client *client, const char *identifier)
{
    zelf_session_provider *provider = provider_that(client, identifier, true);
    zelf_session_free(zelf_session_provider_get(provider, NULL));
    return provider;
}

/* Returns a provider of the client that already holds a session. */
static inline zelf_session_provider *warm_provider(zelf_client *client, const char *identifier)
{
    zelf_session_provider *provider = provider_for(client, identifier);
    zelf_session_free(zelf_session_provider_get(provider, NULL));
    return provider;
}

/* Returns a request, with a body if its method has one. */
static inline zelf_request *request_to(const char *method, const char *target)
{
    zelf_request *request = zelf_request_new(method, target);
    if (strcmp(method, "POST") == 0) zelf_request_set_body(request, "{}", 2, "application/json");
    zelf_request_set_timeout_ms(request, limit_ms(20000));
    return request;
}

static inline zelf_response *send_it(zelf_session_provider *provider, const zelf_request *request)
{
    return zelf_session_provider_send(provider, request, next_error());
}

/* Returns the outcome of a sending: the HTTP status, or minus the error's status. */
static inline int outcome_of(zelf_response *response)
{
    int status = response ? zelf_response_http_status(response) : -zelf_error_status(send_error);
    zelf_response_free(response);
    return status;
}

/* Sends a request once, and frees it. */
static inline int outcome_to(zelf_session_provider *provider, zelf_request *request)
{
    int outcome = outcome_of(send_it(provider, request));
    zelf_request_free(request);
    return outcome;
}

static inline int outcome_at(zelf_session_provider *provider, const char *method,
                             const char *target)
{
    return outcome_to(provider, request_to(method, target));
}

static inline size_t length_of(const zelf_response *response)
{
    size_t length = 0;
    zelf_response_body(response, &length);
    return length;
}

static inline const char *text_of(const zelf_response *response)
{
    const char *body = zelf_response_body(response, NULL);
    return body ? body : "";
}

/* Returns how many times a text occurs in the sandbox's report on a route. */
static inline int times_in(const char *path, const char *text)
{
    const char *at;
    int count = 0;
    sandbox("GET", path, "");
    for (at = http_answer; (at = strstr(at, text)) != NULL; at++) count++;
    return count;
}

/* Returns how many requests to a target have arrived since the last clearing. */
static inline int arrived_at(const char *target)
{
    char path[512];
    snprintf(path, sizeof path, "\"path\":\"%s\"", target);
    return times_in("/sandbox/requests", path);
}

/* Returns how many requests asked for a kill. The body is JSON inside JSON. */
static inline int kills_arrived(void)
{
    return times_in("/sandbox/requests", "killSession\\\":true");
}

/* Returns how many times the server has carried out a request: "POST /sandbox/echo?id=1". */
static inline int carried_out(const char *what)
{
    char name[512];
    const char *at;
    snprintf(name, sizeof name, "\"%s\":", what);
    sandbox("GET", "/sandbox/work", "");
    at = strstr(http_answer, name);
    return at ? atoi(at + strlen(name)) : 0;
}

static inline int most_at_once(void)
{
    const char *at;
    sandbox("GET", "/sandbox/work", "");
    at = strstr(http_answer, "\"most_at_once\":");
    return at ? atoi(at + 15) : -1;
}

static inline void forget_all(void)
{
    sandbox("DELETE", "/sandbox/requests", "");
    sandbox("DELETE", "/sandbox/work", "");
}

/* ---- Asynchronous requests ---- */

struct sent {
    zelf_call *call;
    zelf_response *response;
    zelf_status status;
    char message[256];
    int called, destroyed, called_after_destroy;
    double ended;
};

static inline void on_response(zelf_response *response, zelf_error *error, void *user_data)
{
    struct sent *sent = user_data;
    pthread_mutex_lock(&calls_lock);
    sent->response = response;
    sent->status = zelf_error_status(error);
    snprintf(sent->message, sizeof sent->message, "%s", error ? zelf_error_message(error) : "");
    sent->called_after_destroy |= sent->destroyed;
    sent->called++;
    sent->ended = seconds_now();
    pthread_mutex_unlock(&calls_lock);
    zelf_error_free(error);
}

static inline void on_sent_destroy(void *user_data)
{
    struct sent *sent = user_data;
    pthread_mutex_lock(&calls_lock);
    sent->destroyed++;
    pthread_cond_broadcast(&calls_changed);
    pthread_mutex_unlock(&calls_lock);
}

static inline int begin_sending(zelf_session_provider *provider, const zelf_request *request,
                                struct sent *sent)
{
    pthread_mutex_lock(&calls_lock);
    sent->call = zelf_session_provider_send_async(provider, request, on_response, sent,
                                                  on_sent_destroy, next_error());
    pthread_mutex_unlock(&calls_lock);
    return sent->call != NULL;
}

/* Returns whether all of them end within the time. */
static inline int await_all(const struct sent *sent, int count, double seconds)
{
    struct timespec until;
    int i, all = 0;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (time_t)seconds + 1;
    pthread_mutex_lock(&calls_lock);
    for (;;) {
        for (i = 0, all = 1; i < count && all; i++) all = sent[i].destroyed > 0;
        if (all || pthread_cond_timedwait(&calls_changed, &calls_lock, &until) != 0) break;
    }
    pthread_mutex_unlock(&calls_lock);
    return all;
}

/* Returns whether it ended like this, with one callback and one destroy. outcome: an HTTP status,
   or minus that of an error. */
static inline int ended_with(const struct sent *sent, int outcome)
{
    return sent->called == 1 && sent->destroyed == 1 && !sent->called_after_destroy
           && (sent->response ? zelf_response_http_status(sent->response) : -sent->status)
                  == outcome;
}

static inline void release_all(struct sent *sent, int count)
{
    int i;
    for (i = 0; i < count; i++) {
        zelf_call_free(sent[i].call);
        zelf_response_free(sent[i].response);
    }
}

#endif
