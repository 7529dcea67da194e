/**
 * The page's Content-Security-Policy. Scripts run by nonce, and what they load by 'strict-dynamic': no host, no inline script.
 * `clerkOrigin` is where clerk-js calls, absent when that is the app's own proxy.
 */
export function contentSecurityPolicy(options: {
  nonce: string;
  clerkOrigin: string | undefined;
  isDevelopment: boolean;
}): string {
  const { nonce, clerkOrigin, isDevelopment } = options;
  const directives: [name: string, ...sources: (string | false | undefined)[]][] = [
    ["default-src", "'self'"],
    // React's development build and the dev server evaluate strings.
    ["script-src", `'nonce-${nonce}'`, "'strict-dynamic'", isDevelopment && "'unsafe-eval'"],
    // Clerk, Radix and Sonner set style attributes and insert <style> elements.
    ["style-src", "'self'", "'unsafe-inline'"],
    ["connect-src", "'self'", clerkOrigin],
    ["img-src", "'self'", "data:", "https://img.clerk.com"],
    ["font-src", "'self'"],
    // clerk-js renews the session from a worker that it makes from a blob, so that background tabs stay signed in.
    ["worker-src", "'self'", "blob:"],
    // Clerk's bot check, on instances that turn it on.
    ["frame-src", "https://challenges.cloudflare.com"],
    ["form-action", "'self'"],
    ["frame-ancestors", "'none'"],
    ["base-uri", "'none'"],
    ["object-src", "'none'"],
  ];
  return directives.map((directive) => directive.filter(Boolean).join(" ")).join("; ");
}
