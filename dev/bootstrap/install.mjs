// Brings node_modules to what package-lock.json says, with progress that moves.
import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { SetupProblem } from "./problem.mjs";

const PROGRESS_EVERY_MS = 1000;
const LINES_KEPT = 40;
const LINES_SHOWN = 12;
const NO_NETWORK =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED|ERR_SOCKET_TIMEOUT/;

/**
 * Installs when something is missing or not of the version that package-lock.json names.
 * @param {string} root the folder of package.json
 * @throws {SetupProblem} with what npm said
 */
export async function install(root) {
  if (isInstalled(root)) return;
  console.log("Installing the packages of Waybill (once) …");
  await npmCi(root);
  if (!isInstalled(root)) {
    throw new SetupProblem(
      "npm has finished, but packages are still missing. Remove node_modules and try again.",
    );
  }
}

/** npm writes what it installed into node_modules/.package-lock.json, at the very end. */
export function isInstalled(root) {
  const installed = readPackages(join(root, "node_modules", ".package-lock.json"));
  const wanted = readPackages(join(root, "package-lock.json"));
  if (wanted === undefined) throw new SetupProblem("package-lock.json is missing or damaged.");
  if (installed === undefined) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    const found = installed[path];
    if (path === "" || entry.link) return true;
    if (found === undefined) return entry.optional || entry.devOptional || entry.peer;
    return found.version === entry.version && found.integrity === entry.integrity;
  });
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages;
  } catch {
    return undefined; // not there, or cut off
  }
}

async function npmCi(root) {
  const args = ["ci", "--no-audit", "--no-fund", "--loglevel=http"];
  const npm = npmCommand(root);
  const child = spawn(npm.command, [...npm.args, ...args], {
    cwd: root,
    env: { ...process.env, PATH: npm.path },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = [];
  const moving = showProgress();
  const read = async (stream) => {
    for await (const line of createInterface({ input: stream })) {
      if (/npm http (fetch|cache)/.test(line)) moving.count();
      else if (line.trim() !== "" && said.push(line) > LINES_KEPT) said.shift();
    }
  };
  const ended = new Promise((resolve, reject) => {
    child.once("error", reject).once("close", resolve);
  });
  let code;
  try {
    [code] = await Promise.all([ended, read(child.stdout), read(child.stderr)]);
  } catch (error) {
    throw new SetupProblem(
      `npm cannot be run (${error.message}). It comes with Node: https://nodejs.org.`,
    );
  } finally {
    moving.end();
  }
  if (code !== 0) throw new SetupProblem(explain(said));
}

/**
 * npm removes node_modules first. So the Node that runs it must not be the one in there, which a script of npm
 * finds first in its PATH.
 */
function npmCommand(root) {
  const modules = join(root, "node_modules");
  const folders = (process.env.PATH ?? "").split(delimiter);
  const outside = folders.filter((folder) => !folder.startsWith(modules));
  let node = process.execPath;
  if (node.startsWith(modules)) {
    const other = outside.map((folder) => join(folder, "node")).find(existsSync);
    node = other ?? copyOf(node);
    outside.unshift(dirname(node));
  }
  const path = outside.join(delimiter);
  const running = process.env.npm_execpath;
  if (running && basename(running) === "npm-cli.js")
    return { command: node, args: [running], path };
  return { command: "npm", args: [], path };
}

function copyOf(node) {
  const copy = join(mkdtempSync(join(tmpdir(), "waybill-node-")), "node");
  copyFileSync(node, copy);
  return copy;
}

/** One line that is written over on a terminal, a line a while elsewhere. */
function showProgress() {
  const began = Date.now();
  let files = 0;
  const show = () => {
    const seconds = Math.round((Date.now() - began) / 1000);
    const line = `  ${files} files fetched, ${seconds} s`;
    if (process.stdout.isTTY) process.stdout.write(`\r${line}`);
    else if (seconds % 5 === 0) console.log(line);
  };
  const ticking = setInterval(show, PROGRESS_EVERY_MS);
  return {
    count: () => {
      files += 1;
    },
    end: () => {
      clearInterval(ticking);
      console.log(`${process.stdout.isTTY ? "\r" : ""}  ${files} files fetched`);
    },
  };
}

function explain(said) {
  const text = said.join("\n");
  const shown = said.filter((line) => !/npm (http|info|verbose)/.test(line)).slice(-LINES_SHOWN);
  let advice = "npm could not install the packages.";
  if (NO_NETWORK.test(text)) {
    advice =
      "The npm registry cannot be reached. Check the network, or npm's proxy and registry settings (npm config list).";
  } else if (/EBADPLATFORM/.test(text)) {
    advice = `Some package does not exist for ${process.platform}-${process.arch}.`;
  } else if (/EACCES|EPERM|EROFS/.test(text)) {
    advice = "node_modules cannot be written: check who owns it.";
  } else if (/ENOSPC/.test(text)) {
    advice = "The disk is full.";
  }
  return `${advice}\n${shown.join("\n")}`;
}
