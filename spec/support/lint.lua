-- What a check of tools/lint says of sources given as path -> text.
package.path = "tools/?.lua;" .. package.path

--- The complaints, "path:line: message" each, sorted.
return function(check, sources)
  local list = {}
  require("lint." .. check).check(sources, function(path, line, message)
    list[#list + 1] = ("%s:%d: %s"):format(path, line, message)
  end)
  table.sort(list)
  return list
end
