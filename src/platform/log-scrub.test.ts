// The promise: no secret, card number, mail address or phone number reaches the log, by whichever way it got into a line.
import { PassThrough } from "node:stream";
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { scrubbed } from "./log-scrub.ts";
import { createLog, type Log } from "./log.ts";

/** What must not be found in a line: the secret part of what is logged. */
const NEVER: readonly (readonly [what: string, logged: string, secret: string])[] = [
  ["a key of Stripe", "sk_live_51H8abcDEF", "51H8abcDEF"],
  ["a restricted key of Stripe", "rk_test_51H8abcDEF", "51H8abcDEF"],
  ["a webhook's secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9r8G"],
  ["a client secret", "pi_3MtwBwLkdIwHu7ix28a3tqPa_secret_YrKJUKribcBjcG8HVhfZluoGH", "YrKJUKri"],
  ["a key of Resend", "re_AbCd1234_EfGhIjKlMnOpQrStUvWx", "EfGhIjKl"],
  ["a bearer token", "Bearer abcDEF123.ghi-jkl_mno", "ghi-jkl_mno"],
  ["a JSON Web Token", "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl", "c2lnbmF0dXJl"],
  ["a database's URL", "postgres://waybill:hunter%402!@db.internal:5432/waybill_order", "hunter"],
  ["a URL whose password holds an @", "postgres://waybill:hun@ter2@db/x", "ter2"],
  ["a password of libpq", "host=db password=hunter2 dbname=x", "hunter2"],
  ["a mail address", "ada.lovelace+x@example.co.uk", "lovelace"],
  ["a mail address of an umlaut", "jürgen@bücher.example", "rgen@b"],
  ["a mail address in a URL", "?email=ada%40example.com&x=1", "ada"],
  ["a phone number", "+4915112345678", "15112345678"],
  ["a phone number as people write it", "+49 (151) 1234-5678", "1234-5678"],
  ["a phone number in a URL", "?to=%2B4915112345678", "15112345678"],
  ["a card number", "4242424242424242", "424242424242"],
  ["a card number in groups", "4242 4242 4242 4242", "4242 4242"],
  ["a card number with dashes", "3782-822463-10005", "822463"],
  ["a card number behind a number", "order 7 4242 4242 4242 4242", "4242 4242"],
  ["a card number behind a word", "card4242424242424242", "424242424242"],
  ["a card number on a line of its own", "x\n4242424242424242\ny", "424242424242"],
];

const at = (): Error => new Error("nothing");
class Answer {
  readonly body: string;
  constructor(body: string) {
    this.body = body;
  }
}

/** The ways into a line. */
const WAYS: Readonly<Record<string, (log: Log, text: string) => void>> = {
  "as the message": (log, text) => log.info(text),
  "within the message": (log, text) => log.info(`it was "${text}", they say`),
  "by a field": (log, text) => log.info({ about: text }, "x"),
  "by a nested field": (log, text) => log.info({ a: { b: { c: text } } }, "x"),
  "by a list": (log, text) => log.info({ all: [{ of: [text] }] }, "x"),
  "by an object of a class": (log, text) => log.info({ answer: new Answer(text) }, "x"),
  "as the name of a field": (log, text) => log.info({ a: { [text]: 1 } }, "x"),
  "by a child's binding": (log, text) => log.child({ about: text }).info("x"),
  "by an error's message": (log, text) => log.error({ error: new Error(`no: ${text}`) }, "x"),
  "by an error alone": (log, text) => log.error(new Error(text)),
  "by a cause": (log, text) =>
    log.error(
      { error: new Error("a", { cause: new Error("b", { cause: new Error(text) }) }) },
      "x",
    ),
  "by a stack": (log, text) =>
    log.error({ error: Object.assign(at(), { stack: `Error\n at f (${text})` }) }, "x"),
  "by an error's code": (log, text) =>
    log.error({ error: Object.assign(at(), { code: text }) }, "x"),
};

function written(write: (log: Log) => void): string {
  const out = new PassThrough();
  write(createLog("order", "info", out));
  return String(out.read());
}

describe.each(Object.entries(WAYS))("%s", (_, way) => {
  test.each(NEVER)("%s is not written", (_what, logged, secret) => {
    const line = written((log) => way(log, logged));

    expect(line).not.toContain(secret);
    expect(line).toContain("[redacted]");
    JSON.parse(line);
  });
});

it("a card number that is a number is not written", () => {
  const line = written((log) =>
    log.info({ amount: 4242424242424242, list: [4242424242424242] }, "x"),
  );

  expect(JSON.parse(line)).toMatchObject({ amount: "[redacted]", list: ["[redacted]"] });
});

it.each(["password", "stripe-signature", "client_secret", "clientSecret", "apiKey", "Cookie"])(
  "what a field named %s holds is not written",
  (name) => {
    expect(written((log) => log.info({ a: [{ [name]: "hunter2" }] }, "x"))).not.toContain(
      "hunter2",
    );
  },
);

it.each([
  ["IDs", "01a20a84-b17b-768f-a6cf-4e7f5b755d98 of 41111111-1111-4111-8111-111111111111"],
  ["traces", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
  [
    "IDs of Stripe",
    "pi_3MtwBwLkdIwHu7ix28a3tqPa re_3MtwBwLkdIwHu7ix28a3tqPa evt_1MtwBw pm_card_visa",
  ],
  ["numbers that are no card's", "4242424242424241 1764000000123456 2026-11-24T00:34:16.123Z"],
  [
    "places in code",
    "at run (file:///srv/node_modules/@bufbuild/protobuf/x.js:10:5) fastify@5.12.8",
  ],
  ["addresses of servers", "http://127.0.0.1:4000/v1/orders postgres://db.internal:5432/waybill"],
])("%s are written as they are", (_, text) => {
  expect(JSON.parse(written((log) => log.info({ about: text }, text)))).toMatchObject({
    about: text,
    msg: text,
  });
});

it("a line stays JSON, and what is harmless in it stays", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(...NEVER), (value, [, logged, secret]) => {
      const line = JSON.stringify({ value, logged });
      const left: unknown = JSON.parse(scrubbed(line));
      expect(JSON.stringify(left)).not.toContain(secret);
      expect(JSON.parse(scrubbed(JSON.stringify({ kept: "plain words" })))).toEqual({
        kept: "plain words",
      });
    }),
  );
});

it("a long line is looked through in no time", () => {
  const lines = [
    "a@".repeat(50_000),
    "+4".repeat(50_000),
    "4 ".repeat(20_000),
    "eyJ".repeat(50_000),
  ];
  for (const text of lines) {
    const before = performance.now();
    scrubbed(JSON.stringify({ text }));
    expect(performance.now() - before).toBeLessThan(500);
  }
});
