-- zelf.lua: sessions of the Zelf API for LuaJIT, by libzelf.
--
--   local zelf = require("zelf")
--   local client = assert(zelf.client())
--   local session = assert(client:create { identifier = "5f0c6a3e8d2b4c71" })
--   send_with(session:authorization())
--
-- A function that fails returns nil and an error (see Error). A misuse raises an error: an
-- argument of another type, an unknown setting, an object that is closed.
--
-- Blocking calls return when the answer is there. client:start, provider:start_get and
-- provider:start_send return a Call at once. client:dispatch hands its result over on the
-- thread that calls it: wait until client:descriptor is readable, or use call:wait.
--
-- There is no log and no renewed callback. The library calls both on its own thread, and
-- LuaJIT does not survive a callback from another thread.
--
-- SPDX-License-Identifier: MIT OR Apache-2.0

local ffi = require("ffi")

-- Written by bindings/generate from include/zelf.h: do not edit.
ffi.cdef [[
typedef struct zelf_error zelf_error;
typedef struct zelf_config zelf_config;
typedef struct zelf_client zelf_client;
typedef struct zelf_session_options zelf_session_options;
typedef struct zelf_session zelf_session;
typedef struct zelf_call zelf_call;
typedef struct zelf_provider_options zelf_provider_options;
typedef struct zelf_session_provider zelf_session_provider;
typedef struct zelf_request zelf_request;
typedef struct zelf_response zelf_response;
typedef int32_t zelf_status;
typedef int32_t zelf_log_level;
typedef int32_t zelf_session_type;
typedef int32_t zelf_renewal;
typedef void (*zelf_log_callback)(zelf_log_level level, const char *message, void *user_data);
typedef void (*zelf_destroy_callback)(void *user_data);
typedef void (*zelf_session_callback)(zelf_session *session, zelf_error *error, void *user_data);
typedef void (*zelf_renewed_callback)(const zelf_session *session, void *user_data);
typedef void (*zelf_response_callback)(zelf_response *response, zelf_error *error, void *user_data);
const char *zelf_version(void);
const char *zelf_status_name(zelf_status status);
const char *zelf_status_message(zelf_status status);
zelf_status zelf_error_status(const zelf_error *error);
const char *zelf_error_message(const zelf_error *error);
int32_t zelf_error_http_status(const zelf_error *error);
const char *zelf_error_server_message(const zelf_error *error);
bool zelf_error_is_retryable(const zelf_error *error);
uint64_t zelf_error_retry_after_ms(const zelf_error *error);
void zelf_error_free(zelf_error *error);
zelf_config *zelf_config_new(void);
void zelf_config_set_base_url(zelf_config *config, const char *url);
void zelf_config_set_origin(zelf_config *config, const char *origin);
void zelf_config_set_user_agent(zelf_config *config, const char *agent);
void zelf_config_set_timeout_ms(zelf_config *config, uint32_t ms);
void zelf_config_set_connect_timeout_ms(zelf_config *config, uint32_t ms);
void zelf_config_set_max_attempts(zelf_config *config, uint32_t attempts);
void zelf_config_set_ca_file(zelf_config *config, const char *pem_path);
void zelf_config_set_ca_pem(zelf_config *config, const char *pem, size_t length);
void zelf_config_add_pin(zelf_config *config, const char *spki_sha256_base64);
void zelf_config_set_proxy(zelf_config *config, const char *url);
void zelf_config_set_proxy_from_env(zelf_config *config, bool from_env);
void zelf_config_set_log_callback(zelf_config *config, zelf_log_callback callback, void *user_data,
    zelf_destroy_callback destroy, zelf_log_level level);
void zelf_config_set_dispatch(zelf_config *config, bool by_host);
void zelf_config_free(zelf_config *config);
zelf_client *zelf_client_new(const zelf_config *config, zelf_error **error);
const char *zelf_client_base_url(const zelf_client *client);
const char *zelf_client_origin(const zelf_client *client);
zelf_status zelf_client_shutdown(zelf_client *client, uint32_t timeout_ms);
int zelf_client_descriptor(zelf_client *client);
zelf_status zelf_client_dispatch(zelf_client *client);
void zelf_client_free(zelf_client *client);
zelf_status zelf_identifier_derive(const char *device_id, char *out, size_t capacity);
zelf_status zelf_identifier_random(char *out, size_t capacity);
zelf_session_options *zelf_session_options_new(void);
void zelf_session_options_set_identifier(zelf_session_options *options, const char *identifier);
void zelf_session_options_set_type(zelf_session_options *options, zelf_session_type session_type);
void zelf_session_options_set_web_extension(zelf_session_options *options, bool is_web_extension);
void zelf_session_options_set_domain(zelf_session_options *options, const char *domain);
void zelf_session_options_set_tag_name(zelf_session_options *options, const char *tag_name);
void zelf_session_options_set_eth_address(zelf_session_options *options, const char *eth_address);
void zelf_session_options_set_kill_session(zelf_session_options *options, bool kill_session);
void zelf_session_options_set_confirm(zelf_session_options *options, bool confirm);
void zelf_session_options_free(zelf_session_options *options);
const char *zelf_session_token(const zelf_session *session);
const char *zelf_session_authorization(const zelf_session *session);
const char *zelf_session_id(const zelf_session *session);
const char *zelf_session_identifier(const zelf_session *session);
const char *zelf_session_domain(const zelf_session *session);
const char *zelf_session_tag_name(const zelf_session *session);
const char *zelf_session_eth_address(const zelf_session *session);
int64_t zelf_session_activated_at(const zelf_session *session);
int64_t zelf_session_expires_at(const zelf_session *session);
int64_t zelf_session_seconds_left(const zelf_session *session);
void zelf_session_free(zelf_session *session);
void zelf_call_cancel(zelf_call *call);
void zelf_call_free(zelf_call *call);
zelf_session *zelf_session_create(zelf_client *client, const zelf_session_options *options,
    zelf_error **error);
zelf_call *zelf_session_create_async(zelf_client *client, const zelf_session_options *options,
    zelf_session_callback callback, void *user_data, zelf_destroy_callback destroy,
    zelf_error **error);
zelf_provider_options *zelf_provider_options_new(void);
void zelf_provider_options_set_min_valid_s(zelf_provider_options *options, uint32_t seconds);
void zelf_provider_options_set_renewal(zelf_provider_options *options, zelf_renewal renewal);
void zelf_provider_options_set_background(zelf_provider_options *options, bool background);
void zelf_provider_options_set_directory(zelf_provider_options *options, const char *path);
void zelf_provider_options_set_renewed_callback(zelf_provider_options *options,
    zelf_renewed_callback callback, void *user_data, zelf_destroy_callback destroy);
void zelf_provider_options_free(zelf_provider_options *options);
zelf_session_provider *zelf_session_provider_new(zelf_client *client,
    const zelf_session_options *options, const zelf_provider_options *provider, zelf_error **error);
zelf_session *zelf_session_provider_get(zelf_session_provider *provider, zelf_error **error);
zelf_call *zelf_session_provider_get_async(zelf_session_provider *provider,
    zelf_session_callback callback, void *user_data, zelf_destroy_callback destroy,
    zelf_error **error);
zelf_session *zelf_session_provider_current(zelf_session_provider *provider);
bool zelf_session_provider_invalidate(zelf_session_provider *provider,
    const zelf_session *rejected);
bool zelf_session_provider_invalidate_if_refused(zelf_session_provider *provider,
    const zelf_session *session, int32_t http_status, const void *body, size_t length);
zelf_error *zelf_session_provider_last_error(const zelf_session_provider *provider);
void zelf_session_provider_free(zelf_session_provider *provider);
zelf_request *zelf_request_new(const char *method, const char *target);
void zelf_request_set_header(zelf_request *request, const char *name, const char *value);
void zelf_request_set_body(zelf_request *request, const void *bytes, size_t length,
    const char *content_type);
void zelf_request_set_timeout_ms(zelf_request *request, uint32_t ms);
void zelf_request_set_max_response_bytes(zelf_request *request, size_t bytes);
void zelf_request_set_repeatable(zelf_request *request, bool repeatable);
void zelf_request_free(zelf_request *request);
int32_t zelf_response_http_status(const zelf_response *response);
const char *zelf_response_header(const zelf_response *response, const char *name);
const void *zelf_response_body(const zelf_response *response, size_t *length);
const char *zelf_response_server_message(const zelf_response *response);
void zelf_response_free(zelf_response *response);
zelf_response *zelf_session_provider_send(zelf_session_provider *provider,
    const zelf_request *request, zelf_error **error);
zelf_call *zelf_session_provider_send_async(zelf_session_provider *provider,
    const zelf_request *request, zelf_response_callback callback, void *user_data,
    zelf_destroy_callback destroy, zelf_error **error);
zelf_response *zelf_session_send(zelf_client *client, const zelf_session *session,
    const zelf_request *request, zelf_error **error);
zelf_call *zelf_session_send_async(zelf_client *client, const zelf_session *session,
    const zelf_request *request, zelf_response_callback callback, void *user_data,
    zelf_destroy_callback destroy, zelf_error **error);
]]
local ABI = {
    VERSION = "0.1.0",
    VERSION_MAJOR = 0,
    VERSION_MINOR = 1,
    VERSION_PATCH = 0,
    OK = 0,
    ERROR_INVALID_ARGUMENT = 1,
    ERROR_INVALID_CONFIG = 2,
    ERROR_PANIC = 3,
    ERROR_SYSTEM = 4,
    ERROR_CANCELLED = 5,
    ERROR_SHUT_DOWN = 6,
    ERROR_FORKED = 7,
    ERROR_DNS = 10,
    ERROR_CONNECT = 11,
    ERROR_TLS = 12,
    ERROR_TIMEOUT = 13,
    ERROR_CONNECTION_LOST = 14,
    ERROR_PIN_MISMATCH = 15,
    ERROR_PROXY = 16,
    ERROR_BAD_RESPONSE = 20,
    ERROR_RESPONSE_TOO_LARGE = 21,
    ERROR_REDIRECTED = 22,
    ERROR_REJECTED_ORIGIN = 30,
    ERROR_UNAUTHORIZED = 31,
    ERROR_FORBIDDEN = 32,
    ERROR_BAD_REQUEST = 33,
    ERROR_VALIDATION = 34,
    ERROR_NOT_FOUND = 35,
    ERROR_STARTING_UP = 36,
    ERROR_LIMIT_EXCEEDED = 37,
    ERROR_SESSION_NOT_ACTIVE = 38,
    ERROR_RATE_LIMITED = 39,
    ERROR_SERVER = 40,
    ERROR_UNEXPECTED_HTTP_STATUS = 41,
    ERROR_SESSION_EXPIRED = 50,
    ERROR_FOREIGN_SESSION = 51,
    ERROR_GHOST_SESSION = 52,
    ERROR_OTHER_OPTIONS = 53,
    LOG_ERROR = 1,
    LOG_WARNING = 2,
    LOG_INFO = 3,
    LOG_DEBUG = 4,
    IDENTIFIER_SIZE = 33,
    SESSION_TYPE_GENERAL = 0,
    SESSION_TYPE_CREATE_WALLET = 1,
    SESSION_TYPE_DECRYPT_WALLET = 2,
    SESSION_TYPE_IMPORT_WALLET = 3,
    RENEWAL_AT_EXPIRY = 0,
    RENEWAL_NEVER_KILL = 1,
    RENEWAL_EARLY = 2,
}
-- The end of what bindings/generate has written.

