/* What a C programmer writes by hand: one kept libcurl handle a thread, and
   cJSON for the answer. */
#include "client.h"

#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

struct body {
    char *bytes;
    size_t length;
};

static size_t collect(char *bytes, size_t size, size_t count, void *into)
{
    struct body *body = into;
    size_t more = size * count;
    char *grown = realloc(body->bytes, body->length + more + 1);
    if (!grown) return 0;
    memcpy(grown + body->length, bytes, more);
    body->bytes = grown;
    body->length += more;
    grown[body->length] = '\0';
    return more;
}

struct handle {
    CURL *curl;
    struct curl_slist *headers;
};

static void *start(const char *base_url, const char *ca_file)
{
    struct handle *handle = calloc(1, sizeof *handle);
    char url[512];
    snprintf(url, sizeof url, "%s/api/sessions", base_url);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    handle->curl = curl_easy_init();
    handle->headers = curl_slist_append(NULL, "Content-Type: application/json");
    handle->headers = curl_slist_append(handle->headers, "Origin: https://app.example");
    curl_easy_setopt(handle->curl, CURLOPT_URL, url);
    curl_easy_setopt(handle->curl, CURLOPT_HTTPHEADER, handle->headers);
    if (ca_file) curl_easy_setopt(handle->curl, CURLOPT_CAINFO, ca_file);
    curl_easy_setopt(handle->curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(handle->curl, CURLOPT_TIMEOUT_MS, 15000L);
    curl_easy_setopt(handle->curl, CURLOPT_CONNECTTIMEOUT_MS, 5000L);
    curl_easy_setopt(handle->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle->curl, CURLOPT_WRITEFUNCTION, collect);
    return handle;
}

static int create(void *state, const char *identifier)
{
    struct handle *handle = state;
    struct body body = {NULL, 0};
    cJSON *request = cJSON_CreateObject(), *answer = NULL;
    const cJSON *data, *token = NULL;
    char *json, *kept = NULL;
    long http_status = 0;
    int fine = 0;

    cJSON_AddStringToObject(request, "identifier", identifier);
    json = cJSON_PrintUnformatted(request);
    curl_easy_setopt(handle->curl, CURLOPT_POSTFIELDS, json);
    curl_easy_setopt(handle->curl, CURLOPT_WRITEDATA, &body);
    if (curl_easy_perform(handle->curl) == CURLE_OK) {
        curl_easy_getinfo(handle->curl, CURLINFO_RESPONSE_CODE, &http_status);
        answer = cJSON_Parse(body.bytes);
        data = cJSON_GetObjectItemCaseSensitive(answer, "data");
        token = cJSON_GetObjectItemCaseSensitive(data, "token");
        if (http_status == 200 && cJSON_IsString(token)) {
            kept = strdup(token->valuestring);
            fine = kept && cJSON_GetObjectItemCaseSensitive(data, "expiresAt") != NULL;
        }
    }
    free(kept);
    cJSON_Delete(answer);
    cJSON_Delete(request);
    free(json);
    free(body.bytes);
    return fine;
}

static void stop(void *state)
{
    struct handle *handle = state;
    curl_slist_free_all(handle->headers);
    curl_easy_cleanup(handle->curl);
    free(handle);
}

const struct client client = {"libcurl", 0, start, create, stop};
