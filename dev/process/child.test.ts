// The processes of a stack end with their launcher, however it ends.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ChildOptions, lastLines, startChild } from "./child.ts";
import { processIdentity } from "./identity.ts";
import { writePidFile } from "./pid-file.ts";

const POLL_MS = 20;
const STUBBORN =
  'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000); console.log("deaf");';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "waybill-child-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function options(name: string, script: string): ChildOptions {
  return {
    name,
    command: process.execPath,
    args: ["-e", script],
    env: {},
    logFile: join(folder, `${name}.log`),
    pidFile: join(folder, name),
    rank: 0,
  };
}

async function gone(pid: number): Promise<void> {
  while (processIdentity(pid) !== undefined) await pause(POLL_MS);
}

test("a process that does not stop when asked is killed after its time", async () => {
  const child = await startChild(options("stubborn", STUBBORN));
  while ((await lastLines(join(folder, "stubborn.log"), 1))[0] !== "deaf") await pause(POLL_MS);
  const exit = await child.stop(100);
  expect(exit.signal ?? exit.code).toBe("SIGKILL");
});

test("a launcher that is killed with -9 takes its processes with it", async () => {
  const child = new URL("child.ts", import.meta.url).href;
  const launcher = spawn(
    process.execPath,
    [
      "--input-type=module",
      "-e",
      `const { startChild } = await import(${JSON.stringify(child)});
       const started = await startChild(${JSON.stringify(options("server", "setInterval(() => {}, 1000)"))});
       console.log(started.pid);`,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const [line] = await once(createInterface({ input: launcher.stdout }), "line");
  const pid = Number(line);
  expect(processIdentity(pid)).toBeDefined();
  launcher.kill("SIGKILL");
  await gone(pid);
});

test("a process that an earlier launcher left behind is ended before its successor starts", async () => {
  const left = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { detached: true });
  await once(left, "spawn");
  const pid = left.pid ?? 0;
  await writePidFile(join(folder, "server"), pid, "SIGTERM");
  const successor = await startChild(options("server", "setInterval(() => {}, 1000)"));
  expect(processIdentity(pid)).toBeUndefined();
  await successor.stop(5000);
});

test("a stranger that was given the number of a dead process is left alone", async () => {
  await writePidFile(join(folder, "server"), process.pid, "SIGKILL");
  const record = readFileSync(join(folder, "server"), "utf8");
  writeFileSync(join(folder, "server"), record.replace(/@[^"]*/, "@1"));
  const child = await startChild(options("server", ""));
  expect((await child.exited).code).toBe(0);
});
