import { createSign, generateKeyPairSync, sign } from "node:crypto";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { createGithubKeys, type GithubKeys } from "@/server/leaks/github-keys";
import { checkGithubSignature } from "@/server/leaks/github-signature";
import { createLogger } from "@/server/platform/logger";
import { createGate } from "@/tests/support/gate";
import { ec, type GithubSender, pemOf, startGithubSender } from "@/tests/support/github-sender";

const second = 1_000;
const hour = 3_600 * second;
const body = Buffer.from('[{"token":"a","type":"b"}]');

let sender: GithubSender;
let keys: GithubKeys;
let skew: number;

beforeEach(async () => {
  sender = await startGithubSender();
  skew = 0;
  keys = createGithubKeys({
    url: sender.keysUrl,
    now: () => new Date(Date.now() + skew),
    logger: createLogger("silent"),
  });
});
afterEach(() => sender.stop());

const check = (headers: Record<string, string> = sender.headersFor(body), signed = body) =>
  checkGithubSignature(keys, new Headers(headers), signed);
const withId = (id: string) => ({ ...sender.headersFor(body), "Github-Public-Key-Identifier": id });
const withSignature = (text: string) => ({ ...sender.headersFor(body), "Github-Public-Key-Signature": text });

describe("GitHub's signature", () => {
  it("is good over exactly the bytes that were sent", async () => {
    expect(await check()).toBe("valid");
    const headers = sender.headersFor(body);
    for (const changed of [`${body.toString()} `, body.toString().replace("a", "A"), "", `\ufeff${body.toString()}`])
      expect(await check(headers, Buffer.from(changed)), changed).toBe("invalid");
  });

  it("may be over bytes that are no text", async () => {
    const bytes = Buffer.from([0xff, 0x00, 0xfe]);
    expect(await check(sender.headersFor(bytes), bytes)).toBe("valid");
  });

  it("is refused without asking for keys where a header is missing or cannot be one", async () => {
    const good = sender.headersFor(body);
    const { "Github-Public-Key-Signature": signature = "", "Github-Public-Key-Identifier": id = "" } = good;
    for (const headers of [
      {},
      { "Github-Public-Key-Signature": signature },
      { "Github-Public-Key-Identifier": id },
      withId(""),
      withId("a b"),
      withId("a".repeat(201)),
      withSignature(""),
      withSignature("AAAA"),
      withSignature("A".repeat(200)),
      withSignature(`${signature}, ${signature}`),
      withSignature(Buffer.from(signature, "base64").toString("hex")),
      withSignature(signature.replace(/^.{8}/, "-_-_-_-_")),
    ])
      expect(await check(headers)).toBe("invalid");
    expect(sender.requests).toHaveLength(0);
  });

  it("is refused in any other form than GitHub's own, and a wrong one crashes nothing", async () => {
    expect(await check()).toBe("valid");
    const der = Buffer.from(sender.headersFor(body)["Github-Public-Key-Signature"] ?? "", "base64");
    const forms: [string, Buffer][] = [
      ["nothing but zeros", Buffer.alloc(72)],
      ["a byte too many", Buffer.concat([der, Buffer.from([0])])],
      ["a byte too few", der.subarray(0, -1)],
      ["a length that lies", Buffer.concat([der.subarray(0, 1), Buffer.from([0x7f]), der.subarray(2)])],
      ["r and s as zero", Buffer.from("3006020100020100", "hex").subarray(0, 8)],
      ["64 bytes without DER", Buffer.alloc(64, 7)],
      ["a BER length", Buffer.concat([Buffer.from([0x30, 0x81]), der.subarray(1)])],
    ];
    for (const [form, bytes] of forms)
      expect(await check(withSignature(bytes.toString("base64"))), form).toBe("invalid");
  });

  it("is refused where the last digit of its base64 is another way to write the same", async () => {
    for (let attempt = 0; attempt < 200; attempt++) {
      const headers = sender.headersFor(body);
      const signature = headers["Github-Public-Key-Signature"] ?? "";
      if (!signature.endsWith("=")) continue;
      const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
      const other = signature.replace(/.(?==+$)/, (digit) => digits[digits.indexOf(digit) + 1] ?? "");
      expect(Buffer.from(other, "base64")).toEqual(Buffer.from(signature, "base64"));
      expect(await check({ ...headers, "Github-Public-Key-Signature": other })).toBe("invalid");
      expect(await check(headers)).toBe("valid");
      return;
    }
    throw new Error("no signature had padding");
  });

  it("by another key of the list is refused under this id, and so is every id with the other's signature", async () => {
    const first = sender.headersFor(body);
    const firstId = sender.keyId;
    sender.changeKey();
    expect(await check()).toBe("valid");
    expect(await check(withId(firstId))).toBe("invalid");
    expect(await check({ ...first, "Github-Public-Key-Identifier": sender.keyId })).toBe("invalid");
    expect(await check(first)).toBe("valid");
  });

  it("by somebody else's key is refused", async () => {
    const { privateKey } = ec();
    expect(await check(withSignature(sign("sha256", body, privateKey).toString("base64")))).toBe("invalid");
  });

  it("is refused by a key of the list that is not of P-256, also where it fits the key", async () => {
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const [p384, k1, ed] = [ec("P-384"), ec("secp256k1"), generateKeyPairSync("ed25519")];
    const { privateKey } = ec();
    const entries: [string, string, string][] = [
      ["rsa", pemOf(rsa.publicKey), createSign("sha256").update(body).sign(rsa.privateKey, "base64")],
      ["p384", pemOf(p384.publicKey), sign("sha256", body, p384.privateKey).toString("base64")],
      ["k1", pemOf(k1.publicKey), sign("sha256", body, k1.privateKey).toString("base64")],
      ["ed25519", pemOf(ed.publicKey), sign(null, body, ed.privateKey).toString("base64")],
      [
        "private",
        privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
        sign("sha256", body, privateKey).toString("base64"),
      ],
      ["garbage", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", ""],
      ["empty", "", ""],
    ];
    for (const [id, pem] of entries) sender.publish(id, pem);
    for (const [id, , signature] of entries) {
      const headers = { "Github-Public-Key-Identifier": id, "Github-Public-Key-Signature": signature };
      expect(await check(signature ? headers : withId(id)), id).toBe("invalid");
    }
    expect(await check()).toBe("valid");
  });
});

describe("GitHub's keys", () => {
  it("are fetched once for reports that come together, and not again for an hour", async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => check()));
    expect(new Set(answers)).toEqual(new Set(["valid"]));
    expect(sender.requests).toHaveLength(1);
    skew += hour - second;
    expect(await check()).toBe("valid");
    expect(sender.requests).toHaveLength(1);
  });

  it("are asked for again after an hour, by a request that costs GitHub nothing when they are the same", async () => {
    await check();
    skew += hour;
    expect(await check()).toBe("valid");
    expect(sender.requests.map(({ headers }) => "if-none-match" in headers)).toEqual([false, true]);
    skew += hour - second;
    expect(await check()).toBe("valid");
    expect(sender.requests).toHaveLength(2);
  });

  it("include a new one at once", async () => {
    await check();
    sender.changeKey();
    expect(await check()).toBe("valid");
    expect(sender.requests).toHaveLength(2);
  });

  it("are refused once GitHub has withdrawn them", async () => {
    const headers = sender.headersFor(body);
    expect(await check(headers)).toBe("valid");
    sender.withdraw(sender.keyId);
    skew += hour;
    expect(await check(headers)).toBe("invalid");
  });

  it("are read again when the clock was set back: a new one is found, and a withdrawn one is not used", async () => {
    expect(await check(withId("unknown"))).toBe("invalid");
    skew = -hour;
    sender.changeKey();
    expect(await check()).toBe("valid");
    const headers = sender.headersFor(body);
    sender.withdraw(sender.keyId);
    skew = -3 * hour;
    expect(await check(headers)).toBe("invalid");
  });

  it("are asked for once in 10 s for ids that somebody makes up", async () => {
    for (let at = 0; at < 50; at++) expect(await check(withId(`made-up-${at}`))).toBe("invalid");
    expect(sender.requests).toHaveLength(1);
    expect(await check()).toBe("valid");
    expect(sender.requests).toHaveLength(1);
    skew += 10 * second;
    for (let at = 0; at < 50; at++) expect(await check(withId(`made-up-${at}`))).toBe("invalid");
    expect(sender.requests).toHaveLength(2);
  });

  const failures: [string, NonNullable<GithubSender["answer"]>][] = [
    ["answers 500", (response) => void response.writeHead(500).end("broken")],
    ["answers 403, as over its rate limit", (response) => void response.writeHead(403).end("{}")],
    ["closes the connection", (_response, request) => void request.socket.destroy()],
    ["answers no JSON", (response) => void response.writeHead(200).end("<html>")],
    ["answers null", (response) => void response.writeHead(200).end("null")],
    ["answers another shape", (response) => void response.writeHead(200).end('{"public_keys":{"a":"b"}}')],
    ["answers 304 to who has nothing", (response) => void response.writeHead(304).end()],
    [
      "answers with a list that is too long",
      (response) => void response.writeHead(200).end(JSON.stringify({ ...sender.list(), more: " ".repeat(2 ** 20) })),
    ],
    [
      "answers with too many keys",
      (response) => {
        const { public_keys } = sender.list() as { public_keys: object[] };
        response.writeHead(200).end(JSON.stringify({ public_keys: [...public_keys, ...Array<number>(1_000).fill(0)] }));
      },
    ],
    ["sends it elsewhere", (response) => void response.writeHead(302, { Location: "/elsewhere" }).end()],
  ];

  it.each(failures)("cannot be read where GitHub %s, and nothing is asked again for 10 s", async (_title, answer) => {
    sender.answer = answer;
    for (let at = 0; at < 5; at++) expect(await check()).toBe("unavailable");
    expect(sender.requests).toHaveLength(1);
    sender.answer = null;
    expect(await check()).toBe("unavailable");
    skew += 10 * second;
    expect(await check()).toBe("valid");
  });

  it.each(failures.filter(([title]) => !title.includes("304")))(
    "that are known serve for a day where GitHub %s, and a new one is not refused as a wrong one",
    async (_title, answer) => {
      expect(await check()).toBe("valid");
      sender.answer = answer;
      skew += hour;
      for (let at = 0; at < 5; at++) expect(await check()).toBe("valid");
      expect(sender.requests).toHaveLength(2);
      expect(await check(withId("new"))).toBe("unavailable");
      skew += 22 * hour;
      expect(await check()).toBe("valid");
      skew += hour;
      expect(await check()).toBe("unavailable");
    },
  );

  it("are not followed to another address", async () => {
    const other = await startGithubSender();
    try {
      sender.answer = (response) => void response.writeHead(301, { Location: other.keysUrl }).end();
      expect(await check(other.headersFor(body))).toBe("unavailable");
      expect(other.requests).toHaveLength(0);
    } finally {
      await other.stop();
    }
  });

  it("that hang keep nobody for longer than their time limit, and the others wait for the same request", async () => {
    const { opened, open } = createGate();
    sender.answer = (response) => void opened.then(() => response.writeHead(500).end());
    const answers = Promise.all(Array.from({ length: 10 }, () => check()));
    open();
    expect(new Set(await answers)).toEqual(new Set(["unavailable"]));
    skew += 10 * second;
    sender.answer = () => undefined;
    expect(await check()).toBe("unavailable");
    expect(sender.requests).toHaveLength(2);
  });
});
