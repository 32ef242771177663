/* Session providers of several processes with one identifier: the lock, and the stored session. */
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "check.h"
#include "children.h"
#include "folder.h"

#define PROCESSES 8
#define ROUNDS 20
/* A session of the sandbox lives 600 s. With this minimum a provider stops using it after 4 s to 5
   s. */
#define MOST 595
#define NOBODY 65534

/* Memory that the processes share. */
static struct shared {
    pthread_barrier_t at_once;
    int go, failures, logged;
    char authorization[PROCESSES][ROUNDS][1024];
} *shared;

static void on_log(zelf_log_level level, const char *message, void *user_data)
{
    (void)level, (void)user_data;
    if (strstr(message, "other processes may renew at the same time")
        || strstr(message, "continuing without the lock"))
        __sync_fetch_and_add(&shared->logged, 1);
}

static zelf_client *logging_client(void)
{
    zelf_config *config = zelf_config_new();
    zelf_client *client;
    zelf_config_set_base_url(config, need_env("ZELF_HTTP"));
    zelf_config_set_log_callback(config, on_log, NULL, NULL, ZELF_LOG_WARNING);
    client = zelf_client_new(config, NULL);
    zelf_config_free(config);
    return client;
}

static zelf_session_provider *provider_of(zelf_client *client, const char *identifier,
                                          uint32_t min_valid_s, const char *directory)
{
    zelf_session_options *options = options_for(identifier);
    zelf_provider_options *how = zelf_provider_options_new();
    zelf_session_provider *provider;
    zelf_provider_options_set_min_valid_s(how, min_valid_s);
    zelf_provider_options_set_directory(how, directory);
    provider = zelf_session_provider_new(client, options, how, NULL);
    zelf_session_options_free(options);
    zelf_provider_options_free(how);
    return provider;
}

static void keep(int process, int round, zelf_session *session)
{
    snprintf(shared->authorization[process][round], sizeof shared->authorization[process][round],
             "%s", session ? zelf_session_authorization(session) : "none");
    if (!session) __sync_fetch_and_add(&shared->failures, 1);
}

static int killing_requests(void)
{
    const char *at;
    int count = 0;
    sandbox("GET", "/sandbox/requests", "");
    for (at = http_answer; (at = strstr(at, "killSession\\\":true")) != NULL; at++) count++;
    return count;
}

/* ---- Concurrent renewals ---- */

/* All processes ask at the same time, one identifier after the other, each until its session is
   confirmed. */
static void ask_at_once(zelf_session_provider **providers, int process, int rounds)
{
    int round, again;
    for (round = 0; round < rounds; round++) {
        pthread_barrier_wait(&shared->at_once);
        keep(process, round, zelf_session_provider_get(providers[round], NULL));
    }
    for (again = 0; again < 4; again++) {
        usleep(300000);
        for (round = 0; round < rounds; round++) {
            zelf_session *session = zelf_session_provider_get(providers[round], NULL);
            keep(process, round, session);
            zelf_session_free(session);
        }
    }
    pthread_barrier_wait(&shared->at_once);
}

static int one_process(int process, int rounds, const char *directory, const char *name)
{
    zelf_client *client;
    zelf_session_provider *providers[ROUNDS];
    zelf_session *last = NULL;
    char identifier[64];
    int round;

    alarm(100);
    /* Root can write everywhere. */
    if (geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)) return 8;
    client = sandbox_client(0, 15000, 3);
    for (round = 0; round < rounds; round++) {
        snprintf(identifier, sizeof identifier, "%s-x-%c", name, 'a' + round);
        providers[round] = provider_of(client, identifier, MOST, directory);
        if (!providers[round]) return 8;
    }
    ask_at_once(providers, process, rounds);
    pthread_barrier_wait(&shared->at_once); /* The parent checks. */
    last = zelf_session_provider_get(providers[rounds - 1], NULL);
    while (last && zelf_session_seconds_left(last) >= MOST) usleep(2000);
    zelf_session_free(last);
    usleep(1100000);
    ask_at_once(providers, process, rounds);
    for (round = 0; round < rounds; round++) zelf_session_provider_free(providers[round]);
    zelf_client_free(client);
    return 7;
}

