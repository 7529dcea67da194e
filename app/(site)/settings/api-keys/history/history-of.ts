import { paths } from "../strings";

/** The address of a key's history. */
export const historyOf = ({ id }: { id: string }) => `${paths.history}?key=${id}`;
