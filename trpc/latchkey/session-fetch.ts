import { fetchNotingServerTime } from "./server-time";

/** How long a page waits for a fresh token. The sign-in's library may never load. */
const tokenMilliseconds = 5_000;

/**
 * Makes the fetch for the procedures. A machine that has slept wakes with an expired session token, and the server answers 401 although the
 * session goes on. So after a 401 the same call is sent once more, with a fresh token. That is safe for every procedure, since a 401 means that
 * nothing was done.
 * @param freshToken asks the sign-in for a new token; null when the session has ended. The fetch throws what it throws, since nobody then
 *   knows whether the session goes on.
 */
export function createSessionFetch(freshToken: () => Promise<string | null>) {
  return async (input: RequestInfo | URL, init?: object): Promise<Response> => {
    const response = await fetchNotingServerTime(input, init);
    if (response.status !== 401) return response;
    const token = await Promise.race([freshToken(), rejectAfter(tokenMilliseconds)]);
    if (token === null) return response;
    const headers = new Headers((init as RequestInit | undefined)?.headers);
    headers.set("Authorization", `Bearer ${token}`);
    return fetchNotingServerTime(input, { ...init, headers });
  };
}

function rejectAfter(milliseconds: number): Promise<never> {
  return new Promise((_resolve, reject) =>
    setTimeout(() => reject(new Error("the sign-in did not answer in time")), milliseconds),
  );
}
