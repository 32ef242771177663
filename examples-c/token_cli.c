/* Prints a valid token: at once, if an earlier run has stored one.
 *
 *   curl -H "Authorization: Bearer $(token_cli)" ...
 *   token_cli [base-url [origin [identifier [ca-file [directory]]]]]
 *
 * The session is stored in ~/.zelf, or in the directory, which must exist then. Without an
 * identifier, the first run makes a random one and stores it there.
 *
 * cc token_cli.c -lzelf
 */
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zelf.h>

static int fail(const char *doing, zelf_error *error)
{
    fprintf(stderr, "%s: %s\n", doing, error ? zelf_error_message(error) : "not possible");
    zelf_error_free(error);
    return EXIT_FAILURE;
}

/* Makes ~/.zelf, for the user alone. */
static int default_directory(char *out, size_t capacity)
{
    const char *home = getenv("HOME");
    int length = snprintf(out, capacity, "%s/.zelf", home ? home : "");

    if (!home || length < 0 || (size_t)length >= capacity)
        return 0;
    mkdir(out, 0700); /* It may be there. */
    return 1;
}

static int read_identifier(const char *path, char *out)
{
    FILE *file = fopen(path, "r");
    int is_whole = file && fgets(out, ZELF_IDENTIFIER_SIZE, file)
                   && strlen(out) == ZELF_IDENTIFIER_SIZE - 1;

    if (file) fclose(file);
    return is_whole;
}

/* Reads the identifier in the directory, or makes one. Another run may be doing the same:
   link fails if the file is there. */
static int keep_identifier(const char *directory, char *out)
{
    char path[4200], made[4230];
    int length = snprintf(path, sizeof path, "%s/identifier", directory);

    if (length < 0 || (size_t)length >= sizeof path)
        return 0;
    if (read_identifier(path, out))
        return 1;
    snprintf(made, sizeof made, "%s.%ld", path, (long)getpid());
    /* A run that was killed may have left one. A link is removed, and not followed. */
    remove(made);
    int descriptor = open(made, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "w");
    int is_written = file && zelf_identifier_random(out, ZELF_IDENTIFIER_SIZE) == ZELF_OK
                     && fputs(out, file) >= 0;
    int is_kept = file && fclose(file) == 0 && is_written && link(made, path) == 0;
    remove(made);
    return is_kept || read_identifier(path, out);
}

int main(int argc, char **argv)
{
    zelf_error *error = NULL;
    char own_directory[4000], own_identifier[ZELF_IDENTIFIER_SIZE];
    const char *identifier = argc > 3 ? argv[3] : own_identifier;
    const char *directory = argc > 5 ? argv[5] : own_directory;

    if (argc <= 5 && !default_directory(own_directory, sizeof own_directory))
        return fail("cannot find the home directory", NULL);
    if (argc <= 3 && !keep_identifier(directory, own_identifier))
        return fail("cannot keep an identifier in the directory", NULL);

    zelf_config *config = zelf_config_new();
    if (argc > 1) zelf_config_set_base_url(config, argv[1]);
    if (argc > 2) zelf_config_set_origin(config, argv[2]);
    if (argc > 4) zelf_config_set_ca_file(config, argv[4]);
    zelf_client *client = zelf_client_new(config, &error);
    zelf_config_free(config);
    if (!client)
        return fail("cannot make a client", error);

    zelf_session_options *options = zelf_session_options_new();
    zelf_session_options_set_identifier(options, identifier);
    /* This process ends before it could confirm the session later, so the session is confirmed
       before it is returned. */
    zelf_session_options_set_confirm(options, true);
    zelf_provider_options *keeping = zelf_provider_options_new();
    zelf_provider_options_set_directory(keeping, directory);
    /* The caller needs time to use the token. */
    zelf_provider_options_set_min_valid_s(keeping, 30);
    zelf_session_provider *provider = zelf_session_provider_new(client, options, keeping, &error);
    zelf_provider_options_free(keeping);
    zelf_session_options_free(options);
    zelf_session *session = provider ? zelf_session_provider_get(provider, &error) : NULL;
    zelf_session_provider_free(provider);
    zelf_client_free(client);
    if (!session)
        return fail("cannot get a session", error);

    int is_printed = printf("%s\n", zelf_session_token(session)) > 0 && fflush(stdout) == 0;
    zelf_session_free(session);
    return is_printed ? EXIT_SUCCESS : EXIT_FAILURE;
}
