import { createLogger } from "@/server/platform/logger";
import { createRedisClients, type RedisPlace } from "@/server/platform/redis";

/** Asks a Redis once, in a process that trusts what NODE_EXTRA_CA_CERTS names, and prints its answer or the error's code. */
const redis = createRedisClients(JSON.parse(process.env.REDIS_PLACE ?? "{}") as RedisPlace, createLogger("silent"));
const answer = await redis.purge
  .evaluate("return 'pong'", { keys: [], args: [] })
  .catch((fault: unknown) => (fault as { code?: unknown }).code);
process.stdout.write(String(answer));
redis.close();
