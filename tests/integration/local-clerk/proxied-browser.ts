import { clerkFrontendApiProxy } from "@clerk/backend/proxy";

import type { LocalClerk } from "@/local/clerk";

export type Answer = { status: number; headers: Headers; body: unknown };

/** A browser's cookie jar in front of Clerk's real proxy code, which forwards to the stand-in as the app's middleware does. */
export class ProxiedBrowser {
  readonly cookies = new Map<string, string>();
  /** What a test sends on top, to every call. */
  readonly headers: Record<string, string> = {};

  constructor(
    readonly clerk: LocalClerk,
    readonly appOrigin: string,
  ) {}

  async call(method: "GET" | "POST", path: string, form: Record<string, string> = {}): Promise<Answer> {
    const request = new Request(`${this.appOrigin}/__clerk${path}`, {
      method,
      headers: {
        cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; "),
        ...(method === "POST" && { origin: this.appOrigin, "content-type": "application/x-www-form-urlencoded" }),
        ...this.headers,
      },
      ...(method === "POST" && { body: new URLSearchParams(form).toString() }),
    });
    const { environment } = this.clerk;
    const response = await clerkFrontendApiProxy(request, {
      publishableKey: environment.NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY ?? "",
      secretKey: environment.CLERK_SECRET_KEY ?? "",
      fapiUrl: environment.CLERK_FAPI_URL ?? "",
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (name !== undefined && value !== undefined) this.cookies.set(name, value);
    }
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json") ?? false;
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  }

  /** Answers with the id of the new session, or with the error's code. */
  async signIn(email: string, password: string): Promise<string> {
    const started = await this.call("POST", "/v1/client/sign_ins", { identifier: email });
    if (started.status !== 200) return errorCode(started);
    const attempted = await this.call(
      "POST",
      `/v1/client/sign_ins/${String(read(started.body, "response", "id"))}/attempt_first_factor`,
      { strategy: "password", password },
    );
    if (attempted.status !== 200) return errorCode(attempted);
    return String(read(attempted.body, "response", "created_session_id"));
  }

  async sessionIds(): Promise<string[]> {
    const { body } = await this.call("GET", "/v1/client");
    const sessions = read(body, "response", "sessions");
    return Array.isArray(sessions) ? sessions.map((session) => String(read(session, "id"))) : [];
  }
}

/** Follows `path` into parsed JSON; `undefined` where it leads nowhere. */
export function read(value: unknown, ...path: (string | number)[]): unknown {
  return path.reduce<unknown>(
    (at, key) => (typeof at === "object" && at !== null ? (at as Record<string | number, unknown>)[key] : undefined),
    value,
  );
}

export const errorCode = (answer: Answer): string => String(read(answer.body, "errors", 0, "code"));
