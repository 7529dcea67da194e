/**
 * What every test of Redis's behaviour runs against. `npm test` leaves the real server out, and says so, where there is
 * none and it may not install one; any other run without it fails.
 */
export const redisKinds: readonly ("redis-server" | "embedded")[] = process.env.LATCHKEY_NO_REDIS_SERVER
  ? ["embedded"]
  : ["redis-server", "embedded"];
