import { newPayer, type Payer, featuresInEffect } from "./billing";
import { newId } from "./client-state";
import { featureOf } from "./organization-claims";
import { organizations, systemPermissions, type Organization } from "./organizations";

export type OrganizationState = Omit<Organization, "members"> & Payer & { updatedAt: number };

export type Membership = {
  id: string;
  userId: string;
  organization: OrganizationState;
  /** With `org:` in front. */
  role: string;
  /** The custom ones that the plan of the organisation has the feature for, and Clerk's own for the role. */
  permissions: { custom: readonly string[]; system: readonly string[] };
  createdAt: number;
  updatedAt: number;
};

/** What tests may change of an organisation. One that is unknown comes into being, without members, with the first change. */
export type OrganizationChange = Partial<
  Pick<OrganizationState, "name" | "slug" | "features" | "subscription" | "isBillingDown">
> & { deleted?: boolean };

/** What tests may change of a membership. Who was no member is one after the first change. */
export type MembershipChange = {
  role?: string;
  /** Custom permissions in place of the role's; null: the role's again. */
  permissions?: readonly string[] | null;
  deleted?: boolean;
};

type StoredMembership = Pick<Membership, "id" | "userId" | "role" | "createdAt" | "updatedAt"> & {
  organizationId: string;
  permissions: readonly string[] | null;
};

const startedAt = Date.UTC(2026, 0, 1);

/**
 * The organisations and their members as they are now: the demo organisation, and what tests have made and changed. In memory,
 * until the stand-in ends, as the users are.
 */
export class OrganizationRegistry {
  readonly #organizations = new Map<string, OrganizationState>();
  readonly #memberships = new Map<string, StoredMembership>();

  /** @param adminPermissions the custom permissions that the role `org:admin` has */
  constructor(readonly adminPermissions: readonly string[]) {
    for (const { members, ...organization } of organizations) {
      this.#organizations.set(organization.id, {
        ...newPayer(organization.features),
        ...organization,
        updatedAt: startedAt,
      });
      for (const { userId, role } of members)
        // The same id after every start.
        this.#store({
          ...newMembership(organization.id, userId, startedAt),
          role,
          id: userId.replace("user_", "orgmem_"),
        });
    }
  }

  list(): OrganizationState[] {
    return [...this.#organizations.values()];
  }

  find(idOrSlug: string): OrganizationState | undefined {
    return this.#organizations.get(idOrSlug) ?? this.list().find(({ slug }) => slug === idOrSlug);
  }

  memberships(): Membership[] {
    return [...this.#memberships.values()].flatMap((stored) => this.#read(stored) ?? []);
  }

  membershipsOf(userId: string): Membership[] {
    return this.memberships().filter((membership) => membership.userId === userId);
  }

  membersOf(organizationId: string): Membership[] {
    return this.memberships().filter(({ organization }) => organization.id === organizationId);
  }

  findMembership(organizationId: string | undefined, userId: string): Membership | undefined {
    return this.membershipsOf(userId).find(({ organization }) => organization.id === organizationId);
  }

  /** Answers with the organisation after the change; a deleted one as it was before. */
  change(id: string, { deleted, ...change }: OrganizationChange): OrganizationState {
    const organization = {
      ...(this.#organizations.get(id) ?? unknownOrganization(id)),
      ...change,
      updatedAt: Date.now(),
    };
    if (!deleted) this.#organizations.set(id, organization);
    else {
      for (const { userId } of this.membersOf(id)) this.#memberships.delete(keyOf(id, userId));
      this.#organizations.delete(id);
    }
    return organization;
  }

  /** Answers with the membership after the change; a deleted one as it was before. The organisation has to be known. */
  changeMembership(organizationId: string, userId: string, change: MembershipChange): Membership | undefined {
    const now = Date.now();
    const before = this.#memberships.get(keyOf(organizationId, userId)) ?? newMembership(organizationId, userId, now);
    const { role = before.role, permissions = before.permissions, deleted } = change;
    const stored = { ...before, role, permissions, updatedAt: now };
    if (deleted) this.#memberships.delete(keyOf(organizationId, userId));
    else this.#store(stored);
    return this.#read(stored);
  }

  removeUser(userId: string): void {
    for (const { organization } of this.membershipsOf(userId)) this.#memberships.delete(keyOf(organization.id, userId));
  }

  #store(membership: StoredMembership): void {
    this.#memberships.set(keyOf(membership.organizationId, membership.userId), membership);
  }

  #read({ organizationId, permissions, ...membership }: StoredMembership): Membership | undefined {
    const organization = this.#organizations.get(organizationId);
    if (organization === undefined) return undefined;
    const ofRole = membership.role === "org:admin" ? this.adminPermissions : [];
    const features = featuresInEffect(organization);
    // As Clerk Billing has it: a permission whose feature is not in the plan is held by nobody.
    const custom = (permissions ?? ofRole).filter((permission) => features.includes(featureOf(permission)));
    return { ...membership, organization, permissions: { custom, system: systemPermissions[membership.role] ?? [] } };
  }
}

const keyOf = (organizationId: string, userId: string): string => `${organizationId}:${userId}`;

const newMembership = (organizationId: string, userId: string, now: number): StoredMembership => ({
  id: newId("orgmem"),
  organizationId,
  userId,
  role: "org:member",
  permissions: null,
  createdAt: now,
  updatedAt: now,
});

const unknownOrganization = (id: string): OrganizationState => ({
  ...newPayer([]),
  id,
  name: "Test organisation",
  slug: id.toLowerCase().replaceAll("_", "-"),
  updatedAt: Date.now(),
});
