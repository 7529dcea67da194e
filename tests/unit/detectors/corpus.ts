/** A text that is made of a key. */
export type Line = [title: string, text: (key: string) => string];

/** As programs write keys. The rules find the key in each. */
export const keysIn: Line[] = [
  ["alone", (key) => key],
  ["JSON", (key) => `{"apiKey":"${key}","retries":3}`],
  ["JSON's escaped line break", (key) => String.raw`{"log":"failed\n${key}\tend"}`],
  ["JSON's escaped equals sign", (key) => String.raw`{"url":"?key\u003d${key}\u0026a=1"}`],
  ["YAML", (key) => `service:\n  api_key: ${key}\n  retries: 3\n`],
  [".env", (key) => `LATCHKEY_API_KEY=${key}\nOTHER=1\n`],
  [".env with quotes and a Windows line break", (key) => `export API_KEY='${key}'\r\n`],
  ["a URL", (key) => `GET https://api.example.com/v1/reports?api_key=${key}&page=2 200`],
  ["an encoded URL", (key) => `https://example.com/?next=%2Freports%3Fkey%3D${key}%26page%3D2`],
  ["a header", (key) => `curl -H "Authorization: Bearer ${key}" https://api.example.com`],
  ["a coloured log", (key) => `\u001b[2m12:00:01\u001b[0m \u001b[36mkey\u001b[39m=\u001b[32m${key}\u001b[0m ok`],
  ["a match that grep has coloured", (key) => `\u001b[01;31m\u001b[K${key}\u001b[m\u001b[K`],
  ["a colour whose escape character was lost", (key) => `key: [32m${key}[0m`],
  ["a coloured log inside JSON", (key) => String.raw`{"line":"\u001b[32m${key}\u001b[0m"}`],
  ["minified JavaScript", (key) => `var a=1,k="${key}",f=()=>fetch(u,{headers:{"X-API-Key":k}});`],
  ["a template string", (key) => `const header = \`Bearer ${key}\`;`],
  ["HTML", (key) => `<td>${key}</td><td>&quot;${key}&quot;</td>`],
  ["quoted-printable", (key) => `?key=3D${key}=20`],
  ["a list without spaces", (key) => `${key},${key}`],
  ["the end of a sentence", (key) => `My key is ${key}.`],
  ["Markdown", (key) => `Use \`${key}\` (or **${key}**).`],
];

export const lookalikes: Line[] = [
  ["one character too short", (key) => `key=${key.slice(0, -1)}`],
  ["one character too long", (key) => `key=${key}x`],
  ["a letter before it: another prefix", (key) => `key=x${key}`],
  ["a digit before it", (key) => `key=7${key}`],
  ["an underscore before it", (key) => `key=MY_${key}`],
  ["an underscore after it", (key) => `${key}_backup.json`],
  ["another prefix", (key) => `key=${key.replace(/^[a-z0-9]+_/, "other_")}`],
  ["another environment", (key) => `key=${key.replace(/_(live|test)_/, "_prod_")}`],
  ["capitals", (key) => `key=${key.toUpperCase()}`],
  ["a dash in it", (key) => `key=${key.slice(0, 20)}-${key.slice(21)}`],
  ["how a page shows it", (key) => `key=${key.slice(0, 12)}…${key.slice(-4)}`],
  ["a placeholder", (key) => `key=${key.replace(/[0-9A-Za-z]{38}$/, "x".repeat(38))}`],
  ["a checksum that no text has", (key) => `key=${key.slice(0, -6)}5${key.slice(-5)}`],
];

/** What docs/detectors/README.md says of scanners: they cannot check a checksum, and they read line by line. */
export const foundThoughWrong: Line[] = [["a checksum of another text", (key) => `key=${changeOneCharacter(key)}`]];
export const missed: Line[] = [
  ["a key broken over two lines", (key) => `${key.slice(0, 20)}\n${key.slice(20)}`],
  ["a key in pieces", (key) => `"${key.slice(0, 20)}" + "${key.slice(20)}"`],
];

/** In the random part, so that the checksum's shape stays what it was. */
function changeOneCharacter(key: string): string {
  const at = key.length - 38;
  return key.slice(0, at) + (key[at] === "a" ? "b" : "a") + key.slice(at + 1);
}
