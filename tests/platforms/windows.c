/* A host on Windows. windows.exe tests the library; with a mode it is a child process that ends, or
   that loads and frees another copy of the library.

   Environment: ZELF_HTTPS, ZELF_CA, ZELF_OTHER_CA, ZELF_CONTROL as for the programs of tests/c, and
   ZELF_DLL, the path of zelf.dll. */
#include <winsock2.h>
#include <windows.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../c/loaded.h"

static int failed;

/* Prints one line per promise. The runner counts them. */
#define PROMISE(kept, ...)                                    \
    do {                                                      \
        int is_kept = (kept);                                 \
        printf(is_kept ? "ok - " : "not ok - ");              \
        printf(__VA_ARGS__);                                  \
        if (!is_kept) {                                       \
            printf(" [%s:%d: %s]", __FILE__, __LINE__, #kept); \
            failed = 1;                                       \
        }                                                     \
        putchar('\n');                                        \
        fflush(stdout);                                       \
    } while (0)

/* In milliseconds. Something that happens at once takes less, even on a busy machine. */
#define AT_ONCE 20000

static const char *need_env(const char *name)
{
    const char *value = getenv(name);
    if (!value) {
        printf("not ok - %s is set by the runner\n", name);
        exit(1);
    }
    return value;
}

/* ---- The sandbox */

/* Sends a request to a control route. Returns the status. */
static int control(const char *method, const char *path, const char *body)
{
    static char text[65536];
    struct sockaddr_in to;
    int port = 0, status = 0, used = 0, got;
    SOCKET s;

    if (sscanf(need_env("ZELF_CONTROL"), "http://127.0.0.1:%d", &port) != 1) return -1;
    memset(&to, 0, sizeof to);
    to.sin_family = AF_INET;
    to.sin_port = htons((unsigned short)port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s = socket(AF_INET, SOCK_STREAM, 0);
    if (s == INVALID_SOCKET) return -1;
    if (connect(s, (struct sockaddr *)&to, sizeof to) == 0) {
        sprintf(text,
                "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
                "Content-Type: application/json\r\nContent-Length: %u\r\n\r\n%s",
                method, path, (unsigned)strlen(body), body);
        send(s, text, (int)strlen(text), 0);
        while (used < (int)sizeof text - 1
               && (got = recv(s, text + used, (int)sizeof text - 1 - used, 0)) > 0)
            used += got;
        text[used] = '\0';
        if (sscanf(text, "HTTP/1.1 %d", &status) != 1) status = -1;
    }
    closesocket(s);
    return status;
}

/* Replaces the faults of the sandbox by this one, or by none. */
static void fault(const char *json)
{
    int cleared = control("DELETE", "/sandbox/faults", "");
    int added = json ? control("POST", "/sandbox/faults", json) : 200;
    if (cleared / 100 != 2 || added / 100 != 2) {
        printf("not ok - the sandbox takes a fault: %d, %d\n", cleared, added);
        exit(1);
    }
}

/* ---- Clients */

static zelf_config *config_for(const char *url, const char *ca)
{
    zelf_config *config = zelf_config_new();
    zelf_config_set_base_url(config, url);
    zelf_config_set_ca_file(config, ca);
    zelf_config_set_max_attempts(config, 1);
    return config;
}

static zelf_config *usual(void)
{
    return config_for(need_env("ZELF_HTTPS"), need_env("ZELF_CA"));
}

static zelf_client *client_of(zelf_config *config)
{
    zelf_error *error = NULL;
    zelf_client *client = zelf_client_new(config, &error);
    zelf_config_free(config);
    if (!client) {
        printf("not ok - a client can be made: %s\n", zelf_error_message(error));
        exit(1);
    }
    return client;
}

static zelf_client *usual_client(void) { return client_of(usual()); }

/* Returns options with an identifier that no other call has. */
static zelf_session_options *fresh_options(void)
{
    char identifier[64] = "";
    zelf_session_options *options = zelf_session_options_new();
    if (zelf_identifier_random(identifier, sizeof identifier) != ZELF_OK) abort();
    zelf_session_options_set_identifier(options, identifier);
    return options;
}

static zelf_session *create(zelf_client *client, zelf_error **error)
{
    zelf_session_options *options = fresh_options();
    zelf_session *session = zelf_session_create(client, options, error);
    zelf_session_options_free(options);
    return session;
}

/* ---- Asynchronous calls */

static volatile LONG called, succeeded, was_cancelled, destroyed, called_elsewhere;
static volatile LONG host_is_gone;
static DWORD main_thread;
static int callback_takes_ms;

static void note(zelf_session *session, zelf_error *error)
{
    if (host_is_gone) {
        printf("not ok - no callback runs after the host is gone\n");
        fflush(stdout);
        TerminateProcess(GetCurrentProcess(), 9);
    }
    if (session) InterlockedIncrement(&succeeded);
    if (error && zelf_error_status(error) == ZELF_ERROR_CANCELLED) InterlockedIncrement(&was_cancelled);
    if (GetCurrentThreadId() != main_thread) InterlockedIncrement(&called_elsewhere);
    InterlockedIncrement(&called);
}

static void on_session(zelf_session *session, zelf_error *error, void *user_data)
{
    (void)user_data;
    note(session, error);
    zelf_session_free(session);
    zelf_error_free(error);
    if (callback_takes_ms) {
        Sleep((DWORD)callback_takes_ms);
        if (host_is_gone) TerminateProcess(GetCurrentProcess(), 10);
    }
}

static void exit_in_callback(zelf_session *session, zelf_error *error, void *user_data)
{
    (void)session, (void)error, (void)user_data;
    exit(7);
}

static void on_destroy(void *user_data)
{
    (void)user_data;
    InterlockedIncrement(&destroyed);
}

static void forget_calls(void) { called = succeeded = was_cancelled = destroyed = called_elsewhere = 0; }

/* Starts calls. Returns how many have started. If `calls` is not NULL, the caller frees them. */
static int start(zelf_client *client, int count, zelf_session_callback callback, zelf_call **calls)
{
    int i, started = 0;
    for (i = 0; i < count; i++) {
        zelf_session_options *options = fresh_options();
        zelf_call *call =
            zelf_session_create_async(client, options, callback, NULL, on_destroy, NULL);
        started += call != NULL;
        if (calls) calls[i] = call;
        else zelf_call_free(call);
        zelf_session_options_free(options);
    }
    return started;
}

static int await(volatile LONG *count, LONG least)
{
    DWORD began = GetTickCount();
    while (*count < least && GetTickCount() - began < AT_ONCE) Sleep(5);
    return *count >= least;
}

/* ---- Blocking calls */

static DWORD WINAPI create_five(void *client)
{
    DWORD fine = 0;
    int i;
    for (i = 0; i < 5; i++) {
        zelf_session *session = create(client, NULL);
        fine += session != NULL;
        zelf_session_free(session);
    }
    return fine;
}

static void sessions_are_created(void)
{
    zelf_error *error = NULL;
    zelf_client *client = usual_client();
    zelf_session *session = create(client, &error);
    HANDLE threads[16];
    DWORD fine, all = 0;
    int i;

    PROMISE(session != NULL, "a session is created over TLS: %s",
            session ? "yes" : zelf_error_message(error));
    PROMISE(session && strncmp(zelf_session_authorization(session), "Bearer ", 7) == 0,
            "it has an Authorization header");
    zelf_session_free(session);
    zelf_error_free(error);
    for (i = 0; i < 16; i++) threads[i] = CreateThread(NULL, 0, create_five, client, 0, NULL);
    for (i = 0; i < 16; i++) {
        WaitForSingleObject(threads[i], AT_ONCE);
        GetExitCodeThread(threads[i], &fine);
        CloseHandle(threads[i]);
        all += fine;
    }
    PROMISE(all == 80, "16 threads share a client: %lu of 80 sessions", all);
    zelf_client_free(client);
}

static void last_errors_are_unchanged(void)
{
    zelf_client *client = usual_client();
    zelf_session *session;
    DWORD last, sockets_last;
    int number;

    errno = 77;
    SetLastError(4711);
    session = create(client, NULL);
    number = errno;
    last = GetLastError();
    sockets_last = (DWORD)WSAGetLastError();
    PROMISE(session && number == 77, "a call leaves errno unchanged: %d", number);
    PROMISE(last == 4711 && sockets_last == 4711,
            "it leaves GetLastError and WSAGetLastError unchanged: %lu, %lu", last, sockets_last);
    zelf_session_free(session);
    zelf_client_free(client);
}

static void expect(zelf_config *config, zelf_status status, const char *what)
{
    zelf_error *error = NULL;
    zelf_client *client = client_of(config);
    zelf_session *session = create(client, &error);
    PROMISE(!session && zelf_error_status(error) == status, "%s is %s: %s", what,
            zelf_status_name(status), error ? zelf_error_message(error) : "a session");
    zelf_session_free(session);
    zelf_error_free(error);
    zelf_client_free(client);
}

static void failures_are_told(void)
{
    const char *https = need_env("ZELF_HTTPS"), *ca = need_env("ZELF_CA");
    char closed[64];
    struct sockaddr_in at;
    int length = sizeof at;
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    zelf_config *config;

    /* Nothing listens on a port that is bound only. */
    memset(&at, 0, sizeof at);
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(s, (struct sockaddr *)&at, sizeof at);
    getsockname(s, (struct sockaddr *)&at, &length);
    sprintf(closed, "https://127.0.0.1:%d", ntohs(at.sin_port));
    expect(config_for(closed, ca), ZELF_ERROR_CONNECT, "a refused connection");
    closesocket(s);
    expect(config_for("https://no-such-host.invalid", ca), ZELF_ERROR_DNS, "an unknown name");
    expect(config_for(https, need_env("ZELF_OTHER_CA")), ZELF_ERROR_TLS, "another authority");
    config = zelf_config_new();
    zelf_config_set_base_url(config, https);
    expect(config, ZELF_ERROR_TLS, "an authority that the system does not trust");
}

static void time_limits_are_kept(void)
{
    zelf_config *config = usual();
    DWORD began, took;

    fault("{\"kind\":\"stall\",\"stage\":\"headers\"}");
    zelf_config_set_timeout_ms(config, 700);
    began = GetTickCount();
    expect(config, ZELF_ERROR_TIMEOUT, "a server that does not answer");
    took = GetTickCount() - began;
    PROMISE(took >= 650 && took < 700 + AT_ONCE, "the call ends at its time limit: %lu ms", took);
    fault(NULL);
}

static void a_dead_connection_is_replaced(void)
{
    zelf_client *client = usual_client();
    zelf_session *first, *second;

    /* The server closes the connection after its answer, without a word. */
    fault("{\"kind\":\"unasked\",\"ms\":0,\"text\":\"HTTP/1.1 408 Request Timeout\\r\\n\\r\\n\",\"times\":1}");
    first = create(client, NULL);
    fault(NULL);
    second = create(client, NULL);
    PROMISE(first && second, "a kept connection with unread bytes is not used again");
    zelf_session_free(first);
    zelf_session_free(second);
    zelf_client_free(client);
}

/* ---- Asynchronous calls */

static void calls_call_back(void)
{
    zelf_client *client = usual_client();
    zelf_call *calls[30];
    int i;

    forget_calls();
    PROMISE(start(client, 20, on_session, NULL) == 20, "20 asynchronous calls start");
    PROMISE(await(&called, 20) && succeeded == 20, "each calls back with a session: %ld", succeeded);
    PROMISE(called_elsewhere == 20, "callbacks run on a thread of the client");
    await(&destroyed, 20);

    forget_calls();
    fault("{\"kind\":\"stall\",\"stage\":\"headers\"}");
    start(client, 30, on_session, calls);
    for (i = 0; i < 30; i++) zelf_call_cancel(calls[i]);
    PROMISE(await(&called, 30) && was_cancelled == 30, "30 cancelled calls call back: %ld", was_cancelled);
    for (i = 0; i < 30; i++) zelf_call_free(calls[i]);

    forget_calls();
    start(client, 30, on_session, NULL);
    PROMISE(zelf_client_shutdown(client, AT_ONCE) == ZELF_OK, "a shutdown ends the client");
    PROMISE(called == 30 && destroyed == 30, "all callbacks have returned before it does: %ld, %ld",
            called, destroyed);
    fault(NULL);
    zelf_client_free(client);
}

static int is_readable(SOCKET s, int ms)
{
    fd_set set;
    struct timeval limit;
    FD_ZERO(&set);
    FD_SET(s, &set);
    limit.tv_sec = ms / 1000;
    limit.tv_usec = ms % 1000 * 1000;
    return select(0, &set, NULL, NULL, &limit) == 1;
}

static void a_host_may_dispatch(void)
{
    zelf_config *config = usual();
    zelf_client *client, *other;
    SOCKET s;
    int round, quiet = 1, type = 0, length = sizeof type;
    DWORD inherited = HANDLE_FLAG_INHERIT, began;
    char byte;

    other = usual_client();
    PROMISE(zelf_client_descriptor(other) == -1, "a client without dispatch has no descriptor");
    zelf_client_free(other);
    zelf_config_set_dispatch(config, true);
    client = client_of(config);
    s = (SOCKET)zelf_client_descriptor(client);
    PROMISE(getsockopt(s, SOL_SOCKET, SO_TYPE, (char *)&type, &length) == 0 && type == SOCK_STREAM,
            "the descriptor of a client with dispatch is a SOCKET");
    PROMISE(GetHandleInformation((HANDLE)s, &inherited) && !(inherited & HANDLE_FLAG_INHERIT),
            "child processes do not inherit it");
    PROMISE(!is_readable(s, 0), "it is not readable before a callback is due");
    forget_calls();
    for (round = 0; round < 40; round++) {
        start(client, 2, on_session, NULL);
        while (called < 2 * round + 2 && is_readable(s, AT_ONCE)) zelf_client_dispatch(client);
        quiet &= !is_readable(s, 0);
    }
    PROMISE(called == 80 && succeeded == 80, "callbacks run by select and dispatch: %ld of 80", called);
    PROMISE(called_elsewhere == 0, "they run on the thread that dispatches");
    PROMISE(quiet, "the SOCKET is not readable after the last one");
    start(client, 1, on_session, NULL);
    {
        WSAPOLLFD wait;
        wait.fd = s;
        wait.events = POLLRDNORM;
        PROMISE(WSAPoll(&wait, 1, AT_ONCE) == 1, "WSAPoll works, too");
    }
    zelf_client_dispatch(client);
    start(client, 1, on_session, NULL);
    if (is_readable(s, AT_ONCE)) recv(s, &byte, 1, 0);
    began = GetTickCount();
    zelf_client_dispatch(client);
    PROMISE(GetTickCount() - began < 2000, "dispatch does not wait for a byte that the host has read: %lu ms",
            (unsigned long)(GetTickCount() - began));
    PROMISE(zelf_client_shutdown(client, AT_ONCE) == ZELF_OK, "a client with dispatch shuts down");
    zelf_client_free(client);
}

static volatile LONG log_lines;

static void on_log(zelf_log_level level, const char *message, void *user_data)
{
    (void)level, (void)user_data;
    if (message && *message) InterlockedIncrement(&log_lines);
}

static void a_log_is_written(void)
{
    zelf_config *config = usual();
    zelf_client *client;
    zelf_session *session;

    zelf_config_set_log_callback(config, on_log, NULL, NULL, ZELF_LOG_DEBUG);
    client = client_of(config);
    session = create(client, NULL);
    PROMISE(session && log_lines > 0, "the log callback gets %ld lines", log_lines);
    zelf_session_free(session);
    zelf_client_free(client);
}

/* ---- Providers */

/* Returns whether the lock of each lock file is free. `files` is their number. */
static int locks_are_free(int *files)
{
    char pattern[MAX_PATH * 2], path[MAX_PATH * 3];
    WIN32_FIND_DATAA found;
    HANDLE search;
    int are_free = 1;

    *files = 0;
    sprintf(pattern, "%s\\zelf\\zelf-*.lock", need_env("LOCALAPPDATA"));
    search = FindFirstFileA(pattern, &found);
    if (search == INVALID_HANDLE_VALUE) return 1;
    do {
        OVERLAPPED place;
        HANDLE file;
        ++*files;
        sprintf(path, "%s\\zelf\\%s", need_env("LOCALAPPDATA"), found.cFileName);
        file = CreateFileA(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                           NULL, OPEN_EXISTING, 0, NULL);
        memset(&place, 0, sizeof place);
        place.OffsetHigh = 0x7FFFFFFF;
        if (!LockFileEx(file, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &place))
            are_free = 0;
        CloseHandle(file);
    } while (FindNextFileA(search, &found));
    FindClose(search);
    return are_free;
}

static DWORD WINAPI get_once(void *provider)
{
    zelf_session *session = zelf_session_provider_get(provider, NULL);
    DWORD is_there = session != NULL;
    zelf_session_free(session);
    return is_there;
}

static void providers_renew(void)
{
    zelf_error *error = NULL;
    zelf_client *client = usual_client();
    zelf_session_options *options = fresh_options();
    zelf_provider_options *stored = zelf_provider_options_new();
    zelf_session_provider *provider = zelf_session_provider_new(client, options, NULL, &error);
    zelf_session_provider *none;
    zelf_session *first, *again, *next;
    zelf_request *request;
    zelf_response *response;
    HANDLE thread;
    DWORD got = 0, began;
    int files = 0, was_locked = 0;

    PROMISE(provider != NULL, "a provider is made");
    fault("{\"kind\":\"delay\",\"ms\":1500}");
    thread = CreateThread(NULL, 0, get_once, provider, 0, NULL);
    began = GetTickCount();
    while (!was_locked && GetTickCount() - began < AT_ONCE
           && WaitForSingleObject(thread, 5) == WAIT_TIMEOUT)
        was_locked = !locks_are_free(&files);
    WaitForSingleObject(thread, AT_ONCE);
    GetExitCodeThread(thread, &got);
    CloseHandle(thread);
    fault(NULL);
    PROMISE(got == 1, "a get returns a session");
    PROMISE(was_locked, "the lock file is locked while the provider asks the server");
    PROMISE(locks_are_free(&files) && files > 0, "it is not locked afterwards");

    first = zelf_session_provider_get(provider, NULL);
    again = zelf_session_provider_get(provider, NULL);
    PROMISE(first && again && strcmp(zelf_session_token(first), zelf_session_token(again)) == 0,
            "a second get returns the same session");
    PROMISE(first && zelf_session_seconds_left(first) > 500, "it is valid for %lld s",
            first ? (long long)zelf_session_seconds_left(first) : -1);
    zelf_session_provider_invalidate(provider, first);
    next = zelf_session_provider_get(provider, NULL);
    PROMISE(first && next && strcmp(zelf_session_token(first), zelf_session_token(next)) != 0,
            "after an invalidation it returns another one");

    request = zelf_request_new("GET", "/api/tags/search?tagName=a.zelf");
    response = zelf_session_provider_send(provider, request, &error);
    PROMISE(zelf_response_http_status(response) == 200, "a request is sent with the session: %s",
            error ? zelf_error_message(error) : "200");
    zelf_response_free(response);
    zelf_request_free(request);
    {
        static char body[900000];
        size_t length = 0;
        memset(body, 'x', sizeof body);
        request = zelf_request_new("POST", "/sandbox/echo");
        zelf_request_set_body(request, body, sizeof body, "text/plain");
        response = zelf_session_provider_send(provider, request, &error);
        zelf_response_body(response, &length);
        PROMISE(length == sizeof body,
                "a body of 900 kB is sent and returned: %s",
                error ? zelf_error_message(error) : "yes");
        zelf_response_free(response);
        zelf_request_free(request);
    }

    zelf_provider_options_set_directory(stored, ".");
    none = zelf_session_provider_new(client, options, stored, &error);
    PROMISE(!none && zelf_error_status(error) == ZELF_ERROR_INVALID_ARGUMENT,
            "a directory for sessions is refused: %s", error ? zelf_error_message(error) : "-");
    zelf_error_free(error);
    zelf_session_free(first);
    zelf_session_free(again);
    zelf_session_free(next);
    zelf_session_provider_free(none);
    zelf_session_provider_free(provider);
    zelf_provider_options_free(stored);
    zelf_session_options_free(options);
    zelf_client_free(client);
}

/* ---- Children */

static void tear_down(void)
{
    host_is_gone = 1;
    Sleep(1000);
}

/* Exits while calls run. Unless they are stalled, callbacks are due, too. */
static int exit_with_calls(int is_stalled)
{
    callback_takes_ms = 20;
    atexit(tear_down);
    start(usual_client(), 50, on_session, NULL);
    if (!is_stalled && !await(&called, 1)) return 8;
    exit(3);
}

static int exit_from_callback(void)
{
    atexit(tear_down);
    start(usual_client(), 1, exit_in_callback, NULL);
    Sleep(AT_ONCE);
    return 8;
}

static int end_process_with_calls(void)
{
    start(usual_client(), 50, on_session, NULL);
    if (!await(&called, 1)) return 8;
    ExitProcess(4);
}

/* Another copy of the library, which is loaded and freed. */
static struct loaded copy;

#define COPY "zelf-copy.dll"

static HMODULE load_copy(void)
{
    HMODULE dll = LoadLibraryA(COPY);
    FARPROC found;
    if (!dll) return NULL;
#define LOAD(function)                                  \
    found = GetProcAddress(dll, #function);             \
    if (!found) return NULL;                            \
    memcpy(&copy.function, &found, sizeof copy.function);
    EACH_LOADED(LOAD)
    return dll;
}

static zelf_client *copys_client(void)
{
    zelf_config *config = copy.zelf_config_new();
    zelf_client *client;
    copy.zelf_config_set_base_url(config, need_env("ZELF_HTTPS"));
    copy.zelf_config_set_ca_file(config, need_env("ZELF_CA"));
    client = copy.zelf_client_new(config, NULL);
    copy.zelf_config_free(config);
    return client;
}

static void on_copys_session(zelf_session *session, zelf_error *error, void *user_data)
{
    (void)user_data;
    if (session) InterlockedIncrement(&succeeded);
    InterlockedIncrement(&called);
    copy.zelf_session_free(session);
    copy.zelf_error_free(error);
}

static void start_copys(zelf_client *client, int count)
{
    while (count-- > 0)
        copy.zelf_call_free(copy.zelf_session_create_async(client, NULL, on_copys_session, NULL,
                                                           on_destroy, NULL));
}

static DWORD WINAPI create_with_copy(void *client)
{
    zelf_session *session = copy.zelf_session_create(client, NULL, NULL);
    copy.zelf_session_free(session);
    return session != NULL;
}

/* Frees the library while its threads live, and `count` calls are in flight. */
static int unload_with(int count)
{
    HMODULE dll = load_copy();
    zelf_client *client;
    if (!dll) return 8;
    client = copys_client();
    start_copys(client, 2);
    if (!await(&called, 2)) return 8;
    start_copys(client, count);
    FreeLibrary(dll);
    if (!await(&destroyed, 2 + count) || succeeded != 2 + count) return 9;
    /* An idle connection of the I/O thread is dropped after a time. */
    Sleep(1000);
    return GetModuleHandleA(COPY) ? 5 : 6;
}

/* Loads and frees it again and again, with threads that have called it and live longer. */
static int unload_often(void)
{
    int round;
    for (round = 0; round < 30; round++) {
        HMODULE dll = load_copy();
        HANDLE thread;
        DWORD fine = 0;
        zelf_client *client;
        if (!dll) return 8;
        client = copys_client();
        thread = CreateThread(NULL, 0, create_with_copy, client, 0, NULL);
        start_copys(client, 2);
        WaitForSingleObject(thread, AT_ONCE);
        GetExitCodeThread(thread, &fine);
        CloseHandle(thread);
        if (!fine || !await(&called, 2 * round + 2)) return 9;
        if (round % 2 && copy.zelf_client_shutdown(client, AT_ONCE) != ZELF_OK) return 10;
        copy.zelf_client_free(client);
        FreeLibrary(dll);
    }
    return 5;
}

/* Returns the status of a child in this mode. */
static DWORD child(const char *mode)
{
    char self[MAX_PATH], line[MAX_PATH + 64];
    STARTUPINFOA how;
    PROCESS_INFORMATION process;
    DWORD status = 0xFFFF;

    GetModuleFileNameA(NULL, self, sizeof self);
    sprintf(line, "\"%s\" %s", self, mode);
    memset(&how, 0, sizeof how);
    how.cb = sizeof how;
    if (!CreateProcessA(self, line, NULL, NULL, TRUE, 0, NULL, NULL, &how, &process)) return status;
    if (WaitForSingleObject(process.hProcess, 3 * AT_ONCE) == WAIT_TIMEOUT)
        TerminateProcess(process.hProcess, 0xFFFE);
    WaitForSingleObject(process.hProcess, AT_ONCE);
    GetExitCodeProcess(process.hProcess, &status);
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
    return status;
}

static void expect_child(const char *mode, DWORD status, const char *promise)
{
    DWORD is = child(mode);
    PROMISE(is == status, "%s: status %lu", promise, is);
}

static void processes_end(void)
{
    int i;
    for (i = 0; i < 3; i++)
        expect_child("exit", 3, "exit with callbacks due: no callback after the host's handlers");
    fault("{\"kind\":\"delay\",\"ms\":100}");
    expect_child("exit-stalled", 3, "exit with calls in flight: no callback after the host's handlers");
    fault(NULL);
    expect_child("exit-callback", 7, "exit inside a callback");
    expect_child("end", 4, "ExitProcess with calls under way");
}

static void the_library_stays_loaded(void)
{
    if (!CopyFileA(need_env("ZELF_DLL"), COPY, FALSE)) {
        PROMISE(0, "zelf.dll can be copied");
        return;
    }
    expect_child("unload", 5, "FreeLibrary with threads alive: the library stays loaded");
    fault("{\"kind\":\"delay\",\"ms\":200}");
    expect_child("unload-calls", 5, "FreeLibrary with calls in flight: each calls back");
    fault(NULL);
    expect_child("unload-often", 5, "30 times LoadLibrary, calls, FreeLibrary");
    DeleteFileA(COPY);
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    WSADATA data;

    main_thread = GetCurrentThreadId();
    if (WSAStartup(MAKEWORD(2, 2), &data) != 0) return 1;
    if (!strcmp(mode, "exit")) return exit_with_calls(0);
    if (!strcmp(mode, "exit-stalled")) return exit_with_calls(1);
    if (!strcmp(mode, "exit-callback")) return exit_from_callback();
    if (!strcmp(mode, "end")) return end_process_with_calls();
    if (!strcmp(mode, "unload")) return unload_with(0);
    if (!strcmp(mode, "unload-calls")) return unload_with(20);
    if (!strcmp(mode, "unload-often")) return unload_often();

    sessions_are_created();
    last_errors_are_unchanged();
    failures_are_told();
    time_limits_are_kept();
    a_dead_connection_is_replaced();
    calls_call_back();
    a_host_may_dispatch();
    a_log_is_written();
    providers_renew();
    processes_end();
    the_library_stays_loaded();
    return failed;
}
