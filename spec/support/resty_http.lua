-- Where lua-resty-http is on this machine, for specs of the transport that
-- uses it: nothing here installs it.
--
--   resty_http.path        for lua_package_path, or nil; it leads to
--                          lua-resty-string too, which the library needs
--
-- FLEXHOOKS_TEST_RESTY_HTTP names a further folder to look in.
local lfs = require "lfs"

local M = {}

local FOLDERS = { "/usr/local/openresty/lualib",
  "/usr/local/openresty/site/lualib", "/usr/local/share/lua/5.1",
  "/usr/share/lua/5.1" }

local own = os.getenv "FLEXHOOKS_TEST_RESTY_HTTP"
if own then
  table.insert(FOLDERS, 1, own)
end

local function folder_of(file)
  for _, folder in ipairs(FOLDERS) do
    if lfs.attributes(folder .. "/resty/" .. file) then
      return folder
    end
  end
end

local http, text = folder_of "http_connect.lua", folder_of "string.lua"

M.path = http and text and ("%s/?.lua;%s/?.lua;"):format(http, text)

return M
