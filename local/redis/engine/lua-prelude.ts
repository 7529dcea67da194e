/**
 * Runs once in the Lua state, before any script: builds what scripts see and the two functions that the host calls.
 * What may raise an error reaches scripts as a real C function, borrowed from the os library: `return redis.call(…)` is
 * a tail call, and a Lua function would take the script's frame, and so the line in its error message, away.
 *
 * Values travel as text: a kind, a length or number up to a newline, then the bytes.
 */
export const LUA_PRELUDE = String.raw`
local host, os = os.tmpname, os
local registry, getinfo = debug.getregistry(), debug.getinfo
local find, sub, gsub, format, concat, floor, ceil = string.find, string.sub, string.gsub, string.format, table.concat, math.floor, math.ceil
local type, tonumber, tostring, error, pairs, rawset, rawget = type, tonumber, tostring, error, pairs, rawset, rawget
local setmetatable, getmetatable, setfenv, loadstring, load, pcall, xpcall = setmetatable, getmetatable, setfenv, loadstring, load, pcall, xpcall
local null = newproxy()

-- A C string ends at its first zero byte, so the host sends \0 as \1\1 and \1 as \1\2, marked by a leading E.
local plain = { ["\1"] = "\0", ["\2"] = "\1" }
local function received(text)
  if sub(text, 1, 1) == "E" then return (gsub(sub(text, 2), "\1(.)", plain)) end
  return sub(text, 2)
end

local decode
local function decode_many(text, at, count)
  local items = {}
  for index = 1, count do items[index], at = decode(text, at) end
  return items, at
end

function decode(text, at)
  local stop = find(text, "\n", at, true)
  local kind, size = sub(text, at, at), sub(text, at + 1, stop - 1)
  at = stop + 1
  if kind == "_" then return false, at end
  if kind == ":" then return tonumber(size), at end
  if kind == "n" then return null, at end
  if kind == "b" then return size == "1", at end
  if kind == "*" then return decode_many(text, at, tonumber(size)) end
  if kind == "%" then
    local object, key, value = {}
    for _ = 1, tonumber(size) do
      key, at = decode(text, at)
      value, at = decode(text, at)
      object[key] = value
    end
    return object, at
  end
  local bytes = sub(text, at, at + tonumber(size) - 1)
  at = at + tonumber(size)
  if kind == "+" then return { ok = bytes }, at end
  if kind == "-" then return { err = bytes, ignore_error_stats_update = true }, at end
  return bytes, at
end

local function ask(operation, text)
  return (decode(received(host(operation .. text)), 1))
end

local function sized(kind, bytes)
  return kind .. #bytes .. "\n" .. bytes
end

local function encode(value)
  local kind = type(value)
  if kind == "string" then return sized("$", value) end
  if kind == "number" then return format(":%.0f\n", value < 0 and ceil(value) or floor(value)) end
  if kind == "boolean" then return value and ":1\n" or "_\n" end
  if kind ~= "table" then return "_\n" end
  if type(value.err) == "string" then return sized("-", value.err) end
  if type(value.ok) == "string" then return sized("+", value.ok) end
  local items, index = {}, 1
  while value[index] ~= nil do
    items[index] = encode(value[index])
    index = index + 1
  end
  return "*" .. #items .. "\n" .. concat(items)
end

local function failure(message)
  return { err = "ERR " .. message, ignore_error_stats_update = true }
end

local function run_command(...)
  local parts = { ... }
  local count = select("#", ...)
  if count == 0 then return failure("Please specify at least one argument for this redis lib call") end
  for index = 1, count do
    local argument = parts[index]
    if type(argument) == "number" then argument = format("%.17g", argument) end
    if type(argument) ~= "string" then return failure("Lua redis lib command arguments must be strings or integers") end
    parts[index] = sized("$", argument)
  end
  return ask("C", concat(parts))
end

function registry.latchkey_call(...)
  local reply = run_command(...)
  if type(reply) == "table" and reply.err then error(reply, 0) end
  return reply
end

function registry.latchkey_pcall(...)
  return run_command(...)
end

-- Where a script failed: the nearest frame that is neither C nor this file.
local function on_error(problem)
  local level = 2
  local frame = getinfo(level, "Sl")
  while frame and (frame.what == "C" or frame.source == "=latchkey") do
    level = level + 1
    frame = getinfo(level, "Sl")
  end
  if type(problem) ~= "table" then problem = { err = "ERR " .. tostring(problem) } end
  if frame then problem.source, problem.line = frame.source, frame.currentline end
  return problem
end

local function refuse_write() error("Attempt to modify a readonly table", 2) end
local function readonly(fields, missing)
  return setmetatable({}, { __index = missing or fields, __newindex = refuse_write, __metatable = false })
end

local escapes = { ['"'] = '\\"', ["\\"] = "\\\\", ["/"] = "\\/", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }
local function escape(character)
  return escapes[character] or format("\\u%04x", character:byte())
end

local function json_string(text)
  return '"' .. gsub(gsub(text, '[%c"\\/]', escape), "%z", "\\u0000") .. '"'
end

local function json(value)
  local kind = type(value)
  if value == nil or value == null then return "null" end
  if kind == "boolean" then return tostring(value) end
  if kind == "number" then
    if value ~= value or value == 1 / 0 or value == -1 / 0 then error("Cannot serialise number: must not be NaN or Inf", 0) end
    return format("%.14g", value)
  end
  if kind == "string" then return json_string(value) end
  if kind ~= "table" then error("Cannot serialise " .. kind .. ": type not supported", 0) end
  local highest, count, is_list = 0, 0, true
  for key in pairs(value) do
    count = count + 1
    if type(key) == "number" and key >= 1 and floor(key) == key then
      if key > highest then highest = key end
    else
      is_list = false
    end
  end
  local items = {}
  if is_list and count > 0 then
    if highest > 10 and highest > count * 2 then error("Cannot serialise table: excessively sparse array", 0) end
    for index = 1, highest do items[index] = json(value[index]) end
    return "[" .. concat(items, ",") .. "]"
  end
  for key, item in pairs(value) do
    if type(key) ~= "string" and type(key) ~= "number" then error("Cannot serialise table: table key must be a number or string", 0) end
    local name = type(key) == "number" and '"' .. format("%.14g", key) .. '"' or json_string(key)
    items[#items + 1] = name .. ":" .. json(item)
  end
  return "{" .. concat(items, ",") .. "}"
end

registry.latchkey_encode = json

function registry.latchkey_decode(text)
  local value = ask("J", tostring(text))
  if type(value) == "table" and value.err and value.ignore_error_stats_update then error("user_script: " .. value.err, 0) end
  return value
end

local function single_field(field)
  return function(...)
    local text = ...
    if select("#", ...) ~= 1 or type(text) ~= "string" then return failure("wrong number or type of arguments") end
    if field == "ok" then return { ok = text } end
    if sub(text, 1, 1) == "-" then text = sub(text, 2) elseif not find(text, " ", 1, true) then text = "ERR " .. text end
    return { err = text, ignore_error_stats_update = true }
  end
end

function registry.latchkey_sha1hex(...)
  if select("#", ...) ~= 1 then error(failure("wrong number of arguments"), 0) end
  return ask("S", tostring((...)))
end

local api = {
  call = os.setlocale,
  pcall = os.difftime,
  sha1hex = os.getenv,
  error_reply = single_field("err"),
  status_reply = single_field("ok"),
  log = function() end,
  setresp = function() end,
  set_repl = function() end,
  replicate_commands = function() return true end,
  LOG_DEBUG = 0, LOG_VERBOSE = 1, LOG_NOTICE = 2, LOG_WARNING = 3,
  REPL_NONE = 0, REPL_AOF = 1, REPL_SLAVE = 2, REPL_REPLICA = 2, REPL_ALL = 3,
  REDIS_VERSION = "7.0.15", REDIS_VERSION_NUM = 0x0700000f,
}

local globals = {
  redis = readonly(api), cjson = readonly({ encode = os.execute, decode = os.exit, null = null }),
  string = readonly(string), table = readonly(table), math = readonly(math), coroutine = readonly(coroutine),
  assert = assert, collectgarbage = collectgarbage, error = error, gcinfo = gcinfo, getmetatable = getmetatable, ipairs = ipairs,
  next = next, pairs = pairs, rawequal = rawequal, rawget = rawget, select = select, tonumber = tonumber, tostring = tostring,
  type = type, unpack = unpack, xpcall = xpcall, _VERSION = _VERSION,
}
local sandbox = readonly(globals, function(_, name)
  local value = globals[name]
  if value == nil then error("Script attempted to access nonexistent global variable '" .. tostring(name) .. "'", 2) end
  return value
end)
globals._G = sandbox

local function caught(ok, problem, ...)
  if not ok and type(problem) == "table" and problem.err then problem = problem.err end
  return ok, problem, ...
end
function globals.pcall(...) return caught(pcall(...)) end
globals.rawset, globals.setmetatable = os.clock, os.date
function registry.latchkey_rawset(target, ...)
  if target == sandbox then error(failure("Attempt to modify a readonly table"), 0) end
  return rawset(target, ...)
end
function registry.latchkey_setmetatable(target, ...)
  if target == sandbox then error(failure("Attempt to modify a readonly table"), 0) end
  return setmetatable(target, ...)
end
local function sandboxed(chunk, ...)
  if chunk then setfenv(chunk, sandbox) end
  return chunk, ...
end
function globals.loadstring(...) return sandboxed(loadstring(...)) end
function globals.load(...) return sandboxed(load(...)) end

local scripts = {}

local function compile(sha, body)
  local chunk, problem = loadstring(body, "@user_script")
  if not chunk then return sized("-", problem) end
  scripts[sha] = setfenv(chunk, sandbox)
  return "_\n"
end

local function evaluate(sha, keys, arguments)
  globals.KEYS, globals.ARGV = keys, arguments
  local ok, result = xpcall(scripts[sha], on_error)
  if ok then return encode(result) end
  local message = tostring(result.err)
  if result.source and result.line then
    message = message .. " script: " .. sha .. ", on " .. result.source .. ":" .. result.line .. "."
  end
  return sized("-", message)
end

function registry.latchkey_run(request)
  local operation, first, second, third = unpack((decode(received(request), 1)))
  if operation == "compile" then return compile(first, second) end
  if operation == "flush" then scripts = {} return "_\n" end
  local ok, answer = pcall(evaluate, first, second, third)
  return ok and answer or sized("-", "ERR " .. tostring(answer))
end
`;
