/**
 * The scripts that the fuzz runs, by what each shows. KEYS[1] exists or not, of any type; ARGV is a whole command where
 * a script runs one, else anything.
 */
export const FUZZ_SCRIPTS: Record<string, string> = {
  call: "return redis.call(unpack(ARGV))",
  pcall: "return redis.pcall(unpack(ARGV))",
  callNotAsTailCall: "local reply = redis.call(unpack(ARGV))\n\n  return reply",
  callInFunction:
    "local function run(...)\n  return redis.call(...)\nend\nlocal reply = run(unpack(ARGV))\nreturn {reply, 'after'}",
  pcallShown: `local reply = redis.pcall(unpack(ARGV))
    if type(reply) ~= 'table' then return {type(reply), reply} end
    return {'table', reply.err or 'no err', reply.ok or 'no ok', #reply}`,
  luaPcall: "local ok, reply = pcall(redis.call, unpack(ARGV)) return {tostring(ok), type(reply), reply}",
  luaPcallOfFunction:
    "local ok, reply = pcall(function() return redis.call(unpack(ARGV)) end) return {tostring(ok), type(reply), reply}",
  coroutine: "local co = coroutine.wrap(function() coroutine.yield(redis.pcall(unpack(ARGV))) end) return co()",
  afterError:
    "local reply = redis.pcall(unpack(ARGV)) if type(reply) == 'table' and reply.err then return redis.pcall('SET', KEYS[1], reply.err) end return reply",
  numbersAsArguments:
    "return redis.call('SET', KEYS[1], 2^53) and redis.call('APPEND', KEYS[1], 0.1) and redis.call('GET', KEYS[1])",
  badArguments: "return redis.call('GET', {})",
  nilArgument: "return redis.call('GET', nil)",
  noArguments: "return redis.call()",
  noArgumentsPcall: "return redis.pcall()",
  unknownCommand: "return redis.call('NOPE', 'a')",
  wrongArity: "return redis.pcall('GET')",
  evalInScript: "return redis.call('EVAL', 'return 1', 0)",
  conversions:
    "return {1, 2.9, -2.9, 'text', true, false, {1, {2, 'deep'}}, {ok = 'fine'}, {err = 'MY own'}, redis.call('GET', 'never')}",
  endsAtNil: "return {1, nil, 3}",
  largeNumbers: "return {2^53, -2^53, 1e15, 2^62, 0, -0}",
  statusTable: "return {ok = 'A' .. (ARGV[1] or '')}",
  errorTable: "return {err = 'MYCODE ' .. (ARGV[1] or '')}",
  errorTableFromPcall: "return redis.pcall('INCR', KEYS[1])",
  statusReply: "return redis.status_reply(ARGV[1])",
  errorReply: "return redis.error_reply('MYCODE and text')",
  errorReplyOneWord: "return redis.error_reply('Word')",
  errorReplyWithDash: "return redis.error_reply('-CODE text')",
  replyTypes:
    "return {redis.status_reply('S').ok, redis.error_reply('E x').err, type(redis.call('GET', 'never')), type(redis.call('EXISTS', KEYS[1]))}",
  badStatusReply: "return redis.status_reply(1)",
  raisedText: "error('boom ' .. #ARGV)",
  raisedWithoutPosition: "error('boom', 0)",
  raisedTable: "error({err = 'CODE raised'})",
  raisedLater: "redis.call('SET', KEYS[1], 'before')\n\nerror('after the write')",
  failedAssert: "assert(false, 'an assertion')",
  runtimeError: "local nothing = nil\nreturn nothing.field",
  runtimeErrorInFunction: "local function f(x)\n  return x + {}\nend\nlocal y = f(1)\nreturn y",
  unknownGlobal: "return some_global",
  setGlobal: "some_global = 1",
  setGlobalFunction: "function some_function() end",
  setRedis: "redis.call = nil",
  readRedis: "return {type(redis.call), tostring(redis.nothing), redis.LOG_WARNING}",
  noOs: "return os.time()",
  rawsetGlobals: "return rawset(_G, 'x', 1)",
  syntaxError: "return return",
  syntaxErrorAtEnd: "if true then",
  empty: "",
  comment: "return 1 -- a comment",
  manyResults: "return 1, 2, 3",
  keysAndArguments: "return {#KEYS, #ARGV, KEYS[1], ARGV[1], KEYS[#KEYS], ARGV[#ARGV]}",
  echoBinary: "return {ARGV[1], #ARGV[1], string.byte(ARGV[1] or '', 1, -1)}",
  sha: "return redis.sha1hex(ARGV[1] or '')",
  shaWithoutArgument: "return redis.sha1hex()",
  tonumber:
    "return {tostring(tonumber(ARGV[1])), tostring(tonumber(ARGV[2] or '')), tostring(1e18), tostring(0.1), tostring(12345678901234567890)}",
  arithmetic:
    "local n = tonumber(ARGV[1]) or 3 return {tostring(n * 3), tostring(n % 7), math.floor(10 / 4), tostring(7 / 2), string.format('%.17g', 0.1)}",
  strings:
    "local s = ARGV[1] or '' return {s:upper(), s:rep(2), s:reverse(), s:sub(2, 3), (s:gsub('[aeiou]', '*')), s .. 1}",
  compare: "if redis.call('GET', 's1') == ARGV[1] then return redis.call('DEL', 's1') else return 0 end",
  cjson: `return {cjson.encode({1, 'two', {a = 'b'}}), cjson.encode({}), cjson.encode(ARGV), cjson.encode(1.5), cjson.encode(1e20), cjson.encode(cjson.null),
    cjson.decode('{"a":[1,2,{"b":"c"}]}').a[3].b, tostring(cjson.decode('[null]')[1] == cjson.null), cjson.decode('"\\\\u00e9"')}`,
  luaShebang: "#!lua\nreturn redis.call(unpack(ARGV))",
  noWrites: "#!lua flags=no-writes\nreturn redis.call(unpack(ARGV))",
  unknownFlag: "#!lua flags=nope\nreturn 1",
  unknownEngine: "#!js\nreturn 1",
  unknownShebangOption: "#!lua nope\nreturn 1",
  shebangAlone: "#!lua",
  frozenExpiry:
    "redis.call('SET', KEYS[1], 'v', 'PXAT', '1') return {redis.call('EXISTS', KEYS[1]), redis.call('GET', KEYS[1])}",
  fillIfLeased:
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('SET', KEYS[1], 'V:payload', 'PXAT', '4000000000000') end return false",
  leaseOrRead: `local value = redis.call('GET', KEYS[1])
    if value then return {'held', value} end
    local time = redis.call('TIME')
    local reply = redis.pcall('SET', KEYS[1], 'L:lease', 'PX', 5000000)
    if reply.err then return {'full', reply.err} end
    return {'leased', #time, type(time[1]), reply.ok}`,
  purge:
    "redis.call('DEL', KEYS[1]) local reply = redis.pcall('SET', KEYS[1], 'T:x', 'PX', 65000000) if type(reply) == 'table' and reply.err then return {'deleted', ARGV[1]} end return {'marked', ARGV[1]}",
  fixedWindow: `local r = redis.call('INCRBY', KEYS[1], 1)
    if r == 1 then redis.call('PEXPIRE', KEYS[1], 60000000) end
    return r`,
  slidingWindow: `local current = tonumber(redis.call('GET', 'n1') or '0')
    local previous = redis.call('GET', 'n2')
    if previous == false then previous = '0' end
    previous = math.floor((1 - 0.25) * (tonumber(previous) or 0))
    if (current or 0) + previous >= 50 then return -1 end
    local new = redis.pcall('INCRBY', 'n1', 1)
    return {new, previous}`,
  tokenBucket: `local bucket = redis.pcall('HMGET', 'h1', 'refilledAt', 'tokens')
    if bucket.err then return bucket end
    local refilledAt, tokens = tonumber(bucket[1] or '') or 1000, tonumber(bucket[2] or '') or 10
    redis.call('HSET', 'h1', 'refilledAt', refilledAt, 'tokens', tokens - 1)
    return {tokens - 1, refilledAt + 1000}`,
};
