import type { ClientSession, ClientState } from "./client-state";

/**
 * The sessions seen since the start, for the backend API, and those that ended: a cookie copied before the sign-out opens
 * nothing. In memory: after a restart a session is known again with its browser's next request.
 */
export class SessionRegistry {
  readonly #sessions = new Map<string, { session: ClientSession; clientId: string }>();
  readonly #ended = new Set<string>();

  remember(client: ClientState): void {
    for (const session of client.sessions) this.#sessions.set(session.id, { session, clientId: client.id });
  }

  end(id: string): void {
    this.#ended.add(id);
  }

  endAllOf(userId: string): void {
    for (const { session } of this.#sessions.values()) if (session.userId === userId) this.end(session.id);
  }

  hasEnded(id: string): boolean {
    return this.#ended.has(id);
  }

  find(id: string): { session: ClientSession; clientId: string } | undefined {
    return this.#sessions.get(id);
  }
}
