// The conformance of consumer groups: members share the partitions, and what was taken away is nobody's to commit.
import { expect } from "vitest";
import { setTimeout as wait } from "node:timers/promises";
import { eventually } from "../harness/eventually.ts";
import type { Case } from "./adapter.ts";
import { abortOf, behind, follow, keysByPartition, newGroup, newTopic, send } from "./follow.ts";

/** Joining a group has some steps, and takes some ten milliseconds: members are stopped at each of them. */
const JOINING_STEP_MS = 15;

export const grouping: readonly Case[] = [
  {
    name: "each get everything",
    async run(adapter) {
      const topic = await newTopic(adapter);
      await using one = follow(adapter, { topics: [topic] });
      await using other = follow(adapter, { topics: [topic] });
      await send(adapter, topic, ["1", "2"]);
      for (const follower of [one, other])
        await eventually(() => expect(follower.values()).toEqual(["1", "2"]));
    },
  },
  {
    name: "deal their partitions among their members, and deal them again when one leaves",
    async run(adapter) {
      const topic = await newTopic(adapter, 4);
      const keys = await keysByPartition(adapter, topic);
      const group = newGroup();
      await using one = follow(adapter, { group, topics: [topic] });
      await using other = follow(adapter, { group, topics: [topic] });
      let round = 0;
      await eventually(async () => {
        round += 1;
        const value = `round-${round}`;
        for (const key of keys) await send(adapter, topic, [value], key);
        await eventually(() =>
          expect(
            [one, other].flatMap((member) => member.values()).filter((read) => read === value),
          ).toHaveLength(4),
        );
        for (const member of [one, other]) expect(member.values()).toContain(value);
      });
      await other.stop();
      for (const key of keys) await send(adapter, topic, ["alone"], key);
      await eventually(() =>
        expect(one.values().filter((value) => value === "alone")).toHaveLength(4),
      );
    },
  },
  {
    name: "abort the batch of a partition that is taken away, and take no late commit for it",
    async run(adapter) {
      const topic = await newTopic(adapter, 2);
      await keysByPartition(adapter, topic);
      const group = newGroup();
      await using old = follow(adapter, {
        group,
        topics: [topic],
        onBatch: (_, control) => abortOf(control.signal),
      });
      await eventually(() => {
        const partitions = old.batches.map(({ batch }) => batch.partition);
        expect(new Set(partitions).size).toBe(2);
      });
      const held = old.batches.slice(0, 2);
      await using young = follow(adapter, {
        group,
        topics: [topic],
        onBatch: (_, control) => abortOf(control.signal),
      });

      const moved = await eventually(() => {
        const partition = young.batches[0]?.batch.partition;
        const found = held.find(({ batch }) => batch.partition === partition);
        if (found === undefined) throw new Error("no partition has moved yet");
        return found;
      });
      expect(moved.control.signal.aborted).toBe(true);
      await moved.control.commit(behind(moved.batch.records));

      expect(young.batches[0]?.batch.records[0]?.offset).toBe(0n);
      expect([...(await adapter.log().committed(group, topic))]).toEqual([]);
    },
  },
  {
    name: "pass on a partition whose handler does not end, and take no late commit from that",
    async run(adapter) {
      const topic = await newTopic(adapter, 2);
      await keysByPartition(adapter, topic);
      const group = newGroup();
      const hold = Promise.withResolvers<void>();
      const ended = new Set<number>();
      await using old = follow(adapter, {
        group,
        topics: [topic],
        async onBatch({ partition, records }, control) {
          if (ended.has(partition)) return await abortOf(control.signal);
          await hold.promise;
          await control.commit(behind(records));
          ended.add(partition);
        },
      });
      await eventually(() => expect(old.batches).toHaveLength(2));
      await using young = follow(adapter, {
        group,
        topics: [topic],
        onBatch: (_, control) => abortOf(control.signal),
      });
      try {
        const { partition, records } = await eventually(() => {
          const taken = young.batches.find((mine) =>
            old.batches.some(({ batch }) => batch.partition === mine.batch.partition),
          );
          if (taken === undefined) throw new Error("no partition was passed on yet");
          return taken.batch;
        });
        expect(records[0]?.offset).toBe(0n);
        hold.resolve();
        await eventually(() => expect(ended).toContain(partition));
        expect([...(await adapter.log().committed(group, topic)).keys()]).not.toContain(partition);
      } finally {
        hold.resolve();
      }
    },
  },
  {
    name: "keep no place for members that were stopped while they joined, whenever that was",
    async run(adapter) {
      const topic = await newTopic(adapter, 2);
      const keys = await keysByPartition(adapter, topic);
      const group = newGroup();
      const moments = Array.from({ length: 8 }, (_, index) => index * JOINING_STEP_MS);
      await Promise.all(
        moments.map(async (moment) => {
          const hasty = follow(adapter, { group, topics: [topic] });
          await wait(moment);
          await hasty.stop();
        }),
      );
      await using steady = follow(adapter, { group, topics: [topic] });
      for (const key of keys) await send(adapter, topic, [`now ${key}`], key);
      await eventually(() =>
        expect(steady.values()).toEqual(expect.arrayContaining(keys.map((key) => `now ${key}`))),
      );
    },
  },
];
