import { writeFile } from "node:fs/promises";
import { join } from "node:path";

const families = ["Geist", "Geist+Mono"];
const addressOf = (family: string) => `https://fonts.googleapis.com/css2?family=${family}:wght@100..900&display=swap`;
const faceOf = (family: string) => `@font-face { font-family: "${family.replace("+", " ")}"; src: local("Arial"); }`;

/**
 * The layouts of fresh apps load fonts from the web, and a test machine need not reach it. So the tests alone build without these fonts, by a
 * switch of Next's own. The apps themselves stay as they are.
 * @returns the settings for the build.
 */
export async function stubGoogleFonts(folder: string): Promise<Record<string, string>> {
  const file = join(folder, "google-fonts.cjs");
  const answers = Object.fromEntries(families.map((family) => [addressOf(family), faceOf(family)]));
  await writeFile(file, `module.exports = ${JSON.stringify(answers)};\n`);
  return { NEXT_FONT_GOOGLE_MOCKED_RESPONSES: file };
}
