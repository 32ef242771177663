/* Replays every recorded response of the real server byte for byte, and checks what a caller gets.
   The first argument is the folder of recordings. */
#include <dirent.h>

#include "raw.h"

static const struct expectation {
    const char *file;
    const char *identifier; /* as the recorded request sent it */
    const char *tag_name;
    zelf_status status;
    int32_t http_status;
    const char *server_message;
} expectations[] = {
    {"01-empty-object", NULL, NULL, ZELF_OK, 0, NULL},
    {"02-no-body-no-ct", NULL, NULL, ZELF_OK, 0, NULL},
    {"06-full", "full-zz_a", "alice.avax", ZELF_OK, 0, NULL},
    {"07-full-again", "full-zz_a", NULL, ZELF_OK, 0, NULL},
    {"08-full-later", "full-zz_a", NULL, ZELF_OK, 0, NULL},
    {"09-kill", "full-zz_a", NULL, ZELF_OK, 0, NULL},
    {"10a-idA", "same_ip_A", NULL, ZELF_OK, 0, NULL},
    {"10b-idB", "same_ip_B", NULL, ZELF_OK, 0, NULL},
    {"11a-tag", "tagger_1x", "bob.zelf", ZELF_OK, 0, NULL},
    /* A tag name may return another identifier's session, as requested. */
    {"11b-tag-otherid", "tagger_2x", "bob.zelf", ZELF_OK, 0, NULL},
    {"12a-badtype", "badtype_a", NULL, ZELF_OK, 0, NULL},
    {"13a-date-id", "my-device-1", NULL, ZELF_OK, 0, NULL},
    {"13b-date-id-again", "my-device-1", NULL, ZELF_OK, 0, NULL},
    {"14a-unicode", "\xd0\xb8\xd0\xb4-\xe6\x97\xa5\xe6\x9c\xac-\xf0\x9f\x98\x80\xc3\xa9", NULL, ZELF_OK, 0, NULL},
    /* An interim 100 comes before the answer. */
    {"17b-json-1MiB+1", "large_a", NULL, ZELF_ERROR_BAD_REQUEST, 413, "request entity too large"},
    {"18a-no-origin", "noorig_a", NULL, ZELF_ERROR_REJECTED_ORIGIN, 403, "rejected"},
    {"18b-empty-origin", "noorig_a", NULL, ZELF_ERROR_REJECTED_ORIGIN, 403, "rejected"},
    {"19a-malformed", NULL, NULL, ZELF_ERROR_BAD_REQUEST, 400, "Bad Request"},
    /* The server read no identifier, and returned the session of another caller. */
    {"20b-text", "text_a", NULL, ZELF_ERROR_FOREIGN_SESSION, 200, NULL},
    {"21a-get", NULL, NULL, ZELF_ERROR_UNAUTHORIZED, 401, "Protected resource, use Authorization header to get access"},
    {"22c-dup-other-ip", "dup_ip", NULL, ZELF_OK, 0, NULL},
    {"30a-new", "exp_a", NULL, ZELF_OK, 0, NULL},
    {"30b-age590", "exp_a", NULL, ZELF_OK, 0, NULL},
    /* The same answer comes again, also for the kill, so the session is still expired. */
    {"30c-expired-unreaped", "exp_a", NULL, ZELF_ERROR_SESSION_EXPIRED, 200, NULL},
    {"30d-use-expired-zns", "exp_a", NULL, ZELF_ERROR_BAD_RESPONSE, 200, NULL},
    {"30e-kill-expired", "exp_a", NULL, ZELF_OK, 0, NULL},
    {"30f-oldtoken-after-kill", "exp_a", NULL, ZELF_ERROR_SESSION_NOT_ACTIVE, 403, "Session is not active"},
    {"30g-newtoken", "exp_a", NULL, ZELF_ERROR_BAD_RESPONSE, 200, NULL},
    {"30h-reaped-zns", "exp_a", NULL, ZELF_ERROR_SESSION_NOT_ACTIVE, 403, "Session is not active"},
    {"30k-new-after-reap", "exp_a", NULL, ZELF_OK, 0, NULL},
    {"31d-global-3001", "lim_g", NULL, ZELF_ERROR_LIMIT_EXCEEDED, 401, "Invalid session"},
    {"31e-create-while-over-limit", "lim_g", NULL, ZELF_OK, 0, NULL},
    {"31g-kill", "lim_g", NULL, ZELF_OK, 0, NULL},
    {"32b-search-300", "lim_g", NULL, ZELF_ERROR_LIMIT_EXCEEDED, 403, "Search limit exceeded"},
    {"40a-bearer", NULL, NULL, ZELF_ERROR_BAD_RESPONSE, 200, NULL},
    {"40n-none", NULL, NULL, ZELF_ERROR_UNAUTHORIZED, 401, "Protected resource, use Authorization header to get access"},
    {"40q-badsig", NULL, NULL, ZELF_ERROR_UNAUTHORIZED, 401, "Protected resource, use Authorization header to get access"},
    {"50a-key", NULL, NULL, ZELF_ERROR_BAD_RESPONSE, 200, NULL},
    {"50c-noid", NULL, NULL, ZELF_ERROR_VALIDATION, 409, "missing identifier"},
    {"60a-nodb-startup", NULL, NULL, ZELF_ERROR_STARTING_UP, 404, "Not Found"},
    {"62a-mongo-down", NULL, NULL, ZELF_ERROR_SERVER, 500, "connect ECONNREFUSED 127.0.0.1:27917"},
};

