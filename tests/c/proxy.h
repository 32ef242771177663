/* A proxy for tests: CONNECT, and SOCKS 5 (RFC 1928, 1929). It can fail on demand. Its threads use
   it until the program ends, so a struct proxy must be static. */
#ifndef PROXY_H
#define PROXY_H

#include <netdb.h>
#include <pthread.h>
#include <sys/select.h>

#include "check.h"

/* How a proxy ends a connection when it fails. */
enum proxy_end { PROXY_CLOSES, PROXY_RESETS, PROXY_STAYS };

struct proxy {
    int listener, port;
    const char *credentials; /* "Basic …", or "user:pass" for SOCKS; NULL for none */
    volatile int hangs;      /* does not answer a request */
    /* This many requests fail, with these bytes as the answer or with none. */
    volatile int fails;
    const char *says;
    size_t says_length;
    enum proxy_end end;
    const char *greets; /* what it sends before it reads a byte; then it ends with a RST */
    const char *opens;  /* the reply that opens a tunnel, instead of the usual one */
    int tunnels, refusals, names, requests;
    char target[256], head[4096];
};

struct proxy_client {
    struct proxy *proxy;
    int socket;
};

static inline void proxy_count(int *what) { __sync_fetch_and_add(what, 1); }

static inline void proxy_say(int to, const char *bytes)
{
    send(to, bytes, strlen(bytes), MSG_NOSIGNAL);
}

static inline void proxy_pump(int one, int other)
{
    char bytes[16384];
    for (;;) {
        fd_set ready;
        ssize_t got;
        int from, to;
        FD_ZERO(&ready);
        FD_SET(one, &ready);
        FD_SET(other, &ready);
        if (select((one > other ? one : other) + 1, &ready, NULL, NULL, NULL) < 0) return;
        from = FD_ISSET(one, &ready) ? one : other;
        to = from == one ? other : one;
        got = recv(from, bytes, sizeof bytes, 0);
        if (got <= 0 || send(to, bytes, (size_t)got, MSG_NOSIGNAL) < 0) return;
    }
}

/* Connects to an address, or to localhost for any name. */
static inline int proxy_dial(int family, const void *address, int port)
{
    struct sockaddr_in to4;
    struct sockaddr_in6 to6;
    int s = socket(family, SOCK_STREAM, 0), failed;
    memset(&to4, 0, sizeof to4);
    memset(&to6, 0, sizeof to6);
    to4.sin_family = AF_INET;
    to6.sin6_family = AF_INET6;
    to4.sin_port = to6.sin6_port = htons((unsigned short)port);
    to4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (address && family == AF_INET) memcpy(&to4.sin_addr, address, 4);
    if (address && family == AF_INET6) memcpy(&to6.sin6_addr, address, 16);
    failed = family == AF_INET ? connect(s, (struct sockaddr *)&to4, sizeof to4)
                               : connect(s, (struct sockaddr *)&to6, sizeof to6);
    if (failed) close(s);
    return failed ? -1 : s;
}

static inline int proxy_take(int from, unsigned char *bytes, size_t count)
{
    return count == 0 || recv(from, bytes, count, MSG_WAITALL) == (ssize_t)count;
}

