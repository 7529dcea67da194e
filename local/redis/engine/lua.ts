import { createRequire } from "node:module";

import { ErrorReply, Status, toLine, type Command, type Reply } from "../reply";
import { sha1 } from "../sha1";
import { LUA_PRELUDE } from "./lua-prelude";

/** What is used of the module that Emscripten makes of Lua 5.1. Numbers are addresses or Lua stack indexes. */
type LuaModule = {
  readonly HEAPU8: Uint8Array;
  readonly HEAPU32: Uint32Array;
  readonly asm: { readonly qa: { set(index: number, callback: unknown): void } };
  _malloc(size: number): number;
  _luaL_newstate(): number;
  _luaL_openlibs(state: number): void;
  _luaL_loadbuffer(state: number, bytes: number, size: number, name: number): number;
  _lua_pcall(state: number, argumentCount: number, resultCount: number, handler: number): number;
  _lua_call(state: number, argumentCount: number, resultCount: number): void;
  _lua_getfield(state: number, index: number, name: number): void;
  _lua_gettop(state: number): number;
  _lua_settop(state: number, index: number): void;
  _lua_insert(state: number, index: number): void;
  _lua_pushstring(state: number, bytes: number): void;
  _lua_tolstring(state: number, index: number, sizeAddress: number): number;
};

/** Functions of Lua's os library, which no script sees, and the prelude's function that each now leads to. */
const BORROWED_FUNCTIONS = {
  setlocale: "latchkey_call",
  difftime: "latchkey_pcall",
  getenv: "latchkey_sha1hex",
  execute: "latchkey_encode",
  exit: "latchkey_decode",
  clock: "latchkey_rawset",
  date: "latchkey_setmetatable",
};

const REGISTRY_INDEX = -10000;
const ALL_RESULTS = -1;

/** A WebAssembly module that imports one function (i32) → i32 and exports it: only such a function fits into Lua's table. */
const TRAMPOLINE = new Uint8Array([
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x06, 0x01, 0x60, 0x01, 0x7f, 0x01, 0x7f, 0x02, 0x07, 0x01,
  0x01, 0x65, 0x01, 0x66, 0x00, 0x00, 0x07, 0x05, 0x01, 0x01, 0x66, 0x00, 0x00,
]);

export type LuaHost = {
  /** Compiles a script under its SHA-1; the compiler's message where it does not compile. */
  compile(sha: string, body: string): string | null;
  /** Runs a compiled script. */
  evaluate(sha: string, keys: readonly string[], args: readonly string[]): Reply;
  flush(): void;
};

/**
 * Real Lua 5.1 with Redis's scripting interface; `call` serves redis.call. Runs until the script returns: an endless
 * loop in a script is one here.
 */
