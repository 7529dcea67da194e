import type { OrganizationMembershipJSON } from "@clerk/backend";

import { publicUserData } from "./accounts";
import { ClerkApiError } from "./http-exchange";
import type { Membership, OrganizationRegistry, OrganizationState } from "./organization-registry";
import { organizationResource } from "./organizations";
import type { UserRegistry } from "./user-registry";

/** Who there is. */
export type Directory = { users: UserRegistry; organizations: OrganizationRegistry };

export const organizationAnswer = ({ organizations }: Directory, organization: OrganizationState) =>
  organizationResource(organization, organizations.membersOf(organization.id).length);

/** The membership as both APIs and the events write it. */
export function membershipResource(
  context: Directory,
  { id, userId, role, permissions, createdAt, updatedAt, organization }: Membership,
): OrganizationMembershipJSON & { role_name: string } {
  const user = context.users.find(userId);
  if (user === undefined) throw new Error(`${userId} is a member of ${organization.id} and no user.`);
  const name = role.replace(/^org:/, "");
  return {
    object: "organization_membership",
    id,
    role,
    role_name: name.charAt(0).toUpperCase() + name.slice(1),
    permissions: [...permissions.system, ...permissions.custom],
    public_metadata: {},
    private_metadata: {},
    organization: organizationAnswer(context, organization),
    public_user_data: publicUserData(user),
    created_at: createdAt,
    updated_at: updatedAt,
  };
}

/** One page of a list in the shape that both APIs answer with: `limit` entries from `offset` on, 10 from 0 unless told. */
export function pageOf<Entry>(entries: readonly Entry[], parameters: URLSearchParams, write: (entry: Entry) => object) {
  const offset = Number(parameters.get("offset") ?? 0);
  const limit = Number(parameters.get("limit") ?? 10);
  return { data: entries.slice(offset, offset + limit).map(write), total_count: entries.length };
}

/** A page of memberships, of those users, in those roles, and with that text in name or address, if it is asked so. */
export function membershipPage(context: Directory, memberships: readonly Membership[], parameters: URLSearchParams) {
  const [userIds, roles] = [parameters.getAll("user_id"), parameters.getAll("role")];
  const query = (parameters.get("query") ?? "").toLowerCase();
  const matches = memberships.filter(({ userId, role }) => {
    const user = context.users.find(userId);
    const text = `${user?.firstName} ${user?.lastName} ${user?.email} ${userId}`.toLowerCase();
    return (
      (userIds.length === 0 || userIds.includes(userId)) &&
      (roles.length === 0 || roles.includes(role)) &&
      text.includes(query)
    );
  });
  return pageOf(matches, parameters, (membership) => membershipResource(context, membership));
}

/** Where there is no such organisation and where it is not the user's, Clerk answers the same, so that nobody learns of one. */
export const organizationNotFound = () =>
  new ClerkApiError(
    404,
    "organization_not_found_or_unauthorized",
    "Given organization not found, or you don't have permission to access the organization.",
  );
