/* careless MISTAKE: makes a mistake of a host, to test that memcheck reports it. */
#include "check.h"

/* Returns a string whose first byte is uninitialized. */
static char *unwritten_string(void)
{
    char *text = malloc(16);
    strcpy(text + 1, "-installation");
    return text;
}

int main(int count, char **arguments)
{
    const char *mistake = count > 1 ? arguments[1] : "";
    int is_unwritten = strcmp(mistake, "unwritten") == 0;
    char *identifier = is_unwritten ? unwritten_string() : strdup("an-installation");
    zelf_client *client = sandbox_client(1, 5000, 1);
    zelf_session *session = create(client, identifier, NULL);

    if (strcmp(mistake, "leaked") == 0) session = NULL;
    if (strcmp(mistake, "freed") == 0) {
        const char *token = zelf_session_token(session);
        zelf_session_free(session);
        session = NULL;
        putchar(token[0]);
    }
    zelf_session_free(session);
    zelf_client_free(client);
    free(identifier);
    return 0;
}
