// Tables and figures for people.

/** Columns as wide as their widest cell. Without rows: the sentence. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  empty: string,
): string {
  if (rows.length === 0) return empty;
  const lines = [head.map((name) => name.toUpperCase()), ...rows.map((row) => row.map(plain))];
  const widths = head.map((_, column) =>
    Math.max(...lines.map((line) => (line[column] ?? "").length)),
  );
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

const LONGEST_CELL = 72;

/** In one line and not too long; a terminal's control characters stay out of it. */
function plain(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\p{Cf}]+/gu, " ");
  return line.length > LONGEST_CELL ? `${line.slice(0, LONGEST_CELL - 1)}…` : line;
}

/** Name and value, one line each. */
export function facts(lines: readonly (readonly [string, string])[]): string {
  const width = Math.max(...lines.map(([name]) => name.length));
  return lines.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join("\n");
}

const STEPS = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
] as const;

/** "850 ms", "12 s", "3.5 min", "2 h"; nothing is "–". */
export function age(milliseconds: number | undefined): string {
  if (milliseconds === undefined) return "–";
  const seconds = milliseconds / 1000;
  if (seconds < 1) return `${Math.max(0, Math.round(milliseconds))} ms`;
  const [unit, size] = STEPS.find(([, step]) => seconds >= step) ?? ["s", 1];
  const amount = seconds / size;
  return `${amount < 10 ? Number(amount.toFixed(1)) : Math.round(amount)} ${unit}`;
}

/** To the second, in UTC. */
export const time = (at: Date | undefined): string =>
  at === undefined ? "–" : `${at.toISOString().slice(0, 19)}Z`;

/** "1 event", "3 events" */
export const counted = (count: bigint | number, noun: string): string =>
  `${count} ${noun}${Number(count) === 1 ? "" : "s"}`;
