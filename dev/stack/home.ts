// The data folder of a stack: where everything in it lies, and who holds it.
import {
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { makeOpenFolder } from "../backends/postgres-binaries.ts";
import { SetupProblem } from "../backends/problem.ts";
import { processIdentity } from "../process/identity.ts";
import { endLeftover } from "../process/pid-file.ts";

/** What --fresh takes away; anything else in the folder is not ours. */
const CONTENTS = ["postgres", "kafka", "sandbox", "keys", "logs", "run", "stack.json"];
const LOCK_TRIES = 20;

export interface Home {
  readonly folder: string;
  readonly keys: string;
  readonly logs: string;
  /** The pid files of the services. */
  readonly run: string;
  readonly sandbox: string;
  readonly stackFile: string;
}

/** Names the places in the data folder; nothing is made yet. */
export function homeAt(path: string): Home {
  const folder = resolve(path);
  return {
    folder,
    keys: join(folder, "keys"),
    logs: join(folder, "logs"),
    run: join(folder, "run"),
    sandbox: join(folder, "sandbox"),
    stackFile: join(folder, "stack.json"),
  };
}

/** Makes the folders that are missing. PostgreSQL's user must be able to pass through the outermost one. */
export function makeHome(home: Home): void {
  makeOpenFolder(home.folder);
  for (const folder of [home.keys, home.logs, home.run, home.sandbox]) makeOpenFolder(folder);
}

/** Ends what a killed launcher may have left running in this home. */
export async function endLeftovers(home: Home): Promise<void> {
  const services = existsSync(home.run) ? readdirSync(home.run) : [];
  await Promise.all(services.map((file) => endLeftover(join(home.run, file))));
  await Promise.all(
    ["kafka", "postgres"].map((server) => endLeftover(join(home.folder, server, "pid"))),
  );
}

/** Takes away all that earlier runs left; nothing may be running in this home. */
export function wipeHome(home: Home): void {
  for (const entry of CONTENTS) rmSync(join(home.folder, entry), { recursive: true, force: true });
}

/**
 * Holds the home for this process until it is released.
 * @throws SetupProblem when another launcher that lives holds it
 */
export function lockHome(home: Home): Disposable {
  makeOpenFolder(home.folder);
  const lock = join(home.folder, "lock");
  const mine = join(home.folder, `lock-${process.pid}`);
  writeFileSync(mine, processIdentity(process.pid) ?? "");
  try {
    for (let tried = 0; tried < LOCK_TRIES; tried += 1) {
      if (linked(mine, lock)) return { [Symbol.dispose]: () => rmSync(lock, { force: true }) };
      removeDeadLock(lock, home);
    }
  } finally {
    rmSync(mine, { force: true });
  }
  throw new SetupProblem(`The lock ${lock} could not be taken; is another start going on?`);
}

/** A link is made whole or not at all, and never over an existing file. */
function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

/** The dead lock is renamed before it goes, and looked at again: it could be a new one by now. */
function removeDeadLock(lock: string, home: Home): void {
  if (isHeld(lock)) throw new SetupProblem(runsAlready(home));
  const aside = `${lock}-dead-${process.pid}`;
  try {
    renameSync(lock, aside);
  } catch {
    return; // gone meanwhile
  }
  if (isHeld(aside)) linked(aside, lock);
  rmSync(aside, { force: true });
}

function isHeld(lock: string): boolean {
  if (!existsSync(lock)) return false;
  const holder = readFileSync(lock, "utf8");
  const pid = Number(holder.split("@")[0]);
  return pid !== process.pid && processIdentity(pid) === holder;
}

function runsAlready(home: Home): string {
  const where = existsSync(home.stackFile)
    ? /"gateway": "([^"]+)"/.exec(readFileSync(home.stackFile, "utf8"))?.[1]
    : undefined;
  const now = where === undefined ? "is starting or running already" : `runs already at ${where}`;
  return (
    `Waybill ${now}, with its data in ${home.folder}.\n` +
    "A second one beside it: WAYBILL_HOME=/tmp/waybill-2 WAYBILL_PORT=0 npm start"
  );
}
