// The inbox as a plain page: what customers would have got, newest first.

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

const style = `
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 48rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
  article { border: 1px solid #ddd; border-radius: 6px; padding: 0 1rem; margin: 1rem 0; }
  header { color: #555; font-size: 14px; margin-top: 1rem; }
  h2 { font-size: 17px; margin: 0.25rem 0; }
  pre { white-space: pre-wrap; font: 14px/1.5 ui-monospace, monospace; }
  iframe { width: 100%; height: 24rem; border: 0; }
`;

/** Mails are shown as HTML in a frame that may run nothing and reach nothing. */
export function inboxPage(inbox: Inbox): string {
  const mails = inbox.emails.map((mail) => ({ time: mail.time, html: mailArticle(mail) }));
  const messages = inbox.sms.map((sms) => ({ time: sms.time, html: smsArticle(sms) }));
  const articles = [...mails, ...messages]
    .toSorted((a, b) => b.time.localeCompare(a.time))
    .map(({ html }) => html);
  const none = "<p>Nothing was sent yet.</p>";
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sandbox inbox</title><style>${style}</style></head>
<body><h1>Sandbox inbox</h1>
<p>${inbox.emails.length} mails, ${inbox.sms.length} SMS. As JSON: <a href="/_/inbox">/_/inbox</a>; payments: <a href="/_/payments">/_/payments</a>.</p>
${articles.join("\n") || none}
</body></html>
`;
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

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Makes any text safe inside HTML elements and quoted attributes. */
export const escape = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? "");
