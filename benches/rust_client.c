/* What baselines/ has in Rust. NAME says which crate, SHARED whether all threads
   use one client. */
#include "client.h"

void *baseline_start(const char *base_url, const char *ca_file);
int baseline_create(void *state, const char *identifier);
void baseline_stop(void *state);

const struct client client = {NAME, SHARED, baseline_start, baseline_create, baseline_stop};