-- The names after __asm__ are those of the C library. These types and functions have names
-- that no other module declares.
ffi.cdef [[
typedef struct { int fd; short events, revents; } zelf_lua_pollfd;
typedef struct { long seconds, nanoseconds; } zelf_lua_timespec;
int zelf_lua_poll(zelf_lua_pollfd *fds, unsigned long count, int timeout_ms) __asm__("poll");
int zelf_lua_clock(int clock, zelf_lua_timespec *time) __asm__("clock_gettime");
]]

-- The module. `json` is a module with encode and decode; nil loads cjson when it is needed.
local zelf = { json = nil }
for name, value in pairs(ABI) do
    zelf[name] = value
end

---- Misuse and arguments

local this_file = debug.getinfo(1, "S").source

-- Raises an error at the place that called this file.
local function misuse(message, ...)
    local level = 2
    while (debug.getinfo(level, "S") or {}).source == this_file do
        level = level + 1
    end
    error("zelf: " .. message:format(...), level)
end

local function check(name, value, kind)
    if type(value) ~= kind then
        misuse("%s is a %s, not a %s", name, kind, type(value))
    end
    return value
end

-- A kind of a setting checks a value and returns what C takes.
local function bytes(name, value)
    return check(name, value, "string")
end

local function text(name, value)
    -- C would end the string there.
    if check(name, value, "string"):find("\0", 1, true) then
        misuse("%s contains a NUL", name)
    end
    return value
