/* zelf_session_free overwrites the token before it gives the memory back. */
#include "check.h"

extern void __libc_free(void *);

static const char *watched;
static size_t watched_length;
static int freed_wiped, freed_readable;

/* Takes the place of the C library's free in this process, ours included. */
void free(void *block)
{
    const char *start = block;
    /* The token lies a few bytes into its block: "Bearer " comes before. */
    if (watched && start && start <= watched && watched < start + 64) {
        size_t i, zeros = 0;
        for (i = 0; i < watched_length; i++) zeros += watched[i] == 0;
        if (zeros == watched_length) freed_wiped++;
        else freed_readable++;
    }
    __libc_free(block);
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
    zelf_client_free(client);
    return check_failed;
}
