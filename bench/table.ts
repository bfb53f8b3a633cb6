// Tables for people: aligned in a terminal, and Markdown when pasted into a page.

type Cell = string | number;

/** The first column is a name, the others are numbers and stand to the right. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const lines = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, column) =>
    Math.max(...lines.map((line) => (line[column] ?? "").length), 3),
  );
  const pad = (text: string, column: number) =>
    column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0);
  const [first, ...others] = lines.map(
    (line) => `| ${line.map((cell, column) => pad(cell, column)).join(" | ")} |`,
  );
  const rule = `| ${widths.map((width, column) => (column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`;
  return [first, rule, ...others].join("\n");
}

/** A number with as many decimals as its size deserves; "–" where nothing was measured. */
export function figure(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return "–";
  if (value >= 100) return Math.round(value).toLocaleString("en-US");
  return value.toFixed(value >= 10 ? 1 : 2);
}

export const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
