/* One way to create sessions without waiting for each, for the asynchronous
   harness. Each is linked into its own program. */
#ifndef ASYNC_CLIENT_H
#define ASYNC_CLIENT_H

struct async_client {
    const char *name;
    void *(*start)(const char *base_url, const char *ca_file, int in_flight);
    /* Makes so many calls, of which in_flight are under way at a time; each that
       ends starts the next. Returns when all have ended. 1: each got a token. */
    int (*run)(void *state, long calls);
    void (*stop)(void *state);
};

extern const struct async_client async_client;

#endif
