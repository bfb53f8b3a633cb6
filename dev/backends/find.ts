// Finds a PostgreSQL and a Kafka for a stack: those that the environment names, else embedded ones, else containers.
import { join, resolve } from "node:path";
import { kafkaLacks } from "./kafka-jars.ts";
import { answersMetadata } from "./kafka-ready.ts";
import { type Kafka, startKafka } from "./kafka.ts";
import { type Postgres, startPostgres, versionOf } from "./postgres.ts";
import { type Say, SetupProblem } from "./problem.ts";

export type BackendKind = "given" | "embedded" | "docker";

/** A server of our own that can die and be brought back; undefined for one that somebody else looks after. */
export type OwnServer = Postgres | Kafka;

export interface Backends extends AsyncDisposable {
  /** `url` reaches a database of the server that others can be made from. */
  readonly postgres: { readonly kind: BackendKind; readonly url: string; readonly own?: Postgres };
  readonly kafka: {
    readonly kind: BackendKind;
    readonly brokers: readonly string[];
    readonly own?: Kafka;
  };
}

export interface FindOptions {
  /** The data folder of the stack. */
  readonly home: string;
  readonly say: Say;
  /** As root: copy PostgreSQL's programs when its user cannot reach node_modules, instead of refusing. */
  readonly copyUnreachable?: boolean;
}

type Found<K extends "postgres" | "kafka"> = Backends[K] & Partial<AsyncDisposable>;

/**
 * Both servers, started at the same time.
 * @throws SetupProblem that says what to install, set or open
 */
export async function findBackends(options: FindOptions): Promise<Backends> {
  const wanted = wantedKind();
  const home = resolve(options.home);
  const kind = await kindToStart(wanted);
  await using started = new AsyncDisposableStack();
  const [postgres, kafka] = await both(
    findPostgres({ ...options, home }, kind).then((found) => kept(started, found)),
    findKafka({ ...options, home }, kind).then((found) => kept(started, found)),
  );
  const servers = started.move();
  return { postgres, kafka, [Symbol.asyncDispose]: () => servers.disposeAsync() };
}

function kept<T extends Partial<AsyncDisposable>>(stack: AsyncDisposableStack, found: T): T {
  const dispose = found[Symbol.asyncDispose];
  if (dispose !== undefined) stack.defer(() => dispose());
  return found;
}

/** Waits for both even when one fails, so that the other one can be stopped. */
async function both<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([first, second]);
  return [await first, await second];
}

function wantedKind(): "embedded" | "docker" | undefined {
  const wanted = process.env["WAYBILL_BACKENDS"];
  if (wanted === undefined || wanted === "") return undefined;
  if (wanted === "embedded" || wanted === "docker") return wanted;
  throw new SetupProblem(`WAYBILL_BACKENDS is "${wanted}"; it can be "embedded" or "docker".`);
}

async function kindToStart(wanted: "embedded" | "docker" | undefined): Promise<BackendKind> {
  const kafkaGiven = givenKafka() !== undefined;
  if (kafkaGiven && givenPostgres() !== undefined) return "given";
  const lacks = kafkaGiven ? undefined : kafkaLacks();
  if (wanted !== "docker" && lacks === undefined) return "embedded";
  if (wanted === "embedded") {
    throw new SetupProblem(`WAYBILL_BACKENDS is "embedded", but ${lacks ?? ""} is missing.`);
  }
  // Loaded only where it is needed: it takes a while.
  const docker = await import("./docker.ts");
  if (await docker.dockerAnswers()) return "docker";
  throw new SetupProblem(
    wanted === "docker"
      ? 'WAYBILL_BACKENDS is "docker", but no Docker engine answers. Start Docker.'
      : nothingFound(lacks ?? ""),
  );
}

function nothingFound(lacks: string): string {
  return [
    `Waybill needs Apache Kafka, and there is no way to start one here: ${lacks} is missing, and no Docker engine answers.`,
    "One of these will do:",
    "  - install Java 17 or newer and Maven (Debian, Ubuntu: apt install openjdk-17-jre-headless maven; macOS: brew install openjdk maven)",
    "  - install and start Docker",
    "  - name a broker that runs already: KAFKA_BROKERS=127.0.0.1:9092 (compose.yaml starts one)",
  ].join("\n");
}

function givenPostgres(): string | undefined {
  return process.env["DATABASE_URL"] || undefined;
}

function givenKafka(): string[] | undefined {
  const brokers = (process.env["KAFKA_BROKERS"] ?? "").split(",").map((broker) => broker.trim());
  return brokers.some(Boolean) ? brokers.filter(Boolean) : undefined;
}

async function findPostgres(o: FindOptions, kind: BackendKind): Promise<Found<"postgres">> {
  const url = givenPostgres();
  if (url !== undefined) {
    const version = await versionOf(url).catch((error: unknown) => {
      throw new SetupProblem(`The PostgreSQL of DATABASE_URL does not answer: ${reason(error)}`);
    });
    o.say(`PostgreSQL ${version} at ${new URL(url).host} (DATABASE_URL)`);
    return { kind: "given", url };
  }
  if (kind === "docker") {
    const { startPostgresContainer } = await import("./docker.ts");
    o.say("PostgreSQL as a container");
    return { kind, ...(await startPostgresContainer(o.home)) };
  }
  const own = await startPostgres({
    dataDir: join(o.home, "postgres"),
    say: o.say,
    copyUnreachable: o.copyUnreachable ?? false,
  });
  o.say(`PostgreSQL ${own.version} on port ${own.port}`);
  return { kind, url: own.url, own, [Symbol.asyncDispose]: () => own[Symbol.asyncDispose]() };
}

async function findKafka(o: FindOptions, kind: BackendKind): Promise<Found<"kafka">> {
  const brokers = givenKafka();
  if (brokers !== undefined) {
    await answersMetadata(brokers).catch((error: unknown) => {
      throw new SetupProblem(`The Kafka of KAFKA_BROKERS does not answer: ${reason(error)}`);
    });
    o.say(`Kafka at ${brokers.join(", ")} (KAFKA_BROKERS)`);
    return { kind: "given", brokers };
  }
  if (kind === "docker") {
    const { startKafkaContainer } = await import("./docker.ts");
    o.say("Kafka as a container");
    return { kind, ...(await startKafkaContainer(o.home)) };
  }
  const own = await startKafka({ dataDir: join(o.home, "kafka"), say: o.say });
  o.say(`Kafka ${own.version} on port ${own.ports.client}`);
  const { brokers: ownBrokers } = own;
  const dispose = () => own[Symbol.asyncDispose]();
  return { kind, brokers: ownBrokers, own, [Symbol.asyncDispose]: dispose };
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