static int dead_tokens(int processes, int rounds)
{
    int process, round, dead = 0;
    for (process = 0; process < processes; process++)
        for (round = 0; round < rounds; round++)
            dead += route_status(shared->authorization[process][round]) != 200;
    return dead;
}

static void share_at_once(int processes, int is_locked, const char *directory, const char *where,
                          const char *name)
{
    const char *all = getenv("REQUIRE_ALL");
    int rounds = all && strcmp(all, "1") == 0 ? ROUNDS : 6;
    int process, dead_at_first, dead, kills_at_first, kills, fine = 0;
    pthread_barrierattr_t for_processes;
    pid_t children[PROCESSES];

    pthread_barrierattr_init(&for_processes);
    pthread_barrierattr_setpshared(&for_processes, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&shared->at_once, &for_processes, (unsigned)processes + 1);
    shared->failures = 0;
    forget_requests();
    fflush(stdout);
    for (process = 0; process < processes; process++) {
        children[process] = fork();
        if (children[process] == 0) _exit(one_process(process, rounds, directory, name));
    }
    for (process = 0; process <= rounds; process++) pthread_barrier_wait(&shared->at_once);
    dead_at_first = dead_tokens(processes, rounds);
    kills_at_first = killing_requests();
    pthread_barrier_wait(&shared->at_once);
    for (process = 0; process <= rounds; process++) pthread_barrier_wait(&shared->at_once);
    for (process = 0; process < processes; process++) fine += status_of(children[process]) == 7;
    dead = dead_tokens(processes, rounds);
    kills = killing_requests();
    PROMISE(fine == processes, "%d processes share identifiers and end (%s, %d rounds): %d", processes,
            where, rounds, fine);
    PROMISE(shared->failures == 0, "no get of theirs fails (%s): %d", where, shared->failures);
    PROMISE(dead_at_first == 0, "when they begin at once no token is dead (%s): %d", where,
            dead_at_first);
    PROMISE(dead == 0, "when they renew at once no token is dead (%s): %d", where, dead);
    if (is_locked) {
        PROMISE(kills_at_first == 0, "they begin without a kill (%s): %d", where, kills_at_first);
        PROMISE(kills == rounds, "a renewal is one kill (%s): %d of %d", where, kills, rounds);
    } else {
        PROMISE(kills >= rounds, "a renewal is at least one kill (%s): %d of %d", where, kills,
                rounds);
    }
    pthread_barrier_destroy(&shared->at_once);
}

static char *folder_of_nobody(char *template, mode_t mode)
{
    mkdtemp(template);
    if (geteuid() == 0 && chown(template, NOBODY, NOBODY) != 0) perror("chown");
    chmod(template, mode);
    return template;
}

static void processes_share(void)
{
    char runtime[] = "/tmp/zelf-runtime-XXXXXX", stored[] = "/tmp/zelf-stored-XXXXXX";
    char unwritable[] = "/tmp/zelf-unwritable-XXXXXX";

    setenv("XDG_RUNTIME_DIR", folder_of_nobody(runtime, 0700), 1);
    share_at_once(2, 1, NULL, "with a lock", "two-locked");
    share_at_once(8, 1, NULL, "with a lock", "eight-locked");
    share_at_once(8, 1, folder_of_nobody(stored, 0700), "with a directory", "eight-stored");
    share_at_once(2, 0, folder_of_nobody(unwritable, 0500), "no writable directory", "two-unwritable");
    share_at_once(8, 0, unwritable, "no writable directory", "eight-unwritable");
    setenv("XDG_RUNTIME_DIR", "/nonexistent/zelf", 1);
    setenv("TMPDIR", "/nonexistent/zelf", 1);
    share_at_once(8, 0, NULL, "no directory at all", "eight-nowhere");
    unsetenv("TMPDIR");
    remove_folder(runtime);
    remove_folder(stored);
    remove_folder(unwritable);
}

/* ---- The death of the process that holds the lock ---- */

