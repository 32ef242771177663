/* A proxy that knows one thing, CONNECT, for tests. */
#ifndef PROXY_H
#define PROXY_H

#include <pthread.h>
#include <sys/select.h>

#include "check.h"

struct proxy {
    int listener, port;
    const char *credentials; /* "Basic …", or NULL for none */
    int tunnels, refusals;
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