#define EXPECTATIONS (sizeof expectations / sizeof *expectations)

/* Returns the response as received: the text after the line with the command. The recorder added
   one line feed at its end. */
static char *recorded_response(const char *folder, const char *name)
{
    static char text[16384];
    char path[4096], *start;
    size_t length;
    FILE *file;

    snprintf(path, sizeof path, "%s/%s.txt", folder, name);
    file = fopen(path, "rb");
    if (!file) return NULL;
    length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = '\0';
    start = strstr(text, "HTTP/1.1 ");
    if (start && length && text[length - 1] == '\n') text[length - 1] = '\0';
    return start;
}

static int session_is_the_recorded_one(const zelf_session *session, const char *response)
{
    const char *token = strstr(response, "\"token\":\"");
    const char *activated = strstr(response, "\"activatedAt\":");
    const char *expires = strstr(response, "\"expiresAt\":");
    size_t length;

    if (!session || !token || !activated || !expires) return 0;
    token += strlen("\"token\":\"");
    length = strcspn(token, "\"");
    return strlen(zelf_session_token(session)) == length
        && strncmp(zelf_session_token(session), token, length) == 0
        && zelf_session_activated_at(session) == atoll(activated + strlen("\"activatedAt\":"))
        && zelf_session_expires_at(session) == atoll(expires + strlen("\"expiresAt\":"))
        && zelf_session_id(session) && strlen(zelf_session_id(session)) == 24
        && zelf_session_identifier(session) && zelf_session_seconds_left(session) > 0;
}

static int same_text(const char *one, const char *other)
{
    return one && other ? strcmp(one, other) == 0 : one == other;
}

static void replay(zelf_client *client, const struct expectation *expected, const char *folder)
{
    const char *response = recorded_response(folder, expected->file);
    zelf_session_options *options = zelf_session_options_new();
    zelf_session *session;
    zelf_error *error = NULL;

    if (!response) {
        PROMISE(0, "%s can be read", expected->file);
        zelf_session_options_free(options);
        return;
    }
    answer_with(response, strlen(response));
    zelf_session_options_set_identifier(options, expected->identifier);
    zelf_session_options_set_tag_name(options, expected->tag_name);
    session = zelf_session_create(client, options, &error);
    if (expected->status == ZELF_OK)
        PROMISE(session_is_the_recorded_one(session, response), "%s is the recorded session: %s",
                expected->file, error ? zelf_error_message(error) : "");
    else {
        PROMISE(!session, "%s is no session", expected->file);
        PROMISE(zelf_error_status(error) == expected->status, "%s is %s: %s", expected->file,
                zelf_status_name(expected->status), error ? zelf_error_message(error) : "-");
        PROMISE(zelf_error_http_status(error) == expected->http_status, "%s has HTTP status %d: %d",
                expected->file, expected->http_status, zelf_error_http_status(error));
        PROMISE(same_text(zelf_error_server_message(error), expected->server_message),
                "%s has the server's words: %s", expected->file,
                error && zelf_error_server_message(error) ? zelf_error_server_message(error) : "-");
    }
    zelf_session_free(session);
    zelf_error_free(error);
    zelf_session_options_free(options);
}

/* The session is expired on arrival. Then comes the recorded answer to the kill. */
static void an_expired_session_is_replaced(zelf_client *client, const char *folder)
{
    static char expired[40000];
    char encoded[32768];
    zelf_session *session;
    const char *response = recorded_response(folder, "30c-expired-unreaped");

    base64(response, strlen(response), encoded);
    snprintf(expired, sizeof expired,
             "{\"kind\":\"raw\",\"keep\":true,\"times\":1,\"base64\":\"%s\"}", encoded);
    fault(expired);
    response = recorded_response(folder, "30e-kill-expired");
    base64(response, strlen(response), encoded);
    snprintf(expired, sizeof expired, "{\"kind\":\"raw\",\"keep\":true,\"base64\":\"%s\"}", encoded);
    sandbox("POST", "/sandbox/faults", expired);
    forget_requests();
    session = create(client, "exp_a", NULL);
    PROMISE(session_is_the_recorded_one(session, response) && requests_arrived() == 2,
            "30c-expired-unreaped is replaced by 30e-kill-expired, with two requests");
    zelf_session_free(session);
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : "tests/exchanges";
    zelf_client *client = sandbox_client(1, 2000, 1);
    struct dirent *entry;
    DIR *dir = opendir(folder);
    size_t i, files = 0;

    for (i = 0; i < EXPECTATIONS; i++) replay(client, &expectations[i], folder);
    an_expired_session_is_replaced(client, folder);
    while (dir && (entry = readdir(dir)) != NULL) files += strstr(entry->d_name, ".txt") != NULL;
    if (dir) closedir(dir);
    PROMISE(files == EXPECTATIONS, "all %lu recordings are replayed", (unsigned long)files);
    zelf_client_free(client);
    return check_failed;
}
