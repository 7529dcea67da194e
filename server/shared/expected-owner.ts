/**
 * Names the owner that a page was made for: an organisation, or a person. In another tab another account may sign in, or the same person may
 * switch to another organisation, and the browser then sends the new cookie from this page too. With this header the server can refuse such a
 * call. Only the session says who calls; the header never does.
 */
export const expectedOwnerHeader = "X-Expected-Owner";

/** The message of the UNAUTHORIZED that refuses such a call. By it the page knows that the session goes on, for another owner. */
export const otherOwnerMessage = "This page was made for another account.";
