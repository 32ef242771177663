/* heap URL CA-FILE CALLS: the heap in use and the resident memory after a thousand
   calls, and after the last, as JSON. */
#define _GNU_SOURCE
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zelf.h>

static long resident_kib(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%*s %ld", &pages) != 1) exit(1);
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

int main(int argc, char **argv)
{
    zelf_config *config = zelf_config_new();
    zelf_session_options *options = zelf_session_options_new();
    zelf_client *client;
    size_t heap[2] = {0, 0};
    long resident[2] = {0, 0}, calls, i;

    if (argc < 4) return 2;
    calls = atol(argv[3]);
    zelf_config_set_base_url(config, argv[1]);
    zelf_config_set_ca_file(config, argv[2]);
    client = zelf_client_new(config, NULL);
    zelf_config_free(config);
    zelf_session_options_set_identifier(options, "heap-x");
    resident_kib(); /* stdio keeps what it allocates for its first file */
    for (i = 1; i <= calls; i++) {
        zelf_session *session = zelf_session_create(client, options, NULL);
        if (!session) return 1;
        zelf_session_free(session);
        if (i == 1000 || i == calls) {
            heap[i > 1000] = mallinfo2().uordblks;
            resident[i > 1000] = resident_kib();
        }
    }
    printf("{\"heap\":[%zu,%zu],\"resident_kib\":[%ld,%ld]}\n", heap[0], heap[1], resident[0],
           resident[1]);
    zelf_client_free(client);
    zelf_session_options_free(options);
    return 0;
}
