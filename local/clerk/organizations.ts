import type { OrganizationJSON } from "@clerk/backend";

export type Organization = {
  id: string;
  name: string;
  slug: string;
  features: readonly string[];
  members: readonly { userId: string; role: string }[];
};

const createdAt = Date.UTC(2026, 0, 1);

/** What a custom permission belongs to is a feature: without `api_keys` in the plan nobody has `org:api_keys:…`. */
export const organizations: readonly Organization[] = [
  {
    id: "org_2pLatchkeyDemoAcme00000001",
    name: "Acme",
    slug: "acme",
    features: ["api_access", "api_keys"],
    members: [
      { userId: "user_2pLatchkeyDemoAda000000001", role: "org:admin" },
      { userId: "user_2pLatchkeyDemoGrace0000002", role: "org:member" },
    ],
  },
];

export const findOrganizationById = (id: string): Organization | undefined =>
  organizations.find((organization) => organization.id === id);

/** Clerk's own permissions of its two roles. They decide what its pages offer, and are in no session token. */
export const systemPermissions: Readonly<Record<string, readonly string[]>> = {
  "org:admin": [
    "org:sys_profile:manage",
    "org:sys_profile:delete",
    "org:sys_memberships:read",
    "org:sys_memberships:manage",
    "org:sys_domains:read",
    "org:sys_domains:manage",
    "org:sys_billing:read",
    "org:sys_billing:manage",
  ],
  "org:member": ["org:sys_memberships:read", "org:sys_billing:read"],
};

/** The organisation as both APIs and the events write it. */
export function organizationResource(
  { id, name, slug, updatedAt }: Pick<Organization, "id" | "name" | "slug"> & { updatedAt: number },
  membersCount: number,
): OrganizationJSON & { image_url: string; members_count: number; pending_invitations_count: number } {
  return {
    object: "organization",
    id,
    name,
    slug,
    image_url: "",
    has_image: false,
    members_count: membersCount,
    pending_invitations_count: 0,
    max_allowed_memberships: 0,
    admin_delete_enabled: false,
    public_metadata: {},
    private_metadata: {},
    created_at: createdAt,
    updated_at: updatedAt,
  };
}
