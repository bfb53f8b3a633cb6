// What a piece of work took: time, and CPU of this process, of PostgreSQL and of Kafka, per event.
import { type Counted, cpuBetween, sampleCpu, watchOthers } from "../cpu.ts";
import type { Place } from "../place.ts";

export interface Rate {
  readonly events: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** CPU of this process per event, in microseconds, like those that follow. */
  readonly nodeMicros: number;
  /** Undefined for a server that is not ours. */
  readonly postgresMicros: number | undefined;
  readonly kafkaMicros: number | undefined;
  /** The share of all cores that other programs used meanwhile. */
  readonly others: number | undefined;
}

/** Begins to measure; what it returns ends that, and divides by the number of events. */
export function startMeter(place: Place): (events: number) => Rate {
  const counted = serversOf(place);
  const others = watchOthers(counted);
  const before = sampleCpu(counted);
  const own = process.cpuUsage();
  const began = performance.now();
  return (events) => {
    const seconds = (performance.now() - began) / 1000;
    const { user, system } = process.cpuUsage(own);
    const used = new Map(cpuBetween(before, sampleCpu(counted)));
    const micros = (name: string): number | undefined => {
      const cpu = used.get(name);
      return cpu === undefined ? undefined : (cpu * 1_000_000) / events;
    };
    return {
      events,
      seconds,
      perSecond: events / seconds,
      nodeMicros: (user + system) / events,
      postgresMicros: micros("PostgreSQL"),
      kafkaMicros: micros("Kafka"),
      others: others(),
    };
  };
}

/** PostgreSQL and Kafka, where they are ours. */
export function serversOf({ postgres, kafka }: Place): Counted[] {
  const database = postgres.own?.pid;
  const broker = kafka.own?.pid;
  return [
    ...(database === undefined ? [] : [{ name: "PostgreSQL", pid: database, children: true }]),
    ...(broker === undefined ? [] : [{ name: "Kafka", pid: broker, children: false }]),
  ];
}