end

local function flag(name, value)
    return check(name, value, "boolean")
end

local function integer(lowest, highest)
    return function(name, value)
        check(name, value, "number")
        -- LuaJIT would convert any other number to some integer.
        if not (value >= lowest and value <= highest and value % 1 == 0) then
            misuse("%s is an integer from %.0f to %.0f, not %s", name, lowest, highest, value)
        end
        return value
    end
end

local uint32, int32 = integer(0, 2 ^ 32 - 1), integer(-2 ^ 31, 2 ^ 31 - 1)

---- The library

local lib

-- Loads the library from this path or name, or from where the system's loader finds it. The
-- first call of any function does it without a path.
function zelf.load(path)
    if lib then
        misuse("the library is already loaded")
    end
    path = path or ({ Windows = "zelf", OSX = "libzelf.dylib" })[ffi.os] or "libzelf.so.0"
    local loaded = ffi.load(path)
    local version = ffi.string(loaded.zelf_version())
    local major, minor = version:match("^(%d+)%.(%d+)")
    major, minor = tonumber(major), tonumber(minor)
    if major < ABI.VERSION_MAJOR or major == ABI.VERSION_MAJOR and minor < ABI.VERSION_MINOR then
        misuse("%s has version %s, and version %s or newer is needed", path, version, ABI.VERSION)
    end
    lib = loaded