/* The socket will end with a RST. */
static inline void proxy_reset(int socket)
{
    struct linger now = {1, 0};
    setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

/* Returns whether this request has to fail. If so, sends the answer. */
static inline int proxy_fails(struct proxy *proxy, int client)
{
    while (proxy->hangs) usleep(1000);
    if (proxy->fails <= 0) return 0;
    __sync_fetch_and_sub(&proxy->fails, 1);
    proxy_count(&proxy->refusals);
    if (proxy->says) send(client, proxy->says, proxy->says_length, MSG_NOSIGNAL);
    if (proxy->end == PROXY_RESETS) proxy_reset(client);
    if (proxy->end == PROXY_STAYS) {
        char rest;
        while (recv(client, &rest, 1, 0) > 0) {}
    }
    return 1;
}

/* Handles the dialogue up to the tunnel. Returns the server's socket, or -1. */
static inline int proxy_socks(struct proxy *proxy, int client)
{
    unsigned char in[600], *password, length, family;
    char said[600];
    int wanted = proxy->credentials ? 2 : 0, server;

    if (!proxy_take(client, in, 2) || in[0] != 5 || !proxy_take(client, in + 2, in[1])) return -1;
    if (!memchr(in + 2, wanted, in[1])) {
        proxy_count(&proxy->refusals);
        send(client, "\5\377", 2, MSG_NOSIGNAL);
        return -1;
    }
    in[0] = 5, in[1] = (unsigned char)wanted;
    send(client, in, 2, MSG_NOSIGNAL);
    if (wanted) {
        if (!proxy_take(client, in, 2) || !proxy_take(client, in + 2, in[1] + 1u)) return -1;
        password = in + 3 + in[1];
        if (!proxy_take(client, password, password[-1])) return -1;
        snprintf(said, sizeof said, "%.*s:%.*s", in[1], (char *)in + 2, password[-1],
                 (char *)password);
        if (strcmp(said, proxy->credentials) != 0) {
            proxy_count(&proxy->refusals);
            send(client, "\1\1", 2, MSG_NOSIGNAL);
            return -1;
        }
        send(client, "\1\0", 2, MSG_NOSIGNAL);
    }
    if (!proxy_take(client, in, 4)) return -1;
    proxy_count(&proxy->requests);
    family = in[3];
    if (family == 3) {
        if (!proxy_take(client, &length, 1) || !proxy_take(client, in, length)) return -1;
        snprintf(proxy->target, sizeof proxy->target, "%.*s", length, (char *)in);
        proxy_count(&proxy->names);
    } else {
        length = family == 4 ? 16 : 4;
        if (!proxy_take(client, in, length)) return -1;
        snprintf(proxy->target, sizeof proxy->target, "an address of %d bytes", length);
    }
    if (!proxy_take(client, in + 512, 2) || proxy_fails(proxy, client)) return -1;
    server = proxy_dial(family == 4 ? AF_INET6 : AF_INET, family == 3 ? NULL : in,
                        in[512] << 8 | in[513]);
    if (server < 0)
        send(client, "\5\5\0\1\0\0\0\0\0\0", 10, MSG_NOSIGNAL);
    else
        send(client, "\5\0\0\1\0\0\0\0\0\0", 10, MSG_NOSIGNAL);
    return server;
}

static inline int proxy_connect(struct proxy *proxy, int client)
{
    char head[4096], host[256], *colon;
    unsigned char address[16];
    size_t used = 0;
    ssize_t got;
    int server, family;

    while (used < sizeof head - 1
           && (got = recv(client, head + used, sizeof head - 1 - used, 0)) > 0) {
        used += (size_t)got;
        head[used] = '\0';
        if (strstr(head, "\r\n\r\n")) break;
    }
    head[used] = '\0';
    if (sscanf(head, "CONNECT %255s", proxy->target) != 1) return -1;
    strcpy(proxy->head, head);
    proxy_count(&proxy->requests);
    if (proxy_fails(proxy, client)) return -1;
    if (proxy->credentials && !strstr(head, proxy->credentials)) {
        proxy_count(&proxy->refusals);
        proxy_say(client, "HTTP/1.1 407 Proxy Authentication Required\r\n"
                          "Content-Length: 0\r\n\r\n");
        return -1;
    }
    strcpy(host, proxy->target[0] == '[' ? proxy->target + 1 : proxy->target);
    colon = strrchr(host, ':');
    family = proxy->target[0] == '[' ? AF_INET6 : AF_INET;
    colon[family == AF_INET6 ? -1 : 0] = '\0';
    got = inet_pton(family, host, address);
    server = proxy_dial(family, got == 1 ? address : NULL, atoi(colon + 1));
    if (server < 0)
        proxy_say(client, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
    else
        proxy_say(client, proxy->opens ? proxy->opens
                                       : "HTTP/1.1 200 Connection established\r\n\r\n");
    return server;
}

static inline void *proxy_serve(void *of)
{
    struct proxy_client client = *(struct proxy_client *)of;
    char first;
    int server;

    free(of);
    if (client.proxy->greets) {
        proxy_say(client.socket, client.proxy->greets);
        /* The greeting has arrived when the client sends its first byte. */
        recv(client.socket, &first, 1, MSG_PEEK);
        proxy_reset(client.socket);
    } else if (recv(client.socket, &first, 1, MSG_PEEK) == 1) {
        server = first == 5 ? proxy_socks(client.proxy, client.socket)
                            : proxy_connect(client.proxy, client.socket);
        if (server >= 0) {
            proxy_count(&client.proxy->tunnels);
            proxy_pump(client.socket, server);
            close(server);
        }
    }
    close(client.socket);
    return NULL;
}

static inline void *proxy_run(void *of)
{
    struct proxy *proxy = of;
    int socket;
    while ((socket = accept(proxy->listener, NULL, NULL)) >= 0) {
        struct proxy_client *client = malloc(sizeof *client);
        pthread_t thread;
        client->proxy = proxy;
        client->socket = socket;
        pthread_create(&thread, NULL, proxy_serve, client);
        pthread_detach(thread);
    }
    return NULL;
}

/* Returns a listener on loopback, and sets its port. */
static inline int listen_on(int family, int *port)
{
    struct sockaddr_in at4;
    struct sockaddr_in6 at6;
    socklen_t size = family == AF_INET ? sizeof at4 : sizeof at6;
    struct sockaddr *at = family == AF_INET ? (struct sockaddr *)&at4 : (struct sockaddr *)&at6;
    int listener = socket(family, SOCK_STREAM, 0);

    memset(&at4, 0, sizeof at4);
    memset(&at6, 0, sizeof at6);
    at4.sin_family = AF_INET;
    at4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at6.sin6_family = AF_INET6;
    at6.sin6_addr = in6addr_loopback;
    if (bind(listener, at, size) != 0 || listen(listener, 8) != 0
        || getsockname(listener, at, &size) != 0)
        exit(1);
    *port = ntohs(family == AF_INET ? at4.sin_port : at6.sin6_port);
    return listener;
}

static inline void proxy_start_on(struct proxy *proxy, int family, const char *credentials)
{
    pthread_t thread;
    memset(proxy, 0, sizeof *proxy);
    proxy->credentials = credentials;
    proxy->listener = listen_on(family, &proxy->port);
    pthread_create(&thread, NULL, proxy_run, proxy);
    pthread_detach(thread);
}

static inline void proxy_start(struct proxy *proxy, const char *credentials)
{
    proxy_start_on(proxy, AF_INET, credentials);
}

/* Forwards each connection to a port of this machine. Returns its own port. */
struct forward {
    int listener, to, client;
};

static inline void *forward_serve(void *of)
{
    struct forward *forward = of;
    int server = proxy_dial(AF_INET, NULL, forward->to);
    if (server >= 0) {
        proxy_pump(forward->client, server);
        close(server);
    }
    close(forward->client);
    free(forward);
    return NULL;
}

static inline void *forward_run(void *of)
{
    struct forward *all = of;
    int client;
    while ((client = accept(all->listener, NULL, NULL)) >= 0) {
        struct forward *one = malloc(sizeof *one);
        pthread_t thread;
        one->to = all->to;
        one->client = client;
        pthread_create(&thread, NULL, forward_serve, one);
        pthread_detach(thread);
    }
    return NULL;
}

static inline int forward_start(int family, int to)
{
    struct forward *forward = malloc(sizeof *forward);
    pthread_t thread;
    int port;
    forward->to = to;
    forward->listener = listen_on(family, &port);
    pthread_create(&thread, NULL, forward_run, forward);
    pthread_detach(thread);
    return port;
}

/* Lets the next requests fail, with a text or with no answer. */
static inline void proxy_fail(struct proxy *proxy, int times, const char *says, enum proxy_end end)
{
    proxy->says = says;
    proxy->says_length = says ? strlen(says) : 0;
    proxy->end = end;
    proxy->fails = times;
}

/* Lets the next requests fail with a SOCKS reply. */
static inline void proxy_reply(struct proxy *proxy, int times, int code)
{
    static char replies[256][10];
    char *reply = replies[code & 255];
    memset(reply, 0, 10);
    reply[0] = 5, reply[1] = (char)code, reply[3] = 1;
    proxy->says = reply;
    proxy->says_length = 10;
    proxy->end = PROXY_CLOSES;
    proxy->fails = times;
}

#endif
