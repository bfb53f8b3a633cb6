// The conformance of an adapter whose broker answers late, never, or is gone for a while.
import { expect } from "vitest";
import { RecordsRefusedError } from "../../src/platform/events/ports.ts";
import { eventually } from "../harness/eventually.ts";
import type { Case } from "./adapter.ts";
import {
  commitAll,
  follow,
  live,
  newGroup,
  newTopic,
  readAll,
  record,
  send,
  text,
} from "./follow.ts";

export const failing: readonly Case[] = [
  {
    name: "does not answer, a send is unknown, neither done nor refused, and can be sent again",
    async run(adapter) {
      const topic = await newTopic(adapter);
      const producer = adapter.producer();
      await producer.send([record(topic, "k", "1")], { signal: live() });
      const answerAgain = await adapter.loseAnswers();
      const outcome = await producer.send([record(topic, "k", "2")], { signal: live() }).then(
        () => "acknowledged",
        (error: unknown) => error,
      );
      await answerAgain();
      expect(outcome).toBeInstanceOf(Error);
      expect(outcome).not.toBeInstanceOf(RecordsRefusedError);

      await eventually(() => producer.send([record(topic, "k", "2")], { signal: live() }));
      await producer.send([record(topic, "k", "3")], { signal: live() });
      const values = (await readAll(adapter, topic)).map(({ value }) => text(value));
      expect(values.filter((value, index) => values.indexOf(value) === index)).toEqual([
        "1",
        "2",
        "3",
      ]);
    },
  },
  {
    name: "is killed and comes back, nothing acknowledged is lost, and all go on",
    needs: "kill",
    async run(adapter) {
      const [topic, beside] = [await newTopic(adapter), await newTopic(adapter)];
      const group = newGroup();
      const producer = adapter.producer();
      const killed = Promise.withResolvers<void>();
      await using follower = follow(adapter, {
        group,
        topics: [topic, beside],
        async onBatch(batch, control) {
          await killed.promise;
          await commitAll(batch, control);
        },
      });
      await producer.send([record(topic, "k", "1")], { signal: live() });
      await eventually(() => expect(follower.values()).toEqual(["1"]));

      const startAgain = await adapter.kill();
      killed.resolve();
      const outcome = producer
        .send([record(beside, "k", "2")], { signal: live() })
        .catch((error: unknown) => error);
      await startAgain();
      expect(await outcome).not.toBeInstanceOf(RecordsRefusedError);

      // Also the commit that met the outage is made up for, though nothing follows that would.
      const committed = async () => [...(await adapter.log().committed(group, topic))];
      await eventually(async () => expect(await committed()).toEqual([[0, 1n]]));
      await eventually(() => producer.send([record(beside, "k", "2")], { signal: live() }));
      await send(adapter, topic, ["3"]);
      await eventually(() => expect(new Set(follower.values())).toEqual(new Set(["1", "2", "3"])));
      const values = (await readAll(adapter, topic)).map(({ value }) => text(value));
      expect(values).toEqual(["1", "3"]);
    },
  },
];