end

local function load()
    if not lib then
        zelf.load()
    end
end

-- Returns the version of the library.
function zelf.version()
    load()
    return ffi.string(lib.zelf_version())
end

---- Errors

local function string_or_nil(pointer)
    return pointer ~= nil and ffi.string(pointer) or nil
end

-- Why a call failed. Its fields:
--   status          one of the zelf.ERROR_ numbers; a newer library may have others
--   name            such as "ZELF_ERROR_TIMEOUT"
--   message         a sentence, which tostring returns
--   http_status     of the answer, or nil
--   server_message  the server's words, or nil
--   retryable       whether the same call may succeed later
--   retry_after     seconds to wait before that, or nil
local Error = {}
Error.__index = Error

function Error:__tostring()
    return self.message
end

local function status_error(status)
    return setmetatable({
        status = status,
        name = ffi.string(lib.zelf_status_name(status)),
        message = ffi.string(lib.zelf_status_message(status)),
        retryable = false,
    }, Error)
end

local function new_error()
    return ffi.new("zelf_error *[1]")
end

-- Copies an error of C, and frees it.
local function take_error(pointer)
    local status = lib.zelf_error_status(pointer)
    local http_status = lib.zelf_error_http_status(pointer)
    local retry_after_ms = lib.zelf_error_retry_after_ms(pointer)
    local failure = setmetatable({
        status = status,
        name = ffi.string(lib.zelf_status_name(status)),
        message = ffi.string(lib.zelf_error_message(pointer)),
        http_status = http_status ~= 0 and http_status or nil,
        server_message = string_or_nil(lib.zelf_error_server_message(pointer)),
        retryable = lib.zelf_error_is_retryable(pointer),
        retry_after = retry_after_ms ~= 0 and tonumber(retry_after_ms) / 1000 or nil,
    }, Error)
    lib.zelf_error_free(pointer)
    return failure
end

---- Objects

-- Makes a class whose objects hold a pointer of C until close or the collector frees it.
local function class(name, free)
    local methods = {}
    methods.__index = methods

    function methods:__tostring()
        return ("zelf %s%s"):format(name, self.handle and "" or " (closed)")
    end

    -- Frees the object. It may be called again.
    function methods:close()
        local handle = self.handle
        self.handle = nil
        if handle then
            lib[free](ffi.gc(handle, nil))
        end
    end

    methods.new = function(handle, object)
        object = object or {}
        object.handle = ffi.gc(handle, lib[free])
        return setmetatable(object, methods)
    end

    methods.open = function(object)
        if getmetatable(object) ~= methods then
            misuse("a %s is needed, not a %s", name, type(object))
        end
        if not object.handle then
            misuse("the %s is closed", name)
        end
        return object.handle
    end
    return methods
end

-- Calls the setter of each setting. `kinds` says which there are.
local function set(object, setter, what, kinds, settings)
    if settings ~= nil then
        check(what, settings, "table")
        for name, value in pairs(settings) do
            local kind = kinds[name] or misuse("%s have no %s", what, tostring(name))
            lib[setter .. name](object, kind(name, value))
        end
    end
    return object
end

---- Sessions

local Session = class("session", "zelf_session_free")

-- The token is a secret. authorization is the value of the Authorization header.
for _, name in ipairs { "token", "authorization", "id", "identifier", "domain", "tag_name", "eth_address" } do
    Session[name] = function(self)
        return string_or_nil(lib["zelf_session_" .. name](Session.open(self)))
    end
