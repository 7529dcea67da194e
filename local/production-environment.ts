/** For `next build` and `next start` in tests: no setting of the developer's, from the environment or an .env file. */
export function productionEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR, CI } = process.env;
  return {
    ...Object.fromEntries(Object.entries({ PATH, HOME, TMPDIR, CI }).filter(([, value]) => value !== undefined)),
    NODE_ENV: "production",
    ALLOW_LOCAL_CLERK: "e2e-only",
    NEXT_TELEMETRY_DISABLED: "1",
    // Next's own mark that the .env files have been read.
    __NEXT_PROCESSED_ENV: "true",
  };
}
