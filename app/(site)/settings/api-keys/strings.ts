/** The addresses that the page uses. Change them here where your app has the page or the endpoints somewhere else. */
export const paths = {
  page: "/settings/api-keys",
  history: "/settings/api-keys/history",
  /** Downloads a history. */
  historyFile: "/api/history",
  procedures: "/api/trpc",
  /** Says what a key is. It is shown with a new key, and "Try it" calls it. */
  whoami: "/api/v1/whoami",
} as const;

/** Every text of the page, so that it can be translated in one place. A text with a gap is a function. */
export const strings = {
  title: "API keys",
  intro: "Keys let programs call the API. Give each program its own, so that one can be revoked alone.",
  createKey: "Create key",
  createFirstKey: "Create your first key",
  tryAgain: "Try again",
  cancel: "Cancel",
  close: "Close",
  done: "Done",
  count: (used: number, max: number) => `${used} of ${max} active`,
  loading: "Loading your keys",

  table: {
    columns: {
      name: "Name",
      key: "Key",
      scopes: "Permissions",
      created: "Created",
      lastUsed: "Last used",
      expires: "Expires",
      rotated: "Rotated",
      status: "Status",
      actions: "Actions",
    },
    never: "Never",
    neverUsed: "Never used",
    usedAt: "Used",
    expiresAt: "Expires",
    expiredAt: "Expired",
    neverExpires: "Never expires",
    details: (name: string) => `Usage of ${name}`,
    allScopes: "All",
    readOnlyScopes: "Read only",
    noScopes: "None",
  },
  status: {
    active: "Active",
    expiring: "Expires soon",
    expired: "Expired",
    revoked: "Revoked",
    pending: "Taking effect",
    checking: "Checking…",
    unchecked: "Not checked",
  },

  usage: {
    last24Hours: "Last 24 hours",
    last30Days: "Last 30 days",
    requests: (count: string) => (count === "1" ? "1 request" : `${count} requests`),
    none: "No requests",
    peak: (count: string, when: string) => `most: ${count} (${when})`,
    now: "now",
    today: "today",
    note: "These are the requests in which the key was accepted. The last minute may be missing. Days are in UTC.",
    loading: "Loading the usage",
    failed: "The usage could not be loaded.",
  },

  history: {
    title: "History",
    intro: "Who did what to the keys of this account, newest first.",
    of: (name: string) => `History of ${name}`,
    all: "All history",
    filter: "Show",
    everything: "All keys, and the account",
    caption: "What has happened",
    columns: { event: "Event", key: "Key", at: "Time" },
    more: "Show older events",
    shown: (count: number, hasMore: boolean) => {
      const events = count === 1 ? "1 event" : `${count} events`;
      return hasMore ? `${events} so far` : `${events}, and none before`;
    },
    download: "Download",
    formats: { csv: "CSV", ndjson: "NDJSON" },
    loading: "Loading the history",
    failed: "The history could not be loaded.",
    failedText: "The service did not answer. Try again in a moment.",
    none: "Nothing has happened yet",
    noneText: "What is done to keys from now on is recorded here.",
    noSuchKey: "It is none of this account’s keys. Choose another one above.",
  },

  /** What has happened, in a sentence. "It" is the key, which is named beside it. */
  events: {
    who: {
      you: "You",
      user: (id: string) => `Member ${id}`,
      impersonated: (who: string, by: string) => `${who} (${by} acted for them)`,
      key: "The key itself",
      operator: "An operator",
      clerk: "The sign-in",
      reporter: "Somebody who found it",
      system: "Latchkey",
    },
    created: (who: string) => `${who} created it`,
    imported: "An operator brought it here from another system",
    adopted: "It was taken over from another system on its first use",
    renamed: (who: string, from: string, to: string) => `${who} renamed it from “${from}” to “${to}”`,
    rotationStarted: (who: string, grace: string) =>
      `${who} started a rotation: the old key works until the new one is first used, and then for ${grace}`,
    rotatedNow: (who: string) => `${who} rotated it and ended the old key at once`,
    activated: (end: string) => `The new key was first used. The old one works until ${end}`,
    rotationCancelled: (who: string) => `${who} cancelled the rotation`,
    graceEnded: (who: string) => `${who} ended the old key before its time`,
    revoked: (who: string) => `${who} revoked it`,
    revokedBy: {
      key: "The key revoked itself",
      account: "It was revoked because an account was closed, or its creator left",
      operator: "An operator revoked it",
      leak: "It was revoked because somebody had found it",
    } as Partial<Record<string, string>>,
    effective: "From now on no request with it was accepted",
    expiring: "It expires in a few days",
    exposed: (place: string) => `It was found where it does not belong: ${place}`,
    accessGiven: "The plan now includes API access",
    accessTaken: "The plan no longer includes API access, so the keys are refused",
    banned: "The account was banned, which ends its keys",
    deleted: "The account was deleted, which ends its keys",
    reopened: "The account was opened again. Its old keys stay revoked",
    left: (id: string) => `Member ${id} left the organization`,
  },

  revoked: {
    title: "Revoked",
    intro: "Kept for your records. These keys can never be used again.",
    caption: "Revoked keys",
    columns: { name: "Name", key: "Key", revoked: "Revoked", effective: "Effective" },
    revokedAt: "Revoked",
    since: "Since",
    /** What else it can be depends on the owner, see `revokedBy`. */
    by: { key: "by the key itself", operator: "by an operator", leak: "because it was found" },
    pendingUntil: "May still work until",
    atTheLatest: "at the latest",
    pastDeadline: "No longer accepted; the cache has not confirmed it yet",
  },

  exposed: {
    title: "This key was found where it does not belong",
    foundAt: (place: string) => `Found: ${place}. Reported`,
    places: {
      github: "in code on GitHub",
      web: "by somebody who told us",
      report: "by somebody who told us",
      unknown: "somewhere that nobody named",
    } as Record<string, string> & { unknown: string },
    advice: "So it was ended. Find out how it got there before you put a new key into the same place.",
    replace: "Create a replacement",
  },

  owner: {
    label: "Account:",
    personal: "Personal",
    /** While nobody can tell its name. */
    organization: "Organization",
  },
  creator: {
    term: "Created by",
    you: "you",
    left: {
      title: "Its creator has left",
      text: "Who has left may still know the secret, so the key should be rotated.",
      afterRotation:
        "Who has left may still know the secret, unless the key was rotated after that. It was last rotated on",
    },
  },

  loadFailed: {
    title: "Your keys could not be loaded",
    text: "The service did not answer, so this page cannot show which keys you have. Try again in a moment.",
  },
  refreshFailed: {
    title: "This list could not be refreshed",
    text: (time: string) => `You see the keys as of ${time}. They may have changed since.`,
    textWithoutTime: "They may have changed since you saw them.",
  },
  accountSwitched: {
    title: "This page is of another account",
    text: "This browser now acts for another account, or you have left the organization that this page was made for. Load the page again to see the keys of the account that is active now.",
    action: "Load the page again",
  },
  sessionEnded: {
    title: "You are signed out",
    text: "Your session has ended, or this browser has signed in to another account. Sign in to see your keys.",
    action: "Sign in",
  },

  create: {
    title: "Create a key",
    intro: "You will see the key once, right after this step.",
    name: "Name",
    nameHint: "Where it will be used, for example “Production server”.",
    expiry: "Expires",
    expiryChoices: { "30": "30 days", "90": "90 days", "365": "1 year", never: "Never" },
    expiresOn: "Stops working on",
    expiresNever: "Works until you revoke it. An expiry limits the damage of a lost key.",
    scopes: "Permissions",
    scopePresets: { all: "All", readOnly: "Read only", custom: "Custom" },
    scopePresetHints: {
      all: "The key may do everything that the API offers.",
      readOnly: "The key may read, but not change anything.",
    },
    chooseScope: "Choose at least one permission.",
    submit: "Create key",
    submitting: "Creating…",
  },

  /** By the code of what went wrong. An action below has its own text where that says more. */
  failures: {
    API_KEY_NOT_FOUND: "This key no longer exists.",
    API_KEY_LIMIT_REACHED: "You have reached the limit of active keys. Revoke one to create another.",
    API_KEY_REQUEST_REUSED: "This was already answered. Close this and start again.",
    API_KEY_ROTATING: "This key is being rotated. Wait until its old secret has ended, or end it first.",
    API_KEY_NOT_ACTIVE: "This key is expired or revoked, so it cannot be rotated.",
    API_KEY_NOT_OWNED: "This key is not yours.",
    API_ACCESS_REQUIRED: "The plan of this account does not include API access.",
    IMPERSONATED: "You are acting as another user. Only that user can do this.",
    ORG_PERMISSION_REQUIRED:
      "Your role lets you see the organization’s keys, but not change them. Ask one of its admins.",
    RATE_LIMITED: "You tried too often. Wait a minute, then try again.",
    SERVICE_UNAVAILABLE: "The service is not available right now, and nothing was changed. Try again in a moment.",
    OUTCOME_UNKNOWN: "The server could not tell in time whether it was done. Look at the list, then try again.",
    SIGNED_OUT: "Your session has ended. Sign in again.",
    OTHER_OWNER: "This browser now acts for another account, so nothing was changed. Load the page again.",
    NO_ANSWER: "The server did not answer. It may or may not have been done.",
    FAULT: "Something went wrong on our side. It may or may not have been done. Look at the list, then try again.",
    BAD_INPUT: "What you entered was not accepted. Change it, then try again.",
    CONFLICT: "This cannot be done as things stand. Look at the list, then try again.",
    FORBIDDEN: "You are not allowed to do this.",
    OTHER: "The server has refused this. Load the page again, then try once more.",
  },

  createFailed: {
    IMPERSONATED: "You are acting as another user. Only that user can create keys.",
    API_KEY_REQUEST_REUSED:
      "An earlier attempt has already created a key, and its secret cannot be shown again. Look for it in the list and revoke it if you do not need it. “Create key” now makes a new one.",
    SERVICE_UNAVAILABLE:
      "The service is not available right now. Try again in a moment: you will not get a second key.",
    OUTCOME_UNKNOWN:
      "The server could not tell in time whether a key was created. Try again: you will not get a second key.",
    NO_ANSWER: "The server did not answer. Try again: you will not get a second key.",
    SIGNED_OUT: "Your session has ended. Sign in again, then create the key.",
    FAULT: "Something went wrong on our side. Try again: you will not get a second key.",
    BAD_INPUT: "The key was not created. A name has 1 to 64 characters, none of them a control character.",
    CONFLICT:
      "The key was not created: either you have reached the limit of active keys, or an earlier attempt has already created a key, whose secret cannot be shown again. Look at the list.",
    FORBIDDEN: "You are not allowed to create keys.",
    OTHER: "The key was not created. Try again.",
  },

  reveal: {
    title: "Copy your key now",
    intro: "This is the only time it is shown. Keep it in a password manager or your server’s settings.",
    secret: (name: string) => `Key “${name}”`,
    copy: "Copy",
    copied: "Copied",
    copyLabel: (what: string) => `Copy ${what}`,
    whats: { secret: "key", env: ".env line", curl: "curl command", fetch: "JavaScript" },
    copiedNote: "Copied to the clipboard.",
    refused: "Your browser did not allow copying. The text is selected: press Ctrl+C (⌘C on a Mac).",
    env: ".env",
    curl: "Terminal",
    fetch: "JavaScript",
    tryIt: "Try it",
    trying: "Trying…",
    tryHint: "Calls the API from this page with the new key.",
    tryNoAnswer: "The API did not answer. The key may be good; try again.",
    saved: "I have saved it",
    unsaved: {
      title: "Close without copying the key?",
      text: "It cannot be shown again. You would have to create another.",
      keep: "Keep open",
      close: "Close anyway",
    },
  },

  rename: {
    action: (name: string) => `Rename ${name}`,
    field: (name: string) => `New name for ${name}`,
    save: "Save",
    cancel: "Cancel",
    renamed: (name: string) => `Renamed to “${name}”`,
    failed: {
      SERVICE_UNAVAILABLE: "Not renamed. The service is not available right now. Try again in a moment.",
      OUTCOME_UNKNOWN: "The server could not tell in time. The name may or may not have changed.",
      NO_ANSWER: "The server did not answer. The name may or may not have changed.",
      FAULT: "Something went wrong on our side. The name may or may not have changed.",
      BAD_INPUT: "Not renamed. A name has 1 to 64 characters, none of them a control character.",
      OTHER: "Not renamed. Try again.",
    },
  },

  rotate: {
    action: (name: string) => `Rotate ${name}`,
    shortAction: "Rotate",
    title: (name: string) => `Rotate “${name}”`,
    intro: "The key gets a new secret. Its name, permissions and expiry stay as they are.",
    current: "Current key",
    legend: "How long the old key still works",
    now: "Ends now",
    durations: {
      minute: (count: number) => (count === 1 ? "1 minute" : `${count} minutes`),
      hour: (count: number) => (count === 1 ? "1 hour" : `${count} hours`),
      day: (count: number) => (count === 1 ? "1 day" : `${count} days`),
    },
    nowTitle: "The old key is refused from now on",
    nowText: "Choose this when it has leaked. Programs that still use it stop working until they have the new one.",
    later: (grace: string) =>
      `Nothing stops now. The old key works until the new one is first used, and then for ${grace}. So you can change your programs one by one.`,
    expires: "Both end when the key expires, on",
    waits: "A new key is waiting for its first use. This rotation takes its place.",
    onlyNow: "The last rotation still runs, so only “now” is possible. It ends every older key.",
    onlyNowUntil: "The old key of the last rotation works until",
    submit: "Rotate key",
    submitNow: "Rotate, end the old key",
    submitting: "Rotating…",
    worksOn: "The old key still works",
    worksOnText: (grace: string) =>
      `It works until this new key is first used, and then for ${grace}. The list shows when it was last used.`,
    oldKey: "The old key",
    pending: (latest: string) =>
      `Revoked. The gateway cache could not be reached; it may still work until ${latest} at the latest. We keep trying.`,
    failed: {
      IMPERSONATED: "You are acting as another user. Only that user can rotate keys.",
      API_KEY_REQUEST_REUSED:
        "An earlier attempt has already rotated the key, and its secret cannot be shown again. Rotating once more makes another.",
      API_KEY_ROTATING: "The last rotation still runs. End its old key first, or rotate “now”.",
      SERVICE_UNAVAILABLE: "Not rotated. The service is not available right now. Try again in a moment.",
      OUTCOME_UNKNOWN:
        "The server could not tell in time whether the key was rotated. Try again: you will get a key that works.",
      NO_ANSWER:
        "The server did not answer. It may or may not have rotated the key. Try again: you will get a key that works.",
      SIGNED_OUT: "Your session has ended. Sign in again, then look at the list before you rotate.",
      FAULT: "Something went wrong on our side. The key may or may not have been rotated. Try again.",
      CONFLICT: "Not rotated as things stand. Look at the list, then try again.",
      FORBIDDEN: "You are not allowed to rotate keys.",
      OTHER: "The key was not rotated. Try again.",
    },
  },

  /** The line below a key that is being rotated. */
  rotation: {
    of: (name: string) => `Rotation of ${name}.`,
    waiting: {
      title: "New key",
      state: "waits for its first use.",
      expired: "was never used, and the key has expired.",
      old: (grace: string) => `The old one works until then, and for ${grace} more.`,
      action: "Cancel rotation",
      actionLabel: (name: string) => `Cancel rotation of ${name}`,
    },
    grace: {
      title: "Old key",
      until: "works until",
      quiet: "(nothing has used it for an hour)",
      action: "End it now",
      actionLabel: (name: string) => `End it now: the old key of ${name}`,
    },
  },

  endSecret: {
    waiting: {
      title: (name: string) => `Cancel the rotation of “${name}”?`,
      text: "The new key, which was not used yet, will never work. The old one goes on working as before.",
      keep: "Keep it",
      submit: "Cancel rotation",
      submitting: "Cancelling…",
      receiptTitle: (name: string) => `The rotation of “${name}” is cancelled`,
      nothing: "No new key was waiting any more.",
      usedMeanwhile:
        "The new key was used in the meantime, so it is the key’s own now. The old one is in its last time.",
      failed: {
        SERVICE_UNAVAILABLE: "Not cancelled. The service is not available right now. Try again in a moment.",
        OUTCOME_UNKNOWN: "The server could not tell in time whether the rotation was cancelled. Try again.",
        NO_ANSWER: "The server did not answer. The rotation may or may not be cancelled. Try again.",
        FAULT: "Something went wrong on our side. The rotation may or may not be cancelled. Try again.",
        SIGNED_OUT: "Your session has ended, and the rotation was not cancelled. Sign in again.",
        OTHER: "Not cancelled. Try again.",
      },
    },
    grace: {
      title: (name: string) => `End the old key of “${name}” now?`,
      text: "Every program that still uses the old key will be refused from now on. The new one goes on working. This cannot be undone.",
      keep: "Cancel",
      submit: "End it now",
      submitting: "Ending…",
      receiptTitle: (name: string) => `The old key of “${name}” has ended`,
      nothing: "There was no old key any more: its time had passed, or somebody else has ended it.",
      usedMeanwhile: "There was no old key any more: its time had passed, or somebody else has ended it.",
      failed: {
        API_KEY_ROTATING:
          "Not ended: another rotation has begun, and its new key still waits. Cancel that rotation first.",
        SERVICE_UNAVAILABLE: "Not ended. The service is not available right now. Try again in a moment.",
        OUTCOME_UNKNOWN: "The server could not tell in time whether the old key has ended. Try again.",
        NO_ANSWER: "The server did not answer. The old key may or may not have ended. Try again.",
        FAULT: "Something went wrong on our side. The old key may or may not have ended. Try again.",
        SIGNED_OUT: "Your session has ended, and the old key was not ended. Sign in again.",
        OTHER: "Not ended. Try again.",
      },
    },
  },

  /** Before a revocation, of one key or of all. */
  confirmation: {
    lastUsed: "Last used",
    neverUsed: "It has never been used.",
    before: "Type",
    after: "to confirm",
    submitting: "Revoking…",
    checking: "Checking…",
    checkAgain: "Check again",
  },

  revoke: {
    action: (name: string) => `Revoke ${name}`,
    shortAction: "Revoke",
    title: (name: string) => `Revoke “${name}”?`,
    text: "Every program that uses this key will be refused from now on. This cannot be undone.",
    recentlyUsed: "It was used in the last 24 hours, so something may depend on it.",
    submit: "Revoke key",
    receiptTitle: (name: string) => `“${name}” is revoked`,
    notRevoked: "Not revoked. Try again.",
    noAnswerNotRevoked: "The server did not answer. When asked just now, the key was not revoked. Try again.",
    unknown: "The outcome is not known: the server does not answer. The key may or may not be revoked. Check again.",
    failed: { SIGNED_OUT: "Your session has ended, and the key was not revoked. Sign in again." },
    pending: (latest: string) =>
      `Revoked. The gateway cache could not be reached; the key may still work until ${latest} at the latest. We keep trying.`,
  },

  revokeAll: {
    action: "Revoke all keys",
    text: "Every program that uses one of them will be refused from now on. This cannot be undone.",
    recentlyUsed: "A key was used in the last 24 hours, so something may depend on it.",
    confirmWord: "revoke all",
    submit: "Revoke all",
    notRevoked: "Not all of these keys are revoked. Try again.",
    noAnswerNotRevoked:
      "The server did not answer. When asked just now, not all of these keys were revoked. Try again.",
    unknown: "The outcome is not known: the server does not answer. The keys may or may not be revoked. Check again.",
    failed: {
      API_KEY_NOT_FOUND: "These keys no longer exist.",
      SIGNED_OUT: "Your session has ended, and nothing was revoked. Sign in again.",
    },
    pending: (latest: string) =>
      `Revoked. The gateway cache could not be reached; the keys may still work until ${latest} at the latest. We keep trying.`,
  },

  leaked: {
    title: "Has a key leaked?",
    intro: "Paste what you found to see which key it is. It is compared in this browser and sent nowhere.",
    field: "Key or line that contains it",
    show: "Show the row",
    seen: (name: string) => `This is “${name}”.`,
    active: (name: string) => `This is “${name}”. Revoke it if it should not be where you found it.`,
    expired: (name: string) => `This is “${name}”. It has expired and is refused.`,
    revoked: (name: string) => `This is “${name}”. It is revoked. Its row says from when on it is refused.`,
    waiting: (name: string) =>
      `This is the new key of “${name}”, which waits for its first use. Cancel the rotation if it should not be where you found it.`,
    grace: (name: string) =>
      `This is the old key of “${name}”, which still works for a while. End it if it should not be where you found it.`,
    ending: (name: string) =>
      `This is the old key of “${name}”. It is revoked, and its row says when that takes effect at the latest.`,
    foreign:
      "This is a complete key, but it is none of those listed here. It belongs to another account, or it has ended: it was revoked long ago, or a rotation has replaced it.",
    noKey: "There is no complete key in this text. A key has “_live_” or “_test_” in it and 38 characters after that.",
    all: "Not sure which one?",
  },

  effect: {
    receipt: "From when on it is refused",
    effective: "Revoked. No request that starts from now on is accepted.",
    effectiveSince: "Effective since",
    secondsLeft: (seconds: number) => (seconds === 1 ? "1 second left" : `${seconds} seconds left`),
    pastDeadline:
      "Revoked. No request that starts from now on is accepted. The gateway cache has not confirmed it yet; we keep trying.",
  },

  /** For the developer who takes this page into an app. */
  setup: {
    title: "This page is not set up yet",
    text: "Something that it needs is missing in this app:",
    provider: "There is no ClerkProvider: put <ClerkProvider> around the children in app/layout.tsx.",
    middleware: `Clerk’s middleware does not run here: export clerkMiddleware() from middleware.ts (proxy.ts from Next 16 on), with a matcher for ${paths.page}, ${paths.procedures} and ${paths.historyFile}.`,
  },

  crash: {
    title: "Something went wrong",
    text: "This page could not be shown. Try again to see where your keys stand.",
    secret: (name: string) => `Copy your key “${name}” now. It cannot be shown again.`,
  },
} as const;