end

-- Times in Unix seconds of the server's clock, and the whole seconds left.
for _, name in ipairs { "activated_at", "expires_at", "seconds_left" } do
    Session[name] = function(self)
        return tonumber(lib["zelf_session_" .. name](Session.open(self)))
    end
end

local SESSION_OPTIONS = {
    identifier = text,
    type = int32,
    web_extension = flag,
    domain = text,
    tag_name = text,
    eth_address = text,
    kill_session = flag,
    confirm = flag,
}

local function session_options(options)
    local object = ffi.gc(lib.zelf_session_options_new(), lib.zelf_session_options_free)
    return set(object, "zelf_session_options_set_", "session options", SESSION_OPTIONS, options)
end

---- Requests and responses

-- A complete answer, with the fields http_status, body and server_message (or nil).
local Response = class("response", "zelf_response_free")

local function new_response(handle)
    local response = Response.new(handle)
    local length = ffi.new("size_t[1]")
    local body = lib.zelf_response_body(handle, length)
    response.http_status = lib.zelf_response_http_status(handle)
    -- A copy at once: LuaJIT's collector counts only the memory of Lua.
    response.body = ffi.string(body, length[0])
    response.server_message = string_or_nil(lib.zelf_response_server_message(handle))
    return response
end

-- Returns the first header with this name, in any case, or nil.
function Response:header(name)
    return string_or_nil(lib.zelf_response_header(Response.open(self), text("name", name)))
end

local function json()
    return zelf.json or require("cjson")
end

-- Returns the body as a value of Lua. A body that is no JSON raises the decoder's error.
function Response:json()
    return json().decode(self.body)
end

local REQUEST = {
    method = text,
    target = text,
    body = bytes,
    content_type = text,
    timeout_ms = uint32,
    max_response_bytes = integer(0, 2 ^ 53),
    repeatable = flag,
    headers = function(name, value)
        return check(name, value, "table")
    end,
    -- A value that is encoded as JSON: the body, with its content type.
    json = function(_, value)
        return value
    end,
}

