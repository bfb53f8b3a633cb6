// Finds the route of a raw path, the most specific first: a literal before `*`, `*` before `**`.
import type { Template } from "./template.ts";

/** Methods of one path shape and verb. A rule of kind "*" takes every method that no other rule takes. */
type Methods<R> = Map<string, R>;
type ByVerb<R> = Map<string, Methods<R>>;

interface Node<R> {
  readonly literals: Map<string, Node<R>>;
  single: Node<R> | undefined;
  /** Templates that end here. */
  readonly ending: ByVerb<R>;
  /** Templates that end here with `**`. */
  readonly rest: ByVerb<R>;
}

const ANY_METHOD = "*";

export type Match<R> =
  | { readonly kind: "found"; readonly route: R; readonly segments: readonly string[] }
  | { readonly kind: "wrong_method"; readonly allowed: readonly string[] }
  | { readonly kind: "none" };

export class RouteTrie<R> {
  readonly #root: Node<R> = emptyNode();
  readonly #verbs = new Set<string>();

  /** Adds the route and returns undefined, or returns the route that already answers the same requests. */
  add(method: string, template: Template, route: R): R | undefined {
    let node = this.#root;
    let terminals = node.ending;
    for (const segment of template.segments) {
      if (segment.kind === "rest") {
        terminals = node.rest;
        break;
      }
      node =
        segment.kind === "single" ? (node.single ??= emptyNode()) : literal(node, segment.text);
      terminals = node.ending;
    }
    const methods = terminals.get(template.verb) ?? new Map<string, R>();
    const taken = methods.get(method);
    if (taken !== undefined) return taken;
    terminals.set(template.verb, methods.set(method, route));
    if (template.verb !== "") this.#verbs.add(template.verb);
    return undefined;
  }

  /**
   * Looks the raw path (percent-encoded, with its leading slash, without query) up for the first of `methods` that a
   * route takes. Only a verb that some template registers is split from the last segment, so that an ID with a colon
   * survives. Empty segments match nothing: `/v1/orders/` is not `/v1/orders`.
   */
  find(methods: readonly string[], rawPath: string): Match<R> {
    const segments = rawPath === "/" ? [] : rawPath.slice(1).split("/");
    const last = segments.at(-1) ?? "";
    const colon = last.lastIndexOf(":");
    if (colon !== -1 && this.#verbs.has(last.slice(colon + 1))) {
      const bare = [...segments.slice(0, -1), last.slice(0, colon)];
      const match = this.#search(methods, bare, last.slice(colon + 1));
      if (match.kind !== "none") return match;
    }
    return this.#search(methods, segments, "");
  }

  #search(methods: readonly string[], segments: readonly string[], verb: string): Match<R> {
    if (segments.includes("")) return { kind: "none" };
    const allowed = new Set<string>();
    let route: R | undefined;
    visit(this.#root, segments, 0, (terminals) => {
      const found = terminals.get(verb);
      if (found === undefined) return false;
      for (const method of [...methods, ANY_METHOD]) route ??= found.get(method);
      if (route === undefined) for (const method of found.keys()) allowed.add(method);
      return route !== undefined;
    });
    if (route !== undefined) return { kind: "found", route, segments };
    return allowed.size === 0 ? { kind: "none" } : { kind: "wrong_method", allowed: [...allowed] };
  }
}

/** Shows the terminals that the path reaches, the most specific first, until one is taken. */
function visit<R>(
  node: Node<R>,
  segments: readonly string[],
  depth: number,
  take: (terminals: ByVerb<R>) => boolean,
): boolean {
  const segment = segments[depth];
  if (segment === undefined) return take(node.ending) || take(node.rest);
  const literalNode = node.literals.get(segment);
  if (literalNode !== undefined && visit(literalNode, segments, depth + 1, take)) return true;
  if (node.single !== undefined && visit(node.single, segments, depth + 1, take)) return true;
  return take(node.rest);
}

function literal<R>(node: Node<R>, text: string): Node<R> {
  const known = node.literals.get(text);
  if (known !== undefined) return known;
  const added = emptyNode<R>();
  node.literals.set(text, added);
  return added;
}

function emptyNode<R>(): Node<R> {
  return { literals: new Map(), single: undefined, ending: new Map(), rest: new Map() };
}
