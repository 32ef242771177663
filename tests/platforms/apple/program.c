/* A program for a link with stubs, which have the names that the library needs and no others. */
#include "zelf.h"

int main(void)
{
    zelf_config *config = zelf_config_new();
    zelf_client *client = zelf_client_new(config, NULL);
    zelf_session *session = zelf_session_create(client, NULL, NULL);
    zelf_session_free(session);
    zelf_client_free(client);
    zelf_config_free(config);
    return session == NULL;
}
