--- The machinery of all resources: collections and their objects, made from a
-- description of each. What a resource is, is in its own file.
--
-- A description has:
--   name, plural   for messages: "webhook", "client.webhooks"
--   id, id_check   the field that names an object, and its shape
--   answer         wire field -> Lua type; "array" and "object" are tables
--   create, update actions of `flexhooks.client.resources.parameters`
--   list           { key = of the records, query = name -> option rule }
--   get, delete    true where the API has them
--   members        name -> function(session, path of the object) -> collection
--   computed       name -> function(object): fields that no answer holds
--   hints          name -> what to say to who gives it as a parameter
-- @module flexhooks.client.resources.resource

local responses = require "flexhooks.client.response"
local errors = require "flexhooks.error"
local options = require "flexhooks.util.options"
local pages = require "flexhooks.client.resources.pages"
local parameters = require "flexhooks.client.resources.parameters"
local tables = require "flexhooks.util.tables"

local M = {}

--- The options that every call takes last.
M.CALL = {
  timeout = { type = "number", max = 86400, check = function(value)
    return value <= 0 and "must be more than 0" or nil
  end },
  max_retries = { type = "integer", min = 0, max = 100 },
}

local LUA_TYPES = { array = "table", object = "table" }

-- The fields of answers whose type is checked, each followed by that in Lua:
-- every answer goes through them.
local function typed_fields(answer)
  local list = {}
  for name, wanted in pairs(answer) do
    if wanted ~= "any" then
      list[#list + 1] = name
      list[#list + 1] = LUA_TYPES[wanted] or wanted
    end
  end
  return list
end

-- What is wrong with an object that the API sent, or nil. Fields may be
-- absent; the one that names the object may not.
local function answer_complaint(class, data)
  if type(data) ~= "table" then
    return class.name .. " is not an object"
  end
  local wrong = class.id_check(data[class.id])
  if wrong then
    return class.id .. " " .. wrong
  end
  local typed = class.typed
  for i = 1, #typed, 2 do
    local value = data[typed[i]]
    if value ~= nil and type(value) ~= typed[i + 1] then
      local name = typed[i]
      return name .. " must be " .. class.answer[name] .. ", got "
        .. type(value)
    end
  end
end

-- The same for a whole answer: a null URL is no object's. It may be absent.
local function whole_complaint(class, data, answer)
  local wrong = answer_complaint(class, data)
  if wrong then
    return wrong
  end
  for _, name in ipairs { "url", "webhook_url" } do
    if class.answer[name] and data[name] == nil
      and responses.is_null(answer, name) then
      return name .. " must be " .. class.answer[name] .. ", got null"
    end
  end
end

-- Puts an answer into an object: its fields under their own names, unless the
-- name is a method or a collection, and all of it in `data`.
local function fill(class, object, data)
  for name in pairs(object) do
    object[name] = nil
  end
  for name, value in pairs(data) do
    if not class.reserved[name] then
      object[name] = value
    end
  end
  object.data = data
  return object
end

-- The metatable of one collection's objects: they know where they belong
-- without carrying it among their fields.
local function object_class(class, collection)
  local meta = { __name = "flexhooks." .. class.name, class = class,
    collection = collection }
  function meta.__index(object, name)
    local method = class.methods[name]
    if method then
      return method
    end
    if class.computed[name] then
      return class.computed[name](object)
    end
    if class.members[name] then
      return class.members[name](collection.session,
        collection.base .. "/" .. object[class.id])
    end
  end
  function meta.__tostring(object)
    return meta.__name .. ": " .. tostring(rawget(object, class.id))
  end
  return meta
end

-- The collection and the id of an object; raises, at the caller of a method,
-- for what is no object of this class or has lost its id.
local function place_of(class, object, name)
  local meta = type(object) == "table" and getmetatable(object)
  if type(meta) ~= "table" or meta.class ~= class then
    errors.raise(3, class.name .. "." .. name .. " is a method: call it with "
      .. "':', as in " .. class.name .. ":" .. name .. "(…)")
  end
  local id = rawget(object, class.id)
  local wrong = class.id_check(id)
  if wrong then
    errors.raise(3, class.name .. ":" .. name .. ": " .. class.id .. " "
      .. wrong)
  end
  return meta.collection, id
end

local function check_collection(class, self, name)
  if type(self) ~= "table" or getmetatable(self) ~= class.collection_class then
    errors.raise(3, class.plural .. "." .. name .. " is a method: call it "
      .. "with ':', as in " .. class.plural .. ":" .. name .. "(…)")
  end
end

local function base_path(self, call)
  if type(self.base) == "string" then
    return self.base
  end
  return self.base(self.session, call)
end

-- Sends to the collection, or to one object of it, and reads what comes back
-- into `object`, a new one where that is nil.
local function send(self, id, request, call, object)
  local path, err = base_path(self, call)
  if not path then
    return nil, err
  end
  request.path = id and path .. "/" .. id or path
  local data, answer = self.session:call(request, call)
  if data == true or not data then
    return data, not data and answer or nil
  end
  local class = self.class
  local wrong = whole_complaint(class, data, answer)
  if wrong then
    err = errors.new("protocol", "in the answer, " .. wrong)
    return nil, responses.blame(err, request, answer)
  end
  return fill(class, object or setmetatable({}, self.object_class), data)
end

local function id_complaint(class, id)
  local wrong = class.id_check(id)
  return wrong and "argument 1 (" .. class.id .. ") " .. wrong
end

local function walk(self, query, call)
  local class = self.class
  local list = {}
  for name in pairs(class.list.query) do
    if query[name] ~= nil then
      list[#list + 1] = { parameters.wire_name(name), query[name] }
    end
  end
  local page_size = query.page_size
    or query.limit and math.min(query.limit, 1000)
  if page_size then
    list[#list + 1] = { "PageSize", string.format("%d", page_size) }
  end
  return pages.new {
    session = self.session,
    base = function(of_call)
      return base_path(self, of_call)
    end,
    query = list,
    key = class.list.key,
    limit = query.limit,
    call = call,
    read = function(record)
      local wrong = answer_complaint(class, record)
      if wrong then
        return nil, wrong
      end
      return fill(class, setmetatable({}, self.object_class), record)
    end,
  }
end

-- method name -> function(class) -> the collection's method. Each raises at
-- its own caller.
local COLLECTION = {}

function COLLECTION.create(class)
  local fn = class.plural .. ":create"
  return function(self, params, call)
    check_collection(class, self, "create")
    call = options.check(fn, M.CALL, call)
    local request, wrong = parameters.request(class, class.create, params, 1)
    if not request then
      errors.raise(2, fn .. ": " .. wrong)
    end
    return send(self, nil, request, call)
  end
end

function COLLECTION.get(class)
  local fn = class.plural .. ":get"
  return function(self, id, call)
    check_collection(class, self, "get")
    local wrong = id_complaint(class, id)
    if wrong then
      errors.raise(2, fn .. ": " .. wrong)
    end
    call = options.check(fn, M.CALL, call)
    return send(self, id, { method = "GET" }, call)
  end
end

function COLLECTION.update(class)
  local fn = class.plural .. ":update"
  return function(self, id, params, call)
    check_collection(class, self, "update")
    call = options.check(fn, M.CALL, call)
    local wrong = id_complaint(class, id)
    local request
    if not wrong then
      request, wrong = parameters.request(class, class.update, params, 2)
    end
    if wrong then
      errors.raise(2, fn .. ": " .. wrong)
    end
    return send(self, id, request, call)
  end
end

function COLLECTION.delete(class)
  local fn = class.plural .. ":delete"
  return function(self, id, call)
    check_collection(class, self, "delete")
    local wrong = id_complaint(class, id)
    if wrong then
      errors.raise(2, fn .. ": " .. wrong)
    end
    call = options.check(fn, M.CALL, call)
    return send(self, id, { method = "DELETE" }, call)
  end
end

function COLLECTION.ref(class)
  local fn = class.plural .. ":ref"
  return function(self, id)
    check_collection(class, self, "ref")
    local wrong = id_complaint(class, id)
    if wrong then
      errors.raise(2, fn .. ": " .. wrong)
    end
    return setmetatable({ [class.id] = id }, self.object_class)
  end
end

-- A list's options are the last table as well, where there is no other.
local function list_options(class, fn, query, call)
  query = options.check(fn, class.list.options, query, 2)
  call = options.check(fn, M.CALL, call, 2)
  for name in pairs(M.CALL) do
    if call[name] == nil then
      call[name] = query[name]
    end
  end
  return query, call
end

function COLLECTION.list(class)
  local fn = class.plural .. ":list"
  return function(self, query, call)
    check_collection(class, self, "list")
    query, call = list_options(class, fn, query, call)
    local pager = walk(self, query, call)
    local items = {}
    while true do
      local item, err = pager:next()
      if err then
        return nil, err
      elseif not item then
        return items
      end
      items[#items + 1] = item
    end
  end
end

function COLLECTION.each(class)
  local fn = class.plural .. ":each"
  return function(self, query, call)
    check_collection(class, self, "each")
    query, call = list_options(class, fn, query, call)
    local pager = walk(self, query, call)
    return function()
      local item, err = pager:next()
      if err then
        error(err, 0)
      end
      return item
    end
  end
end

-- method name -> function(class) -> the object's method.
local OBJECT = {}

function OBJECT.refresh(class)
  local fn = class.name .. ":refresh"
  return function(self, call)
    local collection, id = place_of(class, self, "refresh")
    call = options.check(fn, M.CALL, call)
    return send(collection, id, { method = "GET" }, call, self)
  end
end

function OBJECT.update(class)
  local fn = class.name .. ":update"
  return function(self, params, call)
    local collection, id = place_of(class, self, "update")
    call = options.check(fn, M.CALL, call)
    local request, wrong = parameters.request(class, class.update, params, 1)
    if not request then
      errors.raise(2, fn .. ": " .. wrong)
    end
    return send(collection, id, request, call, self)
  end
end

function OBJECT.delete(class)
  local fn = class.name .. ":delete"
  return function(self, call)
    local collection, id = place_of(class, self, "delete")
    call = options.check(fn, M.CALL, call)
    return send(collection, id, { method = "DELETE" }, call)
  end
end

local LIST_OPTIONS = {
  limit = { type = "integer", min = 1 },
  page_size = { type = "integer", min = 1, max = 1000 },
}

local function add_names(set, names)
  for name in pairs(names or {}) do
    set[name] = true
  end
end

-- Which names answers hold, and which of them no object carries as a field.
local function complete_names(class)
  class.typed = typed_fields(class.answer)
  class.reserved = { data = true }
  class.known = { data = true }
  add_names(class.reserved, class.methods)
  add_names(class.reserved, class.computed)
  add_names(class.reserved, class.members)
  add_names(class.known, class.answer)
  add_names(class.known, class.computed)
  add_names(class.known, class.create and class.create.fields)
end

--- Makes a class of a description, in place; `class.open(session, base)` makes
-- its collections.
---@param class table
---@return table class
function M.define(class)
  class.members, class.computed = class.members or {}, class.computed or {}
  class.hints = class.hints or {}
  parameters.complete(class.create)
  parameters.complete(class.update)
  class.methods = {
    refresh = class.get and OBJECT.refresh(class),
    update = class.update and OBJECT.update(class),
    delete = class.delete and OBJECT.delete(class),
  }
  complete_names(class)
  local has_path = class.get or class.update or class.delete
  local able = { create = class.create, get = class.get, update = class.update,
    delete = class.delete, list = class.list, each = class.list,
    ref = has_path }
  local methods = {}
  for name in pairs(able) do
    methods[name] = COLLECTION[name](class)
  end
  if class.list then
    class.list.query = class.list.query or {}
    class.list.options = tables.merged(M.CALL, LIST_OPTIONS, class.list.query)
  end
  class.collection_class = { __name = "flexhooks." .. class.plural,
    __index = methods }
  return class
end

--- Makes a collection.
---@param class table
---@param session table
---@param base string|fun(session: table, call: table): string?, table? path
---@return table
function M.open(class, session, base)
  local collection = { class = class, session = session, base = base }
  collection.object_class = object_class(class, collection)
  return setmetatable(collection, class.collection_class)
end

return M
