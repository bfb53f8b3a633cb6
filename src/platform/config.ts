// Reads a service's settings from the environment: the only place that does. All mistakes are told at once.

type Environment = Readonly<Record<string, string | undefined>>;

export class SettingsError extends Error {
  override readonly name = "SettingsError";
}

/** Reads settings one by one and collects what is wrong with them; `done()` refuses the lot. */
export class SettingsReader {
  readonly #environment: Environment;
  readonly #problems: string[] = [];

  constructor(environment: Environment = process.env) {
    this.#environment = environment;
  }

  /** A text. Without a fallback it must be given; `what` says what to set it to. */
  text(name: string, what: string, fallback?: string): string {
    const value = this.#environment[name];
    if (value !== undefined && value !== "") return value;
    if (fallback !== undefined) return fallback;
    this.#problems.push(`${name} is not set: ${what}.`);
    return "";
  }

  optionalText(name: string): string | undefined {
    const value = this.#environment[name];
    return value === "" ? undefined : value;
  }

  /** Texts separated by commas. */
  list(name: string, what: string, fallback?: string): string[] {
    return this.text(name, what, fallback)
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== "");
  }

  /** A whole number from `min` to `max`. */
  integer(name: string, limits: { min: number; max: number; fallback: number }): number {
    return this.optionalInteger(name, limits) ?? limits.fallback;
  }

  /** A whole number from `min` to `max`, or undefined where it is not set. */
  optionalInteger(name: string, limits: { min: number; max: number }): number | undefined {
    const raw = this.optionalText(name);
    if (raw === undefined) return undefined;
    const value = Number(raw);
    if (Number.isInteger(value) && value >= limits.min && value <= limits.max) return value;
    this.#problems.push(
      `${name} is "${raw}": it must be a whole number from ${limits.min} to ${limits.max}.`,
    );
    return undefined;
  }

  /** One of a few words. */
  choice<T extends string>(name: string, words: readonly T[], fallback: T): T {
    const raw = this.optionalText(name);
    if (raw === undefined) return fallback;
    const word = words.find((candidate) => candidate === raw);
    if (word === undefined)
      this.#problems.push(`${name} is "${raw}": it must be one of ${words.join(", ")}.`);
    return word ?? fallback;
  }

  /** A problem that only the reader of several settings can see. */
  problem(text: string): void {
    this.#problems.push(text);
  }

  /** Throws a SettingsError that names every problem seen so far. */
  done(): void {
    if (this.#problems.length === 0) return;
    throw new SettingsError(`The settings are not complete:\n  ${this.#problems.join("\n  ")}`);
  }
}
