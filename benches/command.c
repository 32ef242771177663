/* command BASE_URL CA_FILE DIRECTORY: prints a token, as a command-line tool does that
   lives for one request. With "-" for DIRECTORY nothing is stored. */
#include "provider.h"

int main(int argc, char **argv)
{
    struct provider provider;
    zelf_session *session;

    if (argc != 4) return 2;
    provider = provider_start(argv[1], argv[2], argv[3], 0);
    session = zelf_session_provider_get(provider.provider, NULL);
    must(session != NULL, "a get");
    puts(zelf_session_token(session));
    fflush(stdout);
    zelf_session_free(session);
    provider_stop(provider);
    return 0;
}
