// Watches, all through a run, that no group's committed offset is ever ahead of what its consumer has done.
import { setTimeout as pause } from "node:timers/promises";
import type { Admin } from "kafkajs";
import { groupsOf, type Group } from "./groups.ts";
import type { Rig } from "./rig.ts";

const LOOK_EVERY_MS = 200;

export interface OffsetWatch {
  /** How many times it saw all committed offsets with all that lies below them. */
  readonly looks: number;
  /** Ends the watch; what it found, each with its place. */
  stop(): Promise<readonly string[]>;
}

/**
 * The offsets are read first, then the inbox: what was committed to the inbox meanwhile can hide an offset that ran
 * ahead by a few milliseconds, but no offset can look as if it ran ahead that did not. A look that fails, because a
 * server is away, leaves everything to the next one.
 */
export function watchOffsets(rig: Rig): OffsetWatch {
  const groups = groupsOf(rig.place.namespace);
  /** By group, topic and partition: below this offset everything was found in the inbox. */
  const verified = new Map<string, number>();
  const found: string[] = [];
  let looks = 0;
  let stopped = false;

  const lookAt = async (admin: Admin, group: Group): Promise<void> => {
    const topics = [...group.topics];
    const committed = await admin.fetchOffsets({ groupId: group.group, topics });
    for (const { topic, partitions } of committed) {
      for (const { partition, offset } of partitions)
        await verify(
          rig,
          group,
          { topic, partition, end: Math.max(0, Number(offset)) },
          { verified, found },
        ); // -1: none yet
    }
  };
  const watch = async (): Promise<void> => {
    while (!stopped) {
      await rig.direct
        .admin(async (admin) => {
          while (!stopped) {
            for (const group of groups) await lookAt(admin, group);
            looks += 1;
            await pause(LOOK_EVERY_MS);
          }
        })
        .catch(() => undefined); // a server is away: the next look sees the same and more
      await pause(LOOK_EVERY_MS);
    }
  };
  const done = watch();
  return {
    get looks() {
      return looks;
    },
    stop: async () => {
      stopped = true;
      await done;
      return found;
    },
  };
}

async function verify(
  rig: Rig,
  group: Group,
  at: { readonly topic: string; readonly partition: number; readonly end: number },
  { verified, found }: { verified: Map<string, number>; found: string[] },
): Promise<void> {
  const name = `${group.group} ${at.topic}/${at.partition}`;
  const start = verified.get(name) ?? 0;
  const records = rig.topics.partition(at.topic, at.partition).slice(start, at.end);
  // What the reader of the suite has not read yet is looked at the next time.
  const gap = records.findIndex((record) => record === undefined);
  const below = (gap === -1 ? records : records.slice(0, gap)).filter(
    (record) => record !== undefined,
  );
  if (below.length === 0) return;
  const ids = below.map(({ eventId }) => eventId).filter((id) => id !== "");
  const rows = await rig.databases.ask<{ id: string }>(
    group.consumer,
    `select id from unnest($1::uuid[]) as id
     where not exists (select from inbox where consumer = $2 and event_id = id)`,
    [ids, group.consumer],
  );
  verified.set(name, start + below.length);
  const missing = new Set(rows.map(({ id }) => id));
  for (const { eventId, key, seq, offset } of below) {
    if (missing.has(eventId))
      found.push(
        `${name}: the committed offset ${at.end} is ahead of offset ${offset} (${key} seq ${seq}), which is not in the inbox`,
      );
  }
}
