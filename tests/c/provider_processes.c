/* Several processes of one installation: one kill a renewal, and no dead token. Takes
   the number of rounds. The sandbox's sessions live for 8 s. */
#include "check.h"
#include "children.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define MOST 8

/* What the processes tell each other. */
struct shared {
    int ready, go, done;
    int dead[MOST];
    char id[MOST][32];
};

static struct shared *shared;
static char directory[4096];

static int add(int *number) { return __atomic_add_fetch(number, 1, __ATOMIC_SEQ_CST); }

static zelf_session_provider *provider_in(zelf_client *client, const char *identifier,
                                          const char *folder)
{
    zelf_session_options *options = options_for(identifier);
    zelf_provider_options *keeping = zelf_provider_options_new();
    zelf_session_provider *provider;

    if (folder) zelf_provider_options_set_directory(keeping, folder);
    provider = zelf_session_provider_new(client, options, keeping, NULL);
    zelf_provider_options_free(keeping);
    zelf_session_options_free(options);
    return provider;
}

static void wait_for(int *number, int value)
{
    while (get_flag(number) < value) usleep(500);
}

/* Gets, and once more when the session has been confirmed; says whether it works. */
static void get_and_check(int number, zelf_session_provider *provider, int is_in_doubt)
{
    zelf_error *error = NULL;
    zelf_session *session = zelf_session_provider_get(provider, &error);
    int i;

    if (!session) fprintf(stderr, "%s\n", zelf_error_message(error));
    zelf_error_free(error);
    /* Three ghosts in a row are an error, so a living one comes before. */
    for (i = 0; is_in_doubt && i < 3; i++) {
        usleep(300000);
        zelf_session_free(session);
        session = zelf_session_provider_get(provider, NULL);
    }
    shared->dead[number] = !session || route_status(zelf_session_authorization(session)) != 200;
    snprintf(shared->id[number], sizeof shared->id[number], "%s",
             session ? zelf_session_id(session) : "none");
    zelf_session_free(session);
}

/* One process: the first session, then one renewal a round. */
static void be_one(int number, int rounds, const char *identifier, const char *folder, int is_in_doubt)
{
    zelf_client *client = sandbox_client(1, 20000, 0);
    zelf_session_provider *provider = provider_in(client, identifier, folder);
    int round;

    for (round = 0; round < rounds; round++) {
        add(&shared->ready);
        wait_for(&shared->go, round + 1);
        get_and_check(number, provider, is_in_doubt);
        add(&shared->done);
    }
    zelf_session_provider_free(provider);
    zelf_client_free(client);
    exit(0);
}

static int kills_arrived(void)
{
    const char *at;
    int count = 0;

    sandbox("GET", "/sandbox/requests", "");
    for (at = http_answer; (at = strstr(at, "killSession")) != NULL; at++) count++;
    return count;
}

/* The processes get at once in each round; the session expires between rounds. */
static void they_renew_together(int processes, int rounds, const char *folder, int has_lock)
{
    pid_t children[MOST];
    char identifier[64];
    int round, i, kills = 0, dead = 0, others = 0, ended = 0;

    memset(shared, 0, sizeof *shared);
    snprintf(identifier, sizeof identifier, "together-%dx%s", processes,
             has_lock ? "-with-x" : "-without-x");
    for (i = 0; i < processes; i++) {
        children[i] = fork();
        if (children[i] == 0) be_one(i, rounds, identifier, folder, !has_lock);
    }
    for (round = 0; round < rounds; round++) {
        wait_for(&shared->ready, processes * (round + 1));
        /* Four seconds are left of eight: too few for a provider. */
        if (round > 0) usleep(4200000);
        forget_requests();
        set_flag(&shared->go, round + 1);
        wait_for(&shared->done, processes * (round + 1));
        kills += kills_arrived();
        for (i = 0; i < processes; i++) {
            dead += shared->dead[i];
            others += strcmp(shared->id[i], shared->id[0]) != 0;
        }
    }
    for (i = 0; i < processes; i++) ended += status_of(children[i]) == 0;
    PROMISE(ended == processes && dead == 0 && others == 0,
            "%d processes %s have one session that works, %d times: %d dead, %d others", processes,
            has_lock ? "with a lock" : "without a lock", rounds, dead, others);
    if (has_lock)
        PROMISE(kills == rounds - 1, "%d processes kill once a renewal: %d kills in %d renewals",
                processes, kills, rounds - 1);
}

