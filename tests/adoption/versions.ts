/** The recipes name this version, and the tests build the blocks with it. */
export const shadcn = "shadcn@4.23.0";
