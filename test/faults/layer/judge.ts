// The oracle of the event layer: compares what happened with what the topic holds and with what the consumers did.

/** Something that was promised not to be. */
export type Wrong =
  /** It happened and its event is not on the topic, or it was not applied. */
  | "lost"
  /** One event has two effects, or one fact two events. */
  | "doubled"
  /** A first delivery, or an effect, out of the order of its key. */
  | "reordered"
  /** An event of something that never happened. */
  | "invented"
  /** Records that are on the topic again, more than the faults account for. */
  | "sent-again"
  /** It did not come to rest. */
  | "restless"
  /** Poison that is not where it should be, or that something overtook. */
  | "not-set-aside"
  /** A process works where it should have refused to. */
  | "started"
  /** Something of a newer contract did not come through. */
  | "not-kept";

export interface Finding {
  readonly wrong: Wrong;
  readonly what: string;
}

export interface Happened {
  readonly key: string;
  readonly nonce: string;
}

/** A record of the topic, in the order of its partition. */
export interface Sent {
  readonly key: string;
  readonly nonce: string;
  readonly eventId: string;
  readonly seq: number;
  readonly partition: number;
}

export interface Effect {
  readonly consumer: string;
  readonly key: string;
  readonly nonce: string;
  readonly eventId: string;
}

export interface Evidence {
  /** In the order in which each key had them. */
  readonly happened: readonly Happened[];
  /** Undefined: the topic is not what is judged. */
  readonly sent: readonly Sent[] | undefined;
  /** In the order in which each key's were done. */
  readonly effects: readonly Effect[];
  readonly consumers: readonly string[];
  /** Whether a fact is one that no consumer is to act on: an operator has skipped it. */
  readonly isSkipped?: (fact: Happened) => boolean;
  /** Records that faults may have put on the topic once more. */
  readonly againAllowed: number;
}

/** Everything that is wrong; nothing when all promises were kept. */
export function judge(e: Evidence): Finding[] {
  const expected = byKey(e.happened);
  const findings = e.sent === undefined ? [] : judgeTopic(expected, e.sent, e.againAllowed);
  const isSkipped = e.isSkipped ?? (() => false);
  const toDo = byKey(e.happened.filter((fact) => !isSkipped(fact)));
  for (const consumer of e.consumers) {
    const mine = e.effects.filter((effect) => effect.consumer === consumer);
    findings.push(...compare(`of ${consumer}`, toDo, byKey(mine)));
  }
  return findings;
}

function judgeTopic(expected: ByKey, sent: readonly Sent[], againAllowed: number): Finding[] {
  const seen = new Set<string>();
  const firsts = sent.filter(({ eventId }) => !seen.has(eventId) && seen.add(eventId));
  const findings = compare("on the topic", expected, byKey(firsts));
  const again = sent.length - firsts.length;
  if (again > againAllowed) {
    const what = `${again} records are on the topic again, ${againAllowed} at most are accounted for`;
    findings.push({ wrong: "sent-again", what });
  }
  findings.push(...sequences(firsts), ...places(sent));
  return findings;
}

type ByKey = ReadonlyMap<string, readonly string[]>;

function byKey(facts: readonly Happened[]): ByKey {
  const map = new Map<string, string[]>();
  for (const { key, nonce } of facts) map.set(key, [...(map.get(key) ?? []), nonce]);
  return map;
}

/** Per key: nothing missing, nothing twice, nothing from nowhere, and the same order. */
function compare(where: string, expected: ByKey, found: ByKey): Finding[] {
  const findings: Finding[] = [];
  for (const key of new Set([...expected.keys(), ...found.keys()])) {
    const wanted = expected.get(key) ?? [];
    const had = found.get(key) ?? [];
    const known = new Set(wanted);
    const once = [...new Set(had)];
    const tell = (wrong: Wrong, nonces: readonly string[]) =>
      findings.push(...nonces.map((nonce) => ({ wrong, what: `${nonce} of ${key} ${where}` })));
    tell(
      "lost",
      wanted.filter((nonce) => !once.includes(nonce)),
    );
    tell(
      "invented",
      once.filter((nonce) => !known.has(nonce)),
    );
    tell(
      "doubled",
      had.filter((nonce, place) => had.indexOf(nonce) !== place),
    );
    const there = wanted.filter((nonce) => once.includes(nonce));
    const order = once.filter((nonce) => known.has(nonce));
    tell(
      "reordered",
      order.filter((nonce, place) => nonce !== there[place]),
    );
  }
  return findings;
}

/** The sequence of a key counts 1, 2, 3 … */
function sequences(firsts: readonly Sent[]): Finding[] {
  const findings: Finding[] = [];
  const last = new Map<string, number>();
  for (const { key, seq } of firsts) {
    const next = (last.get(key) ?? 0) + 1;
    last.set(key, seq);
    if (seq === next) continue;
    const what = `seq ${seq} of ${key} on the topic, where ${next} was due`;
    findings.push({ wrong: seq > next ? "lost" : "reordered", what });
  }
  return findings;
}

/** A key is in one partition: between two there is no order. */
function places(sent: readonly Sent[]): Finding[] {
  const partitions = new Map<string, Set<number>>();
  for (const { key, partition } of sent)
    partitions.set(key, (partitions.get(key) ?? new Set()).add(partition));
  return [...partitions]
    .filter(([, found]) => found.size > 1)
    .map(([key, found]) => ({
      wrong: "reordered" as const,
      what: `${key} is in the partitions ${[...found].join(", ")}`,
    }));
}
