/* What a C programmer writes by hand: one kept libcurl handle a thread, and
   cJSON for the answer. */
#include "client.h"
#include "curl_request.h"

static void *start(const char *base_url, const char *ca_file)
{
    return curl_request_new(base_url, ca_file);
}

static int create(void *state, const char *identifier)
{
    struct curl_request *request = state;
    curl_request_prepare(request, identifier);
    return curl_request_finish(request, curl_easy_perform(request->curl));
}

static void stop(void *state) { curl_request_free(state); }

const struct client client = {"libcurl", 0, start, create, stop};
