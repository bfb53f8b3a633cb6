// Reads a whole topic, and counts how often each key is in it.
import type { OpenGround } from "./ground.ts";
import { plainClient } from "./plain-client.ts";

/** What was appended until now. The group that reads it is used for nothing else. */
export async function keysOfTopic({ address, topic }: OpenGround): Promise<Map<string, number>> {
  const client = plainClient(address.brokers);
  const admin = client.admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  const total = offsets.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
  const keys = new Map<string, number>();
  if (total === 0) return keys;
  const consumer = client.consumer({ groupId: `${address.namespace}.oracle` });
  const { promise: all, resolve } = Promise.withResolvers<void>();
  let read = 0;
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }) => {
      const key = String(message.key);
      keys.set(key, (keys.get(key) ?? 0) + 1);
      read += 1;
      if (read >= total) resolve();
    },
  });
  await all;
  await consumer.disconnect();
  return keys;
}
