/* Checks that the session-checked route accepts the token in ZELF_TOKEN. */
#include "check.h"

int main(void)
{
    char authorization[16000];
    int status;
    snprintf(authorization, sizeof authorization, "Bearer %s", need_env("ZELF_TOKEN"));
    status = route_status(authorization);
    printf("%s\n", http_answer);
    return status == 200 ? 0 : 1;
}
