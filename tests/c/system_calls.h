/* The system calls that the library makes, and the expected message when one is refused. */
#ifndef SYSTEM_CALLS_H
#define SYSTEM_CALLS_H

#include <sys/syscall.h>

struct system_call {
    long number;
    const char *name;
    /* Its name in the message. */
    const char *word;
    /* Whether some step fails without it, or only a step that looks up a name. Otherwise the library
       works without it. */
    enum { NOT_NEEDED, IS_NEEDED, BY_LOOK_UPS } is_needed;
};

#define NEEDED(name) {SYS_##name, #name, #name, IS_NEEDED}
#define OPTIONAL(name) {SYS_##name, #name, #name, NOT_NEEDED}
#define LOOK_UPS(name) {SYS_##name, #name, #name, BY_LOOK_UPS}

static const struct system_call system_calls[] = {
    NEEDED(clone3),
    OPTIONAL(clone),
    NEEDED(connect),
    NEEDED(epoll_create1),
    NEEDED(epoll_ctl),
#ifdef SYS_epoll_wait
    NEEDED(epoll_wait),
    LOOK_UPS(poll),
#else
    {SYS_epoll_pwait, "epoll_pwait", "epoll_wait", IS_NEEDED},
    {SYS_ppoll, "ppoll", "poll", BY_LOOK_UPS},
#endif
    NEEDED(eventfd2),
    NEEDED(fcntl),
    NEEDED(getrandom),
    NEEDED(getsockopt),
    NEEDED(ioctl),
    NEEDED(mmap),
    NEEDED(mprotect),
    NEEDED(newfstatat),
    NEEDED(openat),
    NEEDED(read),
    NEEDED(recvfrom),
    NEEDED(sendmsg),
    NEEDED(sendto),
    NEEDED(setsockopt),
    NEEDED(socket),
    NEEDED(socketpair),
    NEEDED(statx),
    NEEDED(write),
    OPTIONAL(close),
    OPTIONAL(flock),
    OPTIONAL(fstat),
    OPTIONAL(ftruncate),
    OPTIONAL(geteuid),
    LOOK_UPS(lseek),
    LOOK_UPS(sendmmsg),
    OPTIONAL(madvise),
    OPTIONAL(pread64),
    OPTIONAL(pwrite64),
#ifdef SYS_rename
    OPTIONAL(rename),
    OPTIONAL(unlink),
#else
    OPTIONAL(renameat),
    OPTIONAL(unlinkat),
#endif
    OPTIONAL(rt_sigaction),
    OPTIONAL(rt_sigprocmask),
    OPTIONAL(sched_getaffinity),
    OPTIONAL(sched_yield),
    OPTIONAL(set_robust_list),
};

static const struct system_call *find_call(long number)
{
    static struct system_call other = {0, "a system call without a row", "", NOT_NEEDED};
    size_t i;
    for (i = 0; i < sizeof system_calls / sizeof *system_calls; i++)
        if (system_calls[i].number == number) return &system_calls[i];
    return &other;
}

#endif
