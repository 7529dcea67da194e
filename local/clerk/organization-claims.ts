export type ActiveOrganization = {
  id: string;
  slug?: string | undefined;
  /** With or without `org:`. */
  role: string;
  /** Custom ones, as `org:<feature>:<permission>`. */
  permissions: readonly string[];
  features: readonly string[];
};

/** The feature that a custom permission belongs to. */
export const featureOf = (permission: string): string => permission.split(":")[1] ?? "";

/**
 * The claim `o` of a version 2 session token. `per` names permissions without their features. `fpm` has one number for each
 * feature of the organisation, in the order that `fea` has them; its bit n, from the lowest, says that the n-th name in `per` is
 * held for that feature. `rol` is without `org:`. As `parsePermissions` and `buildOrgPermissions` read them back, in
 * @clerk/shared/dist/jwtPayloadParser.js; the types are in @clerk/shared/dist/types/jwtv2.d.ts.
 */
export function organizationClaim({ id, slug, role, permissions, features }: ActiveOrganization) {
  const names = [...new Set(permissions.map((permission) => permission.split(":")[2] ?? ""))].sort();
  const bitsOf = (feature: string) =>
    names.reduce((bits, name, position) => {
      const isHeld = permissions.includes(`org:${feature}:${name}`);
      return isHeld ? bits | (1n << BigInt(position)) : bits;
    }, 0n);
  return {
    id,
    ...(slug !== undefined && { slg: slug }),
    rol: role.replace(/^org:/, ""),
    // The reader takes both or neither.
    ...(names.length > 0 && { per: names.join(","), fpm: features.map(bitsOf).join(",") }),
  };
}
