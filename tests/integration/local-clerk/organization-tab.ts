import { expect } from "vitest";

import type { MembershipChangeOptions, OrganizationChangeOptions } from "@/local/clerk";

import { errorCode, ProxiedBrowser, read } from "./proxied-browser";
import { app, change, clerk, client, password } from "./running-clerk";

export const acme = "org_2pLatchkeyDemoAcme00000001";
export const ada = "user_2pLatchkeyDemoAda000000001";
export const grace = "user_2pLatchkeyDemoGrace0000002";
export const manage = "org:api_keys:manage";

export const changeOrganization = (options: OrganizationChangeOptions) => change(`organizations/${acme}`, options);
export const changeMembership = (userId: string, options: MembershipChangeOptions) =>
  change(`organizations/${acme}/memberships/${userId}`, options);

/** What Clerk's own code makes of a request with this token, as `auth()` tells it. */
export async function authOf(token: string, at = clerk) {
  const request = new Request(app.origin, { headers: { authorization: `Bearer ${token}` } });
  const state = await client(at).authenticateRequest(request, {
    jwtKey: at.environment.CLERK_JWT_KEY ?? "",
    authorizedParties: [app.origin],
  });
  const auth = state.toAuth();
  if (!auth || !("userId" in auth) || !auth.userId) throw new Error(`The token is refused: ${String(state.reason)}`);
  return auth;
}

/** A browser of one person, and what clerk-js asks for in one tab of it. */
export class Tab {
  constructor(
    readonly browser: ProxiedBrowser,
    readonly sessionId: string,
  ) {}

  static async open(name: "ada" | "grace" | "linus", at = clerk): Promise<Tab> {
    const browser = new ProxiedBrowser(at, app.origin);
    return new Tab(browser, await browser.signIn(`${name}@example.test`, password));
  }

  async switchTo(organizationId: string): Promise<string | undefined> {
    const answer = await this.post("touch", { active_organization_id: organizationId, intent: "select_org" });
    return answer.status === 200 ? undefined : errorCode(answer);
  }

  /** @returns the token, or the code of the refusal */
  async token(form: Record<string, string> = {}): Promise<string> {
    const answer = await this.post("tokens", form);
    return answer.status === 200 ? String(read(answer.body, "jwt")) : errorCode(answer);
  }

  async auth(form: Record<string, string> = {}) {
    return authOf(await this.token(form), this.browser.clerk);
  }

  /** The session as the client resource has it. */
  async session(): Promise<unknown> {
    return read((await this.browser.call("GET", "/v1/client")).body, "response", "sessions", 0);
  }

  private post(action: string, form: Record<string, string>) {
    return this.browser.call("POST", `/v1/client/sessions/${this.sessionId}/${action}`, form);
  }
}

export async function inAcme(name: "ada" | "grace", at = clerk): Promise<Tab> {
  const tab = await Tab.open(name, at);
  expect(await tab.switchTo(acme)).toBeUndefined();
  return tab;
}
