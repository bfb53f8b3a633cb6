// Makes a new PostgreSQL cluster.
import { spawnSync } from "node:child_process";
import { chownSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { plainEnvironment } from "../process/child.ts";
import { SetupProblem } from "./problem.ts";
import type { User } from "./reachable.ts";

export interface ClusterPlace {
  readonly cluster: string;
  /** The folder with bin/, lib/ and share/. */
  readonly programs: string;
  readonly user: User | undefined;
  readonly superuser: string;
  readonly password: string;
}

/** Builds the cluster beside its place and renames it, so that an interrupted start leaves no half of one. */
export async function makeCluster(place: ClusterPlace): Promise<void> {
  const fresh = mkdtempSync(`${place.cluster}-`);
  const secrets = mkdtempSync(join(tmpdir(), "waybill-password-"));
  const passwordFile = join(secrets, "password");
  writeFileSync(passwordFile, place.password, { mode: 0o600 });
  if (place.user) {
    for (const path of [fresh, secrets, passwordFile]) {
      chownSync(path, place.user.uid, place.user.gid);
    }
  }
  try {
    runInitdb(place, fresh, passwordFile);
    rmSync(place.cluster, { recursive: true, force: true });
    renameSync(fresh, place.cluster);
  } finally {
    rmSync(secrets, { recursive: true, force: true });
    rmSync(fresh, { recursive: true, force: true });
  }
}

function runInitdb(place: ClusterPlace, folder: string, passwordFile: string): void {
  const flags = [
    `--pgdata=${folder}`,
    `--username=${place.superuser}`,
    `--pwfile=${passwordFile}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
  ];
  const ran = spawnSync(join(place.programs, "bin", "initdb"), flags, {
    encoding: "utf8",
    cwd: "/",
    env: { ...plainEnvironment(), LC_ALL: "C" },
    ...place.user,
  });
  if (ran.status === 0) return;
  const reason = ran.error?.message ?? ran.stderr.trim();
  throw new SetupProblem(`PostgreSQL could not be set up in ${place.cluster}: ${reason}`);
}
