// Before a fault begins there is a calm: what a topic gets twice then, it gets twice because two relays send the same.
import { eventually } from "../harness/eventually.ts";
import type { TopicRecord } from "./facts.ts";

/** Enough that two relays would have met. */
const CALM_RECORDS = 100;
const CALM_WITHIN_MS = 30_000;

/** The next offset, by topic and partition. */
export type Ends = ReadonlyMap<string, number>;

export const placeOf = (topic: string, partition: number): string => `${topic}/${partition}`;

/** Waits until so many records came that a calm says something; where the topics end then. */
export const untilCalmIsLong = (from: Ends, ends: () => Promise<Ends>): Promise<Ends> =>
  eventually(
    async () => {
      const now = await ends();
      const grown = total(now) - total(from);
      if (grown < CALM_RECORDS) throw new Error(`only ${grown} records came before the fault`);
      return now;
    },
    { withinMs: CALM_WITHIN_MS },
  );

const total = (ends: Ends): number => [...ends.values()].reduce((sum, end) => sum + end, 0);

/** The records between the two moments that their topic had before. */
export function twiceInCalm(records: readonly TopicRecord[], from: Ends, to: Ends): string[] {
  const seen = new Set<string>();
  const found: string[] = [];
  for (const { topic, partition, offset, key, eventId, seq } of records) {
    const place = placeOf(topic, partition);
    const inCalm = offset >= (from.get(place) ?? 0) && offset < (to.get(place) ?? 0);
    if (inCalm && seen.has(`${topic} ${eventId}`))
      found.push(
        `${topic} ${key} seq ${seq}: sent again at ${place} offset ${offset}, in the calm`,
      );
    seen.add(`${topic} ${eventId}`);
  }
  return found;
}
