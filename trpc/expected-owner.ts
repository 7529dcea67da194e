/**
 * The account that a page was made for. The session alone says who calls; this only lets the server refuse a page that does not know
 * yet that another account has signed in, in another tab, whose cookie the browser now sends along.
 */
export const expectedOwnerHeader = "X-Expected-Owner";
