/** Joins the class names that are there. Classes that set the same property must not meet: CSS, and not their order here, decides between them. */
export function cn(...classes: (string | false | null | undefined)[]): string {
  return classes.filter(Boolean).join(" ");
}
