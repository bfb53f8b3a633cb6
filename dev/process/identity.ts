// Tells a process from a later one that was given the same number.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** Of /proc/<pid>/stat, counted behind the command's closing bracket. */
const STATE_FIELD = 0;
const START_TIME_FIELD = 19;

/**
 * What stays the same as long as the process lives and differs for any later one of this number;
 * undefined when it is gone. A process that ended and was not yet collected by its parent counts as gone.
 */
export function processIdentity(pid: number): string | undefined {
  return process.platform === "linux" ? identityFromProc(pid) : identityFromPs(pid);
}

function identityFromProc(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined; // no such process
  }
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[STATE_FIELD] === "Z" ? undefined : `${pid}@${fields[START_TIME_FIELD] ?? ""}`;
}

function identityFromPs(pid: number): string | undefined {
  const ps = spawnSync("ps", ["-o", "stat=,lstart=", "-p", String(pid)], { encoding: "utf8" });
  const [state, ...started] = ps.stdout.trim().split(/\s+/);
  if (ps.status !== 0 || state === undefined || state.startsWith("Z")) return undefined;
  return `${pid}@${started.join(" ")}`;
}
