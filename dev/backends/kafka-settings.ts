// The files that one Kafka node (broker and controller in one process) is started with.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

export interface KafkaPorts {
  readonly client: number;
  readonly controller: number;
}

const HOST = "127.0.0.1";

/** Writes server.properties and the log settings; returns the path of the former. */
export function writeKafkaSettings(dataDir: string, ports: KafkaPorts, advertised: string): string {
  const controller = `${HOST}:${ports.controller}`;
  const properties = [
    "process.roles=broker,controller",
    "node.id=1",
    "controller.listener.names=CONTROLLER",
    `controller.quorum.bootstrap.servers=${controller}`,
    `listeners=PLAINTEXT://${HOST}:${ports.client},CONTROLLER://${controller}`,
    `advertised.listeners=PLAINTEXT://${advertised}`,
    "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    `log.dirs=${join(dataDir, "log-segments")}`,
    "num.network.threads=2",
    "num.io.threads=2",
    "offsets.topic.num.partitions=1",
    "offsets.topic.replication.factor=1",
    "transaction.state.log.replication.factor=1",
    "transaction.state.log.min.isr=1",
    "share.coordinator.state.topic.replication.factor=1",
    "share.coordinator.state.topic.min.isr=1",
    "group.initial.rebalance.delay.ms=0",
    "auto.create.topics.enable=false",
    // A node that was killed may come back when its old session has run out (9 s unless told otherwise).
    "broker.session.timeout.ms=3000",
    "broker.heartbeat.interval.ms=500",
    "log.segment.bytes=16777216",
  ];
  const file = join(dataDir, "server.properties");
  writeFileSync(file, `${properties.join("\n")}\n`);
  writeFileSync(join(dataDir, "log4j2.yaml"), LOG_SETTINGS);
  return file;
}

const LOG_SETTINGS = `Configuration:
  status: error
  Appenders:
    Console:
      name: console
      PatternLayout:
        pattern: "%d{ISO8601} %p %c{1}: %m%n"
  Loggers:
    Root:
      level: warn
      AppenderRef:
        ref: console
`;
