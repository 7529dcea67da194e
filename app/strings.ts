/** Every text of the site's frame and its public pages. The settings page has its own, beside it. */
export const siteStrings = {
  name: "Latchkey",
  description: "API keys for your users that stop working the moment they are revoked.",
  skipToContent: "Skip to content",
  navigation: "Main",
  apiKeys: "API keys",
  signIn: "Sign in",
  theme: { label: "Theme", light: "Light", dark: "Dark", system: "System" },
  renewal: {
    busy: "Renewing your session…",
    title: "Your session cannot be used here",
    text: "Your session does not name this site. The reason may be a browser extension or a proxy that removes the Origin header. Turn that off for this site, then sign in again.",
    action: "Sign out",
  },
  account: {
    label: "Account",
    signedInAs: "Signed in as",
    actAs: "Act for",
    personal: "Personal account",
    notSwitched: "The account could not be switched. Load the page again, then try once more.",
    signOut: "Sign out",
  },
} as const;

export const notFoundStrings = {
  title: "There is no such page",
  text: "The address may be mistyped, or the page may have moved.",
  home: "Go to the start page",
} as const;

export const homeStrings = {
  title: "API keys that stop working the moment they are revoked",
  intro:
    "Create keys for your programs, see when each was last used, and revoke them. You are told from when on no request with the key is accepted.",
  manage: "Manage your API keys",
  found: "Found a key that is not yours? Tell us",
  terminal: {
    label: "An example: a key is accepted, then revoked, then refused",
    request: 'curl -H "Authorization: Bearer $API_KEY" …/api/v1/whoami',
    accepted: "200 OK",
    acceptedBody: '{ "name": "Production", "scopes": ["projects:read"] }',
    revoked: "Revoked at 14:32:07",
    refused: "401 Unauthorized",
    refusedBody: '{ "code": "api_key_revoked" }',
  },
  points: [
    { title: "Effective, with its time", text: "You are told when a key stopped working, or by when at the latest." },
    { title: "Shown once", text: "Only a hash of the key is stored. Nobody can read it back, and neither can we." },
    { title: "Limited", text: "Give each key an expiry and only the permissions that it needs." },
  ],
} as const;