export function createLuaHost(call: (command: Command) => Reply): LuaHost {
  const lua = instantiate();
  const names = new Map<string, number>();
  const sizeAddress = lua._malloc(4);
  let buffer = { address: lua._malloc(4096), size: 4096 };

  /** The address of a zero-ended copy, good until the next call. */
  function toMemory(bytes: string): number {
    if (bytes.length + 1 > buffer.size) {
      const size = 2 * (bytes.length + 1);
      buffer = { address: lua._malloc(size), size };
    }
    Buffer.from(lua.HEAPU8.buffer, buffer.address, buffer.size).write(`${bytes}\0`, "latin1");
    return buffer.address;
  }

  function nameAddress(name: string): number {
    const known = names.get(name);
    if (known !== undefined) return known;
    const address = lua._malloc(name.length + 1);
    lua.HEAPU8.set(Buffer.from(`${name}\0`, "latin1"), address);
    names.set(name, address);
    return address;
  }

  function push(state: number, bytes: string): void {
    lua._lua_pushstring(state, toMemory(/[\0\x01]/.test(bytes) ? `E${escapeZeros(bytes)}` : `P${bytes}`));
  }

  function stringAt(state: number, index: number): string {
    const address = lua._lua_tolstring(state, index, sizeAddress);
    const size = lua.HEAPU32[sizeAddress >> 2] ?? 0;
    return Buffer.from(lua.HEAPU8.buffer, address, size).toString("latin1");
  }

  /** Replaces a C function of Lua's os library, found by its name in the library's own table of functions. */
  function replaceFunction(name: string, callback: (state: number) => number): void {
    const nameStart = Buffer.from(lua.HEAPU8.buffer).indexOf(`\0${name}\0`, 0, "latin1") + 1;
    const entry = lua.HEAPU32.indexOf(nameStart);
    const index = lua.HEAPU32[entry + 1];
    if (nameStart === 0 || entry === -1 || index === undefined)
      throw new Error(`os.${name} is not where Lua 5.1.5 has it`);
    lua.asm.qa.set(index, toWasmFunction(callback));
  }

  /** A C function that hands its arguments to a Lua function; an error in that passes through as Lua's own. */
  function forwardTo(name: string): (state: number) => number {
    return (state) => {
      const argumentCount = lua._lua_gettop(state);
      lua._lua_getfield(state, REGISTRY_INDEX, nameAddress(name));
      lua._lua_insert(state, 1);
      lua._lua_call(state, argumentCount, ALL_RESULTS);
      return lua._lua_gettop(state);
    };
  }

  /** A JavaScript exception must not pass through Lua's own frames. */
  function callSafely(command: Command): Reply {
    try {
      return call(command);
    } catch (error) {
      return new ErrorReply(`ERR ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  function serve(request: string): string {
    const body = request.slice(1);
    if (request.startsWith("C")) return toWire(callSafely(splitBulks(body)));
    if (request.startsWith("S")) return toWire(sha1(body));
    return jsonToWire(body);
  }

  replaceFunction("tmpname", (state) => {
    push(state, serve(stringAt(state, 1)));
    return 1;
  });
  for (const [borrowed, name] of Object.entries(BORROWED_FUNCTIONS)) replaceFunction(borrowed, forwardTo(name));

  const state = lua._luaL_newstate();
  lua._luaL_openlibs(state);
  const isLoaded =
    lua._luaL_loadbuffer(state, toMemory(LUA_PRELUDE), LUA_PRELUDE.length, nameAddress("=latchkey")) === 0;
  if (!isLoaded || lua._lua_pcall(state, 0, 0, 0) !== 0) throw new Error(`Lua did not start: ${stringAt(state, -1)}`);

  function run(request: Reply): Reply {
    lua._lua_getfield(state, REGISTRY_INDEX, nameAddress("latchkey_run"));
    push(state, toWire(request));
    const isDone = lua._lua_pcall(state, 1, 1, 0) === 0;
    const answer = stringAt(state, -1);
    lua._lua_settop(state, 0);
    return isDone ? fromWire(answer, 0).reply : new ErrorReply(`ERR ${answer}`);
  }

  return {
    compile(sha, body) {
      const answer = run(["compile", sha, body]);
      return answer instanceof ErrorReply ? answer.message : null;
    },
    evaluate: (sha, keys, args) => run(["evaluate", sha, [...keys], [...args]]),
    flush: () => void run(["flush"]),
  };
}

function instantiate(): LuaModule {
  const events = ["uncaughtException", "unhandledRejection"] as const;
  const before = events.map((event) => process.rawListeners(event));
  const load = createRequire(import.meta.url)("lua-wasm-bindings/dist/glue/glue-lua-5.1.5") as (
    overrides: object,
  ) => LuaModule;
  const lua = load({});
  // Emscripten adds listeners that end the process on any unhandled rejection, whoever caused it.
  events.forEach((event, index) => {
    for (const listener of process.rawListeners(event)) {
      if (before[index]?.includes(listener) !== true) process.removeListener(event, listener as () => void);
    }
  });
  return lua;
}

function toWasmFunction(callback: (state: number) => number): unknown {
  return new WebAssembly.Instance(new WebAssembly.Module(TRAMPOLINE), { e: { f: callback } }).exports.f;
}

function escapeZeros(bytes: string): string {
  return bytes.replace(/[\0\x01]/g, (character) => (character === "\0" ? "\x01\x01" : "\x01\x02"));
}

function sized(kind: string, bytes: string): string {
  return `${kind}${bytes.length}\n${bytes}`;
}

function toWire(reply: Reply): string {
  if (reply === null) return "_\n";
  if (typeof reply === "number" || typeof reply === "bigint") return `:${reply}\n`;
  if (typeof reply === "string") return sized("$", reply);
  if (reply instanceof Status) return sized("+", reply.text);
  if (reply instanceof ErrorReply) return sized("-", reply.message);
  return `*${reply.length}\n${reply.map(toWire).join("")}`;
}

function fromWire(text: string, at: number): { reply: Reply; end: number } {
  const lineEnd = text.indexOf("\n", at);
  const kind = text[at];
  const size = text.slice(at + 1, lineEnd);
  if (kind === "_") return { reply: null, end: lineEnd + 1 };
  if (kind === ":") return { reply: castToInteger(size), end: lineEnd + 1 };
  if (kind === "*") {
    const items: Reply[] = [];
    let end = lineEnd + 1;
    for (let index = 0; index < Number(size); index++) {
      const item = fromWire(text, end);
      items.push(item.reply);
      end = item.end;
    }
    return { reply: items, end };
  }
  const end = lineEnd + 1 + Number(size);
  const bytes = text.slice(lineEnd + 1, end);
  if (kind === "$") return { reply: bytes, end };
  return { reply: kind === "+" ? new Status(toLine(bytes)) : new ErrorReply(toLine(bytes)), end };
}

/** C's cast of a double to a 64-bit integer; x86 answers the smallest one for what does not fit. */
function castToInteger(text: string): number | bigint {
  const value = Number(text);
  if (Number.isSafeInteger(value)) return value === 0 ? 0 : value;
  const isInRange = value >= -(2 ** 63) && value < 2 ** 63;
  return isInRange ? BigInt(value) : -(2n ** 63n);
}

function splitBulks(text: string): string[] {
  const bulks: string[] = [];
  for (let at = 0; at < text.length;) {
    const { reply, end } = fromWire(text, at);
    if (typeof reply === "string") bulks.push(reply);
    at = end;
  }
  return bulks;
}

function jsonToWire(bytes: string): string {
  try {
    return valueToWire(JSON.parse(Buffer.from(bytes, "latin1").toString("utf8")));
  } catch {
    return sized("-", "Expected value but found invalid token");
  }
}

function valueToWire(value: unknown): string {
  if (value === null) return "n\n";
  if (typeof value === "boolean") return `b${value ? 1 : 0}\n`;
  if (typeof value === "number") return `:${value}\n`;
  if (typeof value === "string") return sized("$", Buffer.from(value, "utf8").toString("latin1"));
  if (Array.isArray(value)) return `*${value.length}\n${value.map(valueToWire).join("")}`;
  const entries = Object.entries(value as object);
  return `%${entries.length}\n${entries.map(([key, item]) => valueToWire(key) + valueToWire(item)).join("")}`;
}
