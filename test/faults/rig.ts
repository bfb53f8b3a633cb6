// What a fault runs on: servers of its own behind proxies, a whole stack, second replicas, and ways to look past all of it.
import { join } from "node:path";
import { type Kafka, startKafka } from "../../dev/backends/kafka.ts";
import { type Postgres, startPostgres } from "../../dev/backends/postgres.ts";
import type { Say } from "../../dev/backends/problem.ts";
import { freePort } from "../../dev/process/ports.ts";
import { type Stack, startStack } from "../../dev/stack/start-stack.ts";
import type { Place } from "../harness/place.ts";
import { newNamespace, openFolder } from "../harness/stack.ts";
import { openDatabases, type Databases } from "./databases.ts";
import { directKafka, type DirectKafka } from "./direct-kafka.ts";
import { probeSettings } from "./heap.ts";
import { openProxy, type Proxy } from "./proxy.ts";
import { firstReplicas, type Replica, startSecondReplicas } from "./replicas.ts";
import { followTopics, type TopicReader } from "./topic-reader.ts";

/** Two replicas of three services, and what looks at them, share one small server. */
const POOL_SIZE = "8";
/** Requests a second: out of the way of any load of the suite. */
const NO_RATE_LIMIT = "1000000";

export interface Rig extends AsyncDisposable {
  readonly stack: Stack;
  readonly place: Place;
  /** All processes of services, first and second replicas. */
  readonly replicas: readonly Replica[];
  readonly postgres: Postgres;
  readonly kafka: Kafka;
  /** Between the services and the servers. */
  readonly proxies: { readonly postgres: Proxy; readonly kafka: Proxy };
  /** Past the proxies: what the suite itself looks through. */
  readonly databases: Databases;
  readonly direct: DirectKafka;
  readonly topics: TopicReader;
  /** Orders that somebody fought over: they need not end PAID. Whoever starts such a fight writes them down. */
  readonly raced: Set<string>;
  /** Where the services' probes write: see heap.ts. */
  readonly heapFolder: string;
}

export interface RigOptions {
  readonly say: Say;
  /** Settings for all services, on top of the rig's own. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Everything is up and serves when this returns. Disposing it stops all of it and takes its folder away. */
export async function openRig(o: RigOptions): Promise<Rig> {
  await using parts = new AsyncDisposableStack();
  const folder = parts.use(openFolder());
  const [postgres, kafka] = await Promise.all([
    openPostgres(join(folder.path, "postgres"), o.say).then((each) => kept(parts, each)),
    openKafka(join(folder.path, "kafka"), o.say).then((each) => kept(parts, each)),
  ]);
  const namespace = newNamespace();
  const env = {
    all: { DATABASE_POOL_SIZE: POOL_SIZE, ...probeSettings(folder.path), ...o.env },
    gateway: { RATE_LIMIT_PER_PRINCIPAL: NO_RATE_LIMIT, RATE_LIMIT_PER_ADDRESS: NO_RATE_LIMIT },
  };
  const home = join(folder.path, "stack");
  const stack = parts.use(
    await startStack({
      home,
      port: 0,
      namespace,
      env,
      backends: {
        postgres: { kind: "given", url: throughPort(postgres.server.url, postgres.proxy.port) },
        kafka: { kind: "given", brokers: kafka.server.brokers },
      },
      say: o.say,
    }),
  );
  const second = parts.use(await startSecondReplicas(stack, { namespace, env, say: o.say }));
  const direct = directKafka(kafka.server.ports.client);
  const databases = parts.use(openDatabases(stack.stack.postgres, postgres.server.port));
  const topics = parts.use(await followTopics(direct, namespace));
  const running = parts.move();
  return {
    stack,
    place: { stack: stack.stack, home, namespace },
    replicas: [...firstReplicas(stack), ...second.replicas],
    postgres: postgres.server,
    kafka: kafka.server,
    proxies: { postgres: postgres.proxy, kafka: kafka.proxy },
    databases,
    direct,
    topics,
    raced: new Set(),
    heapFolder: folder.path,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

interface Behind<Server> {
  readonly server: Server & AsyncDisposable;
  readonly proxy: Proxy;
}

/** The proxy goes first, so that a blackhole cannot keep a server from stopping. */
function kept<Server>(parts: AsyncDisposableStack, behind: Behind<Server>): Behind<Server> {
  parts.use(behind.server);
  parts.use(behind.proxy);
  return behind;
}

async function openPostgres(dataDir: string, say: Say): Promise<Behind<Postgres>> {
  const server = await startPostgres({ dataDir, say });
  return { server, proxy: await openProxy(server.port) };
}

/** The broker tells its clients to come by the proxy, so that is there first. */
async function openKafka(dataDir: string, say: Say): Promise<Behind<Kafka>> {
  const ports = { client: await freePort(), controller: await freePort() };
  const proxy = await openProxy(ports.client);
  const advertised = `127.0.0.1:${proxy.port}`;
  return { server: await startKafka({ dataDir, ports, advertised, say }), proxy };
}

function throughPort(address: string, port: number): string {
  const url = new URL(address);
  url.port = String(port);
  return url.href;
}
