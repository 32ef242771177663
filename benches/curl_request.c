#include "curl_request.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t collect(char *bytes, size_t size, size_t count, void *into)
{
    struct curl_request *request = into;
    size_t more = size * count;
    char *grown = realloc(request->answer, request->length + more + 1);
    if (!grown) return 0;
    memcpy(grown + request->length, bytes, more);
    request->answer = grown;
    request->length += more;
    grown[request->length] = '\0';
    return more;
}

struct curl_request *curl_request_new(const char *base_url, const char *ca_file)
{
    struct curl_request *request = calloc(1, sizeof *request);
    char url[512];
    if (!request) return NULL;
    snprintf(url, sizeof url, "%s/api/sessions", base_url);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    request->curl = curl_easy_init();
    request->headers = curl_slist_append(NULL, "Content-Type: application/json");
    request->headers = curl_slist_append(request->headers, "Origin: https://app.example");
    curl_easy_setopt(request->curl, CURLOPT_URL, url);
    curl_easy_setopt(request->curl, CURLOPT_HTTPHEADER, request->headers);
    if (ca_file) curl_easy_setopt(request->curl, CURLOPT_CAINFO, ca_file);
    curl_easy_setopt(request->curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(request->curl, CURLOPT_TIMEOUT_MS, 15000L);
    curl_easy_setopt(request->curl, CURLOPT_CONNECTTIMEOUT_MS, 5000L);
    curl_easy_setopt(request->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(request->curl, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(request->curl, CURLOPT_WRITEDATA, request);
    return request;
}

void curl_request_prepare(struct curl_request *request, const char *identifier)
{
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "identifier", identifier);
    request->json = cJSON_PrintUnformatted(body);
    cJSON_Delete(body);
    curl_easy_setopt(request->curl, CURLOPT_POSTFIELDS, request->json);
}

int curl_request_finish(struct curl_request *request, CURLcode result)
{
    long http_status = 0;
    int fine = 0;

    if (result == CURLE_OK) {
        cJSON *answer = cJSON_Parse(request->answer);
        const cJSON *data = cJSON_GetObjectItemCaseSensitive(answer, "data");
        const cJSON *token = cJSON_GetObjectItemCaseSensitive(data, "token");
        curl_easy_getinfo(request->curl, CURLINFO_RESPONSE_CODE, &http_status);
        if (http_status == 200 && cJSON_IsString(token)) {
            char *kept = strdup(token->valuestring);
            fine = kept && cJSON_GetObjectItemCaseSensitive(data, "expiresAt") != NULL;
            free(kept);
        }
        cJSON_Delete(answer);
    }
    free(request->json);
    free(request->answer);
    request->json = request->answer = NULL;
    request->length = 0;
    return fine;
}

void curl_request_free(struct curl_request *request)
{
    curl_slist_free_all(request->headers);
    curl_easy_cleanup(request->curl);
    free(request);
}
