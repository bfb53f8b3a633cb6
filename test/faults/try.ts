import { readFileSync } from "node:fs";
import { tryDefect, SHOWS } from "./layer/defects.ts";
const servers = JSON.parse(readFileSync("/tmp/f2-servers.json", "utf8"));
const names = process.argv.slice(2);
for (const n of names.length ? names : ["none", ...Object.keys(SHOWS)]) {
  try {
    const t = await tryDefect(servers, n === "none" ? undefined : n as never, 7);
    const kinds: Record<string, number> = {};
    for (const f of t.findings) kinds[f.wrong] = (kinds[f.wrong] ?? 0) + 1;
    console.log(n, t.seconds.toFixed(1), JSON.stringify(kinds), SHOWS[n as never], t.findings[0]?.what);
  } catch (e) { console.log(n, "FAILED", String(e)); }
}
process.exit(0);
