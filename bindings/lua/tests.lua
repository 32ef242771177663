-- Tests of the installed zelf.lua against the sandbox of the ZELF_ variables. It prints one line
-- for each promise. ZELF_HEADER is the path of zelf.h, ZELF_LIBRARY that of the library,
-- ZELF_OUT a folder with libraries that the tests need.
local ffi = require("ffi")
local cjson = require("cjson")
local zelf = require("zelf")

zelf.load(os.getenv("ZELF_LIBRARY"))

---- The runner

local broken = 0

local function test(name, run)
    local kept, why = xpcall(run, function(failure)
        return debug.traceback(tostring(failure), 2)
    end)
    print((kept and "ok - " or "not ok - ") .. name)
    io.stdout:flush()
    if not kept then
        broken = broken + 1
        io.stderr:write(name, ": ", why, "\n")
    end
end

local function equal(actual, expected)
    if actual ~= expected then
        error(("%s, not %s"):format(tostring(actual), tostring(expected)), 2)
    end
end

local function between(actual, low, high)
    if not (actual and low <= actual and actual <= high) then
        error(("%s is not from %s to %s"):format(tostring(actual), low, high), 2)
    end
end

-- Returns the error that a call of a function raises.
local function raised(run, ...)
    local worked, why = pcall(run, ...)
    assert(not worked, "nothing was raised")
    return tostring(why)
end

local function contains(whole, part)
    if not whole:find(part, 1, true) then
        error(("'%s' does not contain '%s'"):format(whole, part), 2)
    end
end

---- The sandbox

local control = assert(zelf.client { base_url = os.getenv("ZELF_CONTROL") })

local function sandbox(method, path, value)
    local response = assert(control:send(nil, {
        method = method, target = "/sandbox" .. path, json = value,
    }))
    assert(response.http_status < 300, response.server_message)
    return response.body ~= "" and response:json() or nil
end

-- Runs a function while this fault strikes.
local function with_fault(fault, run)
    sandbox("POST", "/faults", fault)
    local kept, why = xpcall(run, debug.traceback)
    sandbox("DELETE", "/faults")
    if not kept then
        error(why, 0)
    end
end

local STALL = { kind = "stall", stage = "headers", path = "/api/sessions" }

local function new_client(settings)
    local all = { base_url = os.getenv("ZELF_HTTPS"), ca_file = os.getenv("ZELF_CA") }
    for name, value in pairs(settings or {}) do
        all[name] = value or nil
    end
    return assert(zelf.client(all))
end

local client = new_client()