static int asks(int waits_for_go)
{
    zelf_client *client = sandbox_client(0, 40000, 1);
    zelf_session_provider *provider = provider_of(client, "killed-x", 5, NULL);
    zelf_session *session;
    int fine;
    alarm(60);
    while (waits_for_go && !get_flag(&shared->go)) usleep(1000);
    session = zelf_session_provider_get(provider, NULL);
    fine = session && route_status(zelf_session_authorization(session)) == 200;
    zelf_session_free(session);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
    return fine ? 7 : 8;
}

static void a_process_that_dies_unlocks(void)
{
    char runtime[] = "/tmp/zelf-runtime-XXXXXX";
    pid_t holder, others[3];
    double began, took;
    int i, fine = 0, waiting;

    setenv("XDG_RUNTIME_DIR", mkdtemp(runtime), 1);
    fault("{\"kind\":\"stall\",\"stage\":\"request\",\"times\":1}");
    forget_requests();
    set_flag(&shared->go, 0);
    fflush(stdout);
    holder = fork();
    if (holder == 0) _exit(asks(0));
    for (i = 0; i < 3; i++)
        if ((others[i] = fork()) == 0) _exit(asks(1));
    while (requests_arrived() == 0) usleep(1000);
    set_flag(&shared->go, 1);
    usleep(300000);
    waiting = requests_arrived();
    began = seconds_now();
    kill(holder, SIGKILL);
    waitpid(holder, NULL, 0);
    for (i = 0; i < 3; i++) fine += status_of(others[i]) == 7;
    took = seconds_now() - began;
    PROMISE(waiting == 1, "while a process creates a session others wait: %d request", waiting);
    PROMISE(fine == 3, "when it is killed the others get their sessions: %d of 3", fine);
    PROMISE(took < AT_ONCE, "they do not wait for the time limit of its call: %.0f ms", took * 1e3);
    fault(NULL);
    remove_folder(runtime);
}

/* ---- Lock files made by an attacker ---- */

static int gets_once(const char *identifier, const char *directory)
{
    zelf_client *client = logging_client();
    zelf_session_provider *provider = provider_of(client, identifier, 5, directory);
    zelf_session *session = zelf_session_provider_get(provider, NULL);
    int fine = session && route_status(zelf_session_authorization(session)) == 200;
    keep(0, 0, session);
    if (directory) {
        usleep(300000);
        zelf_session_free(session);
        session = zelf_session_provider_get(provider, NULL);
    }
    zelf_session_free(session);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
    return fine ? 7 : 8;
}

/* Returns whether a new process gets a session. */
static int is_fine(const char *identifier, const char *directory)
{
    pid_t child;
    fflush(stdout);
    child = fork();
    if (child == 0) {
        alarm(20);
        _exit(gets_once(identifier, directory));
    }
    return status_of(child) == 7;
}

/* Finds the path of the only file with this ending. */
static void find(const char *folder, const char *ending, char *path)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    path[0] = '\0';
    while (dir && (entry = readdir(dir)) != NULL)
        if (strlen(entry->d_name) > strlen(ending)
            && strcmp(entry->d_name + strlen(entry->d_name) - strlen(ending), ending) == 0)
            snprintf(path, PATH_MAX, "%s/%s", folder, entry->d_name);
    if (dir) closedir(dir);
}

static void put(const char *path, const char *text, size_t length, mode_t mode)
{
    int file;
    unlink(path);
    rmdir(path);
    file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (file < 0 || write(file, text, length) != (ssize_t)length || fchmod(file, mode) != 0)
        printf("not ok - %s can be written\n", path), check_failed = 1;
    close(file);
}

static size_t content(const char *path, char *into, size_t size)
{
    int file = open(path, O_RDONLY | O_NONBLOCK);
    ssize_t length = file < 0 ? 0 : read(file, into, size);
    if (file >= 0) close(file);
    return length < 0 ? 0 : (size_t)length;
}

