// What is wrong with a command line, told so that the next try is right.

/** Exit code 2: the command was not understood, and nothing was done. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const AGO = /^([1-9][0-9]{0,5})(s|m|h|d)$/;
const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A time as "2026-01-31T12:00:00Z", or how long ago: "90s", "15m", "2h", "7d". Throws a UsageError. */
export function readTime(option: string, text: string): Date {
  const [, amount, unit] = AGO.exec(text) ?? [];
  if (amount !== undefined && unit !== undefined)
    return new Date(Date.now() - Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS]);
  const time = new Date(text);
  if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(time.getTime())) return time;
  throw new UsageError(
    `--${option} ${text}: a time is 2026-01-31T12:00:00Z, or how long ago: 90s, 15m, 2h, 7d`,
  );
}

/** Throws a UsageError for anything but a whole number from 1 on. */
export function readCount(option: string, text: string): number {
  if (/^[1-9][0-9]{0,6}$/.test(text)) return Number(text);
  throw new UsageError(`--${option} ${text}: a whole number from 1 on`);
}
