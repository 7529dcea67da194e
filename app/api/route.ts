/** The address /api itself is answered like every one below it: a program never gets a page. */
export { DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT } from "./[...latchkey]/route";