static void hostile_lock_files_do_no_harm(void)
{
    char runtime[] = "/tmp/zelf-runtime-XXXXXX", path[PATH_MAX], target[PATH_MAX], text[64];
    static const char *const kinds[] = {"a link", "a directory", "a pipe", "another user's file"};
    double began, took;
    int kind;

    setenv("XDG_RUNTIME_DIR", mkdtemp(runtime), 1);
    shared->logged = 0;
    PROMISE(is_fine("hostile-x", NULL) && shared->logged == 0, "with a lock file the log says nothing");
    find(runtime, ".lock", path);
    PROMISE(path[0] != '\0', "the lock is a file in the user's runtime directory");
    put(path, "", 0, 0666);
    PROMISE(is_fine("hostile-x", NULL), "with a lock file of another mode a get succeeds");
    snprintf(target, sizeof target, "%s/target", runtime);
    put(target, "precious", 8, 0600);
    for (kind = 0; kind < 4; kind++) {
        unlink(path);
        rmdir(path);
        if (kind == 0 && symlink(target, path) != 0) perror("symlink");
        if (kind == 1 && mkdir(path, 0700) != 0) perror("mkdir");
        if (kind == 2 && mkfifo(path, 0600) != 0) perror("mkfifo");
        if (kind == 3) put(path, "", 0, 0666);
        if (kind == 3 && (geteuid() != 0 || chown(path, NOBODY, NOBODY) != 0)) continue;
        shared->logged = 0;
        began = seconds_now();
        PROMISE(is_fine("hostile-x", NULL), "with %s in its place a get succeeds", kinds[kind]);
        took = seconds_now() - began;
        PROMISE(took < AT_ONCE, "with %s in its place a get does not wait: %.1f s", kinds[kind], took);
        PROMISE(shared->logged > 0, "with %s in its place the log says so", kinds[kind]);
    }
    PROMISE(content(target, text, sizeof text) == 8 && memcmp(text, "precious", 8) == 0,
            "the target of a link is unchanged");
    remove_folder(runtime);
}

/* ---- Holders that are stopped, and folders that are removed ---- */

static int holds_with_a_short_limit(void)
{
    zelf_client *client = sandbox_client(0, 500, 1);
    zelf_session_provider *provider = provider_of(client, "stopped-x", 5, NULL);
    zelf_session_free(zelf_session_provider_get(provider, NULL));
    return 7;
}

static void a_process_that_is_stopped_is_waited_for_until_its_time_limit(void)
{
    char runtime[] = "/tmp/zelf-runtime-XXXXXX";
    pid_t holder;
    double began, took;

    setenv("XDG_RUNTIME_DIR", mkdtemp(runtime), 1);
    fault("{\"kind\":\"stall\",\"stage\":\"request\",\"times\":1}");
    forget_requests();
    fflush(stdout);
    holder = fork();
    if (holder == 0) _exit(holds_with_a_short_limit());
    while (requests_arrived() == 0) usleep(1000);
    kill(holder, SIGSTOP);
    shared->logged = 0;
    began = seconds_now();
    PROMISE(is_fine("stopped-x", NULL), "a get succeeds while a stopped process has the lock");
    took = seconds_now() - began;
    PROMISE(took > 1, "it waits for the time limit of that process: %.1f s", took);
    PROMISE(took < AT_ONCE, "it does not wait for longer: %.1f s", took);
    PROMISE(shared->logged > 0, "the log says that it goes on without the lock");
    kill(holder, SIGKILL);
    waitpid(holder, NULL, 0);
    fault(NULL);
    remove_folder(runtime);
}

static void a_folder_that_was_removed_is_made_anew(void)
{
    char temporary[] = "/tmp/zelf-temporary-XXXXXX", own[PATH_MAX], path[PATH_MAX];
    zelf_session_provider *provider;
    zelf_client *client;
    zelf_session *session;

    unsetenv("XDG_RUNTIME_DIR");
    setenv("TMPDIR", mkdtemp(temporary), 1);
    snprintf(own, sizeof own, "%s/zelf-%u", temporary, (unsigned)geteuid());
    client = logging_client();
    provider = provider_of(client, "removed-x", 5, NULL);
    shared->logged = 0;
    session = zelf_session_provider_get(provider, NULL);
    find(own, ".lock", path);
    PROMISE(path[0] != '\0', "without a runtime directory the lock is in a folder of the user's");
    remove_folder(own);
    zelf_session_provider_invalidate(provider, session);
    zelf_session_free(session);
    session = zelf_session_provider_get(provider, NULL);
    find(own, ".lock", path);
    PROMISE(session != NULL, "when that folder is removed a get succeeds");
    PROMISE(path[0] != '\0', "the folder and the lock file are made again");
    PROMISE(shared->logged == 0, "the log says nothing");
    zelf_session_free(session);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
    unsetenv("TMPDIR");
    remove_folder(own);
    remove_folder(temporary);
}


