// F3: a process with a relay and a consumer is frozen for longer than its lease and its session, and wakes as a zombie.
import { setTimeout as pause } from "node:timers/promises";
import type { Store } from "../../dev/backends/databases.ts";
import { eventually } from "../harness/eventually.ts";
import { secondsUntilItServes } from "./f1-kill-services.ts";
import type { Fault } from "./fault.ts";
import { groupsOf } from "./groups.ts";
import type { Replica } from "./replicas.ts";
import type { Rig } from "./rig.ts";
import { underLoad } from "./under-load.ts";

/** Twice the lease of a shard and twice the session of a group member, which are 6 s each. */
const FROZEN_MS = 12_000;
const LONGER_MS = 3_000;
const TAKEOVER_AIM_S = 7;
const TAKEOVER_WITHIN_MS = 60_000;
const REST_MS = 1_000;
const SHARDS = 16;
const FROZEN: readonly Store[] = ["order", "payment", "notification"];

export const freeze: Fault = {
  id: "F3",
  title: "SIGSTOP a relay and consumer for 2 leases, then CONT",
  run: (rig, o) =>
    underLoad(rig, o, async ({ left }) => {
      const chance = o.random.branch("victims");
      const relays: number[] = [];
      const members: number[] = [];
      do {
        const service = chance.pick(FROZEN);
        const victim = chance.pick(rig.replicas.filter((each) => each.service === service));
        await shared(rig, service);
        o.say(`${victim.name} is frozen`);
        const taken = await frozen(victim, FROZEN_MS + chance.between(0, LONGER_MS), () =>
          Promise.all([secondsUntilOneRelay(rig, service), secondsUntilOneMember(rig, service)]),
        );
        relays.push(taken[0]);
        if (taken[1] !== undefined) members.push(taken[1]);
        o.say(`${victim.name} wakes; its shards were taken after ${taken[0].toFixed(1)} s`);
        await secondsUntilItServes(victim);
        await pause(REST_MS);
      } while (left() > FROZEN_MS);
      const aim = TAKEOVER_AIM_S;
      return {
        injected: `${relays.length} freezes`,
        measured: [
          { what: "slowest takeover of the shards", value: Math.max(...relays), unit: "s", aim },
          { what: "slowest takeover of the partitions", value: Math.max(0, ...members), unit: "s" },
        ],
      };
    }),
};

/** Wakes it after so many milliseconds, or when what is watched meanwhile has ended, whichever is later. */
async function frozen<T>(victim: Replica, ms: number, watched: () => Promise<T>): Promise<T> {
  await victim.signal("SIGSTOP");
  try {
    const [result] = await Promise.all([watched(), pause(ms)]);
    return result;
  } finally {
    await victim.signal("SIGCONT");
  }
}

/** How many relays hold leases that are not over, and how many leases they are. */
async function leases({ databases }: Rig, service: Store) {
  const text = `select count(distinct owner)::int as owners, count(*)::int as shards
    from outbox_shard where lease_until > now()`;
  const [row] = await databases.ask<{ owners: number; shards: number }>(service, text);
  return row ?? { owners: 0, shards: 0 };
}

/** Before a freeze both replicas have to have their share, or nothing would be taken over. */
async function shared(rig: Rig, service: Store): Promise<void> {
  await eventually(
    async () => {
      const { owners } = await leases(rig, service);
      if (owners !== 2) throw new Error(`${owners} relays of ${service} hold leases`);
      const members = await membersOf(rig, service);
      if ((members ?? 2) !== 2)
        throw new Error(`${members} members are in the group of ${service}`);
    },
    { withinMs: TAKEOVER_WITHIN_MS },
  );
}

function secondsUntilOneRelay(rig: Rig, service: Store): Promise<number> {
  return secondsUntil(async () => {
    const { owners, shards } = await leases(rig, service);
    if (owners !== 1 || shards !== SHARDS)
      throw new Error(`${owners} relays hold ${shards} shards of ${service}`);
  });
}

/** Undefined where the service reads no events. */
async function secondsUntilOneMember(rig: Rig, service: Store): Promise<number | undefined> {
  if ((await membersOf(rig, service)) === undefined) return undefined;
  return await secondsUntil(async () => {
    const members = await membersOf(rig, service);
    if (members !== 1) throw new Error(`${members} members are in the group of ${service}`);
  });
}

/** Members of a group that has dealt its partitions; undefined where the service has no group. */
async function membersOf({ direct, place }: Rig, service: Store): Promise<number | undefined> {
  const group = groupsOf(place.namespace).find(({ consumer }) => consumer === service)?.group;
  if (group === undefined) return undefined;
  const { groups } = await direct.admin((admin) => admin.describeGroups([group]));
  return groups[0]?.state === "Stable" ? groups[0].members.length : 0;
}

async function secondsUntil(look: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await eventually(look, { withinMs: TAKEOVER_WITHIN_MS });
  return (performance.now() - began) / 1000;
}
