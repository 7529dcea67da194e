/**
 * Names the account that a page was made for. Another account may sign in in another tab, and the browser then sends its cookie from this page
 * too. With this header the server can refuse such a call. Only the session says who calls; the header never does.
 */
export const expectedOwnerHeader = "X-Expected-Owner";