/* ---- The stored session ---- */

static void a_miss(const char *what, const char *directory)
{
    forget_requests();
    PROMISE(is_fine("stored-x", directory) && requests_arrived() > 0,
            "%s is no session, and no error", what);
}

/* Writes a text into each file of a session. */
static void fill_all(const char *folder, const char *text, size_t length)
{
    char names[8][NAME_MAX + 1], path[PATH_MAX];
    struct dirent *entry;
    DIR *dir = opendir(folder);
    int count = 0;
    while (dir && count < 8 && (entry = readdir(dir)) != NULL)
        if (strstr(entry->d_name, ".session")) strcpy(names[count++], entry->d_name);
    if (dir) closedir(dir);
    while (count-- > 0) {
        snprintf(path, sizeof path, "%s/%s", folder, names[count]);
        put(path, text, length, 0600);
    }
}

static void the_stored_session_is_found(void)
{
    char folder[] = "/tmp/zelf-stored-XXXXXX", path[PATH_MAX], copy[PATH_MAX];
    static char text[8192], large[200 * 1024], first[1024];
    zelf_session_options *options;
    zelf_provider_options *how;
    zelf_session_provider *provider;
    zelf_session *session;
    zelf_client *client;
    struct stat of;
    size_t length, head, i;
    int changes = 0, fine = 0, lines, before;

    mkdtemp(folder);
    PROMISE(is_fine("stored-x", folder), "with a directory a process gets a session");
    snprintf(first, sizeof first, "%s", shared->authorization[0][0]);
    find(folder, ".session", path);
    PROMISE(stat(path, &of) == 0, "the session is stored in a file");
    PROMISE((of.st_mode & 07777) == 0600, "the file has the mode 0600");
    PROMISE(entries(folder) == 2, "the file lies beside the lock, and nothing else: %d",
            entries(folder));
    forget_requests();
    PROMISE(is_fine("stored-x", folder) && requests_arrived() == 0,
            "the next process uses the stored session, and makes no request");
    PROMISE(strncmp(first, "Bearer ", 7) == 0
                && route_status(shared->authorization[0][0]) == 200, "its token works");

    length = content(path, text, sizeof text);
    put(path, "", 0, 0600);
    a_miss("an empty file", folder);
    put(path, "nonsense\n\n\n", 11, 0600);
    a_miss("nonsense", folder);
    put(path, text, length / 2, 0600);
    a_miss("half a file", folder);
    put(path, text, length - 1, 0600);
    a_miss("a file without its last byte", folder);
    memset(large, 0, sizeof large);
    put(path, large, sizeof large, 0600);
    a_miss("a large file of zeros", folder);
    length = content(path, text, sizeof text);
    put(path, text, length, 0644);
    a_miss("a file that others can read", folder);
    put(path, text, length, 0660);
    a_miss("a file that others can write to", folder);
    snprintf(copy, sizeof copy, "%s/copy", folder);
    put(copy, text, length, 0600);
    unlink(path);
    if (symlink(copy, path) != 0) perror("symlink");
    a_miss("a link", folder);
    unlink(path);
    if (mkfifo(path, 0600) != 0) perror("mkfifo");
    a_miss("a pipe", folder);
    unlink(path);
    if (mkdir(path, 0700) != 0) perror("mkdir");
    a_miss("a directory", folder);
    put(path, text, length, 0600);
    if (geteuid() == 0 && chown(path, NOBODY, NOBODY) == 0) a_miss("another user's file", folder);
    /* The token is the last line. Only the server can detect a changed token. */
    for (head = 0, lines = 0; head < length && lines < 5; head++) lines += text[head] == '\n';
    for (i = 0; i < head; i += 1 + head / 24) {
        char changed[8192];
        memcpy(changed, text, length);
        changed[i] ^= 0x5a;
        put(path, changed, length, 0600);
        changes++;
        fine += is_fine("stored-x", folder);
    }
    PROMISE(changes > 20 && fine == changes, "no changed byte before the token is an error: %d of %d",
            fine, changes);
    unlink(path);
    is_fine("stored-x", folder);
    forget_requests();
    PROMISE(is_fine("stored-x", folder) && requests_arrived() == 0, "a good file is found again");
    length = content(path, text, sizeof text);

    /* It is a client of this process from here on. */
    client = sandbox_client(0, 5000, 1);
    options = options_for("stored-x");
    how = zelf_provider_options_new();
    zelf_provider_options_set_directory(how, folder);
    zelf_session_options_set_type(options, ZELF_SESSION_TYPE_GENERAL);
    provider = zelf_session_provider_new(client, options, how, NULL);
    forget_requests();
    session = zelf_session_provider_get(provider, NULL);
    PROMISE(session && requests_arrived() == 1, "a session that was stored with other options is not used");
    zelf_session_free(session);
    zelf_session_provider_free(provider);
    zelf_client_free(client);

    put(path, text, length, 0600);
    client = sandbox_client(1, 5000, 1);
    provider = zelf_session_provider_new(client, options, how, NULL);
    forget_requests();
    session = zelf_session_provider_get(provider, NULL);
    PROMISE(session && requests_arrived() == 1, "a session that was stored for another base URL is not used");
    zelf_session_free(session);
    zelf_session_provider_free(provider);
    fill_all(folder, text, length);
    provider = zelf_session_provider_new(client, options, how, NULL);
    forget_requests();
    session = zelf_session_provider_get(provider, NULL);
    PROMISE(session && requests_arrived() == 1, "it is not used under the right name either");
    before = entries(folder);
    PROMISE(zelf_session_provider_invalidate(provider, session) && entries(folder) == before - 1,
            "a stored session that a route has refused is removed");
    zelf_session_free(session);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
    zelf_provider_options_free(how);
    zelf_session_options_free(options);
    remove_folder(folder);
}

