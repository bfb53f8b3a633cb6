// Finds the Node that runs Waybill: the one that npm brought, else an installed one that is new enough.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { SetupProblem } from "./problem.mjs";

const OLDEST_NODE = 24;

/**
 * The path of a Node that can run TypeScript as it stands.
 * @param {string} root the folder of node_modules
 * @throws {SetupProblem} that says what to install
 */
export function findNode(root) {
  const brought = join(
    root,
    "node_modules",
    `node-${process.platform}-${process.arch}`,
    "bin",
    "node",
  );
  if (existsSync(brought) && isNewEnough(brought)) return brought;
  const folders = (process.env.PATH ?? "").split(delimiter);
  const candidates = [process.execPath, ...folders.map((folder) => join(folder, "node"))];
  const found = candidates.find((node) => existsSync(node) && isNewEnough(node));
  if (found !== undefined) return found;
  throw new SetupProblem(
    `Waybill runs on Node ${OLDEST_NODE}. Its npm package is for Linux with glibc (x64, arm64) and does not run ` +
      `on this machine (${process.platform}-${process.arch}); install Node ${OLDEST_NODE} or newer from https://nodejs.org.`,
  );
}

/** Says so where Waybill cannot run at all. */
export function checkPlatform() {
  if (process.platform === "linux" || process.platform === "darwin") return;
  throw new SetupProblem(
    `Waybill runs on Linux and macOS; this is ${process.platform}. On Windows use WSL 2.`,
  );
}

function isNewEnough(node) {
  if (node === process.execPath) return majorOf(process.version) >= OLDEST_NODE;
  // It has to be run: a package for another C library is there and does not start.
  const asked = spawnSync(node, ["--version"], { encoding: "utf8" });
  return asked.status === 0 && majorOf(asked.stdout) >= OLDEST_NODE;
}

function majorOf(version) {
  return Number(/^v(\d+)\./.exec(version)?.[1] ?? 0);
}
