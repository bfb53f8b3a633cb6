// The bootstrap installs only when something is missing or of another version.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isInstalled } from "./install.mjs";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "waybill-install-"));
  mkdirSync(join(root, "node_modules"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const wanted = {
  "": { version: "1.0.0" },
  "node_modules/a": { version: "1.0.0", integrity: "x" },
  "node_modules/a-darwin": { version: "1.0.0", integrity: "y", optional: true },
};

function lock(packages: object): void {
  writeFileSync(join(root, "package-lock.json"), JSON.stringify({ packages }));
}

function installed(packages: object): void {
  writeFileSync(join(root, "node_modules", ".package-lock.json"), JSON.stringify({ packages }));
}

test("a clone without packages is not installed", () => {
  lock(wanted);
  expect(isInstalled(root)).toBe(false);
});

test("packages for other platforms need not be there", () => {
  lock(wanted);
  installed({ "node_modules/a": wanted["node_modules/a"] });
  expect(isInstalled(root)).toBe(true);
});

test("a package of another version is not what was asked for", () => {
  lock(wanted);
  installed({ "node_modules/a": { version: "0.9.0", integrity: "z" } });
  expect(isInstalled(root)).toBe(false);
});
