// Topics that are not there: they are tried now and then, without holding up the events of the others.

const RETRY_MS = 5_000;
/** A topic that did not appear within this will not: its events are parked. */
const GRACE_MS = 60_000;

export interface TopicRests {
  /** The topics that are left alone for now. */
  resting(): string[];
  /** The topic was not there. True: leave it alone for a while; false: it had its time. */
  mayAppear(topic: string): boolean;
  /** The topic took events. */
  taken(topic: string): void;
}

export function createTopicRests(clock: () => number = () => performance.now()): TopicRests {
  const missing = new Map<string, { readonly since: number; readonly until: number }>();
  return {
    resting: () => [...missing].filter(([, { until }]) => until > clock()).map(([topic]) => topic),
    mayAppear(topic) {
      const now = clock();
      const since = missing.get(topic)?.since ?? now;
      if (now - since >= GRACE_MS) return false;
      missing.set(topic, { since, until: now + RETRY_MS });
      return true;
    },
    taken: (topic) => void missing.delete(topic),
  };
}
