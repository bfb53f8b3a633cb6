// Whom PostgreSQL runs as when we are root: the owner of its data, or the system's user "postgres".
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { SetupProblem } from "./problem.ts";
import type { User } from "./reachable.ts";

const NAME = "postgres";

/** undefined when we are not root: then PostgreSQL runs as we do. */
export function postgresUser(cluster: string): User | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const data = statSync(cluster, { throwIfNoEntry: false });
  // A stack that was first started by an ordinary user stays that user's.
  if (data !== undefined && data.uid !== 0) return { uid: data.uid, gid: data.gid };
  return lookUp() ?? create();
}

function lookUp(): User | undefined {
  const uid = numberOf("-u");
  const gid = numberOf("-g");
  return uid === undefined || gid === undefined ? undefined : { uid, gid };
}

function numberOf(flag: string): number | undefined {
  const id = spawnSync("id", [flag, NAME], { encoding: "utf8" });
  return id.status === 0 ? Number.parseInt(id.stdout, 10) : undefined;
}

function create(): User {
  spawnSync("groupadd", ["--system", NAME]); // the group may be there already
  const flags = ["--system", "--no-create-home", "--gid", NAME, "--shell", "/usr/sbin/nologin"];
  const made = spawnSync("useradd", [...flags, NAME], { encoding: "utf8" });
  const user = lookUp();
  if (user !== undefined) return user;
  const reason = made.error?.message ?? made.stderr.trim();
  throw new SetupProblem(
    `PostgreSQL cannot run as root, and the user "${NAME}" could not be made (${reason}). ` +
      "Start Waybill as an ordinary user, or make that user.",
  );
}
