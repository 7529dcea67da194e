import { fetchNotingServerTime } from "./server-time";

/** How long a sign-in library that never loads may keep a page waiting for its answer. */
const tokenMilliseconds = 5_000;

/**
 * A fetch for the procedures. A machine that slept wakes with an expired session token, and the server answers 401 although the
 * session goes on. So a 401 is asked about once: with a fresh token the same call is sent again. That is safe for every procedure,
 * since a 401 says that nothing was done.
 * @param freshToken asks the sign-in for a new token; null when the session has ended. What it throws is thrown: nobody knows then.
 */
export function createSessionFetch(freshToken: () => Promise<string | null>) {
  return async (input: RequestInfo | URL, init?: object): Promise<Response> => {
    const response = await fetchNotingServerTime(input, init);
    if (response.status !== 401) return response;
    const token = await Promise.race([freshToken(), nullAfter(tokenMilliseconds)]);
    if (token === null) return response;
    const headers = new Headers((init as RequestInit | undefined)?.headers);
    headers.set("Authorization", `Bearer ${token}`);
    return fetchNotingServerTime(input, { ...init, headers });
  };
}

function nullAfter(milliseconds: number): Promise<null> {
  return new Promise((resolve) => setTimeout(() => resolve(null), milliseconds));
}
