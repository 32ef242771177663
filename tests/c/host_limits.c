/* Hosts that limit files, or have large thread-local variables. */
#include <signal.h>
#include <sys/resource.h>

#include "calls.h"
#include "children.h"
#include "folder.h"

/* glibc takes this from the stack of each thread. It is more than the stack of the I/O thread. */
static __thread char large[1024 * 1024];

static void large_thread_local_variables_leave_a_stack(void)
{
    zelf_client *client = sandbox_client(1, 5000, 1);
    struct record record = {0};
    large[0] = 1;
    PROMISE(start(client, &record, "large-x") && await(&record, 1, AT_ONCE)
                && exactly_once(&record, 1, ZELF_OK) == 1,
            "an asynchronous call works in a program with 1 MiB of thread-local variables");
    release(&record, 1);
    zelf_client_free(client);
}

/* Returns what a child with a limit of 0 bytes for files gets: 7 for a session. */
static int with_limited_files(const char *folder)
{
    pid_t process;
    fflush(stdout);
    process = fork();
    if (process == 0) {
        struct rlimit none = {0, 0};
        zelf_client *client = sandbox_client(1, 5000, 1);
        zelf_session_options *options = options_for("limited-x");
        zelf_provider_options *how = zelf_provider_options_new();
        zelf_session_provider *provider;
        zelf_session *session;
        sigset_t pending;
        zelf_provider_options_set_directory(how, folder);
        provider = zelf_session_provider_new(client, options, how, NULL);
        setrlimit(RLIMIT_FSIZE, &none);
        session = zelf_session_provider_get(provider, NULL);
        sigpending(&pending);
        _exit(session && !sigismember(&pending, SIGXFSZ) ? 7 : 8);
    }
    return status_of(process);
}

int main(void)
{
    char folder[] = "/tmp/zelf-limits-XXXXXX";
    int status;
    if (!mkdtemp(folder)) return 1;
    status = with_limited_files(folder);
    PROMISE(status == 7, "a limit of the size of files raises no SIGXFSZ, and a session comes: %d",
            status);
    remove_folder(folder);
    large_thread_local_variables_leave_a_stack();
    return check_failed;
}
