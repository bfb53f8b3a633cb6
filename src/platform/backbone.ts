// What every service with events stands on: its database, its outbox with the relay, and its place at the broker.
import type { DescMessage } from "@bufbuild/protobuf";
import { openDatabase } from "./database/open.ts";
import { migrateDatabase } from "./database/migrate.ts";
import { passingFailures } from "./event-admin/event-log.ts";
import type { EventAdminParts } from "./event-admin/parts.ts";
import { startConsumer, type Consumer } from "./events/consumer.ts";
import { createKafka, type Kafka } from "./events/kafka.ts";
import { createOutbox, type Outbox } from "./events/outbox.ts";
import { startRelay, type Relay } from "./events/relay.ts";
import type { Database, Transaction } from "./events/schema.ts";
import { streamOf } from "./events/stream.ts";
import type { ErrorKind, Subscription } from "./events/subscription.ts";
import { newId } from "./id.ts";
import type { Log } from "./log.ts";
import { Refusal } from "./refusal.ts";
import type { ServiceSettings } from "./settings.ts";
import { noteIgnored } from "./timeline/ignored.ts";
import { continueTrace, currentTrace } from "./trace.ts";
import { isTransient } from "./transient.ts";

export interface Backbone extends AsyncDisposable {
  readonly db: Database;
  readonly outbox: Outbox;
  /** For the operators' RPCs. */
  readonly admin: EventAdminParts;
  /** Runs a transaction and, once it is committed, lets the relay know. */
  readonly inTransaction: <T>(work: (tx: Transaction) => Promise<T>) => Promise<T>;
  /** Starts to read the topics of the subscriptions; `onCommit` hears of every commit. */
  readonly consume: (
    subscriptions: readonly Subscription[],
    onCommit?: () => void,
  ) => Promise<AsyncDisposable>;
  /** Whether the database and the broker answer. */
  readonly ready: () => Promise<boolean>;
  /** Rejects when the relay or a consumer cannot go on: the service should end, and be started anew. */
  readonly failed: Promise<never>;
}

export interface BackboneOptions {
  readonly migrations: URL;
  /** The events of every topic that the service writes or reads: their topics are created where they are missing. */
  readonly streams: readonly DescMessage[];
}

/** Migrates the database, creates the topics, and starts the relay. Disposing closes them in the opposite order. */
export async function openBackbone(
  config: ServiceSettings,
  log: Log,
  o: BackboneOptions,
): Promise<Backbone> {
  await using parts = new AsyncDisposableStack();
  await migrateDatabase({ url: config.databaseUrl, folder: o.migrations });
  const database = parts.use(openDatabase(config));
  const { db } = database;
  const kafka = parts.use(createKafka({ ...broker(config), log }));
  await kafka.ensureTopics(
    o.streams.map((schema) => streamOf(schema, config.namespace)),
    { replication: config.kafkaReplication, minInsyncReplicas: config.kafkaMinInsyncReplicas },
  );
  const outbox = createOutbox(sender(config));
  const relay = parts.use(startRelay({ db, producer: kafka.producer(), log }));
  const { promise: failed, reject } = Promise.withResolvers<never>();
  failed.catch(() => undefined); // runService looks at it; until then nobody does
  relay.failed.catch(reject);

  let consuming: Consumer | undefined;
  const consume: Backbone["consume"] = async (subscriptions, onCommit) => {
    const consumer = await startConsumer({
      name: config.service,
      namespace: config.namespace,
      db,
      broker: kafka.consumer(),
      subscriptions,
      classify,
      runInTrace: continueTrace,
      noteIgnored,
      inboxHours: config.inboxRetentionHours,
      onCommit: () => {
        relay.wake();
        onCommit?.();
      },
      log,
    });
    consumer.failed.catch(reject);
    consuming = consumer;
    return consumer;
  };

  const running = parts.move();
  return {
    db,
    outbox,
    failed,
    inTransaction: wakingTransaction(db, () => relay.wake()),
    consume,
    admin: adminParts(config, db, kafka, { relay, consumer: () => consuming }),
    ready: () => Promise.all([database.ping(), kafka.ping()]).then(() => true),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

const adminParts = (
  { service, namespace }: ServiceSettings,
  db: Database,
  kafka: Kafka,
  { relay, consumer }: Pick<EventAdminParts, "consumer"> & { readonly relay: Relay },
): EventAdminParts => ({
  service,
  namespace,
  db,
  eventLog: passingFailures(kafka.log()),
  consumer,
  wakeRelay: () => relay.wake(),
});

const wakingTransaction =
  (db: Database, wake: () => void): Backbone["inTransaction"] =>
  async (work) => {
    const result = await db.transaction(work);
    wake();
    return result;
  };

const broker = (config: ServiceSettings) => ({
  brokers: [...config.kafkaBrokers],
  clientId: `waybill-${config.service}`,
});

const sender = (config: ServiceSettings) => ({
  source: `/waybill/${config.service}`,
  namespace: config.namespace,
  traceparent: () => currentTrace()?.traceparent,
  newId,
});

/** What a handler's error means for its event: wait and try again, set it aside, or try a few times and set it aside. */
function classify(error: unknown): ErrorKind {
  if (error instanceof Refusal) return "permanent";
  return isTransient(error) ? "transient" : "bug";
}
