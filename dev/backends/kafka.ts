// A real Apache Kafka, one node, without Docker: formatted once in its folder, started and stopped like any server.
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  type Child,
  type Exit,
  lastLines,
  plainEnvironment,
  startChild,
} from "../process/child.ts";
import { endLeftover } from "../process/pid-file.ts";
import { freePort, isFree } from "../process/ports.ts";
import { findJava, kafkaLibraries, kafkaVersion } from "./kafka-jars.ts";
import { answersMetadata, provenReady } from "./kafka-ready.ts";
import { type KafkaPorts, writeKafkaSettings } from "./kafka-settings.ts";
import { type Say, SetupProblem } from "./problem.ts";
import { becomesReady } from "./ready.ts";

const HOST = "127.0.0.1";
const READY = { withinMs: 60_000, pollMs: 100 };
const STOP_WITHIN_MS = 10_000;
const START_TRIES = 3;
/** Stopped after all that uses it. */
const RANK = 9;
const JVM = ["-Xms128m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];

export interface KafkaOptions {
  /** Everything of this node lies here: its log segments, ports, settings and log. */
  readonly dataDir: string;
  /** Default: the ports it had before when they are free, else free ones. */
  readonly ports?: KafkaPorts;
  /** The address that clients are told to use, such as that of a proxy in front ("127.0.0.1:19092"). */
  readonly advertised?: string;
  readonly say?: Say;
}

export interface Kafka extends AsyncDisposable {
  readonly brokers: readonly string[];
  readonly ports: KafkaPorts;
  /** Such as "4.3.1". */
  readonly version: string;
  readonly pid: number;
  /** Settles when the running node ends, asked or not. */
  readonly exited: Promise<Exit>;
  /** Pulls the plug; restart() recovers. Acknowledged records are kept (they are in the system's page cache). */
  kill9(): Promise<void>;
  /** Starts it again on its ports and data, after kill9 or a death. */
  restart(): Promise<void>;
}

/** Starts the node of that folder, fetching Kafka and formatting the folder first when that was not done yet. */
export async function startKafka(options: KafkaOptions): Promise<Kafka> {
  const place = await prepare(options);
  let node = await launch(place, options.ports);
  return {
    get brokers() {
      return [place.advertised ?? `${HOST}:${node.ports.client}`];
    },
    get ports() {
      return node.ports;
    },
    version: kafkaVersion(),
    get pid() {
      return node.child.pid;
    },
    get exited() {
      return node.child.exited;
    },
    kill9: async () => {
      node.child.kill("SIGKILL");
      await node.child.exited;
    },
    restart: async () => {
      await node.child.stop(STOP_WITHIN_MS);
      node = await launch(place, node.ports);
    },
    [Symbol.asyncDispose]: async () => {
      await node.child.stop(STOP_WITHIN_MS);
    },
  };
}

interface Place {
  readonly dataDir: string;
  readonly java: string;
  readonly libraries: string;
  readonly advertised: string | undefined;
}

async function prepare(options: KafkaOptions): Promise<Place> {
  const java = findJava();
  if (java === undefined) throw new SetupProblem("Apache Kafka needs Java 17 or newer.");
  const libraries = await kafkaLibraries(options.say ?? (() => undefined));
  const dataDir = resolve(options.dataDir);
  mkdirSync(dataDir, { recursive: true });
  await endLeftover(join(dataDir, "pid"));
  return { dataDir, java, libraries, advertised: options.advertised };
}

interface Node {
  readonly child: Child;
  readonly ports: KafkaPorts;
}

/** Tries again on other ports when one of them was taken meanwhile. */
async function launch(place: Place, wanted: KafkaPorts | undefined): Promise<Node> {
  let complaint = "";
  for (let tried = 0; tried < START_TRIES; tried += 1) {
    const ports = wanted ?? (await rememberedPorts(place.dataDir));
    const address = `${HOST}:${ports.client}`;
    const settings = writeKafkaSettings(place.dataDir, ports, place.advertised ?? address);
    await format(place, settings);
    const child = await runJava(place, "kafka.Kafka", [settings]);
    // A proxy in front may not be up yet, so the record that proves the node would not come through.
    const prove = place.advertised === undefined ? provenReady : answersMetadata;
    if (await becomesReady(child, READY, () => prove([address]))) {
      writeFileSync(join(place.dataDir, "ports.json"), JSON.stringify(ports));
      return { child, ports };
    }
    await child.stop(STOP_WITHIN_MS);
    complaint = (await lastLines(join(place.dataDir, "log"), 12)).join("\n");
    if (!complaint.includes("already in use")) break;
  }
  throw new SetupProblem(`Apache Kafka in ${place.dataDir} did not start:\n${complaint}`);
}

/** A folder without meta.properties was never started: what an interrupted format left in it is nothing. */
async function format(place: Place, settings: string): Promise<void> {
  const segments = join(place.dataDir, "log-segments");
  if (existsSync(join(segments, "meta.properties"))) return;
  rmSync(segments, { recursive: true, force: true });
  const id = randomBytes(16).toString("base64url");
  const flags = ["format", "--standalone", `--cluster-id=${id}`, "--config", settings];
  const child = await runJava(place, "kafka.tools.StorageTool", flags);
  const { code } = await child.exited;
  if (code === 0) return;
  const complaint = (await lastLines(join(place.dataDir, "log"), 6)).join("\n");
  throw new SetupProblem(`Apache Kafka could not be set up in ${place.dataDir}:\n${complaint}`);
}

function runJava(place: Place, main: string, args: readonly string[]): Promise<Child> {
  const logging = `-Dlog4j2.configurationFile=${join(place.dataDir, "log4j2.yaml")}`;
  return startChild({
    name: "Kafka",
    command: place.java,
    args: [...JVM, logging, "-cp", join(place.libraries, "*"), main, ...args],
    env: plainEnvironment(),
    cwd: place.dataDir,
    logFile: join(place.dataDir, "log"),
    pidFile: join(place.dataDir, "pid"),
    rank: RANK,
  });
}

async function rememberedPorts(dataDir: string): Promise<KafkaPorts> {
  const file = join(dataDir, "ports.json");
  if (existsSync(file)) {
    const before: KafkaPorts = JSON.parse(readFileSync(file, "utf8"));
    if ((await isFree(before.client)) && (await isFree(before.controller))) return before;
  }
  return { client: await freePort(), controller: await freePort() };
}
