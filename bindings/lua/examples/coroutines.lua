-- Creates twenty sessions at once, each in a coroutine, with a scheduler of a few lines.
-- Without ZELF_HTTPS it asks the public API.
local ffi = require("ffi")
local zelf = require("zelf")

ffi.cdef [[
struct pollfd { int fd; short events, revents; };
int poll(struct pollfd *fds, unsigned long count, int timeout_ms);
]]
local POLLIN = 1

local client = assert(zelf.client { base_url = os.getenv("ZELF_HTTPS"), ca_file = os.getenv("ZELF_CA") })
local running = 0

-- Runs a function in a coroutine, until its first await.
local function spawn(run, ...)
    running = running + 1
    local ended, why = coroutine.resume(coroutine.create(function(...)
        run(...)
        running = running - 1
    end), ...)
    assert(ended, why)
end

for number = 1, 20 do
    spawn(function(identifier)
        local session, failure = assert(client:start { identifier = identifier }):await()
        print(identifier, session and session:seconds_left() .. " s left" or failure.message)
    end, zelf.derive_identifier("coroutine " .. number))
end

-- The loop waits for the descriptor, and dispatch resumes the coroutines. A program that has
-- other descriptors adds them here.
local descriptor = ffi.new("struct pollfd[1]", { { assert(client:descriptor()), POLLIN } })
while running > 0 do
    ffi.C.poll(descriptor, 1, -1)
    assert(client:dispatch())
end
