/**
 * The rooms of this house, in the order of their floors: what each is, and what it may import. The lint holds it, and a test compares the
 * README's table with it. A file outside of these rooms is a tool's or the composition's.
 */
export const rooms = {
  "server/shared": {
    is: "pure rules and shapes: the secret's format, names, inputs, status, effect, error codes. A browser may load it",
    mayImport: [],
    instead: "Keep it pure: whatever needs Node, Postgres or Redis belongs into a room above.",
  },
  "server/settings": {
    is: "reads and checks the settings; imported by compositions alone",
    mayImport: ["server/shared"],
    instead: "Settings know nothing of what is made of them.",
  },
  "server/platform": {
    is: "Postgres (client, schema, locks, migrations), Redis, logger, metrics, limits",
    mayImport: ["server/shared"],
    instead: "Platform knows nothing of keys. Move a rule about keys into server/keys.",
  },
  "server/gateway": {
    is: "what every verifier shares, on Web standards alone: a request's key, a slot's value and its judgement, the answers",
    mayImport: ["server/shared"],
    instead: "It runs where there is nothing of Node. Take what you need as a plain argument.",
  },
  "server/edge": {
    is: "`latchkey/edge`: the verifier for workers, which asks the slot and otherwise the origin",
    mayImport: ["server/shared", "server/gateway"],
    instead: "It runs where there is nothing of Node. What needs Postgres or writes to a slot is the origin's.",
  },
  "server/slot": {
    is: "the cache protocol: scripts and leases",
    mayImport: ["server/shared", "server/platform", "server/gateway"],
    instead: "The slot knows neither the outbox nor the verbs: they use it.",
  },
  "server/history": {
    is: "the history of an owner's keys: recording, reading, pruning",
    mayImport: ["server/shared", "server/platform"],
    instead: "The history knows no verb: the verb tells it what it has done.",
  },
  "server/events": {
    is: "the sending of events to the host's own webhook receiver",
    mayImport: ["server/shared", "server/platform", "server/history"],
    instead: "The sender knows no verb: it sends what the history holds.",
  },
  "server/outbox": {
    is: "change-and-purge, the queue, the drain, effects",
    mayImport: ["server/shared", "server/platform", "server/slot", "server/history"],
    instead: "The outbox knows no verb: pass it the change as a function.",
  },
  "server/keys": {
    is: "one verb a file: create, list, rename, rotate, revoke, verify, usage",
    mayImport: [
      "server/shared",
      "server/platform",
      "server/gateway",
      "server/slot",
      "server/history",
      "server/events",
      "server/outbox",
    ],
    instead: "Verbs know nothing of owners' accounts, HTTP or Clerk. Take a plain argument.",
  },
  "server/owners": {
    is: "what happens to an account: access, closing, reopening, who leaves",
    mayImport: ["server/shared", "server/platform", "server/history", "server/outbox", "server/keys"],
    instead: "Owners know nothing of HTTP or Clerk. Take a plain argument.",
  },
  "server/leaks": {
    is: "keys that were found where they do not belong: GitHub's reports, the end of what was shown",
    mayImport: ["server/shared", "server/platform", "server/history", "server/outbox", "server/keys"],
    instead: "Leaks know nothing of HTTP's answers or Clerk. Take a plain argument.",
  },
  "server/http": {
    is: "the gateway and the endpoints, on fetch's Request and Response",
    mayImport: [
      "server/shared",
      "server/platform",
      "server/gateway",
      "server/history",
      "server/events",
      "server/outbox",
      "server/keys",
      "server/owners",
      "server/leaks",
    ],
    instead: "HTTP knows no sign-in: it takes an IdentityProvider.",
  },
  "server/clerk": {
    is: "the one adapter to Clerk: session, bearer, webhook, plans",
    mayImport: ["server/shared", "server/platform", "server/gateway", "server/keys", "server/owners", "server/http"],
    instead: "The adapter translates; rules belong into server/keys or server/owners.",
  },
  "server/command": {
    is: "the command `latchkey` for operators: doctor, find, revoke, import, export, migrate",
    mayImport: [
      "server/shared",
      "server/settings",
      "server/platform",
      "server/slot",
      "server/events",
      "server/outbox",
      "server/keys",
    ],
    instead: "A command reads its arguments and settings and calls a verb. Move a rule down to server/keys.",
  },
  server: {
    is: "`context.ts` constructs what the rooms above need; `index.ts` is the public face, `latchkey`",
    mayImport: [
      "server/shared",
      "server/settings",
      "server/platform",
      "server/gateway",
      "server/slot",
      "server/history",
      "server/events",
      "server/outbox",
      "server/keys",
      "server/leaks",
      "server/http",
    ],
    instead: "context.ts and index.ts put together and do nothing else.",
  },
  trpc: {
    is: "the procedures, `latchkey/trpc`: the router for a host's root, a root of our own, error mapping",
    mayImport: ["server/shared", "server/platform", "server/history", "server/keys", "server/http"],
    instead: "The direction is app → trpc → server. Move what is shared down.",
  },
  "server/latchkey": {
    is: "the composition, which every host owns: options, scopes",
    mayImport: ["server", "server/clerk", "server/http"],
    instead: "A host owns this room: it uses the package's entry points only.",
  },
  "trpc/latchkey": {
    is: "the page's way to the procedures, which every host owns: client, prefetch, cache of answers",
    mayImport: ["trpc", "server", "server/shared", "server/latchkey"],
    instead: "A host owns this room: it uses the package's entry points only.",
  },
  "app/(site)/settings/api-keys": {
    is: "the settings page as a block, which other apps take along as it stands: its components, texts and styles",
    mayImport: ["trpc", "trpc/latchkey", "server", "server/latchkey", "server/shared"],
    instead: "The page is taken along without the rest of the site. Move what it needs below its own folder.",
  },
  app: {
    is: "what browsers and HTTP clients see: pages, mounts of about ten lines, components",
    mayImport: [
      "app/(site)/settings/api-keys",
      "trpc",
      "trpc/latchkey",
      "server",
      "server/latchkey",
      "server/http",
      "server/shared",
    ],
    instead: "Use the package's entry points, as a host does.",
  },
  local: {
    is: "stand-ins for development and tests; never shipped, imported by nothing that ships",
    mayImport: ["server/settings", "server/platform", "server/command", "server/latchkey"],
    instead: "A stand-in stands for something outside: it does not use the app.",
  },
};
