// The conformance of a consumer: what it is given, what it commits, and what comes again.
import { expect } from "vitest";
import { eventually } from "../harness/eventually.ts";
import type { Case } from "./adapter.ts";
import {
  abortOf,
  behind,
  bytes,
  commitAll,
  follow,
  keysByPartition,
  newGroup,
  newTopic,
  send,
  sorted,
} from "./follow.ts";

const PAUSE_MS = 600;
const STOP_LIMIT_MS = 10_000;

export const consuming: readonly Case[] = [
  {
    name: "that is new gets what is there already, in order, and what comes",
    async run(adapter) {
      const topic = await newTopic(adapter);
      await send(adapter, topic, ["1", "2", "3"]);
      await using follower = follow(adapter, { topics: [topic] });
      await eventually(() => expect(follower.values()).toEqual(["1", "2", "3"]));
      await send(adapter, topic, ["4"]);
      await eventually(() => expect(follower.values()).toEqual(["1", "2", "3", "4"]));
    },
  },
  {
    name: "reads many topics, and waits for one that is not there yet",
    async run(adapter) {
      const topics = await Promise.all([newTopic(adapter), newTopic(adapter, 2)]);
      const later = `${topics[0]}-later`;
      await using follower = follow(adapter, { topics: [...topics, later] });
      await adapter.createTopic(later, 1);
      for (const topic of [...topics, later]) await send(adapter, topic, [topic]);
      await eventually(() => expect(sorted(follower.values())).toEqual(sorted([...topics, later])));
    },
  },
  {
    name: "is given tombstones, and records without a key",
    async run(adapter) {
      const topic = await newTopic(adapter);
      await adapter.write(topic, { key: bytes("k"), value: null });
      await adapter.write(topic, { key: null, value: bytes("v") });
      await using follower = follow(adapter, { topics: [topic] });
      await eventually(() => expect(follower.values()).toEqual([null, "v"]));
      const keys = follower.batches.flatMap(({ batch }) => batch.records.map(({ key }) => key));
      expect(keys.map((key) => key === null)).toEqual([false, true]);
    },
  },
  {
    name: "commits only what its handler commits, and is given the rest again",
    async run(adapter) {
      const topic = await newTopic(adapter);
      const group = newGroup();
      await send(adapter, topic, ["1", "2", "3"]);
      const committed = () => adapter.log().committed(group, topic);
      const atWork = Promise.withResolvers<void>();
      let calls = 0;
      await using follower = follow(adapter, {
        group,
        topics: [topic],
        async onBatch(batch, control) {
          calls += 1;
          if (calls === 1) await atWork.promise;
          if (calls === 3) await control.commit((batch.records[0]?.offset ?? 0n) + 1n);
          if (calls >= 3) await abortOf(control.signal);
        },
      });
      await eventually(() => expect(calls).toBe(1));
      expect([...(await committed())]).toEqual([]);
      atWork.resolve();
      await eventually(() => expect(calls).toBe(3));
      await eventually(async () => expect([...(await committed())]).toEqual([[0, 1n]]));
      const all = ["1", "2", "3"];
      expect(follower.values()).toEqual([...all, ...all, ...all]);
      await follower.stop();

      await using second = follow(adapter, { group, topics: [topic] });
      await eventually(() => expect(second.values()).toEqual(["2", "3"]));
      await eventually(async () => expect([...(await committed())]).toEqual([[0, 3n]]));
    },
  },
  {
    name: "that is closed and opened again goes on where it committed",
    async run(adapter) {
      const topic = await newTopic(adapter);
      const group = newGroup();
      await send(adapter, topic, ["1", "2"]);
      await using first = follow(adapter, { group, topics: [topic] });
      await eventually(() => expect(first.values()).toEqual(["1", "2"]));
      await first.stop();
      await send(adapter, topic, ["3"]);
      await using second = follow(adapter, { group, topics: [topic] });
      await eventually(() => expect(second.values()).toEqual(["3"]));
    },
  },
  {
    name: "never commits backwards, nor when the batch is over",
    async run(adapter) {
      const topic = await newTopic(adapter);
      const group = newGroup();
      await send(adapter, topic, ["1", "2", "3"]);
      await using follower = follow(adapter, {
        group,
        topics: [topic],
        async onBatch({ records }, control) {
          await control.commit(behind(records));
          await control.commit(1n);
        },
      });
      await eventually(() => expect(follower.values()).toEqual(["1", "2", "3"]));
      await send(adapter, topic, ["4"]);
      await eventually(() => expect(follower.values()).toEqual(["1", "2", "3", "4"]));
      for (const { control } of follower.batches) await control.commit(2n);
      expect([...(await adapter.log().committed(group, topic))]).toEqual([[0, 4n]]);
    },
  },
  {
    name: "that pauses a partition is given its rest after that time, and the others meanwhile",
    async run(adapter) {
      const topic = await newTopic(adapter, 2);
      const keys = await keysByPartition(adapter, topic);
      let paused = Infinity;
      let again = 0;
      await using follower = follow(adapter, {
        topics: [topic],
        async onBatch(batch, control) {
          if (batch.partition !== 0) return await commitAll(batch, control);
          if (paused !== Infinity) {
            again ||= performance.now();
            return await commitAll(batch, control);
          }
          paused = performance.now();
          await control.commit((batch.records[0]?.offset ?? 0n) + 1n);
          control.pause(PAUSE_MS);
          control.pause(1);
        },
      });
      await eventually(() => expect(paused).toBeLessThan(Infinity));
      await send(adapter, topic, ["beside"], keys[1]);
      await eventually(() => expect(follower.values()).toContain("beside"));
      expect(again).toBe(0);
      await eventually(() => expect(again).toBeGreaterThan(0));
      expect(again - paused).toBeGreaterThanOrEqual(PAUSE_MS - 1);
      const firsts = follower.batches.filter(({ batch }) => batch.partition === 0);
      expect(firsts[1]?.batch.records[0]?.offset).toBe(1n);
    },
  },
  {
    name: "lives on when its handler throws, whatever it throws, and other partitions go on",
    async run(adapter) {
      const topic = await newTopic(adapter, 2);
      const keys = await keysByPartition(adapter, topic);
      let calls = 0;
      await using follower = follow(adapter, {
        topics: [topic],
        async onBatch(batch, control) {
          if (batch.partition === 0) {
            calls += 1;
            if (calls === 1) throw new TypeError("a bug");
            if (calls === 2) throw new Error("something else");
          }
          await commitAll(batch, control);
        },
      });
      await send(adapter, topic, ["beside"], keys[1]);
      await eventually(() => expect(follower.values()).toContain("beside"));
      await eventually(() => expect(calls).toBeGreaterThanOrEqual(3));
      await send(adapter, topic, ["after"], keys[0]);
      await eventually(() => expect(follower.values()).toContain("after"));
    },
  },
  {
    name: "runs partitions at the same time, and the batches of one after each other",
    async run(adapter) {
      const topic = await newTopic(adapter, 2);
      const keys = await keysByPartition(adapter, topic);
      const atWork = new Map<number, number>();
      const both = Promise.withResolvers<void>();
      const most = new Map<number, number>();
      await using follower = follow(adapter, {
        topics: [topic],
        async onBatch(batch, control) {
          const { partition } = batch;
          const now = (atWork.get(partition) ?? 0) + 1;
          atWork.set(partition, now);
          most.set(partition, Math.max(now, most.get(partition) ?? 0));
          if (atWork.get(0) === 1 && atWork.get(1) === 1) both.resolve();
          await both.promise;
          await commitAll(batch, control);
          atWork.set(partition, now - 1);
        },
      });
      await both.promise;
      for (const value of ["1", "2", "3"])
        for (const key of keys) await send(adapter, topic, [value], key);
      await eventually(() =>
        expect(follower.values().filter((value) => value !== "probe")).toHaveLength(6),
      );
      expect([...most.values()]).toEqual([1, 1]);
    },
  },
  {
    name: "passes offsets that hold no record",
    async run(adapter) {
      const topic = await newTopic(adapter);
      await send(adapter, topic, ["1"]);
      await adapter.leaveHole(topic);
      await send(adapter, topic, ["2"]);
      await adapter.leaveHole(topic);
      await using follower = follow(adapter, { topics: [topic] });
      await eventually(() => expect(follower.values()).toEqual(["1", "2"]));
      await send(adapter, topic, ["3"]);
      await eventually(() => expect(follower.values()).toEqual(["1", "2", "3"]));
      const offsets = follower.batches.flatMap(({ batch }) =>
        batch.records.map(({ offset }) => offset),
      );
      expect(offsets[1]).toBeGreaterThan(1n);
    },
  },
  {
    name: "that is stopped aborts its batch, keeps what that commits, and is gone within 10 s",
    async run(adapter) {
      const topic = await newTopic(adapter);
      const group = newGroup();
      await send(adapter, topic, ["1", "2"]);
      await using follower = follow(adapter, {
        group,
        topics: [topic],
        async onBatch(_, control) {
          await abortOf(control.signal);
          await control.commit(1n);
        },
      });
      await eventually(() => expect(follower.batches).toHaveLength(1));
      const before = performance.now();
      await follower.stop();
      expect(performance.now() - before).toBeLessThan(STOP_LIMIT_MS);
      expect(follower.batches).toHaveLength(1);
      expect([...(await adapter.log().committed(group, topic))]).toEqual([[0, 1n]]);
    },
  },
];