/* The process that holds the lock dies, and the others go on. */
static void one_dies_with_the_lock(void)
{
    zelf_client *client = sandbox_client(1, 20000, 0);
    zelf_session_provider *provider = provider_in(client, "dies-x", directory);
    zelf_session *session;
    zelf_error *error = NULL;
    double began, took;
    pid_t child;

    forget_requests();
    fault("{\"kind\":\"stall\",\"stage\":\"request\",\"times\":1}");
    child = fork();
    if (child == 0) {
        zelf_session_free(zelf_session_provider_get(provider, NULL));
        _exit(0);
    }
    while (requests_arrived() == 0) usleep(1000);
    kill(child, SIGKILL);
    began = seconds_now();
    status_of(child);
    session = zelf_session_provider_get(provider, &error);
    took = seconds_now() - began;
    PROMISE(session && took < 1.0, "a process that is killed lets go of the lock: %.2f s %s", took,
            error ? zelf_error_message(error) : "");
    zelf_error_free(error);
    fault(NULL);
    zelf_session_free(session);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

static char warnings[4096];

static void remember(zelf_log_level level, const char *message, void *unused)
{
    (void)unused;
    if (level == ZELF_LOG_WARNING) snprintf(warnings, sizeof warnings, "%s", message);
}

/* A lock file that is something else does no harm, and the log tells of it. */
static void hostile_files_do_no_harm(void)
{
    static const char *const kinds[] = {"a link", "a directory", "a pipe"};
    zelf_config *config = zelf_config_new();
    zelf_client *client;
    char path[8192], found[512] = "";
    DIR *dir;
    struct dirent *entry;
    int i;

    zelf_config_set_base_url(config, need_env("ZELF_HTTP"));
    zelf_config_set_log_callback(config, remember, NULL, NULL, ZELF_LOG_WARNING);
    client = zelf_client_new(config, NULL);
    zelf_config_free(config);
    mkdir("target/c/hostile", 0700);
    for (i = 0; i < 3; i++) {
        zelf_session_provider *provider = provider_in(client, "hostile-x", "target/c/hostile");
        zelf_session *session = zelf_session_provider_get(provider, NULL);

        if (i == 0) {
            dir = opendir("target/c/hostile");
            while (dir && (entry = readdir(dir)) != NULL)
                if (strstr(entry->d_name, ".lock"))
                    snprintf(found, sizeof found, "%s", entry->d_name);
            if (dir) closedir(dir);
        }
        zelf_session_free(session);
        zelf_session_provider_free(provider);
        snprintf(path, sizeof path, "target/c/hostile/%s", found);
        remove(path);
        if (i == 0 && symlink("/dev/null", path) != 0) break;
        if (i == 1 && mkdir(path, 0700) != 0) break;
        if (i == 2 && mkfifo(path, 0600) != 0) break;
        /* Without what is stored. */
        sandbox("DELETE", "/sandbox/sessions", "");
        snprintf(path + strlen(path) - strlen("lock"), 16, "session");
        remove(path);
        warnings[0] = '\0';
        provider = provider_in(client, "hostile-x", "target/c/hostile");
        session = zelf_session_provider_get(provider, NULL);
        PROMISE(session && strstr(warnings, "lock file"), "%s in place of the lock does no harm: %s",
                kinds[i], warnings);
        zelf_session_free(session);
        zelf_session_provider_free(provider);
        snprintf(path, sizeof path, "target/c/hostile/%s", found);
        remove(path);
    }
    PROMISE(i == 3, "every kind of file was tried");
    zelf_client_free(client);
}

/* The path of the only stored session in a folder. */
static const char *stored_in(const char *folder)
{
    static char path[8192];
    struct dirent *entry;
    DIR *dir = opendir(folder);

    path[0] = '\0';
    while (dir && (entry = readdir(dir)) != NULL)
        if (strstr(entry->d_name, ".session"))
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    if (dir) closedir(dir);
    return path;
}

static int requests_of_a_get(zelf_client *client, const char *identifier, const char *folder)
{
    zelf_session_options *options = options_for(identifier);
    zelf_provider_options *keeping = zelf_provider_options_new();
    zelf_session_provider *provider;
    zelf_session *session;
    int count;

    zelf_session_options_set_confirm(options, true);
    zelf_provider_options_set_directory(keeping, folder);
    zelf_provider_options_set_min_valid_s(keeping, 1);
    provider = zelf_session_provider_new(client, options, keeping, NULL);
    forget_requests();
    session = zelf_session_provider_get(provider, NULL);
    count = requests_arrived();
    if (!session) count = -1;
    zelf_session_free(session);
    zelf_session_provider_free(provider);
    zelf_provider_options_free(keeping);
    zelf_session_options_free(options);
    return count;
}

static void a_stored_session_is_checked(void)
{
    static const char folder[] = "target/c/stored-sessions";
    zelf_client *client = sandbox_client(1, 10000, 0);
    struct stat status;
    char path[8192];
    FILE *file;

    mkdir(folder, 0700);
    while (*stored_in(folder)) remove(stored_in(folder));
    PROMISE(requests_of_a_get(client, "stored-x", folder) > 0, "the first process asks the server");
    snprintf(path, sizeof path, "%s", stored_in(folder));
    PROMISE(stat(path, &status) == 0 && (status.st_mode & 07777) == 0600,
            "the session is stored for its user alone");
    PROMISE(requests_of_a_get(client, "stored-x", folder) == 0, "the next process asks nobody");
    PROMISE(requests_of_a_get(client, "stored-other-x", folder) > 0,
            "another identifier is another session");
    chmod(path, 0644);
    PROMISE(requests_of_a_get(client, "stored-x", folder) > 0,
            "a file that others can read counts for nothing");
    file = fopen(path, "r+");
    if (file) {
        fputs("zelf session 9", file);
        fclose(file);
    }
    PROMISE(requests_of_a_get(client, "stored-x", folder) > 0, "odd contents count for nothing");
    PROMISE(truncate(path, 40) == 0
                && requests_of_a_get(client, "stored-x", folder) > 0,
            "half a file counts for nothing");
    zelf_client_free(client);
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 3;

    alarm(290);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    snprintf(directory, sizeof directory, "target/c/locks");
    mkdir(directory, 0700);
    they_renew_together(2, rounds, directory, 1);
    they_renew_together(8, rounds, directory, 1);
    they_renew_together(2, (rounds + 1) / 2, "/proc/self/nowhere", 0);
    one_dies_with_the_lock();
    hostile_files_do_no_harm();
    a_stored_session_is_checked();
    return check_failed;
}
