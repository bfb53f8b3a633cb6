// How many records a second the client library reads when nobody does anything with them: no consumer can be faster.
import { plainClient } from "./plain-client.ts";
import type { Place } from "../place.ts";
import type { OpenGround } from "./ground.ts";
import { type Rate, startMeter } from "./meter.ts";

/** From the beginning of the topic, in a group of its own. */
export async function measureReadLimit(
  place: Place,
  { address, topic }: OpenGround,
  records: number,
): Promise<Rate> {
  const consumer = plainClient(address.brokers).consumer({ groupId: `${address.namespace}.limit` });
  const { promise: all, resolve } = Promise.withResolvers<void>();
  let rate: ReturnType<typeof startMeter> | undefined;
  let read = 0;
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      partitionsConsumedConcurrently: 8,
      eachBatch: async ({ batch }) => {
        rate ??= startMeter(place); // joining the group is not reading
        read += batch.messages.length;
        if (read >= records) resolve();
      },
    });
    await all;
    return (rate ?? startMeter(place))(read);
  } finally {
    await consumer.disconnect();
  }
}
