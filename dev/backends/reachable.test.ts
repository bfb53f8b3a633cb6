// As root, the folders that PostgreSQL's user must pass through are checked by their mode bits.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { closedFolder } from "./reachable.ts";

const STRANGER = { uid: 64_001, gid: 64_001 };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "waybill-reach-"));
  chmodSync(folder, 0o755);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("the outermost closed folder is named", () => {
  const outer = join(folder, "outer");
  const inner = join(outer, "inner");
  mkdirSync(inner, { recursive: true });
  chmodSync(inner, 0o700);
  chmodSync(outer, 0o700);
  expect(closedFolder(join(inner, "data"), STRANGER)).toBe(outer);
});

test("a folder that may be passed through but not listed is open", () => {
  chmodSync(folder, 0o711);
  expect(closedFolder(join(folder, "data"), STRANGER)).toBeUndefined();
});

test("the bits of the owner count for the owner, whatever others may do", () => {
  const owner = { uid: statSync(folder).uid, gid: STRANGER.gid };
  chmodSync(folder, 0o055);
  expect(closedFolder(folder, owner)).toBe(folder);
  expect(closedFolder(folder, STRANGER)).toBeUndefined();
});
