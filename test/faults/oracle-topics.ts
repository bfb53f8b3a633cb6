// The oracle's view of the topics: every event of the history once or more, in its order, and taken by every consumer.
import type { Facts, Findings, TopicRecord } from "./facts.ts";

export function judgeTopics(facts: Facts, found: Findings): void {
  const byKey = Map.groupBy(eventsOf(facts), ({ topic, key }) => `${topic} ${key}`);
  for (const { topic, key, last } of facts.history) {
    const name = `${topic} ${key}`;
    judgeKey(name, last, byKey.get(name) ?? [], found);
    byKey.delete(name);
  }
  for (const [name, records] of byKey) {
    found.wrong.push(`${name}: ${records.length} records of a key that no database knows`);
  }
}

/** Undefined order between partitions; so a key that is in two of them has no order at all. */
function judgeKey(
  name: string,
  last: number,
  records: readonly TopicRecord[],
  found: Findings,
): void {
  const firsts = firstDeliveries(records);
  found.redelivered += records.length - firsts.length;
  const partitions = new Set(records.map(({ partition }) => partition));
  if (partitions.size > 1)
    found.wrong.push(`${name}: its records are in the partitions ${[...partitions].join(", ")}`);
  const there = new Set<number>();
  let highest = 0;
  for (const record of firsts) {
    const at = `${name} seq ${record.seq} of ${last} (${record.type}, ${placeOf(record)})`;
    if (there.has(record.seq)) found.wrong.push(`${at}: another event has this sequence`);
    else if (record.seq < highest) found.reordered.push(`${at}: came first after seq ${highest}`);
    if (record.seq > last) found.wrong.push(`${at}: no database knows it`);
    there.add(record.seq);
    highest = Math.max(highest, record.seq);
  }
  for (let seq = 1; seq <= last; seq += 1) {
    if (!there.has(seq)) found.lost.push(`${name} seq ${seq} of ${last}: not on the topic`);
  }
}

/** Every event of its topics is in the inbox of a consumer, and nothing else is. */
export function judgeInboxes(facts: Facts, found: Findings): void {
  const events = eventsOf(facts);
  for (const { consumer, topics, taken } of facts.consumers) {
    const inbox = new Set(taken);
    if (inbox.size < taken.length)
      found.doubled.push(`${consumer}: ${taken.length - inbox.size} events are in its inbox twice`);
    const onTopics = firstDeliveries(events.filter(({ topic }) => topics.includes(topic)));
    for (const record of onTopics) {
      if (inbox.delete(record.eventId)) continue;
      found.lost.push(
        `${record.topic} ${record.key} seq ${record.seq} (${placeOf(record)}): not taken by ${consumer}`,
      );
    }
    for (const eventId of inbox)
      found.wrong.push(`${consumer}: it took the event ${eventId}, which is on no topic`);
  }
}

/** Each event where it was delivered for the first time. */
export function firstDeliveries(records: readonly TopicRecord[]): TopicRecord[] {
  const seen = new Set<string>();
  return records.filter(({ eventId }) => !seen.has(eventId) && seen.add(eventId));
}

export const eventsOf = (facts: Facts): TopicRecord[] =>
  facts.records.filter(({ eventId }) => eventId !== "");

const placeOf = ({ partition, offset }: TopicRecord): string =>
  `partition ${partition}, offset ${offset}`;
