-- Where lua-resty-http is on this machine, for specs of the transport that
-- uses it: nothing here installs it.
--
--   resty_http.folder      for lua_package_path, or nil
--   resty_http.why         what to do where it is not found
local lfs = require "lfs"

local M = {}

local FOLDERS = { "/usr/local/openresty/lualib",
  "/usr/local/openresty/site/lualib", "/usr/local/share/lua/5.1",
  "/usr/share/lua/5.1" }

local function find()
  local own = os.getenv "FLEXHOOKS_TEST_RESTY_HTTP"
  if own then
    table.insert(FOLDERS, 1, own)
  end
  for _, folder in ipairs(FOLDERS) do
    if lfs.attributes(folder .. "/resty/http_connect.lua") then
      return folder
    end
  end
end

M.folder = find()
M.why = "lua-resty-http is not installed (FLEXHOOKS_TEST_RESTY_HTTP names a "
  .. "folder that holds resty/http.lua)"

return M