interface TitledText {
  title: string;
  text: string;
}

/** The texts that say whose keys these are. */
export interface OwnerTexts {
  caption: string;
  empty: TitledText;
  emptyWithoutAccess: TitledText;
  onlyRevoked: TitledText;
  noAccess: TitledText;
  limit: { title: (max: number) => string; text: string };
  revokeAll: { title: (count: number) => string; receiptTitle: (count: number) => string };
  revokedBy: { owner: string; account: string };
  /** For a member who may see the keys and not change them. A person may always change their own. */
  seeingOnly: { text: string; whomToAsk: string };
}

const ofPerson: OwnerTexts = {
  caption: "Your keys",
  empty: {
    title: "No keys yet",
    text: "A key lets a program call the API as you: a script, a server, a build job. Create one, copy it once, and revoke it here when you no longer need it.",
  },
  emptyWithoutAccess: { title: "No keys", text: "You have no keys, so there is none to revoke." },
  onlyRevoked: { title: "No active keys", text: "All of your keys are revoked. Create one to call the API again." },
  noAccess: {
    title: "Your plan does not include API access",
    text: "Until it does, you cannot create keys, and your existing keys are refused. To get access, change your plan or ask the person who manages it. You can still see and revoke your keys here.",
  },
  limit: {
    title: (max) => `You have ${max} active keys, the most that are allowed`,
    text: "Revoke a key that you no longer need. Then you can create another.",
  },
  revokeAll: {
    title: (count) => (count === 1 ? "Revoke your only key?" : `Revoke all ${count} keys?`),
    receiptTitle: (count) => (count === 1 ? "Your key is revoked" : `All ${count} keys are revoked`),
  },
  revokedBy: { owner: "by you", account: "account closed" },
  seeingOnly: {
    text: "You can see these keys, but not change them.",
    whomToAsk: "If it should not be where you found it, ask who may revoke it.",
  },
};

