import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";

/** Whether this is root on Debian or Ubuntu, as in a container or in CI. Nobody else's system is changed. */
export function mayInstallSystemPackages(): boolean {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  try {
    return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync("/etc/os-release", "utf8"));
  } catch {
    return false;
  }
}

const POLICY = "/usr/sbin/policy-rc.d";

/**
 * Installs a package with apt and says so. No service that it brings is started.
 * @returns whether it is installed; what apt wrote is printed when it is not
 */
export function installSystemPackage(name: string): boolean {
  console.log(`Installing ${name} with apt-get, since it is missing here …`);
  // Debian's own switch: with 101, a package's scripts start no service (invoke-rc.d(8)).
  const ownsPolicy = !existsSync(POLICY);
  if (ownsPolicy) writeFileSync(POLICY, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    return aptGet("update") && aptGet("install", "--yes", "--no-install-recommends", name);
  } finally {
    if (ownsPolicy) rmSync(POLICY, { force: true });
  }
}

function aptGet(...args: string[]): boolean {
  const result = spawnSync("apt-get", ["--quiet", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
  if (result.status === 0) return true;
  console.error(result.error ? result.error.message : `${result.stdout}${result.stderr}`.trim());
  return false;
}
