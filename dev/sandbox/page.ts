// What the sandbox's pages have in common: plain HTML that runs nothing.

const style = `
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
  article { border: 1px solid #ddd; border-radius: 6px; padding: 0 1rem 0.5rem; margin: 1rem 0; }
  header { color: #555; font-size: 14px; margin-top: 1rem; }
  h2 { font-size: 17px; margin: 0.25rem 0; }
  pre { white-space: pre-wrap; font: 14px/1.5 ui-monospace, monospace; }
  code { font-size: 14px; }
  form { display: inline-block; margin: 0 1rem 0.25rem 0; }
  input { width: 8rem; }
  iframe { width: 100%; height: 24rem; border: 0; }
`;

/** `body` is HTML. */
export const page = (title: string, body: string): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escape(title)}</title><style>${style}</style></head>
<body><h1>${escape(title)}</h1>
${body}
</body></html>
`;

/** A form that does something when its button is pressed; `fields` is HTML. */
export const button = (action: string, label: string, fields = ""): string =>
  `<form method="post" action="${escape(action)}">${fields} <button>${escape(label)}</button></form>`;

export const select = (name: string, options: readonly string[]): string =>
  `<select name="${escape(name)}">${options.map((option) => `<option>${escape(option)}</option>`).join("")}</select>`;

/** A field that is not given where it is left empty. */
export const field = (name: string): string =>
  `<input name="${escape(name)}" placeholder="${escape(name)}">`;

export const hidden = (name: string, value: string): string =>
  `<input type="hidden" name="${escape(name)}" value="${escape(value)}">`;

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
