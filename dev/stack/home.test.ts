// One launcher at a time holds a data folder.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { processIdentity } from "../process/identity.ts";
import { type Home, homeAt, lockHome } from "./home.ts";

let home: Home;
beforeEach(() => {
  home = homeAt(mkdtempSync(join(tmpdir(), "waybill-home-")));
});
afterEach(() => rmSync(home.folder, { recursive: true, force: true }));

test("a home that a living launcher holds is refused, and the address is told", () => {
  writeFileSync(join(home.folder, "lock"), processIdentity(process.ppid) ?? "");
  writeFileSync(home.stackFile, '{\n  "gateway": "http://127.0.0.1:8080"\n}');
  expect(() => lockHome(home)).toThrow("runs already at http://127.0.0.1:8080");
});

test("the lock of a launcher that was killed does not bind", () => {
  writeFileSync(join(home.folder, "lock"), `${process.ppid}@another time`);
  using lock = lockHome(home);
  expect(lock).toBeDefined();
});
