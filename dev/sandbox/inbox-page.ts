// The inbox as a plain page: what customers would have got, newest first.
import { escape, page } from "./page.ts";

/** Everything sent, oldest first, untruncated. */
export interface Inbox {
  readonly emails: readonly {
    /** A text where there is one recipient. */
    readonly to: string | readonly string[];
    readonly subject: string;
    readonly text: string | null;
    readonly html: string | null;
    readonly idempotencyKey: string | null;
    /** RFC 3339. */
    readonly time: string;
  }[];
  readonly sms: readonly { readonly to: string; readonly body: string; readonly time: string }[];
}

/** Mails are shown as HTML in a frame that may run nothing and reach nothing. */
export function inboxPage(inbox: Inbox): string {
  const mails = inbox.emails.map((mail) => ({ time: mail.time, html: mailArticle(mail) }));
  const messages = inbox.sms.map((sms) => ({ time: sms.time, html: smsArticle(sms) }));
  const articles = [...mails, ...messages]
    .toSorted((a, b) => b.time.localeCompare(a.time))
    .map(({ html }) => html);
  const none = "<p>Nothing was sent yet.</p>";
  return page(
    "Sandbox inbox",
    `<p>${inbox.emails.length} mails, ${inbox.sms.length} SMS. As JSON: <a href="/_/inbox">/_/inbox</a>; payments: <a href="/_/stripe">Stripe</a>.</p>
${articles.join("\n") || none}`,
  );
}

function mailArticle(mail: Inbox["emails"][number]): string {
  const to = [mail.to].flat().join(", ");
  const frame =
    mail.html === null
      ? ""
      : `<details><summary>HTML</summary><iframe sandbox loading="lazy" srcdoc="${escape(mail.html)}"></iframe></details>`;
  const text = mail.text === null ? "" : `<pre>${escape(mail.text)}</pre>`;
  return `<article><header>Mail to ${escape(to)}, <time>${escape(mail.time)}</time></header>
<h2>${escape(mail.subject)}</h2>${text}${frame}</article>`;
}

const smsArticle = (sms: Inbox["sms"][number]): string =>
  `<article><header>SMS to ${escape(sms.to)}, <time>${escape(sms.time)}</time></header><pre>${escape(sms.body)}</pre></article>`;
