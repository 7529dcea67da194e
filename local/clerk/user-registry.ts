import { accounts, type Account } from "./accounts";
import { newPayer, type Payer } from "./billing";

export type UserState = Account & Payer & { banned: boolean };

/** What tests may change of a user. A user who is unknown comes into being with the first change. */
export type UserChange = Partial<Pick<UserState, "banned" | "features" | "subscription" | "isBillingDown">> & {
  deleted?: boolean;
};

const newUser = (account: Account): UserState => ({
  ...newPayer(account.features),
  ...account,
  banned: false,
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
