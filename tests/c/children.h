/* The child processes of a test, and how they end. */
#ifndef CHILDREN_H
#define CHILDREN_H

#include <sys/types.h>
#include <sys/wait.h>

/* Returns the exit status of a child, or -1 if a signal or the alarm ended it. */
static inline int status_of(pid_t child)
{
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#endif
