// The broker in memory keeps the promises of the ports, as every adapter does.
import type { AdapterUnderTest } from "../../../test/conformance/adapter.ts";
import { describeConformance } from "../../../test/conformance/conformance.ts";
import { createMemoryBroker } from "./memory.ts";

const HOLE_OFFSETS = 3;
const REBALANCE_MS = 200;

const memory: AdapterUnderTest = {
  lacks: {
    kill: "a broker in memory has no process that could die alone",
    groups: "a log in memory reads without a group",
  },
  async open() {
    const broker = createMemoryBroker({ rebalanceMs: REBALANCE_MS });
    return {
      producer: () => broker.producer(),
      consumer: () => broker.consumer(),
      log: () => broker.log(),
      createTopic: async (topic, partitions) => broker.createTopic(topic, partitions),
      write: async (topic, record) => broker.append(topic, record, 0),
      leaveHole: async (topic) => broker.partition(topic, 0).skip(HOLE_OFFSETS),
      forget: async (topic, before) => broker.partition(topic, 0).forget(before),
      async loseAnswers() {
        broker.failNextSend("written");
        return async () => undefined;
      },
      groups: async () => [],
      kill: async () => async () => undefined,
      [Symbol.asyncDispose]: async () => undefined,
    };
  },
};

describeConformance("memory", memory);