/* Starts a process that asks once and ends. */
static int asks_once(const char *identifier, const char *directory)
{
    pid_t child;
    fflush(stdout);
    child = fork();
    if (child == 0) {
        zelf_client *client = sandbox_client(0, 5000, 1);
        zelf_session_provider *provider = provider_of(client, identifier, 5, directory);
        zelf_session *session = zelf_session_provider_get(provider, NULL);
        keep(0, 0, session);
        zelf_session_free(session);
        zelf_session_provider_free(provider);
        zelf_client_free(client);
        _exit(session ? 7 : 8);
    }
    return status_of(child) == 7;
}

static void an_unconfirmed_stored_session_is_confirmed(void)
{
    char folder[] = "/tmp/zelf-stored-XXXXXX";

    mkdtemp(folder);
    PROMISE(asks_once("in-doubt-x", folder) && asks_once("in-doubt-x", folder),
            "a process that ends before it has confirmed its session stores it");
    usleep(300000);
    forget_requests();
    PROMISE(asks_once("in-doubt-x", folder) && requests_arrived() == 1,
            "the next process confirms it before it is handed out");
    PROMISE(asks_once("in-doubt-x", folder) && requests_arrived() == 1,
            "the process after that makes no request");

    asks_once("gone-in-doubt-x", folder);
    sandbox("DELETE", "/sandbox/sessions", "");
    usleep(300000);
    PROMISE(asks_once("gone-in-doubt-x", folder)
                && route_status(shared->authorization[0][0]) == 200,
            "a stored session that does not exist is not handed out");
    remove_folder(folder);
}

int main(void)
{
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) return 1;
    processes_share();
    a_process_that_dies_unlocks();
    hostile_lock_files_do_no_harm();
    a_process_that_is_stopped_is_waited_for_until_its_time_limit();
    a_folder_that_was_removed_is_made_anew();
    an_unconfirmed_stored_session_is_confirmed();
    the_stored_session_is_found();
    return check_failed;
}
