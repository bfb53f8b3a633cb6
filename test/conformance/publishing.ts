// The conformance of a producer: what it sends is there, as it was, or the sender is told.
import { expect } from "vitest";
import { RecordsRefusedError } from "../../src/platform/events/ports.ts";
import type { Case } from "./adapter.ts";
import { bytes, live, newTopic, readAll, record, send, sorted, text } from "./follow.ts";

const RECORD_BYTES = 1_000_000;
const TOO_LARGE_BYTES = 1_100_000;

export const publishing: readonly Case[] = [
  {
    name: "stores key, value and headers byte for byte, also what is no text",
    async run(adapter) {
      const topic = await newTopic(adapter);
      const all = Uint8Array.from({ length: 256 }, (_, index) => index);
      const reversed = [...all].toReversed();
      const headers = new Map([
        ["any", all],
        ["broken-utf-8", Uint8Array.of(0xc3, 0x28, 0xff)],
        ["empty", new Uint8Array()],
        ["7", bytes("a name that looks like a number")],
      ]);

      await adapter
        .producer()
        .send([{ topic, key: all, value: Uint8Array.from(reversed), headers }], { signal: live() });

      const [stored] = await readAll(adapter, topic);
      expect([...(stored?.key ?? [])]).toEqual([...all]);
      expect([...(stored?.value ?? [])]).toEqual(reversed);
      const content = (map: ReadonlyMap<string, Uint8Array> | undefined) =>
        Object.fromEntries([...(map ?? [])].map(([name, value]) => [name, [...value]]));
      expect(content(stored?.headers)).toEqual(content(headers));
    },
  },
  {
    name: "stores an empty value as an empty value, which is no tombstone",
    async run(adapter) {
      const topic = await newTopic(adapter);
      await send(adapter, topic, [""]);
      await adapter.write(topic, { key: bytes("k"), value: null });
      const records = await readAll(adapter, topic);
      expect(records.map(({ value }) => value && value.byteLength)).toEqual([0, null]);
    },
  },
  {
    name: "keeps the order of a key, over many sends and partitions",
    async run(adapter) {
      const topic = await newTopic(adapter, 6);
      const producer = adapter.producer();
      const keys = Array.from({ length: 12 }, (_, index) => `key-${index}`);
      for (let step = 0; step < 20; step += 2) {
        const batch = keys.flatMap((key) =>
          [step, step + 1].map((n) => record(topic, key, `${n}`)),
        );
        await producer.send(batch, { signal: live() });
      }
      const stored = Map.groupBy(await readAll(adapter, topic), ({ key }) => text(key));
      for (const key of keys) {
        const records = stored.get(key) ?? [];
        expect(records.map(({ value }) => Number(text(value)))).toEqual([...Array(20).keys()]);
        expect(new Set(records.map(({ partition }) => partition)).size).toBe(1);
      }
    },
  },
  {
    name: "stores what many send at the same time",
    async run(adapter) {
      const topic = await newTopic(adapter, 3);
      const [one, other] = [adapter.producer(), adapter.producer()];
      const names = Array.from({ length: 60 }, (_, index) => `${index}`);
      await Promise.all(
        names.map((name) => {
          const producer = Number(name) % 2 === 0 ? one : other;
          return producer.send([record(topic, name, name)], { signal: live() });
        }),
      );
      const values = (await readAll(adapter, topic)).map(({ value }) => text(value));
      expect(sorted(values)).toEqual(sorted(names));
    },
  },
  {
    name: "sends to many topics at once",
    async run(adapter) {
      const topics = await Promise.all([1, 2, 3].map(() => newTopic(adapter)));
      const records = topics.flatMap((topic) => ["1", "2"].map((n) => record(topic, "k", n)));
      await adapter.producer().send(records, { signal: live() });
      for (const topic of topics) {
        const values = (await readAll(adapter, topic)).map(({ value }) => text(value));
        expect(values).toEqual(["1", "2"]);
      }
    },
  },
  {
    name: "takes a record of a megabyte, and says that a larger one is refused",
    async run(adapter) {
      const topic = await newTopic(adapter);
      const producer = adapter.producer();
      const large = { ...record(topic, "k", ""), value: new Uint8Array(RECORD_BYTES).fill(7) };
      const tooLarge = { ...large, value: new Uint8Array(TOO_LARGE_BYTES) };
      await producer.send([large], { signal: live() });

      await expect(producer.send([tooLarge], { signal: live() })).rejects.toMatchObject({
        name: RecordsRefusedError.name,
        kind: "malformed",
      });
      await expect(producer.send([large, large], { signal: live() })).rejects.toMatchObject({
        name: RecordsRefusedError.name,
        kind: "malformed",
      });

      await producer.send([record(topic, "k", "and goes on")], { signal: live() });
      const records = await readAll(adapter, topic);
      expect(records.map(({ value }) => value?.byteLength)).toEqual([RECORD_BYTES, 11]);
    },
  },
  {
    name: "says that a topic is not there, and goes on with others",
    async run(adapter) {
      const topic = await newTopic(adapter);
      const producer = adapter.producer();
      await expect(
        producer.send([record(`${topic}-missing`, "k", "1")], { signal: live() }),
      ).rejects.toMatchObject({ name: RecordsRefusedError.name, kind: "unknown_topic" });
      await producer.send([record(topic, "k", "2")], { signal: live() });
      expect((await readAll(adapter, topic)).map(({ value }) => text(value))).toEqual(["2"]);
    },
  },
  {
    name: "begins nothing for a caller that has given up, and nothing for no records",
    async run(adapter) {
      const topic = await newTopic(adapter);
      const producer = adapter.producer();
      const gone = AbortSignal.abort(new Error("gone"));
      await expect(producer.send([record(topic, "k", "1")], { signal: gone })).rejects.toThrow(
        "gone",
      );
      await producer.send([], { signal: live() });
      expect(await readAll(adapter, topic)).toEqual([]);
    },
  },
];
