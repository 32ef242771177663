/* A network with a name server and nothing else, so that the C library looks up a name there. */
#ifndef NAME_SERVER_H
#define NAME_SERVER_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Each name has the address 127.0.0.1. */
#define NAME_OF_SERVER "name.zelf.test"

struct name_server {
    pid_t process;
    /* The network of the name server, and that of the test, for setns. */
    int network, usual_network;
};

/* Hides later mounts of this process from all others. Returns 0, or -1 with errno. */
static inline int separate_files(void)
{
    if (unshare(CLONE_NEWNS) != 0) return -1;
    return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

/* Replaces a file of the system for this process and its children. Returns 0, or -1 with errno. */
static inline int replace_file(const char *path, const char *text)
{
    char name[] = "/tmp/zelf-file-XXXXXX";
    size_t length = strlen(text);
    int file = mkstemp(name), outcome = -1;
    if (file >= 0 && fchmod(file, 0644) == 0 && write(file, text, length) == (ssize_t)length)
        outcome = mount(name, path, NULL, MS_BIND, NULL);
    if (file >= 0) {
        close(file);
        unlink(name);
    }
    return outcome;
}

/* Answers one question with an address, or with none if it asks for IPv6. Returns the length. */
static inline size_t answer_question(unsigned char *message, size_t length)
{
    static const unsigned char answer[]
        = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1};
    size_t end = 12;
    while (end < length && message[end] != 0) end += 1 + (size_t)message[end];
    end += 5;
    if (end > length) return 0;
    message[2] = 0x81, message[3] = 0x80;
    memset(message + 6, 0, 6);
    if (message[end - 3] != 1) return end;
    message[7] = 1;
    memcpy(message + end, answer, sizeof answer);
    return end + sizeof answer;
}

/* Runs the name server in a new network until the test ends. It closes `ready` when it is there. */
static inline void serve_names(int ready)
{
    unsigned char message[1024];
    struct sockaddr_in address, from;
    struct ifreq loopback;
    int names;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (unshare(CLONE_NEWNET) != 0) _exit(1);
    names = socket(AF_INET, SOCK_DGRAM, 0);
    memset(&loopback, 0, sizeof loopback);
    strcpy(loopback.ifr_name, "lo");
    loopback.ifr_flags = IFF_UP;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons(53);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (ioctl(names, SIOCSIFFLAGS, &loopback) != 0
        || bind(names, (struct sockaddr *)&address, sizeof address) != 0
        || write(ready, "", 1) != 1)
        _exit(1);
    close(ready);
    for (;;) {
        socklen_t size = sizeof from;
        ssize_t got = recvfrom(names, message, 512, 0, (struct sockaddr *)&from, &size);
        size_t length = got > 0 ? answer_question(message, (size_t)got) : 0;
        if (length > 0) sendto(names, message, length, 0, (struct sockaddr *)&from, size);
    }
}

/* Starts the name server, for this process and its children. Returns 0, or -1 if the system does not
   allow it. */
static inline int start_name_server(struct name_server *server)
{
    char path[64], byte;
    int ready[2];
    if (separate_files() != 0
        || replace_file("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:2\n")
               != 0
        || pipe(ready) != 0)
        return -1;
    /* A system without the file asks the name server too. */
    replace_file("/etc/nsswitch.conf", "hosts: files dns\n");
    server->process = fork();
    if (server->process == 0) {
        close(ready[0]);
        serve_names(ready[1]);
    }
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 1) {
        close(ready[0]);
        waitpid(server->process, NULL, 0);
        return -1;
    }
    close(ready[0]);
    sprintf(path, "/proc/%ld/ns/net", (long)server->process);
    server->network = open(path, O_RDONLY | O_CLOEXEC);
    server->usual_network = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    return 0;
}

static inline void stop_name_server(const struct name_server *server)
{
    kill(server->process, SIGKILL);
    waitpid(server->process, NULL, 0);
    close(server->network);
    close(server->usual_network);
}

#endif
