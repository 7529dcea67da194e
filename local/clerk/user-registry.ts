import type { BillingSubscriptionItemJSON } from "@clerk/backend";

import { accounts, type Account } from "./accounts";

export type UserState = Account & {
  banned: boolean;
  /** The one paid item of the user's subscription; its plan has the account's features. */
  subscription: { status: BillingSubscriptionItemJSON["status"]; periodEnd: number | null };
  /** Whether the backend API fails when it is asked for the subscription. */
  isBillingDown: boolean;
};

/** What tests may change of a user. A user who is unknown comes into being with the first change. */
export type UserChange = Partial<Pick<UserState, "banned" | "features" | "subscription" | "isBillingDown">> & {
  deleted?: boolean;
};

const newUser = (account: Account): UserState => ({
  ...account,
  banned: false,
  subscription: { status: "active", periodEnd: null },
  isBillingDown: false,
});

/** The users as they are now: the demo accounts, and what tests have made and changed. In memory, until the stand-in ends. */
export class UserRegistry {
  readonly #users = new Map(accounts.map((account) => [account.id, newUser(account)]));

  list(): UserState[] {
    return [...this.#users.values()];
  }

  find(id: string): UserState | undefined {
    return this.#users.get(id);
  }

  findByEmail(email: string): UserState | undefined {
    return this.list().find((user) => user.email === email.trim().toLowerCase());
  }

  /** Answers with the user after the change; a deleted one as it was before. */
  change(id: string, { deleted, ...change }: UserChange): UserState {
    const user = { ...(this.find(id) ?? unknownUser(id)), ...change };
    if (deleted) this.#users.delete(id);
    else this.#users.set(id, user);
    return user;
  }
}

const unknownUser = (id: string): UserState =>
  newUser({
    id,
    email: `${id.toLowerCase()}@example.test`,
    firstName: "Test",
    lastName: "User",
    features: [],
    note: "",
  });

/** What a session token made now may claim: a canceled plan keeps its features until the period that was paid for ends. */
export function featuresInEffect({ features, subscription: { status, periodEnd } }: UserState): readonly string[] {
  const isInEffect = status === "active" || (status === "canceled" && periodEnd !== null && periodEnd > Date.now());
  return isInEffect ? features : [];
}
