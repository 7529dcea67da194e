const idPrefix = "key_";

/** A key's id as the outside sees it: `key_` and a UUID, of which we make version 7. */
export const publicIdPattern = /^key_[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function toPublicId(id: string): string {
  return idPrefix + id;
}

/** The UUID in a public id that was checked against `publicIdPattern`. */
export function fromPublicId(publicId: string): string {
  return publicId.slice(idPrefix.length);
}
