// Says where a text stops being JSON, or gives a name twice in one object. Only run on a body that was refused.
import { spoken } from "./field-path.ts";

export interface JsonFault {
  readonly message: string;
  /** Counted from 1. */
  readonly line: number;
  readonly column: number;
}

/** Objects and arrays within each other. A message of the contract comes nowhere near it. */
const MAX_DEPTH = 200;
const SPACE = /[ \t\n\r]*/y;
// Anything but quotes, backslashes and the control characters below the space.
const STRING =
  /"[[^"\\\p{Cc}]\x7f-\x9f]*(?:\\(?:["\\\/bfnrt]|u[0-9A-Fa-f]{4})[[^"\\\p{Cc}]\x7f-\x9f]*)*"/vy;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;

class Stop extends Error {}

/** The first fault of the text, or undefined when it is JSON that names nothing twice. */
export function findJsonFault(text: string): JsonFault | undefined {
  const scanner = new Scanner(text);
  try {
    scanner.value(0);
    scanner.end();
    return undefined;
  } catch (stop) {
    if (!(stop instanceof Stop)) throw stop;
    const before = text.slice(0, scanner.position).split("\n");
    return { message: stop.message, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
  }
}

class Scanner {
  readonly #text: string;
  position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): void {
    if (depth > MAX_DEPTH) throw new Stop("is nested too deep");
    const next = this.#peek();
    if (next === "{") return this.#object(depth);
    if (next === "[") return this.#array(depth);
    if (next === '"') return void this.#string();
    if (this.#take(NUMBER) === undefined && this.#take(WORD) === undefined)
      throw this.#expected("a value");
  }

  end(): void {
    if (this.#peek() !== undefined) throw new Stop("expected the end");
  }

  #object(depth: number): void {
    const names = new Set<string>();
    this.position++;
    if (this.#accept("}")) return;
    for (;;) {
      if (this.#peek() !== '"') throw this.#expected("a name in double quotes");
      const start = this.position;
      const name = String(JSON.parse(this.#string()));
      if (names.has(name)) {
        this.position = start;
        throw new Stop(`the name ${JSON.stringify(spoken(name))} is given twice`);
      }
      names.add(name);
      if (!this.#accept(":")) throw this.#expected('":"');
      this.value(depth + 1);
      if (this.#accept("}")) return;
      if (!this.#accept(",")) throw this.#expected('"," or "}"');
    }
  }

  #array(depth: number): void {
    this.position++;
    if (this.#accept("]")) return;
    for (;;) {
      this.value(depth + 1);
      if (this.#accept("]")) return;
      if (!this.#accept(",")) throw this.#expected('"," or "]"');
    }
  }

  #string(): string {
    const text = this.#take(STRING);
    if (text === undefined) throw new Stop("has a malformed or unfinished string");
    return text;
  }

  #expected(what: string): Stop {
    return new Stop(`expected ${what}${this.#peek() === undefined ? ", but it ends" : ""}`);
  }

  #peek(): string | undefined {
    this.#take(SPACE);
    return this.#text[this.position];
  }

  #accept(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.position++;
    return true;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.position;
    const taken = pattern.exec(this.#text)?.[0];
    if (taken !== undefined) this.position += taken.length;
    return taken;
  }
}