/** @param name stands inside of a sentence, never at its start. */
const ofOrganization = (name: string): OwnerTexts => ({
  caption: `Keys of ${name}`,
  empty: {
    title: "No keys yet",
    text: `A key lets a program call the API as ${name}: a script, a server, a build job. Every member of ${name} sees it here.`,
  },
  emptyWithoutAccess: { title: "No keys", text: `There are no keys of ${name}, so there is none to revoke.` },
  onlyRevoked: {
    title: "No active keys",
    text: `All keys of ${name} are revoked. A new one is needed to call the API again.`,
  },
  noAccess: {
    title: `The plan of ${name} does not include API access`,
    text: "Until it does, no keys can be created, and the existing keys are refused. To get access, ask the person who manages the plan. The keys can still be seen and revoked here.",
  },
  limit: {
    title: (max) => `There are ${max} active keys of ${name}, the most that are allowed`,
    text: "Revoke a key that is no longer needed. Then you can create another.",
  },
  revokeAll: {
    title: (count) => (count === 1 ? `Revoke the only key of ${name}?` : `Revoke all ${count} keys of ${name}?`),
    receiptTitle: (count) =>
      count === 1 ? `The key of ${name} is revoked` : `All ${count} keys of ${name} are revoked`,
  },
  // The account of an organization's key is the one of its creator: the keys of a closed organization are shown to nobody.
  revokedBy: { owner: "by a member", account: "because its creator left" },
  seeingOnly: {
    text: `Your role lets you see the keys of ${name}, but not change them. Ask one of its admins.`,
    whomToAsk: `If it should not be where you found it, ask an admin of ${name} to revoke it.`,
  },
});

/** @param owner null: nobody knows it yet. */
export function textsOf(owner: { kind: "user" | "organization"; name: string | null } | null): OwnerTexts {
  return owner?.kind === "organization" ? ofOrganization(owner.name ?? "your organization") : ofPerson;
}
