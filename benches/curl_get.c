/* A GET with a token, as a C programmer writes it with libcurl: one kept handle a
   thread, and the body in one buffer. */
#include "client.h"
#include "curl_request.h"

#include <stdlib.h>
#include <stdio.h>

static void *start(const char *base_url, const char *ca_file)
{
    struct curl_request *request = curl_request_new(base_url, ca_file);
    char url[512], authorization[512];
    snprintf(url, sizeof url, "%s%s", base_url, TARGET);
    /* As long as a real one. */
    snprintf(authorization, sizeof authorization, "Authorization: Bearer %0330d", 0);
    curl_slist_free_all(request->headers);
    request->headers = curl_slist_append(NULL, "Origin: https://app.example");
    request->headers = curl_slist_append(request->headers, authorization);
    curl_easy_setopt(request->curl, CURLOPT_HTTPHEADER, request->headers);
    curl_easy_setopt(request->curl, CURLOPT_URL, url);
    return request;
}

static int get(void *state, const char *identifier)
{
    struct curl_request *request = state;
    CURLcode result = curl_easy_perform(request->curl);
    long http_status = 0;
    int fine;
    (void)identifier;
    curl_easy_getinfo(request->curl, CURLINFO_RESPONSE_CODE, &http_status);
    fine = result == CURLE_OK && http_status == 200 && request->length == SIZE;
    free(request->answer);
    request->answer = NULL;
    request->length = 0;
    return fine;
}

static void stop(void *state) { curl_request_free(state); }

const struct client client = {"libcurl", 0, start, get, stop};
