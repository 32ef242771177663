/* A proxy for tests: CONNECT, and SOCKS 5 (RFC 1928, 1929). */
#ifndef PROXY_H
#define PROXY_H

#include <pthread.h>
#include <sys/select.h>

#include "check.h"

struct proxy {
    int listener, port;
    const char *credentials; /* "Basic …", or "user:pass" for SOCKS; NULL for none */
    int refuses;             /* what a SOCKS proxy does with a request */
    volatile int hangs;      /* what any does */
    int tunnels, refusals, names;
    char target[256];
};

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

static inline int proxy_dial(int port)
{
    struct sockaddr_in to;
    int s = socket(AF_INET, SOCK_STREAM, 0);
    memset(&to, 0, sizeof to);
    to.sin_family = AF_INET;
    to.sin_port = htons((unsigned short)port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(s, (struct sockaddr *)&to, sizeof to) != 0) {
        close(s);
        return -1;
    }
    return s;
}

static inline int proxy_take(int from, unsigned char *bytes, size_t count)
{
    return recv(from, bytes, count, MSG_WAITALL) == (ssize_t)count;
}

/* The dialogue up to the request, whose port is returned; 0 when it ended. */
static inline int proxy_socks(struct proxy *proxy, int client)
{
    unsigned char in[600], *password;
    char said[600];
    int wanted = proxy->credentials ? 2 : 0;

    if (!proxy_take(client, in, 2) || in[0] != 5 || !proxy_take(client, in + 2, in[1])) return 0;
    if (!memchr(in + 2, wanted, in[1])) {
        proxy->refusals++;
        send(client, "\5\377", 2, MSG_NOSIGNAL);
        return 0;
    }
    in[0] = 5, in[1] = (unsigned char)wanted;
    send(client, in, 2, MSG_NOSIGNAL);
    if (wanted) {
        if (!proxy_take(client, in, 2) || !proxy_take(client, in + 2, in[1] + 1u)) return 0;
        password = in + 3 + in[1];
        if (!proxy_take(client, password, password[-1])) return 0;
        snprintf(said, sizeof said, "%.*s:%.*s", in[1], (char *)in + 2, password[-1],
                 (char *)password);
        if (strcmp(said, proxy->credentials) != 0) {
            proxy->refusals++;
            send(client, "\1\1", 2, MSG_NOSIGNAL);
            return 0;
        }
        send(client, "\1\0", 2, MSG_NOSIGNAL);
    }
    if (!proxy_take(client, in, 4)) return 0;
    if (in[3] == 3) {
        unsigned char length;
        if (!proxy_take(client, &length, 1) || !proxy_take(client, in, length)) return 0;
        snprintf(proxy->target, sizeof proxy->target, "%.*s", length, (char *)in);
        proxy->names++;
    } else {
        size_t length = in[3] == 4 ? 16 : 4;
        if (!proxy_take(client, in, length)) return 0;
        snprintf(proxy->target, sizeof proxy->target, "an address of %lu bytes",
                 (unsigned long)length);
    }
    if (!proxy_take(client, in, 2)) return 0;
    while (proxy->hangs) usleep(1000);
    if (proxy->refuses) {
        proxy->refusals++;
        send(client, "\5\2\0\1\0\0\0\0\0\0", 10, MSG_NOSIGNAL);
        return 0;
    }
    return in[0] << 8 | in[1];
}

/* One connection after the other is enough. */
static inline void *proxy_run(void *of)
{
    static const char refusal[] =
        "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
    static const char opened[] = "HTTP/1.1 200 Connection established\r\n\r\n";
    struct proxy *proxy = of;
    int client;

    while ((client = accept(proxy->listener, NULL, NULL)) >= 0) {
        char head[4096];
        size_t used = 0;
        ssize_t got;
        int server = -1, port;
        if (recv(client, head, 1, MSG_PEEK) == 1 && head[0] == 5) {
            port = proxy_socks(proxy, client);
            server = port ? proxy_dial(port) : -1;
            if (server >= 0) {
                proxy->tunnels++;
                send(client, "\5\0\0\1\0\0\0\0\0\0", 10, MSG_NOSIGNAL);
                proxy_pump(client, server);
                close(server);
            }
            close(client);
            continue;
        }
        while (used < sizeof head - 1 && (got = recv(client, head + used, sizeof head - 1 - used, 0)) > 0) {
            used += (size_t)got;
            head[used] = '\0';
            if (strstr(head, "\r\n\r\n")) break;
        }
        head[used] = '\0';
        if (sscanf(head, "CONNECT %255s", proxy->target) != 1) {
            close(client);
            continue;
        }
        while (proxy->hangs) usleep(1000);
        if (proxy->credentials && !strstr(head, proxy->credentials)) {
            proxy->refusals++;
            send(client, refusal, strlen(refusal), MSG_NOSIGNAL);
        } else {
            port = atoi(strrchr(proxy->target, ':') + 1);
            server = proxy_dial(port);
            if (server >= 0) {
                proxy->tunnels++;
                send(client, opened, strlen(opened), MSG_NOSIGNAL);
                proxy_pump(client, server);
                close(server);
            }
        }
        close(client);
    }
    return NULL;
}

static inline void proxy_start(struct proxy *proxy, const char *credentials)
{
    struct sockaddr_in at;
    socklen_t size = sizeof at;
    pthread_t thread;

    memset(proxy, 0, sizeof *proxy);
    proxy->credentials = credentials;
    proxy->listener = socket(AF_INET, SOCK_STREAM, 0);
    memset(&at, 0, sizeof at);
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(proxy->listener, (struct sockaddr *)&at, sizeof at) != 0
        || listen(proxy->listener, 8) != 0
        || getsockname(proxy->listener, (struct sockaddr *)&at, &size) != 0)
        exit(1);
    proxy->port = ntohs(at.sin_port);
    pthread_create(&thread, NULL, proxy_run, proxy);
    pthread_detach(thread);
}

#endif
