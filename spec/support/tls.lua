-- A certificate authority of its own, and an nginx that speaks TLS with
-- certificates good and bad, each on a port:
--
--   local tls = require("spec.support.tls").start()
--   tls.ca                 path of the authority's certificate
--   tls.port.good          HTTP/2 and HTTP/1.1, for localhost and 127.0.0.1
--   tls.port.plain         the same without HTTP/2
--   tls.port.other         a certificate for another host
--   tls.port.expired       one that has expired
--   tls.port.named         one that names localhost as its common name alone
--   tls.port.own           one that it signed itself
--   tls.port.old           TLS 1.1 alone
--   tls.port.brief         as plain, but ends connections that idle for 1 s
--   tls.port.brief2        the same with HTTP/2
--   tls.port.clear         the same without TLS
--   tls.port.few           as good, but ends connections after three requests;
--                          few.log has each request that was answered
--   tls.half_closed(port)  connections that the port has ended, and we not yet
--
-- GET / answers "<protocol> <number of the connection>"; GET /session ends its
-- connection, and answers "r" where that resumed an earlier session.
local process = require "spec.support.process"

local M = {}

local KEY = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
local HERE = "DNS:localhost,IP:127.0.0.1"

local function openssl(dir, ...)
  local command = "cd " .. dir .. " && openssl "
    .. table.concat({ ... }, " ") .. " >openssl.log 2>&1"
  local ok = os.execute(command)
  assert(ok == true or ok == 0, process.read(dir .. "/openssl.log"))
end

local function self_signed(dir, name, subject, extension)
  openssl(dir, "req -x509", KEY, "-keyout", name .. ".key", "-out",
    name .. ".pem", "-days 2 -subj /CN=" .. subject, "-addext", extension)
end

local function request(dir, name, names)
  process.write(dir .. "/" .. name .. ".ext",
    names and "subjectAltName=" .. names or "")
  openssl(dir, "req -new", KEY, "-keyout", name .. ".key", "-out",
    name .. ".csr -subj", "/CN=" .. (names and "flexhooks" or "localhost"))
end

local function sign(dir, name, by)
  openssl(dir, "x509 -req -in", name .. ".csr -CA", by .. ".pem -CAkey",
    by .. ".key -CAcreateserial -days 2 -extfile", name .. ".ext", "-out",
    name .. ".pem")
end

local function signed(dir, name, names)
  request(dir, name, names)
  sign(dir, name, "ca")
end

--- Makes a certificate with `count` intermediate ones below the authority:
-- NAME.pem, which holds all but the authority's, and NAME.key.
function M.chain(dir, name, count)
  local by, above = "ca", ""
  for i = 1, count do
    local own = name .. i
    request(dir, own, "DNS:" .. own)
    process.write(dir .. "/" .. own .. ".ext",
      "basicConstraints=critical,CA:TRUE")
    sign(dir, own, by)
    by, above = own, process.read(dir .. "/" .. own .. ".pem") .. above
  end
  request(dir, name, HERE)
  sign(dir, name, by)
  process.write(dir .. "/" .. name .. ".pem",
    process.read(dir .. "/" .. name .. ".pem") .. above)
end

local AUTHORITY = [[
[ca]
default_ca = own
[own]
database = index
serial = serial
default_md = sha256
policy = names
[names]
commonName = supplied
]]

-- `x509 -days -1` is refused as of OpenSSL 3.4; `ca` takes dates in each.
local function expired(dir, name, names)
  request(dir, name, names)
  process.write(dir .. "/ca.cnf", AUTHORITY)
  process.write(dir .. "/index", "")
  process.write(dir .. "/serial", "1000\n")
  openssl(dir, "ca -batch -config ca.cnf -cert ca.pem -keyfile ca.key",
    "-outdir . -notext -startdate 20200101000000Z",
    "-enddate 20200102000000Z -extfile", name .. ".ext -in", name .. ".csr",
    "-out", name .. ".pem")
end

local SERVER = [[
  server {
    listen 127.0.0.1:%d %s;
    ssl_certificate %s.pem;
    ssl_certificate_key %s.key;
    %s
    location / {
      return 200 "$server_protocol $connection";
    }
    location = /session {
      keepalive_timeout 0;
      return 200 $ssl_session_reused;
    }
  }
]]

local CONFIG = [[
daemon off; worker_processes 1; pid nginx.pid; error_log error.log;
events { worker_connections 256; }
http {
  log_format few "$request_method $request_uri";
  access_log off; keepalive_requests 100000; ssl_session_cache shared:ssl:1m;
  client_body_temp_path a; proxy_temp_path b; fastcgi_temp_path c;
  uwsgi_temp_path d; scgi_temp_path e;
%s}
]]

local BRIEF = "keepalive_timeout 1s;"
local FEW = "keepalive_requests 3; access_log few.log few;"
local OLD = "ssl_protocols TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0;"

-- How a server is told to speak HTTP/2: with `listen`, or as of nginx 1.25.1
-- by a line of its own.
local function http2()
  local _, _, said = process.run { "tools/nginx", "-v" }
  local minor, patch = said:match "/1%.(%d+)%.(%d+)"
  local version = tonumber(minor) + tonumber(patch) / 100
  return version >= 25.01 and { "ssl", "http2 on; " } or { "ssl http2", "" }
end

-- The system's table of sockets: state 08 is CLOSE_WAIT.
function M.half_closed(port)
  local count, wanted = 0, (":%04X 08 "):format(port)
  for line in process.read("/proc/net/tcp"):gmatch "[^\n]+" do
    count = count + (line:find(wanted, 1, true) and 1 or 0)
  end
  return count
end

function M.start()
  local dir = process.folder()
  self_signed(dir, "ca", "authority", "basicConstraints=critical,CA:TRUE")
  self_signed(dir, "own", "own", "subjectAltName=" .. HERE)
  signed(dir, "good", HERE)
  signed(dir, "other", "DNS:other.example")
  signed(dir, "named")
  expired(dir, "expired", HERE)
  local port, servers, h2 = {}, {}, http2()
  for name, row in pairs {
    good = { h2[1], "good", h2[2] }, plain = { "ssl", "good", "" },
    other = { "ssl", "other", "" }, expired = { "ssl", "expired", "" },
    named = { "ssl", "named", "" }, own = { "ssl", "own", "" },
    old = { "ssl", "good", OLD },
    brief = { "ssl", "good", BRIEF }, clear = { "", "good", BRIEF },
    brief2 = { h2[1], "good", h2[2] .. BRIEF },
    few = { h2[1], "good", h2[2] .. FEW },
  } do
    port[name] = process.port()
    servers[#servers + 1] = SERVER:format(port[name], row[1], row[2], row[2],
      row[3])
  end
  process.write(dir .. "/nginx.conf", CONFIG:format(table.concat(servers)))
  local child = process.spawn({ "tools/nginx", "-p", dir, "-c",
    dir .. "/nginx.conf", "-e", dir .. "/error.log" })
  for _, number in pairs(port) do
    child:wait_port(number)
  end
  return { ca = dir .. "/ca.pem", dir = dir, port = port, child = child,
    half_closed = M.half_closed }
end

return M
