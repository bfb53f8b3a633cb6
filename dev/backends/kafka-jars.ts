// Fetches the jars of Apache Kafka from Maven Central, once per version.
import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { tellEnded, tellStarted } from "../process/reaper-link.ts";
import { type Say, SetupProblem } from "./problem.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const POM = fileURLToPath(new URL("kafka/pom.xml", import.meta.url));
const OLDEST_JAVA = 17;
const NO_NETWORK =
  /Unknown host|Connect(ion)? (to|refused|timed out)|unreachable|Could not transfer/i;
/** How often the line of progress moves while files come in. */
const PROGRESS_EVERY_MS = 1000;

/** The version that pom.xml names, such as "4.3.1". */
export function kafkaVersion(): string {
  const found = /<kafka\.version>([^<]+)</.exec(readFileSync(POM, "utf8"))?.[1];
  if (found === undefined) throw new Error(`${POM} names no version of Kafka.`);
  return found;
}

/** The Java program to run; undefined when there is none, or only one that is too old for Kafka. */
export function findJava(): string | undefined {
  const home = process.env["JAVA_HOME"];
  const programs = [...(home ? [join(home, "bin", "java")] : []), "java"];
  return programs.find((program) => {
    const ran = spawnSync(program, ["-version"], { encoding: "utf8" });
    const version = /version "(?:1\.)?(\d+)/.exec(ran.stderr ?? "")?.[1];
    return version !== undefined && Number(version) >= OLDEST_JAVA;
  });
}

/** What embedded Kafka lacks on this machine, in words; undefined when nothing is missing. */
export function kafkaLacks(): string | undefined {
  if (findJava() === undefined) return `Java ${OLDEST_JAVA} or newer`;
  if (existsSync(libraryFolder())) return undefined;
  const maven = spawnSync("mvn", ["-v"], { encoding: "utf8" });
  return maven.status === 0 ? undefined : "Maven (mvn)";
}

/**
 * The folder with Kafka's jars; they are fetched when they are not there.
 * @throws SetupProblem with what Maven said
 */
export async function kafkaLibraries(say: Say): Promise<string> {
  const folder = libraryFolder();
  if (existsSync(folder)) return folder;
  mkdirSync(dirname(folder), { recursive: true });
  const fresh = mkdtempSync(`${folder}-`);
  try {
    await runMaven(fresh, say);
    moveInto(fresh, folder);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return folder;
}

function libraryFolder(): string {
  return join(ROOT, "node_modules", ".cache", "waybill", `kafka-${kafkaVersion()}`, "libs");
}

/** By rename, so that an interrupted download is never taken for a whole one. */
function moveInto(fresh: string, folder: string): void {
  try {
    renameSync(fresh, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error; // otherwise another process was first
  }
}

async function runMaven(folder: string, say: Say): Promise<void> {
  say(`Kafka ${kafkaVersion()} is fetched from Maven Central (44 MB, once)`);
  const goal = ["dependency:copy-dependencies", "-DincludeScope=runtime"];
  const maven = spawn("mvn", ["-B", "-f", POM, ...goal, `-DoutputDirectory=${folder}`], {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  if (maven.pid !== undefined) tellStarted(maven.pid, 0, "SIGTERM");
  const output: string[] = [];
  let downloaded = 0;
  let told = 0;
  const tell = () => {
    if (downloaded + readdirSync(folder).length === told) return;
    told = downloaded + readdirSync(folder).length;
    say(`Kafka ${kafkaVersion()} from Maven Central: ${downloaded} files downloaded`);
  };
  const ticking = setInterval(tell, PROGRESS_EVERY_MS);
  const ended = new Promise<number | null>((resolve, reject) => {
    maven.once("error", reject).once("close", resolve);
  });
  const read = async (stream: NodeJS.ReadableStream) => {
    for await (const line of createInterface({ input: stream })) {
      if (line.includes("Downloaded from")) downloaded += 1;
      else if (/ERROR|BUILD/.test(line)) output.push(line);
    }
  };
  try {
    const [code] = await Promise.all([ended, read(maven.stdout), read(maven.stderr)]);
    if (code !== 0) throw new SetupProblem(mavenProblem(output));
  } finally {
    clearInterval(ticking);
    if (maven.pid !== undefined) tellEnded(maven.pid);
  }
}

function mavenProblem(output: readonly string[]): string {
  const said = output.slice(0, 6).join("\n");
  const advice = NO_NETWORK.test(said)
    ? "Maven Central cannot be reached: check the network, or the proxy in ~/.m2/settings.xml."
    : "Maven could not fetch them.";
  return `The jars of Apache Kafka are missing. ${advice}\n${said}`;
}
