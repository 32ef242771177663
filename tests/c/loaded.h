/* The functions that a program takes from a library which it loads and unloads. */
#ifndef LOADED_H
#define LOADED_H

#include <zelf.h>

struct loaded {
    zelf_config *(*zelf_config_new)(void);
    void (*zelf_config_set_base_url)(zelf_config *, const char *);
    void (*zelf_config_set_ca_file)(zelf_config *, const char *);
    void (*zelf_config_free)(zelf_config *);
    zelf_client *(*zelf_client_new)(const zelf_config *, zelf_error **);
    void (*zelf_client_free)(zelf_client *);
    zelf_status (*zelf_client_shutdown)(zelf_client *, uint32_t);
    zelf_session *(*zelf_session_create)(zelf_client *, const zelf_session_options *, zelf_error **);
    zelf_call *(*zelf_session_create_async)(zelf_client *, const zelf_session_options *,
                                            zelf_session_callback, void *, zelf_destroy_callback,
                                            zelf_error **);
    void (*zelf_call_free)(zelf_call *);
    void (*zelf_session_free)(zelf_session *);
    void (*zelf_error_free)(zelf_error *);
};

/* X(name) for each of them. */
#define EACH_LOADED(X) \
    X(zelf_config_new) X(zelf_config_set_base_url) X(zelf_config_set_ca_file) \
    X(zelf_config_free) X(zelf_client_new) X(zelf_client_free) \
    X(zelf_client_shutdown) X(zelf_session_create) X(zelf_session_create_async) \
    X(zelf_call_free) X(zelf_session_free) X(zelf_error_free)

#endif
