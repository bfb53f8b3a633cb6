// The conformance of a log: what topics hold, how far groups are, and reading without a trace.
import { setTimeout as wait } from "node:timers/promises";
import { expect } from "vitest";
import { eventually } from "../harness/eventually.ts";
import type { Case } from "./adapter.ts";
import {
  follow,
  keysByPartition,
  live,
  newGroup,
  newTopic,
  readAll,
  send,
  text,
} from "./follow.ts";

export const looking: readonly Case[] = [
  {
    name: "says what each partition holds, also when that is nothing",
    async run(adapter) {
      const topic = await newTopic(adapter, 2);
      const empty = { from: 0n, end: 0n };
      const nothing = new Map([0, 1].map((partition) => [partition, empty]));
      expect(await adapter.log().ranges(topic)).toEqual(nothing);
      expect(await readAll(adapter, topic)).toEqual([]);
      await send(adapter, topic, ["1", "2", "3"]);
      const ranges = [...(await adapter.log().ranges(topic)).values()];
      expect(ranges).toContainEqual({ from: 0n, end: 3n });
      expect(ranges).toContainEqual(empty);
    },
  },
  {
    name: "finds the first record that is not older than a time",
    async run(adapter) {
      const topic = await newTopic(adapter);
      await send(adapter, topic, ["1", "2"]);
      await wait(5); // the clock of records counts milliseconds
      const between = new Date();
      await send(adapter, topic, ["3"]);
      const since = async (time: Date) => (await adapter.log().ranges(topic, time)).get(0);
      expect(await since(between)).toEqual({ from: 2n, end: 3n });
      expect(await since(new Date(0))).toEqual({ from: 0n, end: 3n });
      expect(await since(new Date(Date.now() + 60_000))).toEqual({ from: 3n, end: 3n });
    },
  },
  {
    name: "knows how far a group is, and that another one never began",
    async run(adapter) {
      const topic = await newTopic(adapter, 2);
      const group = newGroup();
      await send(adapter, topic, ["1", "2"]);
      await using follower = follow(adapter, { group, topics: [topic] });
      await eventually(async () =>
        expect([...(await adapter.log().committed(group, topic)).values()]).toEqual([2n]),
      );
      expect(follower.values()).toEqual(["1", "2"]);
      expect([...(await adapter.log().committed(newGroup(), topic))]).toEqual([]);
    },
  },
  {
    name: "refuses a topic, and a partition, that is not there",
    async run(adapter) {
      const topic = await newTopic(adapter);
      await expect(adapter.log().ranges(`${topic}-missing`)).rejects.toThrow();
      const read = adapter.log().read({
        topic,
        ranges: new Map([[7, { from: 0n, end: 1n }]]),
        signal: live(),
        onRecords: async () => undefined,
      });
      await expect(read).rejects.toThrow(`The topic ${topic} has no partition 7.`);
    },
  },
  {
    name: "reads the records of a range, in order, and no others",
    async run(adapter) {
      const topic = await newTopic(adapter, 2);
      const keys = await keysByPartition(adapter, topic);
      const ends = await adapter.log().ranges(topic);
      const values = Array.from({ length: 40 }, (_, index) => `${index}`);
      for (const key of keys) await send(adapter, topic, values, key);
      const ranges = new Map(
        [...ends].map(([partition, { end }]) => [partition, { from: end + 5n, end: end + 30n }]),
      );

      const read: { readonly partition: number; readonly value: string | null }[] = [];
      await adapter.log().read({
        topic,
        ranges,
        signal: live(),
        async onRecords(records) {
          for (const { partition, value } of records) read.push({ partition, value: text(value) });
        },
      });

      for (const partition of [0, 1]) {
        const mine = read.filter((record) => record.partition === partition);
        expect(mine.map(({ value }) => value)).toEqual(values.slice(5, 30));
      }
    },
  },
  {
    name: "comes to the end of a range that no record is at the end of",
    async run(adapter) {
      const topic = await newTopic(adapter);
      await adapter.leaveHole(topic);
      expect(await readAll(adapter, topic)).toEqual([]);
      await send(adapter, topic, ["1"]);
      await adapter.leaveHole(topic);
      expect((await readAll(adapter, topic)).map(({ value }) => text(value))).toEqual(["1"]);
    },
  },
  {
    name: "leaves out what the topic has forgotten, be it everything",
    async run(adapter) {
      const topic = await newTopic(adapter);
      await send(adapter, topic, ["1", "2", "3", "4"]);
      const before = await adapter.log().ranges(topic);
      const read = async () => {
        const values: (string | null)[] = [];
        await adapter.log().read({
          topic,
          ranges: before,
          signal: live(),
          onRecords: async (records) =>
            void values.push(...records.map(({ value }) => text(value))),
        });
        return values;
      };
      await adapter.forget(topic, 2n);
      expect(await read()).toEqual(["3", "4"]);
      expect((await adapter.log().ranges(topic)).get(0)).toEqual({ from: 2n, end: 4n });
      await adapter.forget(topic, 4n);
      expect(await read()).toEqual([]);
    },
  },
  {
    name: "ends with what its reader throws, or why it was told to stop",
    async run(adapter) {
      const topic = await newTopic(adapter);
      await send(adapter, topic, ["1", "2"]);
      const ranges = await adapter.log().ranges(topic);
      const log = adapter.log();
      const broken = async () => {
        throw new TypeError("broken");
      };
      const stop = new AbortController();
      const stopped = async () => stop.abort(new Error("enough"));
      await expect(log.read({ topic, ranges, signal: live(), onRecords: broken })).rejects.toThrow(
        "broken",
      );
      await expect(
        log.read({ topic, ranges, signal: stop.signal, onRecords: stopped }),
      ).rejects.toThrow("enough");
    },
  },
  {
    name: "is not noticed by a group that reads the topic",
    async run(adapter) {
      const topic = await newTopic(adapter);
      const group = newGroup();
      await using follower = follow(adapter, { group, topics: [topic] });
      await send(adapter, topic, ["1", "2"]);
      const committed = async () => [...(await adapter.log().committed(group, topic))];
      await eventually(async () => expect(await committed()).toEqual([[0, 2n]]));

      expect(await readAll(adapter, topic)).toHaveLength(2);

      expect(await committed()).toEqual([[0, 2n]]);
      await send(adapter, topic, ["3"]);
      await eventually(() => expect(follower.values()).toEqual(["1", "2", "3"]));
    },
  },
  {
    name: "leaves no group behind",
    needs: "groups",
    async run(adapter) {
      const topic = await newTopic(adapter);
      await send(adapter, topic, ["1"]);
      const before = await adapter.groups();
      expect(await readAll(adapter, topic)).toHaveLength(1);
      // Other tests read at the same time: their groups are new, too, but do not stay either.
      const made = (await adapter.groups()).filter(
        (group) => group.includes(".read-") && !before.includes(group),
      );
      await eventually(async () => {
        const now = await adapter.groups();
        expect(made.filter((group) => now.includes(group))).toEqual([]);
      });
    },
  },
];