-- Counts the requests of the sandbox that match.
local function requests(method, path)
    local count = 0
    for _, request in ipairs(sandbox("GET", "/requests").requests) do
        if request.method == method and request.path:sub(1, #path) == path then
            count = count + 1
        end
    end
    return count
end

---- Processes

ffi.cdef [[
int fork(void);
int waitpid(int pid, int *status, int options);
void _exit(int status);
int getpid(void);
]]

-- Runs a function in a forked child and returns what it returns: a number from 0 to 255.
local function in_child(run)
    io.stdout:flush()
    local pid = ffi.C.fork()
    if pid == 0 then
        local worked, result = xpcall(run, debug.traceback)
        if not worked then
            io.stderr:write(tostring(result), "\n")
        end
        ffi.C._exit(worked and result or 255)
    end
    local status = ffi.new("int[1]")
    ffi.C.waitpid(pid, status, 0)
    return status[0] / 256
end

local function descriptors()
    local pipe = io.popen("ls /proc/" .. ffi.C.getpid() .. "/fd | wc -l")
    local count = tonumber(pipe:read("*a"))
    pipe:close()
    return count
end

local function resident_kib()
    local file = io.open("/proc/self/status")
    local kib = tonumber(file:read("*a"):match("VmRSS:%s*(%d+)"))
    file:close()
    return kib
end

local seconds = require("socket").gettime

-- Runs a program of Lua in another process. Returns its status and duration.
local function run_program(text)
    local path = os.getenv("ZELF_OUT") .. "/program.lua"
    local file = io.open(path, "w")
    file:write(text)
    file:close()
    local begin = seconds()
    -- A signal gives 128 and its number.
    local status = os.execute("timeout 20 luajit " .. path .. " >&2") / 256
    return status, seconds() - begin
end

---- The table

-- Without the functions that exist on Android only.
local header = io.open(os.getenv("ZELF_HEADER")):read("*a"):gsub("\n#if defined%(__ANDROID__%).-\n#endif", "")
local library = ffi.load(os.getenv("ZELF_LIBRARY"))

test("Lua declares every function of the header, and the library has it", function()
    local count = 0
    for name in header:gmatch("[%s*](zelf_[%w_]+)%([^)]*%);") do
        assert(library[name], name)
        count = count + 1
    end
    assert(count > 70, count)
end)

test("Lua has every constant of the header, with its value", function()
    local count = 0
    for name, value in header:gmatch("\n#define ZELF_([%u_]+) ([^\n]+)") do
        if name ~= "API" and name ~= "MUST_USE" and name ~= "H" then
            equal(zelf[name], value:match('^"(.*)"$') or tonumber(value))
            count = count + 1
        end
    end
    assert(count >= 50, count)
end)

test("Lua has every setting of the header but those with callbacks", function()
    local provider = client.provider
    local makers = {
        config = zelf.client,
        session_options = function(options) return client:create(options) end,
        provider_options = function(options)
            return provider(client, { identifier = "lua-settings" }, options)
        end,
        request = function(request) return client:send(nil, request) end,
    }
    local count = 0
    for object, name in header:gmatch("void zelf_(%l[%l_]-)_set_([%l_]+)%(") do
        if not name:find("callback") and name ~= "dispatch" and name ~= "header" then
            -- No setting takes a function.
            local why = raised(makers[object], { [name] = print })
            assert(not why:find("have no"), why)
            count = count + 1
        end
    end
    assert(count > 25, count)
    contains(raised(zelf.client, { pins = { print } }), "pin is a string")
    contains(raised(client.send, client, nil, { headers = print }), "headers is a table")
end)

test("a library that is too old is refused with its version", function()
    local status = run_program([[
        local zelf = require("zelf")
        local worked, why = pcall(zelf.load, os.getenv("ZELF_OUT") .. "/old.so")
        os.exit(not worked and why:find("version 0.0.9", 1, true) and 0 or 1)
    ]])
    equal(status, 0)
end)

test("a newer library may have a status that Lua does not know", function()
    local status = run_program([[
        local zelf = require("zelf")
        zelf.load(os.getenv("ZELF_OUT") .. "/newer.so")
        local client, failure = zelf.client { base_url = "ftp://x" }
        os.exit(not client and failure.status == 999 and failure.name == "ZELF_ERROR_UNKNOWN"
            and #failure.message > 0 and 0 or 1)
    ]])
    equal(status, 0)
end)

---- Sessions

test("Lua creates a session over HTTPS, with its token and times", function()
    local session = assert(client:create { identifier = "lua-session" })
    contains(session:token(), "eyJ")
    equal(session:authorization(), "Bearer " .. session:token())
    equal(session:identifier(), "lua-session")
    between(session:seconds_left(), 590, 600)
    equal(session:expires_at() - session:activated_at(), 600)
    between(session:activated_at(), os.time() - 60, os.time() + 60)
    assert(#session:id() > 0)
end)

test("a session has the options that were asked for", function()
    local session = assert(client:create {
        identifier = "lua-options", type = zelf.SESSION_TYPE_CREATE_WALLET, web_extension = true,
        domain = "avax", tag_name = "lua.avax", eth_address = "0x00", confirm = true,
    })
    equal(session:domain(), "avax")
    equal(session:tag_name(), "lua.avax")
    equal(session:eth_address(), "0x00")
    local plain = assert(client:create { identifier = "lua-plain" })
    equal(plain:tag_name(), nil)
end)

test("killSession replaces the session", function()
    local first = assert(client:create { identifier = "lua-kill" })
    local same = assert(client:create { identifier = "lua-kill" })
    local other = assert(client:create { identifier = "lua-kill", kill_session = true })
    equal(same:id(), first:id())
    assert(other:id() ~= first:id())
end)

test("a client takes certificates and pins from memory", function()
    local pem = io.open(os.getenv("ZELF_CA")):read("*a")
    local pinned = new_client {
        ca_file = false, ca_pem = pem, pins = { os.getenv("ZELF_PIN"), ("A"):rep(43) .. "=" },
        user_agent = "lua-test", origin = "https://app.example", timeout_ms = 10000,
        connect_timeout_ms = 5000, max_attempts = 2,
    }
    assert(pinned:create { identifier = "lua-pinned" })
    local all = sandbox("GET", "/requests").requests
    local headers = cjson.encode(all[#all].headers):lower()
    contains(headers, "lua-test")
    contains(headers:gsub("\\/", "/"), "https://app.example")
end)

test("a client has the base URL in normal form, and the origin", function()
    local url = os.getenv("ZELF_HTTPS")
    local other = new_client { base_url = url:upper() .. "/" }
    equal(other.base_url, url)
    equal(other.origin, url)
    equal(new_client({ origin = "https://app.example" }).origin, "https://app.example")
end)

test("identifiers are derived and random", function()
    equal(#zelf.derive_identifier("serial 1"), 32)
    equal(zelf.derive_identifier("serial 1"), zelf.derive_identifier("serial 1"))
    assert(zelf.random_identifier() ~= zelf.random_identifier())
    local none, failure = zelf.derive_identifier("")
    equal(none, nil)
    equal(failure.status, zelf.ERROR_INVALID_ARGUMENT)
end)

---- Errors

-- A failed call: its error has this status.
local function fails(status, result, failure)
    equal(result, nil)
    equal(failure.name, "ZELF_" .. status)
    equal(failure.status, zelf[status])
    equal(tostring(failure), failure.message)
    return failure
end

local function answer(status, more)
    local fault = { kind = "answer", status = status, path = "/api/sessions" }
    for name, value in pairs(more or {}) do
        fault[name] = value
    end
    return fault
end

test("an origin that the server rejects is ERROR_REJECTED_ORIGIN", function()
    with_fault(answer(403, { error = "rejected" }), function()
        local failure = fails("ERROR_REJECTED_ORIGIN", client:create { identifier = "lua-origin" })
        equal(failure.http_status, 403)
        equal(failure.server_message, "rejected")
        equal(failure.retryable, false)
        equal(failure.retry_after, nil)
    end)
end)

test("a time-out is ERROR_TIMEOUT, after the time limit", function()
    local hasty = new_client { timeout_ms = 300 }
    with_fault(STALL, function()
        local begin = seconds()
        local failure = fails("ERROR_TIMEOUT", hasty:create { identifier = "lua-timeout" })
        between(seconds() - begin, 0.25, 5)
        equal(failure.retryable, true)
        equal(failure.http_status, nil)
    end)
end)

test("a certificate of another CA is ERROR_TLS", function()
    local other = new_client { ca_file = os.getenv("ZELF_OTHER_CA") }
    fails("ERROR_TLS", other:create { identifier = "lua-tls" })
end)

test("another key than the pinned one is ERROR_PIN_MISMATCH", function()
    local other = new_client { pins = { ("A"):rep(43) .. "=" } }
    fails("ERROR_PIN_MISMATCH", other:create { identifier = "lua-pin" })
end)

test("an argument that the library refuses is ERROR_INVALID_ARGUMENT", function()
    contains(fails("ERROR_INVALID_ARGUMENT", client:create { identifier = "" }).message, "identifier")
    fails("ERROR_INVALID_ARGUMENT", client:create { identifier = "lua-\255" })
end)

test("a setting that the library refuses is ERROR_INVALID_CONFIG", function()
    fails("ERROR_INVALID_CONFIG", zelf.client { base_url = "http://example.com" })
end)

test("too many requests are ERROR_RATE_LIMITED, with the delay in seconds", function()
    local once = new_client { max_attempts = 1 }
    with_fault(answer(429, { headers = { ["Retry-After"] = "7" } }), function()
        local failure = fails("ERROR_RATE_LIMITED", once:create { identifier = "lua-rate" })
        equal(failure.retry_after, 7)
        equal(failure.retryable, true)
    end)
end)

test("a server that fails is ERROR_SERVER", function()
    local once = new_client { max_attempts = 1 }
    with_fault(answer(500, { error = "broken" }), function()
        equal(fails("ERROR_SERVER", once:create { identifier = "lua-server" }).server_message, "broken")
    end)
end)

test("a server that is not there is ERROR_CONNECT", function()
    -- A port that nobody listens on: this socket is bound only.
    local socket = require("socket").tcp()
    assert(socket:bind("127.0.0.1", 0))
    local _, port = socket:getsockname()
    local absent = assert(zelf.client { base_url = "http://127.0.0.1:" .. port, max_attempts = 1 })
    fails("ERROR_CONNECT", absent:create { identifier = "lua-connect" })
    socket:close()
end)

test("a connection that breaks is ERROR_CONNECTION_LOST", function()
    local once = new_client { max_attempts = 1 }
    with_fault({ kind = "close", stage = "body", path = "/api/sessions" }, function()
        fails("ERROR_CONNECTION_LOST", once:create { identifier = "lua-lost" })
    end)
end)

test("an unknown setting, a wrong type and a NUL raise an error at the caller's line", function()
    contains(raised(function() client:create { identifer = "x" } end), "tests.lua:")
    contains(raised(function() client:create { identifer = "x" } end), "have no identifer")
    contains(raised(zelf.client, { timeout_ms = "1" }), "timeout_ms is a number")
    contains(raised(zelf.client, { timeout_ms = -1 }), "timeout_ms is an integer")
    contains(raised(zelf.client, { timeout_ms = 2 ^ 32 }), "timeout_ms is an integer")
    contains(raised(zelf.client, { timeout_ms = 0 / 0 }), "timeout_ms is an integer")
    contains(raised(client.create, client, { identifier = "a\0b" }), "NUL")
    contains(raised(client.create, {}, { identifier = "a" }), "client is needed")
    contains(raised(client.send, client, {}, { method = "GET", target = "/" }), "session is needed")
end)

test("a closed object raises an error that says so", function()
    local closed = new_client()
    local provider = assert(closed:provider { identifier = "lua-closed" })
    local session = assert(provider:get())
    local response = assert(closed:send(session, { method = "GET", target = "/sandbox/echo" }))
    for _, object in ipairs { session, response, provider, closed } do
        object:close()
        object:close()
    end
    for _, run in ipairs { "create", "start", "dispatch", "descriptor", "shutdown", "provider", "send" } do
        contains(raised(closed[run], closed, {}), "client is closed")
    end
    for _, run in ipairs { "get", "start_get", "send", "start_send", "last_error", "invalidate" } do
        contains(raised(provider[run], provider, {}), "session provider is closed")
    end
    contains(raised(session.token, session), "session is closed")
    contains(raised(response.header, response, "date"), "response is closed")
end)

test("a request with a body and json raises an error", function()
    for _, body in ipairs { "", "a" } do
        local request = { method = "POST", target = "/sandbox/echo", body = body, json = {} }
        contains(raised(client.send, client, nil, request), "a request has a body or json, not both")
    end
end)

test("an encoder of JSON that closes the object it is used with raises an error", function()
    local request = { method = "POST", target = "/sandbox/echo", json = {} }
    local closing
    zelf.json = {
        encode = function()
            closing:close()
            return "{}"
        end,
        decode = cjson.decode,
    }
    local worked, why = pcall(function()
        for _, send in ipairs { "send", "start_send" } do
            closing = assert(client:create { identifier = "lua-encoder" })
            contains(raised(client[send], client, closing, request), "session is closed")
            closing = new_client()
            contains(raised(closing[send], closing, nil, request), "client is closed")
            closing = assert(client:provider { identifier = "lua-encoder" })
            contains(raised(closing[send], closing, request), "session provider is closed")
        end
    end)
    zelf.json = nil
    assert(worked, why)
end)

---- Secrets

test("a token is in no text form of a session, a provider or an error", function()
    local provider = assert(client:provider { identifier = "lua-secret" })
    local session = assert(provider:get())
    local token = session:token()
    local call = assert(provider:start_get())
    assert(call:wait(10))
    local seen = {}
    local function look(value)
        assert(not tostring(value):find(token, 1, true), "a token")
        if type(value) == "table" and not seen[value] then
            seen[value] = true
            for key, member in pairs(value) do
                look(key)
                look(member)
            end
        end
    end
    look(session)
    look(provider)
    look(call)
    look(client)
    with_fault(answer(403, { error = "no " .. token }), function()
        look(select(2, client:create { identifier = "lua-secret", kill_session = true }))
    end)
end)

---- Asynchronous calls

test("an asynchronous call has its session after wait", function()
    local call = assert(client:start { identifier = "lua-async" })
    equal(call:wait(10):identifier(), "lua-async")
    equal(call.settled, true)
    equal(call:wait():identifier(), "lua-async")
end)

test("wait returns false while there is no result", function()
    with_fault(STALL, function()
        local call = assert(client:start { identifier = "lua-wait" })
        equal(call:wait(0), false)
        local begin = seconds()
        equal(call:wait(0.2), false)
        between(seconds() - begin, 0.19, 5)
        call:cancel()
        fails("ERROR_CANCELLED", call:wait(10))
    end)
end)

test("a call is cancelled at once while the server stalls", function()
    with_fault(STALL, function()
        local call = assert(client:start { identifier = "lua-cancel" })
        local begin = seconds()
        call:cancel()
        fails("ERROR_CANCELLED", call:wait(10))
        between(seconds() - begin, 0, 2)
        call:cancel()
    end)
end)

test("twenty calls run at once", function()
    -- Each answer takes 0.5 s.
    with_fault({ kind = "delay", ms = 500, path = "/api/sessions" }, function()
        local begin, running = seconds(), {}
        for number = 1, 20 do
            running[number] = assert(client:start { identifier = "lua-twenty-" .. number })
        end
        for number, call in ipairs(running) do
            equal(call:wait(20):identifier(), "lua-twenty-" .. number)
        end
        between(seconds() - begin, 0.5, 5)
    end)
end)

test("a callback gets the result or the error from dispatch", function()
    local results = {}
    local one = assert(client:start({ identifier = "lua-callback" }, function(session, failure)
        equal(failure, nil)
        table.insert(results, session:identifier())
    end))
    assert(one:wait(10))
    with_fault(answer(403, { error = "rejected" }), function()
        local other = assert(client:start({ identifier = "lua-callback-2" }, function(session, failure)
            equal(session, nil)
            table.insert(results, failure.name)
        end))
        other:wait(10)
    end)
    equal(table.concat(results, " "), "lua-callback ZELF_ERROR_REJECTED_ORIGIN")
end)

test("a callback of another type raises an error, and no request is sent", function()
    local own = new_client()
    sandbox("DELETE", "/requests")
    contains(raised(own.start, own, { identifier = "lua-callback-type" }, 5), "the callback is a function")
    assert(own:create { identifier = "lua-callback-next" })
    equal(requests("POST", "/api/sessions"), 1)
end)

test("an error in a callback reaches the caller of dispatch, and no other result is lost", function()
    local results = 0
    local function broken_callback() error("broken callback", 0) end
    local first = assert(client:start({ identifier = "lua-raise" }, broken_callback))
    local second = assert(client:start({ identifier = "lua-raise" }, function() results = results + 1 end))
    local messages = {}
    while not (first.settled and second.settled) do
        local worked, why = pcall(second.wait, second, 10)
        if not worked then
            table.insert(messages, why)
        end
    end
    equal(table.concat(messages), "broken callback")
    equal(results, 1)
end)

test("a callback may close its client, and other calls are cancelled", function()
    local own = new_client()
    local names = {}
    with_fault(STALL, function()
        local calls = {}
        for number = 1, 3 do
            calls[number] = assert(own:start({ identifier = "lua-close-" .. number }, function(_, failure)
                table.insert(names, failure.name)
                own:close()
            end))
        end
        calls[1]:cancel()
        calls[1]:wait(10)
        fails("ERROR_CANCELLED", calls[2]:wait())
        fails("ERROR_CANCELLED", calls[3]:wait())
        contains(raised(own.dispatch, own), "client is closed")
    end)
    equal(table.concat(names, " "), ("ZELF_ERROR_CANCELLED "):rep(3):sub(1, -2))
end)

test("a callback may close its client while the results of others are handed over", function()
    local own = new_client()
    with_fault(STALL, function()
        local calls = {}
        for number = 1, 3 do
            local close = function() own:close() end
            calls[number] = assert(own:start({ identifier = "lua-close-" .. number }, close))
        end
        assert(own:shutdown(5000))
        for number = 1, 3 do
            fails("ERROR_CANCELLED", calls[number]:wait())
        end
    end)
end)

test("coroutines wait for their calls with await", function()
    local results, count = {}, 0
    for number = 1, 5 do
        coroutine.wrap(function()
            local call = assert(client:start { identifier = "lua-await-" .. number })
            local session = assert(call:await())
            results[number] = session:identifier()
            assert(client:start({ identifier = "lua-await" })):await()
            count = count + 1
        end)()
    end
    while count < 5 do
        local call = assert(client:start { identifier = "lua-await-other" })
        assert(call:wait(10))
    end
    equal(table.concat(results, " "), "lua-await-1 lua-await-2 lua-await-3 lua-await-4 lua-await-5")
    contains(raised(function() return client:start({ identifier = "lua-await" }):await() end), "coroutine")
end)

test("a loop that LuaJIT compiles may call dispatch", function()
    with_fault({ kind = "delay", ms = 50, path = "/api/sessions" }, function()
        local status = run_program([[
            local zelf = require("zelf")
            zelf.load(os.getenv("ZELF_LIBRARY"))
            local client = assert(zelf.client {
                base_url = os.getenv("ZELF_HTTPS"), ca_file = os.getenv("ZELF_CA"),
            })
            local turns = 0
            for number = 1, 10 do
                local call = assert(client:start { identifier = "lua-busy-" .. number })
                while not call.settled do
                    client:dispatch()
                    turns = turns + 1
                end
                assert(call:wait())
            end
            assert(turns > 1000)
        ]])
        equal(status, 0)
    end)
end)

test("shutdown cancels the calls under way and ends the client", function()
    local own = new_client()
    with_fault(STALL, function()
        local call = assert(own:start { identifier = "lua-shutdown" })
        equal(own:shutdown(5000), true)
        fails("ERROR_CANCELLED", call:wait())
        fails("ERROR_SHUT_DOWN", own:create { identifier = "lua-shutdown" })
        fails("ERROR_SHUT_DOWN", own:start { identifier = "lua-shutdown" })
    end)
end)

test("a client that nobody holds is collected, and its calls are cancelled", function()
    local open = descriptors()
    with_fault(STALL, function()
        for number = 1, 10 do
            local own = new_client()
            assert(own:start { identifier = "lua-forgotten-" .. number })
        end
        assert(descriptors() > open)
        local begin = seconds()
        repeat
            collectgarbage()
        until descriptors() <= open or seconds() - begin > 10
    end)
    between(descriptors(), 0, open)
end)

---- Session providers

test("a provider hands out one session until it expires, then another one", function()
    local provider = assert(client:provider({ identifier = "lua-expiry" }, { min_valid_s = 597 }))
    local first, same = assert(provider:get()), assert(provider:get())
    equal(same:token(), first:token())
    sandbox("POST", "/age", { identifier = "lua-expiry", seconds = 595 })
    -- The session has 597 s left for some seconds: then the provider asks the server.
    local sleep, begin = require("socket").sleep, seconds()
    while provider:get():id() == first:id() and seconds() - begin < 10 do
        sleep(0.01)
    end
    local second = assert(provider:get())
    assert(second:id() ~= first:id())
    between(second:seconds_left(), 590, 600)
end)

test("a provider replaces a session that a route has refused", function()
    local provider = assert(client:provider { identifier = "lua-refused" })
    local first = assert(provider:get())
    sandbox("POST", "/use", { identifier = "lua-refused" })
    local search = { method = "GET", target = "/api/zelf-name-service/v2/search?zelfName=abc.zelf" }
    local response = assert(client:send(first, search))
    equal(response.http_status, 403)
    equal(provider:invalidate(first), true)
    equal(provider:invalidate(first), false)
    local second = assert(provider:get())
    assert(second:id() ~= first:id())
    equal(assert(client:send(second, search)).http_status, 200)
end)

test("invalidate_if_refused judges the answers to other HTTP clients", function()
    local provider = assert(client:provider { identifier = "lua-judge" })
    local first = assert(provider:get())
    equal(provider:invalidate_if_refused(first, 200, "{}"), false)
    equal(provider:invalidate_if_refused(first, 403, '{"validationError":"Search limit exceeded"}'), false)
    equal(provider:invalidate_if_refused(first, 401, '{"error":"Invalid session"}'), false)
    equal(provider:get():token(), first:token())
    equal(provider:invalidate_if_refused(first, 403, '{"validationError":"Session is not active"}'), true)
    assert(provider:get():token() ~= first:token())
end)

test("a provider says why the last renewal failed", function()
    local provider = assert(client:provider { identifier = "lua-last" })
    equal(provider:last_error(), nil)
    with_fault(answer(403, { error = "rejected" }), function()
        fails("ERROR_REJECTED_ORIGIN", provider:get())
    end)
    local failure = provider:last_error()
    equal(failure.status, zelf.ERROR_REJECTED_ORIGIN)
    between(failure.retry_after, 0.5, 10)
end)

test("an asynchronous get has the provider's session", function()
    local provider = assert(client:provider({ identifier = "lua-start-get" }, { background = true }))
    local session = assert(assert(provider:start_get()):wait(10))
    equal(session:token(), provider:get():token())
end)

test("an asynchronous get has a valid session at once, without a call of the client", function()
    local own = new_client()
    local provider = assert(own:provider { identifier = "lua-current" })
    local session = assert(provider:get())
    -- The client now refuses calls.
    assert(own:shutdown(1000))
    local call = assert(provider:start_get())
    equal(call:wait():token(), session:token())
    equal(call:await():token(), session:token())
    fails("ERROR_SHUT_DOWN", provider:start_get(function() end))
end)

test("a provider with a directory finds the session of the one before", function()
    local directory = os.getenv("ZELF_OUT") .. "/sessions"
    os.execute("mkdir -m 700 " .. directory)
    local options = { directory = directory, renewal = zelf.RENEWAL_NEVER_KILL }
    local first = assert(new_client():provider({ identifier = "lua-directory" }, options)):get()
    sandbox("DELETE", "/sessions")
    local second = assert(new_client():provider({ identifier = "lua-directory" }, options)):get()
    equal(second:token(), first:token())
end)

---- Requests

test("an authenticated request sends JSON and returns JSON", function()
    local provider = assert(client:provider { identifier = "lua-json" })
    local response = assert(provider:send {
        method = "POST", target = "/sandbox/echo?check=session", json = { name = "Zoë", list = { 1, 2 } },
        headers = { ["X-Lua"] = "yes" }, repeatable = true, timeout_ms = 10000,
        max_response_bytes = 1000,
    })
    equal(response.http_status, 200)
    equal(response:json().name, "Zoë")
    equal(response:json().list[2], 2)
    contains(response:header("CONTENT-type"), "application/json")
    equal(response:header("x-none"), nil)
    equal(response.server_message, nil)
end)

test("a body of any bytes arrives", function()
    local provider = assert(client:provider { identifier = "lua-bytes" })
    local body = ("\0\1\255"):rep(1000)
    local response = assert(provider:send {
        method = "POST", target = "/sandbox/echo?check=token", body = body,
        content_type = "application/octet-stream",
    })
    equal(response.body, body)
    equal(assert(client:send(nil, { method = "GET", target = "/sandbox/echo" })).body, "")
end)

test("a request is sent again with a new session when the server refuses the first", function()
    local provider = assert(client:provider { identifier = "lua-renewed" })
    local first = assert(provider:get())
    sandbox("POST", "/use", { identifier = "lua-renewed" })
    sandbox("DELETE", "/requests")
    local target = "/api/zelf-name-service/v2/search?zelfName=renewed.zelf"
    local response = assert(provider:send { method = "GET", target = target })
    equal(response.http_status, 200)
    equal(response:json().data.zelfName, "renewed.zelf")
    equal(requests("GET", "/api/zelf-name-service/v2/search"), 2)
    assert(provider:get():token() ~= first:token())
end)

test("an answer of any status is a response, with the server's words", function()
    local provider = assert(client:provider { identifier = "lua-status" })
    local response = assert(provider:send { method = "GET", target = "/api/tags/search" })
    equal(response.http_status, 409)
    assert(#response.server_message > 0)
end)

test("an asynchronous request has its response, and one that stalls is cancelled", function()
    local provider = assert(client:provider { identifier = "lua-start-send" })
    local target = "/sandbox/echo?check=token&id=lua-start-send"
    local call = assert(provider:start_send { method = "POST", target = target, body = "hello" })
    equal(call:wait(10).body, "hello")
    with_fault({ kind = "stall", stage = "headers", query = "id=lua-start-send" }, function()
        local stalled = assert(provider:start_send { method = "GET", target = target })
        equal(stalled:wait(0.1), false)
        stalled:cancel()
        fails("ERROR_CANCELLED", stalled:wait(10))
    end)
end)

test("an asynchronous request of a client sends a session's token, and renews nothing", function()
    local session = assert(client:create { identifier = "lua-client-send" })
    local request = { method = "GET", target = "/sandbox/echo?check=session&id=lua-client-send" }
    equal(assert(client:start_send(session, request)):wait(10).http_status, 200)
    sandbox("POST", "/use", { identifier = "lua-client-send" })
    local refused = assert(client:start_send(session, request)):wait(10)
    equal(refused.http_status, 403)
    contains(refused.server_message, "not active")
    equal(assert(client:start_send(nil, request)):wait(10).http_status, 401)
    equal(assert(client:create { identifier = "lua-client-send" }):token(), session:token())
    with_fault({ kind = "stall", stage = "headers", query = "id=lua-client-send" }, function()
        local stalled = assert(client:start_send(session, request))
        equal(stalled:wait(0.1), false)
        local begin = seconds()
        stalled:cancel()
        fails("ERROR_CANCELLED", stalled:wait(10))
        between(seconds() - begin, 0, 2)
    end)
end)

test("another HTTP client sends a request with the session, and once more after a refusal", function()
    -- luasocket has no TLS.
    local http, ltn12 = require("socket.http"), require("ltn12")
    local plain = assert(zelf.client { base_url = os.getenv("ZELF_HTTP") })
    local provider = assert(plain:provider { identifier = "lua-by" })
    local attempts = 0
    local function by(target)
        return provider:send_by(target, function(url, headers)
            attempts = attempts + 1
            local parts = {}
            local _, status = http.request { url = url, headers = headers, sink = ltn12.sink.table(parts) }
            return status, table.concat(parts), attempts
        end)
    end
    local target = "/api/zelf-name-service/v2/search?zelfName=by.zelf"
    local status, body, more = by(target)
    equal(status, 200)
    contains(body, '"zelfName":"by.zelf"')
    equal(more, 1)
    sandbox("POST", "/use", { identifier = "lua-by" })
    status, body, more = by(target)
    contains(body, '"zelfName":"by.zelf"')
    equal(status, 200)
    equal(more, 3)
    -- A refusal of the second session is the answer.
    with_fault({ kind = "refusal", as = "not_active", query = "by.zelf" }, function()
        status, body, more = by(target)
        equal(status, 403)
        contains(body, "not active")
        equal(more, 5)
    end)
    contains(raised(by, "@other.example/"), "begins with /")
end)

---- Forks and ends

test("a forked child goes on with the client and the provider", function()
    local provider = assert(client:provider { identifier = "lua-fork" })
    assert(provider:get())
    equal(in_child(function()
        return client:create({ identifier = "lua-fork-child" }):identifier() == "lua-fork-child"
            and provider:send({ method = "GET", target = "/sandbox/echo?check=session" }).http_status == 200
            and 7
    end), 7)
    assert(client:create { identifier = "lua-fork" })
end)

test("a forked child is told that asynchronous calls stay with the parent", function()
    with_fault(STALL, function()
        local call = assert(client:start { identifier = "lua-forked-call" })
        equal(in_child(function()
            fails("ERROR_FORKED", client:start { identifier = "lua-forked" })
            fails("ERROR_FORKED", client:descriptor())
            fails("ERROR_FORKED", call:wait(10))
            client:close()
            fails("ERROR_FORKED", call:wait(10))
            local own = new_client()
            fails("ERROR_TIMEOUT", new_client({ timeout_ms = 200 }):start({ identifier = "x" }):wait(10))
            own:close()
            return 7
        end), 7)
        equal(call:wait(0), false)
        call:cancel()
        fails("ERROR_CANCELLED", call:wait(10))
    end)
end)

for name, ending in pairs {
    ["at its last line"] = "",
    ["by os.exit"] = "os.exit(0)",
    ["by os.exit with a closed state"] = "os.exit(0, true)",
} do
    test("a program ends " .. name .. " with calls under way, with status 0 in under 2 s", function()
        with_fault(STALL, function()
            local status, duration = run_program([[
                local zelf = require("zelf")
                zelf.load(os.getenv("ZELF_LIBRARY"))
                client = assert(zelf.client {
                    base_url = os.getenv("ZELF_HTTPS"), ca_file = os.getenv("ZELF_CA"),
                })
                for number = 1, 20 do
                    assert(client:start({ identifier = "lua-end-" .. number }, function() end))
                end
                assert(client:start({ identifier = "lua-end" }):wait(0.2) == false)
            ]] .. ending)
            equal(status, 0)
            between(duration, 0.2, 2)
        end)
    end)
end

---- Memory

-- Runs a function 11000 times. The last 10000 may take this much memory, and no descriptors.
local function stays_flat(most_kib, run)
    for _ = 1, 1000 do
        run()
    end
    collectgarbage()
    local kib, open = resident_kib(), descriptors()
    for _ = 1, 10000 do
        run()
    end
    collectgarbage()
    between(descriptors(), 0, open + 2)
    between(resident_kib() - kib, -100000, most_kib)
end

test("10000 sessions take no more memory and descriptors than 1000", function()
    stays_flat(4096, function()
        equal(client:create({ identifier = "lua-flat" }):identifier(), "lua-flat")
    end)
end)

test("10000 failed calls take no more memory and descriptors than 1000", function()
    stays_flat(256, function()
        fails("ERROR_INVALID_ARGUMENT", client:create { identifier = "" })
    end)
end)

test("10000 asynchronous calls take no more memory and descriptors than 1000", function()
    stays_flat(4096, function()
        equal(client:start({ identifier = "lua-flat" }):wait(20):identifier(), "lua-flat")
    end)
end)

test("10000 requests and sessions of a provider take no more memory than 1000", function()
    local provider = assert(client:provider { identifier = "lua-flat-provider" })
    local count = 0
    -- The responses have 20000 KiB together.
    stays_flat(10000, function()
        assert(provider:get())
        count = count + 1
        -- Each 50th time: a session serves 3000 uses.
        if count % 50 == 0 then
            equal(#provider:send({ method = "GET", target = "/sandbox/bytes/100000" }).body, 100000)
        end
    end)
end)

os.exit(broken == 0 and 0 or 1)
