/* The obvious Rust, behind one function; NAME says which crate. */
#include "client.h"

void *baseline_start(const char *base_url, const char *ca_file);
int baseline_create(void *state, const char *identifier);
void baseline_stop(void *state);

const struct client client = {NAME, 1, baseline_start, baseline_create, baseline_stop};
