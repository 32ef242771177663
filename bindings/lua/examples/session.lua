-- Creates a session and shows it. Without ZELF_HTTPS it asks the public API.
local settings = { base_url = os.getenv("ZELF_HTTPS"), ca_file = os.getenv("ZELF_CA") }

local zelf = require("zelf")
local client = assert(zelf.client(settings))
local session = assert(client:create { identifier = "5f0c6a3e8d2b4c71" })
print("Authorization: " .. session:authorization())
print(session:seconds_left() .. " s left")
