/* One way to create a session, for the harness. Each is linked into a program
   for itself, so that none pays for another's libraries. */
#ifndef CLIENT_H
#define CLIENT_H

struct client {
    const char *name;
    int shared; /* one for all threads, or one a thread */
    void *(*start)(const char *base_url, const char *ca_file);
    int (*create)(void *state, const char *identifier); /* 1: a token came */
    void (*stop)(void *state);
};

extern const struct client client;

#endif
