// The texts that customers get, in English and German. Pure: an order's facts in, subject and texts out.
import { formatMoney } from "./money.ts";

export type TemplateName =
  | "order-created"
  | "order-cancelled"
  | "order-expired"
  | "payment-succeeded"
  | "payment-failed"
  | "payment-refunded"
  | "payment-returned";
export type Locale = "en" | "de";

/** Recorded with each message, so that an audit shows what was sent. Raise it with every change of a text. */
export const TEMPLATE_VERSION = 2;

export interface OrderFacts {
  readonly number: string;
  readonly currencyCode: string;
  readonly totalMinorUnits: bigint;
  /** Of a refund: how much is given back. */
  readonly refundMinorUnits?: bigint;
}

export interface Texts {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly sms: string;
}

type Words = { readonly subject: string; readonly body: readonly string[]; readonly sms: string };

/** The language of the texts for a BCP 47 tag: "de-AT" is German, what we do not speak is English. */
export const localeOf = (tag: string): Locale => (/^de\b/i.test(tag) ? "de" : "en");

/** The texts of a template. What comes from a person or another system is escaped in the HTML. */
export function renderTemplate(template: TemplateName, locale: Locale, order: OrderFacts): Texts {
  const { refundMinorUnits = order.totalMinorUnits } = order;
  const amount = template === "payment-refunded" ? refundMinorUnits : order.totalMinorUnits;
  const told = formatMoney(order.currencyCode, amount, locale);
  const { subject, body, sms } = words[locale][template](order.number, told);
  const paragraphs = body.map((line) => `<p>${escapeHtml(line)}</p>`).join("\n");
  return {
    subject,
    text: `${body.join("\n\n")}\n`,
    html: `<!doctype html>\n<html lang="${locale}">\n<body>\n${paragraphs}\n</body>\n</html>\n`,
    sms,
  };
}

const words: Record<Locale, Record<TemplateName, (number: string, total: string) => Words>> = {
  en: {
    "order-created": (number, total) => ({
      subject: `Your order ${number}`,
      body: [
        `Thank you for your order ${number}.`,
        `It comes to ${total}. We will tell you as soon as it is paid.`,
      ],
      sms: `Thank you for your order ${number} (${total}).`,
    }),
    "payment-succeeded": (number, total) => ({
      subject: `Payment received for your order ${number}`,
      body: [`We have received your payment of ${total}.`, `Your order ${number} is paid.`],
      sms: `Your order ${number} is paid (${total}).`,
    }),
    "payment-failed": (number, total) => ({
      subject: `Payment refused for your order ${number}`,
      body: [
        `Your payment of ${total} for the order ${number} was refused. You have not been charged.`,
        "Your order is kept: you can pay it with another method.",
      ],
      sms: `The payment for your order ${number} (${total}) was refused. You can pay it with another method.`,
    }),
    "order-cancelled": (number) => ({
      subject: `Your order ${number} is cancelled`,
      body: [`Your order ${number} is cancelled.`, "You have not been charged."],
      sms: `Your order ${number} is cancelled. You have not been charged.`,
    }),
    "order-expired": (number) => ({
      subject: `Your order ${number} was not paid in time`,
      body: [
        `Your order ${number} was not paid in time, so it is closed.`,
        "You have not been charged. You are welcome to order again.",
      ],
      sms: `Your order ${number} was not paid in time, so it is closed. You have not been charged.`,
    }),
    "payment-refunded": (number, amount) => ({
      subject: `Refund for your order ${number}`,
      body: [
        `We give back ${amount} of your payment for the order ${number}.`,
        "Your bank may take a few days until you see it.",
      ],
      sms: `We give back ${amount} for your order ${number}.`,
    }),
    "payment-returned": (number, total) => ({
      subject: `Your payment for the order ${number} is returned`,
      body: [
        `Your payment of ${total} came when the order ${number} was closed already.`,
        "We have received it and give all of it back. Your bank may take a few days until you see it.",
      ],
      sms: `Your payment of ${total} for the closed order ${number} was received and is given back.`,
    }),
  },
  de: {
    "order-created": (number, total) => ({
      subject: `Ihre Bestellung ${number}`,
      body: [
        `Vielen Dank für Ihre Bestellung ${number}.`,
        `Sie beträgt ${total}. Sobald sie bezahlt ist, sagen wir Ihnen Bescheid.`,
      ],
      sms: `Vielen Dank für Ihre Bestellung ${number} (${total}).`,
    }),
    "payment-succeeded": (number, total) => ({
      subject: `Zahlung für Ihre Bestellung ${number} erhalten`,
      body: [
        `Wir haben Ihre Zahlung über ${total} erhalten.`,
        `Ihre Bestellung ${number} ist bezahlt.`,
      ],
      sms: `Ihre Bestellung ${number} ist bezahlt (${total}).`,
    }),
    "payment-failed": (number, total) => ({
      subject: `Zahlung für Ihre Bestellung ${number} abgelehnt`,
      body: [
        `Ihre Zahlung über ${total} für die Bestellung ${number} wurde abgelehnt. Es wurde nichts abgebucht.`,
        "Ihre Bestellung bleibt bestehen: Sie können sie mit einer anderen Zahlungsart bezahlen.",
      ],
      sms: `Die Zahlung Ihrer Bestellung ${number} (${total}) wurde abgelehnt. Sie können sie mit einer anderen Zahlungsart bezahlen.`,
    }),
    "order-cancelled": (number) => ({
      subject: `Ihre Bestellung ${number} ist storniert`,
      body: [`Ihre Bestellung ${number} ist storniert.`, "Es wurde nichts abgebucht."],
      sms: `Ihre Bestellung ${number} ist storniert. Es wurde nichts abgebucht.`,
    }),
    "order-expired": (number) => ({
      subject: `Ihre Bestellung ${number} wurde nicht rechtzeitig bezahlt`,
      body: [
        `Ihre Bestellung ${number} wurde nicht rechtzeitig bezahlt und ist geschlossen.`,
        "Es wurde nichts abgebucht. Sie können gern neu bestellen.",
      ],
      sms: `Ihre Bestellung ${number} wurde nicht rechtzeitig bezahlt und ist geschlossen. Es wurde nichts abgebucht.`,
    }),
    "payment-refunded": (number, amount) => ({
      subject: `Erstattung für Ihre Bestellung ${number}`,
      body: [
        `Wir erstatten Ihnen ${amount} Ihrer Zahlung für die Bestellung ${number}.`,
        "Bis Sie den Betrag sehen, kann es bei Ihrer Bank einige Tage dauern.",
      ],
      sms: `Wir erstatten Ihnen ${amount} für Ihre Bestellung ${number}.`,
    }),
    "payment-returned": (number, total) => ({
      subject: `Ihre Zahlung für die Bestellung ${number} wird erstattet`,
      body: [
        `Ihre Zahlung über ${total} kam, als die Bestellung ${number} bereits geschlossen war.`,
        "Wir haben sie erhalten und erstatten sie vollständig. Bis Sie den Betrag sehen, kann es bei Ihrer Bank einige Tage dauern.",
      ],
      sms: `Ihre Zahlung über ${total} für die geschlossene Bestellung ${number} ist eingegangen und wird erstattet.`,
    }),
  },
};

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (char) => ESCAPES[char] ?? char);
