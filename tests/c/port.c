/* port free: prints a loopback port on which no program listens. port wait PORT: waits up to 10 s
   until a program listens. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy.h"

int main(int count, char **arguments)
{
    int port, tries, s;
    if (count == 2 && strcmp(arguments[1], "free") == 0) {
        listen_on(AF_INET, &port);
        printf("%d\n", port);
        return 0;
    }
    if (count != 3 || strcmp(arguments[1], "wait") != 0) return 2;
    for (tries = 0; tries < 500; tries++) {
        s = proxy_dial(AF_INET, NULL, atoi(arguments[2]));
        if (s >= 0) return 0;
        usleep(20000);
    }
    return 1;
}
