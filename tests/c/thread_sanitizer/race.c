/* A race inside the library, to test that it is reported. */
#include <pthread.h>

#include "check.h"

void zelf_test_race(void);

static void *races(void *nothing)
{
    int i;
    for (i = 0; i < 1000; i++) zelf_test_race();
    return nothing;
}

int main(void)
{
    pthread_t other;
    pthread_create(&other, NULL, races, NULL);
    races(NULL);
    pthread_join(other, NULL);
    return 0;
}
