/** Where the form is sent, and where a browser without JavaScript comes back to. */
export const paths = { page: "/leaked", reports: "/api/v1/leaks" } as const;

export const strings = {
  title: "Found an API key of ours?",
  intro:
    "Thank you for telling us. Paste the key, or the text in which you found it. It goes only to the people who run this service.",
  text: { label: "The key, or text that contains it", hint: "Every complete key in the text counts, up to 100." },
  url: { label: "Where you found it", hint: "For example the address of a page. You may leave it empty." },
  submit: "Report it",
  submitting: "Reporting…",
  steps: {
    title: "What happens then",
    list: [
      "A key that is still valid is ended at once, or looked at by us first.",
      "Its owner sees in the key’s history that it was found, and where. Nothing there says who you are.",
      "We do not tell you whose key it was, or whether it was valid. That would help whoever tries keys.",
    ],
  },
  outcomes: {
    received: {
      title: "Thank you. We have your report.",
      text: "There is nothing more for you to do. Please delete the key wherever you can.",
    },
    partly: {
      title: "Thank you. We have the first 100 keys.",
      text: "There are more in this text. Please take those out that we have, and send the rest.",
    },
    no_key: {
      title: "There is no complete key in this text.",
      text: "A key has “_live_” or “_test_” in it and 38 letters and digits after that. If some of it is hidden or missing, we cannot find it.",
    },
    invalid: { title: "This could not be read.", text: "The address may have up to 2,048 characters." },
    too_large: { title: "This text is too long.", text: "Paste only the part with the key, up to 256 kB." },
    limited: { title: "Too many reports came within a minute.", text: "Please try again in a minute." },
    unavailable: {
      title: "Your report did not get through.",
      text: "Please send it again. Nothing happens twice.",
    },
  },
  forPrograms: "Programs can report keys, too:",
} as const;

export type Outcome = keyof typeof strings.outcomes;

export const isOutcome = (text: unknown): text is Outcome =>
  typeof text === "string" && Object.hasOwn(strings.outcomes, text);
