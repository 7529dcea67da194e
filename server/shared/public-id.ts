const idPrefix = "key_";

/** A key's public id: `key_` and a UUID. We make UUIDs of version 7. */
export const publicIdPattern = /^key_[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function toPublicId(id: string): string {
  return idPrefix + id;
}

/** The UUID in a public id. Check the id against `publicIdPattern` first. */
export function fromPublicId(publicId: string): string {
  return publicId.slice(idPrefix.length);
}