-- Makes the request of C. `owner` is the object that sends it, of the class `kind`. Open it, and
-- a session, after this function: the encoder of json is the caller's, and may close them.
local function new_request(kind, owner, request)
    kind.open(owner)
    for name, value in pairs(check("the request", request, "table")) do
        (REQUEST[name] or misuse("requests have no %s", tostring(name)))(name, value)
    end
    local object = ffi.gc(
        lib.zelf_request_new(text("method", request.method), text("target", request.target)),
        lib.zelf_request_free
    )
    for name, value in pairs(request.headers or {}) do
        lib.zelf_request_set_header(object, text("header", name), text(name, value))
    end
    local body, content_type = request.body, request.content_type
    if request.json ~= nil then
        if body ~= nil then
            misuse("a request has a body or json, not both")
        end
        body, content_type = json().encode(request.json), content_type or "application/json"
    end
    if body then
        lib.zelf_request_set_body(object, body, #body, content_type)
    end
    for _, name in ipairs { "timeout_ms", "max_response_bytes", "repeatable" } do
        if request[name] ~= nil then
            lib["zelf_request_set_" .. name](object, request[name])
        end
    end
    return object
end

---- Clients

local Client = class("client", "zelf_client_free")
local free_client = Client.close

local CONFIG = {
    base_url = text,
    origin = text,
    user_agent = text,
    timeout_ms = uint32,
    connect_timeout_ms = uint32,
    max_attempts = uint32,
    ca_file = text,
    proxy = text,
    proxy_from_env = flag,
}

-- Makes a client. Its settings have the names of the header, also ca_pem, and pins: a list. Its
-- fields base_url (without "/" at its end) and origin (the header) are for other HTTP clients.
function zelf.client(settings)
    load()
    local config = ffi.gc(lib.zelf_config_new(), lib.zelf_config_free)
    local others = {}
    for name, value in pairs(settings and check("the settings", settings, "table") or {}) do
        if name == "ca_pem" then
            lib.zelf_config_set_ca_pem(config, bytes(name, value), #value)
        elseif name == "pins" then
            for _, pin in ipairs(check(name, value, "table")) do
                lib.zelf_config_add_pin(config, text("pin", pin))
            end
        else
            others[name] = value
        end
    end
    set(config, "zelf_config_set_", "settings", CONFIG, others)
    -- The library refuses it on Windows. There only blocking calls are available.
    lib.zelf_config_set_dispatch(config, ffi.os ~= "Windows")
    local failure = new_error()
    local handle = lib.zelf_client_new(config, failure)
    if handle == nil then
        return nil, take_error(failure[0])
    end
    return Client.new(handle, {
        -- Calls under way, by number, and calls whose result has to be handed over.
        pending = {},
        finished = {},
        base_url = ffi.string(lib.zelf_client_base_url(handle)),
        origin = ffi.string(lib.zelf_client_origin(handle)),
    })
end

-- Creates a session, and blocks until it is there.
function Client:create(options)
    local handle, failure = Client.open(self), new_error()
    local session = lib.zelf_session_create(handle, session_options(options), failure)
    if session == nil then
        return nil, take_error(failure[0])
    end
    return Session.new(session)
end

-- Sends a request with a session, or with none (nil). It renews nothing.
function Client:send(session, request)
    local object, failure = new_request(Client, self, request), new_error()
    local with = session ~= nil and Session.open(session) or nil
    local response = lib.zelf_session_send(Client.open(self), with, object, failure)
    if response == nil then
        return nil, take_error(failure[0])
    end
    return new_response(response)
end

---- Asynchronous calls

-- A call under way. It needs no close: it frees its handle when it has a result.
local Call = class("call", "zelf_call_free")

-- Calls by number. Each client holds its own: a client that nobody holds is collected with its
-- calls, which that cancels.
local calls = setmetatable({}, { __mode = "v" })
local last_number = 0

-- Makes a C function that keeps the result for client:dispatch. LuaJIT has room for some
-- hundred of such functions: there are two, for all calls.
local function keeper(kind, free)
    -- An error must not leave a callback.
    local function keep(result, failure, number)
        local call = calls[tonumber(ffi.cast("intptr_t", number))]
        if call then
            call.raw_result, call.raw_error = result, failure
            table.insert(call.client.finished, call)
        else
            lib[free](result)
            lib.zelf_error_free(failure)
        end
    end
    return ffi.cast(kind, function(result, failure, number)
        pcall(keep, result, failure, number)
    end)
end

local keep_session, keep_response

local function finish(call, result, failure)
    call.client.pending[call.number] = nil
    call.settled, call.result, call.failure = true, result, failure
    Call.close(call)
    local continuations = call.continuations
    call.continuations = nil
    return continuations
end

-- Hands the results over that C has left, outside of any callback: a continuation may raise an
-- error, yield or close the client.
local function hand_over(client)
    local finished, continuations, raised = client.finished, {}, nil
    client.finished = {}
    for _, call in ipairs(finished) do
        local result, failure
        if call.raw_result ~= nil then
            result = call.wrap(call.raw_result)
        else
            failure = take_error(call.raw_error)
        end
        call.raw_result, call.raw_error = nil, nil
        for _, continue in ipairs(finish(call, result, failure)) do
            table.insert(continuations, { continue, result, failure })
        end
    end
    for _, continuation in ipairs(continuations) do
        local worked, why = pcall(unpack(continuation, 1, 3))
        raised = raised or not worked and { why } or nil
    end
    if raised then
        error(raised[1], 0)
    end
end

-- These functions run callbacks. LuaJIT must not compile them: it ends the process when code that
-- it has compiled is called back (its FFI semantics, "Callbacks").
local function run_dispatch(handle)
    return lib.zelf_client_dispatch(handle)
end

local function run_shutdown(handle, timeout_ms)
    return lib.zelf_client_shutdown(handle, timeout_ms)
end

jit.off(run_dispatch)
jit.off(run_shutdown)
jit.off(free_client)

-- Starts a call. begin(number, failure) calls C.
local function start(client, wrap, continue, begin)
    -- First: after begin the call is under way.
    local continuations = { continue and check("the callback", continue, "function") }
    if ffi.os == "Windows" then
        misuse("asynchronous calls are not available on Windows")
    end
    if not keep_session then
        keep_session = keeper("zelf_session_callback", "zelf_session_free")
        keep_response = keeper("zelf_response_callback", "zelf_response_free")
    end
    last_number = last_number + 1
    local number, failure = last_number, new_error()
    local handle = begin(ffi.cast("void *", number), failure)
    if handle == nil then
        return nil, take_error(failure[0])
    end
    local call = Call.new(handle, {
        client = client,
        number = number,
        wrap = wrap,
        settled = false,
        continuations = continuations,
    })
    calls[number], client.pending[number] = call, call
    return call
end

-- Starts to create a session. `continue`, if given, is called with the session, or with nil and
-- an error, by the function that hands the result over: dispatch, wait, shutdown or close.
function Client:start(options, continue)
    local handle, object = Client.open(self), session_options(options)
    return start(self, Session.new, continue, function(number, failure)
        return lib.zelf_session_create_async(handle, object, keep_session, number, nil, failure)
    end)
end

-- Starts to send a request with a session, or with none (nil): see Client:start and Client:send.
function Client:start_send(session, request, continue)
    local object = new_request(Client, self, request)
    local handle, with = Client.open(self), session ~= nil and Session.open(session) or nil
    return start(self, new_response, continue, function(number, failure)
        return lib.zelf_session_send_async(
            handle, with, object, keep_response, number, nil, failure)
    end)
end

-- Returns a descriptor that is readable while results are there. Do not read from it.
function Client:descriptor()
    local handle = Client.open(self)
    local descriptor = lib.zelf_client_descriptor(handle)
    if descriptor < 0 then
        -- The system has none left, or this is a forked child.
        local status = run_dispatch(handle)
        return nil, status_error(status ~= ABI.OK and status or ABI.ERROR_SYSTEM)
    end
    return descriptor
end

-- Hands over the results that are there, and returns true.
function Client:dispatch()
    local status = run_dispatch(Client.open(self))
    hand_over(self)
    if status ~= ABI.OK then
        return nil, status_error(status)
    end
    return true
end

-- Cancels all calls, hands their results over, and takes no more calls.
function Client:shutdown(timeout_ms)
    local status = run_shutdown(Client.open(self), uint32("timeout_ms", timeout_ms or 0))
    hand_over(self)
    if status ~= ABI.OK then
        return nil, status_error(status)
    end
    return true
end

-- Cancels all calls, hands their results over, and frees the client.
function Client:close()
    free_client(self)
    hand_over(self)
    -- Calls of the process that forked this one have no result here.
    local _, call = next(self.pending)
    while call do
        finish(call, nil, status_error(ABI.ERROR_FORKED))
        _, call = next(self.pending)
    end
end

-- Cancels the call: its result is an error with zelf.ERROR_CANCELLED, unless it has another.
function Call:cancel()
    if not self.settled then
        lib.zelf_call_cancel(Call.open(self))
    end
end

local function seconds()
    local time = ffi.new("zelf_lua_timespec")
    -- CLOCK_MONOTONIC
    ffi.C.zelf_lua_clock(({ Linux = 1, OSX = 6, BSD = 4 })[ffi.os] or 1, time)
    return tonumber(time.seconds) + tonumber(time.nanoseconds) / 1e9
end

-- Waits for the result, and returns it: a session or response, or nil and an error. After
-- `timeout` seconds without a result it returns false. It blocks the thread.
function Call:wait(timeout)
    local deadline = timeout and seconds() + check("timeout", timeout, "number")
    while not self.settled do
        local worked, failure = self.client:dispatch()
        if not worked then
            return nil, failure
        end
        if self.settled then
            break
        end
        local left = deadline and math.max(0, deadline - seconds())
        if left == 0 then
            return false
        end
        local descriptor
        descriptor, failure = self.client:descriptor()
        if not descriptor then
            return nil, failure
        end
        local pollfd = ffi.new("zelf_lua_pollfd[1]", { { descriptor, 1 } })
        ffi.C.zelf_lua_poll(pollfd, 1, left and math.min(math.ceil(left * 1000), 2 ^ 31 - 1) or -1)
    end
    return self.result, self.failure
end

-- Yields the running coroutine until the result is there, and returns it as wait does. The
-- function that hands the result over resumes the coroutine.
function Call:await()
    if not self.settled then
        local thread, is_main = coroutine.running()
        if not thread or is_main then
            misuse("await needs a coroutine: outside of one, use wait")
        end
        local waits = true
        table.insert(self.continuations, function()
            if waits then
                local worked, why = coroutine.resume(thread)
                if not worked then
                    error(why, 0)
                end
            end
        end)
        repeat
            coroutine.yield(self)
        until self.settled
        waits = false
    end
    return self.result, self.failure
end

---- Session providers

local Provider = class("session provider", "zelf_session_provider_free")

local PROVIDER_OPTIONS = {
    min_valid_s = uint32,
    renewal = int32,
    background = flag,
    directory = text,
}

-- Makes a provider, which keeps one session and renews it.
function Client:provider(options, provider_options)
    local handle, failure = Client.open(self), new_error()
    local object = ffi.gc(lib.zelf_provider_options_new(), lib.zelf_provider_options_free)
    set(object, "zelf_provider_options_set_", "provider options", PROVIDER_OPTIONS, provider_options)
    local provider = lib.zelf_session_provider_new(handle, session_options(options), object, failure)
    if provider == nil then
        return nil, take_error(failure[0])
    end
    return Provider.new(provider, { client = self })
end

-- Returns a valid session. It blocks only while there is none.
function Provider:get()
    local handle, failure = Provider.open(self), new_error()
    local session = lib.zelf_session_provider_get(handle, failure)
    if session == nil then
        return nil, take_error(failure[0])
    end
    return Session.new(session)
end

-- Starts to get a session: see Client:start. Without `continue`, a call that finds a valid
-- session already has it.
function Provider:start_get(continue)
    local handle = Provider.open(self)
    local session = continue == nil and lib.zelf_session_provider_current(handle) or nil
    if session ~= nil then
        return setmetatable({ settled = true, result = Session.new(session) }, Call)
    end
    return start(self.client, Session.new, continue, function(number, failure)
        return lib.zelf_session_provider_get_async(handle, keep_session, number, nil, failure)
    end)
end

-- Tells the provider that a route refused this session. Returns whether it held it.
function Provider:invalidate(session)
    return lib.zelf_session_provider_invalidate(Provider.open(self), Session.open(session))
end

-- Invalidates the session if this answer refuses it, and returns whether it does. Then repeat
-- the request once with the session of the next get.
function Provider:invalidate_if_refused(session, http_status, body)
    body = bytes("body", body or "")
    return lib.zelf_session_provider_invalidate_if_refused(
        Provider.open(self), Session.open(session), int32("http_status", http_status), body, #body)
end

-- Returns why the last renewal failed, or nil.
function Provider:last_error()
    local failure = lib.zelf_session_provider_last_error(Provider.open(self))
    return failure ~= nil and take_error(failure) or nil
end

-- Sends a request with the provider's session, and renews that if the server refuses it. The
-- request is a table: method, target, and if needed headers, body and content_type, or json,
-- timeout_ms, max_response_bytes, repeatable.
function Provider:send(request)
    local object, failure = new_request(Provider, self, request), new_error()
    local response = lib.zelf_session_provider_send(Provider.open(self), object, failure)
    if response == nil then
        return nil, take_error(failure[0])
    end
    return new_response(response)
end

-- Starts to send a request: see Client:start and Provider:send.
function Provider:start_send(request, continue)
    local object = new_request(Provider, self, request)
    local handle = Provider.open(self)
    return start(self.client, new_response, continue, function(number, failure)
        return lib.zelf_session_provider_send_async(
            handle, object, keep_response, number, nil, failure)
    end)
end

-- Sends a request by another HTTP client, with the session, and once more if the answer refuses
-- the session. `target` is a path that begins with "/". send(url, headers) returns the HTTP
-- status, the body and anything else, which this function returns. It must not follow redirects
-- to another host with these headers.
function Provider:send_by(target, send)
    if text("target", target):sub(1, 1) ~= "/" then
        misuse("the target begins with /: the token goes only to the server of the base URL")
    end
    local function attempt(repeats)
        local session, failure = self:get()
        if not session then
            return nil, failure
        end
        local function judge(http_status, body, ...)
            if repeats and type(http_status) == "number"
                and self:invalidate_if_refused(session, http_status, (body or ""):sub(1, 65536)) then
                return attempt(false)
            end
            return http_status, body, ...
        end
        return judge(send(self.client.base_url .. target, {
            Authorization = session:authorization(),
            Origin = self.client.origin,
        }))
    end
    return attempt(true)
end

---- Identifiers

local function identifier(make)
    load()
    local out = ffi.new("char[?]", ABI.IDENTIFIER_SIZE)
    local status = make(out)
    if status ~= ABI.OK then
        return nil, status_error(status)
    end
    return ffi.string(out)
end

-- Derives an identifier from a device id, such as a serial number. Keep the result.
function zelf.derive_identifier(device_id)
    text("device_id", device_id)
    return identifier(function(out)
        return lib.zelf_identifier_derive(device_id, out, ABI.IDENTIFIER_SIZE)
    end)
end

-- Makes a random identifier. Keep it.
function zelf.random_identifier()
    return identifier(function(out)
        return lib.zelf_identifier_random(out, ABI.IDENTIFIER_SIZE)
    end)
end

return zelf
