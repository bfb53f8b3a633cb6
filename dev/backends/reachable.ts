// PostgreSQL refuses to run as root, so root starts it as another user; these are the folders that user must reach.
import { statSync } from "node:fs";
import { dirname } from "node:path";

export interface User {
  readonly uid: number;
  readonly gid: number;
}

const READ = 4;
const ENTER = 1;

/**
 * The outermost of the folder and the folders above it that the user cannot enter, by their mode bits; undefined
 * when the user gets in. A folder that is not there yet is judged by those above it.
 */
export function closedFolder(folder: string, user: User): string | undefined {
  return [...above(folder), folder].find((path) => !allows(path, user, ENTER));
}

/** True when the user may read the file, and run it where its owner may; its folders are not looked at. */
export function mayUseFile(file: string, user: User): boolean {
  const ownerMayRun = (statSync(file).mode & 0o100) !== 0;
  return allows(file, user, ownerMayRun ? READ | ENTER : READ);
}

function above(folder: string): string[] {
  const parent = dirname(folder);
  return parent === folder ? [] : [...above(parent), parent];
}

function allows(path: string, user: User, wanted: number): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return true;
  let shift = 0;
  if (found.uid === user.uid) shift = 6;
  else if (found.gid === user.gid) shift = 3;
  return ((found.mode >> shift) & wanted) === wanted;
}
