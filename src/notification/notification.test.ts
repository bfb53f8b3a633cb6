import { describe, expect, it } from "vitest";
import { afterSending } from "./delivery.ts";
import { formatMoney } from "./money.ts";
import { localeOf, renderTemplate } from "./template.ts";

const order = { number: "7K3M-9QXW-2D", currencyCode: "EUR", totalMinorUnits: 4998n };

describe("a text", () => {
  it("names the order and what it costs, in English", () => {
    const { subject, text, html, sms } = renderTemplate("order-created", "en", order);

    expect(subject).toBe("Your order 7K3M-9QXW-2D");
    expect(text).toContain("It comes to €49.98.");
    expect(html).toContain("<p>It comes to €49.98.");
    expect(sms.length).toBeLessThan(160);
  });

  it("names them in German", () => {
    expect(renderTemplate("payment-failed", "de", order).text).toContain(
      "Ihre Zahlung über 49,98 €",
    );
  });

  it("holds nothing that an HTML reader would run", () => {
    const { html } = renderTemplate("order-created", "en", {
      ...order,
      number: "<script>alert('1')</script>",
    });

    expect(html).not.toContain("<script>");
    expect(html).toContain("&lt;script&gt;alert(&#39;1&#39;)");
  });

  it.each([
    ["de", "de"],
    ["de-AT", "de"],
    ["fr", "en"],
    ["", "en"],
    ["den", "en"],
  ])("for %j is in %s", (tag, locale) => expect(localeOf(tag)).toBe(locale));
});

describe("money is written exactly", () => {
  it.each([
    ["EUR", 5n, "€0.05"],
    ["JPY", 1200n, "¥1,200"],
    ["KWD", 4500n, "KWD 4.500"],
    ["EUR", 900_719_925_474_099_301n, "€9,007,199,254,740,993.01"],
  ])("%s %s", (currency, minorUnits, text) =>
    expect(formatMoney(currency, minorUnits, "en")).toBe(text),
  );
});

describe("after a provider was asked", () => {
  const mail = { channel: "EMAIL", attemptCount: 1, ageMs: 0 } as const;
  const sms = { channel: "SMS", attemptCount: 1, ageMs: 0 } as const;
  const day = 24 * 3_600_000;

  it("an accepted message is sent", () => {
    expect(afterSending(mail, { outcome: "accepted", providerMessageId: "m" })).toEqual({
      status: "SENT",
      providerMessageId: "m",
    });
  });
  it("a refused message has failed", () => {
    expect(afterSending(sms, { outcome: "refused", reason: "no" }).status).toBe("FAILED");
  });
  it("a mail of unknown fate is repeated with its key", () => {
    expect(afterSending(mail, { outcome: "unknown", reason: "?" })).toMatchObject({
      status: "QUEUED",
      dueInMs: 1000,
    });
  });
  it("a mail of unknown fate is not repeated once its key protects nothing", () => {
    expect(afterSending({ ...mail, ageMs: day }, { outcome: "unknown", reason: "?" }).status).toBe(
      "AMBIGUOUS",
    );
  });
  it("an SMS of unknown fate is never repeated", () => {
    expect(afterSending(sms, { outcome: "unknown", reason: "?" }).status).toBe("AMBIGUOUS");
  });
  it("a message that was certainly not sent waits as long as the provider says", () => {
    expect(afterSending(sms, { outcome: "later", reason: "429", waitMs: 7000 })).toMatchObject({
      status: "QUEUED",
      dueInMs: 7000,
    });
  });
  it("and is given up after a day", () => {
    expect(afterSending(sms, { outcome: "later", reason: "429" }).status).toBe("QUEUED");
    expect(afterSending({ ...sms, ageMs: day }, { outcome: "later", reason: "429" }).status).toBe(
      "FAILED",
    );
  });
});
