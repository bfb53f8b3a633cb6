// Reads application/x-www-form-urlencoded texts as Stripe writes them: metadata[order_id]=…, types[0]=…

/** A decoded value: a text, or a group of named values (lists have the names "0", "1", …). */
export type FormValue = string | Form;
export interface Form {
  readonly [name: string]: FormValue;
}

/** How deep names may be nested: Stripe's own parameters need three. */
const MAX_DEPTH = 6;

export function decodeForm(text: string): Form {
  const root = emptyForm();
  for (const [name, value] of new URLSearchParams(text)) setValue(root, pathOf(name), value);
  return root;
}

/** The same of a JSON object, whose values become texts; undefined where the text is none. */
export function decodeJson(text: string): Form | undefined {
  try {
    const value: unknown = JSON.parse(text === "" ? "{}" : text);
    return isGroup(value) ? formOf(value) : undefined;
  } catch {
    return undefined;
  }
}

const isGroup = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

/** Lists get the names "0", "1", … as Stripe's do; null is left out. */
function formOf(group: Record<string, unknown>): Form {
  const form = emptyForm();
  for (const [name, value] of Object.entries(group)) {
    if (value === null) continue;
    form[name] = isGroup(value) ? formOf(value) : textOfScalar(value);
  }
  return form;
}

const textOfScalar = (value: unknown): string =>
  typeof value === "string" ? value : JSON.stringify(value);

/** The texts of `name[0]`, `name[1]`, …; undefined where it was not given. */
export function listOf(form: Form, name: string): string[] | undefined {
  const value = form[name];
  if (value === undefined) return undefined;
  if (typeof value === "string") return [value];
  return Object.values(value).filter((item) => typeof item === "string");
}

/** The text of a parameter; undefined where it was not given or is a group. */
export function textOf(form: Form, name: string): string | undefined {
  const value = form[name];
  return typeof value === "string" ? value : undefined;
}

/** The group of values under a name; empty where it was not given. */
export function groupOf(form: Form, name: string): Form {
  const value = form[name];
  return typeof value === "object" ? value : emptyForm();
}

/** Without a prototype, so that a parameter may be called "constructor". */
const emptyForm = (): Record<string, FormValue> => Object.create(null) as Record<string, FormValue>;

const pathOf = (name: string): string[] => name.split("[").map((part) => part.replace(/\]$/, ""));

function setValue(root: Record<string, FormValue>, path: readonly string[], value: string): void {
  let group = root;
  for (const part of path.slice(0, Math.min(path.length - 1, MAX_DEPTH))) {
    const next = group[part];
    const inner = typeof next === "object" ? (next as Record<string, FormValue>) : emptyForm();
    group[part] = inner;
    group = inner;
  }
  const last = path.at(-1) ?? "";
  group[last === "" ? String(Object.keys(group).length) : last] = value;
}
