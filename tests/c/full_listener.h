/* A port where no connection is accepted, because its backlog is full. */
#ifndef FULL_LISTENER_H
#define FULL_LISTENER_H

#include <fcntl.h>

#include "check.h"

struct full_listener {
    int listener, fillers[8];
    char url[64]; /* https */
};

static inline void full_listener_open(struct full_listener *full)
{
    struct sockaddr_in at;
    socklen_t size = sizeof at;
    int i;
    memset(&at, 0, sizeof at);
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    full->listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(full->listener, (struct sockaddr *)&at, sizeof at);
    listen(full->listener, 0);
    getsockname(full->listener, (struct sockaddr *)&at, &size);
    for (i = 0; i < 8; i++) {
        full->fillers[i] = socket(AF_INET, SOCK_STREAM, 0);
        fcntl(full->fillers[i], F_SETFL, O_NONBLOCK);
        (void)!connect(full->fillers[i], (struct sockaddr *)&at, sizeof at);
    }
    snprintf(full->url, sizeof full->url, "https://127.0.0.1:%d", ntohs(at.sin_port));
}

static inline void full_listener_close(struct full_listener *full)
{
    int i;
    for (i = 0; i < 8; i++) close(full->fillers[i]);
    close(full->listener);
}

#endif
