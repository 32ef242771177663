/* The token is overwritten before its memory is freed. */
#include "allocator.h"
#include "check.h"

static const char *watched;
static size_t watched_length;
static int freed_wiped, freed_readable;

/* The token of an answer that writes it with escapes, around the first escape. */
#define UNESCAPED "s3cr3t/tok3n"
static int looks_for_copies, copies_freed;

static void look_for_a_copy(const char *start)
{
    size_t size = malloc_usable_size((void *)start), i;
    for (i = 0; i + sizeof UNESCAPED - 1 <= size; i++)
        if (memcmp(start + i, UNESCAPED, sizeof UNESCAPED - 1) == 0) copies_freed++;
}

/* Replaces the C library's free in this process, also for the library. */
void free(void *block)
{
    const char *start = block;
    /* The token starts a few bytes into its block, after "Bearer ". */
    if (watched && start && start <= watched && watched < start + 64) {
        size_t i, zeros = 0;
        for (i = 0; i < watched_length; i++) zeros += watched[i] == 0;
        if (zeros == watched_length) freed_wiped++;
        else freed_readable++;
    }
    if (looks_for_copies && block) look_for_a_copy(block);
    real_free(block);
}

/* Also frees the old block when a block moves. */
void *realloc(void *block, size_t size)
{
    void *moved = real_malloc(size);
    size_t old = block ? malloc_usable_size(block) : 0;
    if (!moved) return NULL;
    if (block) memcpy(moved, block, old < size ? old : size);
    free(block);
    return moved;
}

static void an_escaped_token_leaves_no_copy(zelf_client *client)
{
    static const char body[] = "{\\\"data\\\":{\\\"token\\\":\\\"a.long.s3cr3t\\\\/tok3n"
                               "\\\\u002ewith.more.of.it.behind.the.escapes\\\"}}";
    char raw[512];
    zelf_session *session;

    snprintf(raw, sizeof raw,
             "{\"kind\":\"raw\",\"text\":\"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n"
             "Content-Type: application/json\\r\\n\\r\\n%s\"}",
             (int)strlen("{\"data\":{\"token\":\"a.long.s3cr3t\\/tok3n"
                         "\\u002ewith.more.of.it.behind.the.escapes\"}}"),
             body);
    fault(raw);
    looks_for_copies = 1;
    session = create(client, "wiped-y", NULL);
    PROMISE(session && strstr(zelf_session_token(session), UNESCAPED ".with"),
            "a token may come with escapes: %s", session ? zelf_session_token(session) : "none");
    zelf_session_free(session);
    looks_for_copies = 0;
    PROMISE(copies_freed == 0, "no copy of it is left in freed memory: %d", copies_freed);
    fault(NULL);
}

/* The library copies such a head to replace the control character. Uses plain HTTP, because the
   buffers of the TLS library are not wiped. */
static void a_head_with_a_control_character_leaves_no_copy(void)
{
    static const char body[] = "{\\\"data\\\":{\\\"token\\\":\\\"a.long." UNESCAPED ".token\\\"}}";
    zelf_client *client = sandbox_client(0, 5000, 1);
    zelf_session *session;
    char raw[512];

    snprintf(raw, sizeof raw,
             "{\"kind\":\"raw\",\"text\":\"HTTP/1.1 200 O\\u0001K\\r\\nContent-Length: %d\\r\\n\\r\\n%s\"}",
             (int)strlen("{\"data\":{\"token\":\"a.long." UNESCAPED ".token\"}}"), body);
    fault(raw);
    copies_freed = 0;
    looks_for_copies = 1;
    session = create(client, "wiped-z", NULL);
    PROMISE(session != NULL, "a head may have a control character");
    zelf_session_free(session);
    zelf_client_free(client);
    looks_for_copies = 0;
    PROMISE(copies_freed == 0, "no copy of the token behind it is left in freed memory: %d",
            copies_freed);
    fault(NULL);
}

int main(void)
{
    zelf_client *client = sandbox_client(1, 5000, 1);
    zelf_session *session = create(client, "wiped-x", NULL);

    PROMISE(session && strlen(zelf_session_token(session)) > 100, "there is a token");
    watched_length = strlen(zelf_session_token(session));
    watched = zelf_session_token(session);
    zelf_session_free(session);
    watched = NULL;
    PROMISE(freed_wiped == 1 && freed_readable == 0,
            "the token's memory is freed once, and holds zeros by then");
    an_escaped_token_leaves_no_copy(client);
    a_head_with_a_control_character_leaves_no_copy();
    zelf_client_free(client);
    return check_failed;
}
