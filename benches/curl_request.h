/* One session request by libcurl, with cJSON for the body and the answer. */
#ifndef CURL_REQUEST_H
#define CURL_REQUEST_H

#include <curl/curl.h>
#include <stddef.h>

struct curl_request {
    CURL *curl;
    struct curl_slist *headers;
    char *json;
    char *answer;
    size_t length;
};

/* Makes a handle that serves one request after another. */
struct curl_request *curl_request_new(const char *base_url, const char *ca_file);

/* Sets the body; the handle can be performed then. */
void curl_request_prepare(struct curl_request *request, const char *identifier);

/* Reads the answer that has come. 1: it has a token. */
int curl_request_finish(struct curl_request *request, CURLcode result);

void curl_request_free(struct curl_request *request);

#endif
