// The benchmark of an order, part after part: each begins when nothing of the one before is left to do.
import type { Say } from "../dev/backends/problem.ts";
import { type Arena, mustBeTheSame, openArena } from "./arena.ts";
import { type Conditions, conditionsOf } from "./conditions.ts";
import { watchOthers } from "./cpu.ts";
import { type DatabaseLimit, measureLimit } from "./database-limit.ts";
import { type LoadResult, sendLoad } from "./load.ts";
import type { BenchOptions } from "./options.ts";
import { FULL, type OrderPart, QUICK } from "./orders-sizes.ts";
import { measurePaid, type PaidResult } from "./paid.ts";
import { openPlace } from "./place.ts";
import { type ProfileResult, takeProfiles } from "./profiling.ts";
import { measureTold, type ToldResult } from "./told.ts";

const CONNECTIONS = [1, 8, 32, 64] as const;
const WARM_UP_CONNECTIONS = 8;
/** What is set so that the figures mean something, in words. */
const SETTINGS = [
  "each order: 2 lines, pm_card_visa confirmed at once, 2 mails, no SMS; 100 customers in turn",
  "the sandbox of the providers answers without a delay of its own",
  "the gateway's rate limits raised out of the way; log level info, written to files",
];

export interface OrdersResult {
  readonly conditions: Conditions;
  /** The share of all cores that other programs used during each part: the figures are worth what it is small. */
  readonly others?: readonly (readonly [part: string, share: number | undefined])[];
  readonly limit?: DatabaseLimit;
  readonly post?: readonly LoadResult[];
  readonly paid?: PaidResult;
  readonly told?: ToldResult;
  readonly profile?: ProfileResult;
}

/** `home`: an empty folder for all that it needs. */
export async function runOrders(
  options: BenchOptions<OrderPart>,
  home: string,
  say: Say,
): Promise<OrdersResult> {
  const { parts, quick } = options;
  const sizes = quick ? QUICK : FULL;
  await using place = await openPlace(home, say);
  const conditions = await conditionsOf(place, quick, SETTINGS);
  let limit: DatabaseLimit | undefined;
  if (parts.has("limit")) {
    say(`the database's limit: 6 runs of ${sizes.limitSeconds} s`);
    limit = await measureLimit(place, sizes.limitSeconds);
  }
  const result = { conditions, ...(limit && { limit }) };
  if ([...parts].every((part) => part === "limit")) return result;

  await using arena = await openArena(place, say);
  return { ...result, ...(await measureStack(arena, options, say)) };
}

async function measureStack(
  arena: Arena,
  { parts, quick, profiles }: BenchOptions<OrderPart>,
  say: Say,
): Promise<Omit<OrdersResult, "conditions" | "limit">> {
  const sizes = quick ? QUICK : FULL;
  const others: [string, number | undefined][] = [];
  const measured = async <T>(name: string, part: () => Promise<T>): Promise<T> => {
    const rest = watchOthers(arena.counted);
    const result = await quietly(arena, part);
    others.push([name, rest()]);
    return result;
  };
  say(`warming up with ${sizes.warmUpOrders} orders`);
  await quietly(arena, () => warmUp(arena, sizes.warmUpOrders));

  const post: LoadResult[] = [];
  for (const connections of parts.has("post") ? CONNECTIONS : []) {
    say(`POST /v1/orders, ${connections} connections, ${sizes.postSeconds} s`);
    const load = { ...arena, connections, until: { seconds: sizes.postSeconds } };
    post.push(await measured(`POST at ${connections}`, () => sendLoad(load)));
  }
  let paid: PaidResult | undefined;
  if (parts.has("paid")) {
    say(`POST until PAID, ${sizes.paidSeconds} s`);
    paid = await measured("paid", () => measurePaid(arena, sizes.paidSeconds));
  }
  let told: ToldResult | undefined;
  if (parts.has("told")) {
    say(`${sizes.toldOrders} orders until PAID and told`);
    told = await measured("told", () => measureTold(arena, sizes.toldOrders));
  }
  let profile: ProfileResult | undefined;
  if (parts.has("profile")) {
    say(`CPU profiles, ${sizes.profileSeconds} s`);
    profile = await measured("profile", () => takeProfiles(arena, sizes.profileSeconds, profiles));
  }
  return {
    others,
    ...(post.length > 0 && { post }),
    ...(paid && { paid }),
    ...(told && { told }),
    ...(profile && { profile }),
  };
}

/** Runs a part and waits until all that it set going has come to its end. */
async function quietly<T>(arena: Arena, part: () => Promise<T>): Promise<T> {
  const since = new Date();
  const result = await part();
  await arena.watch.quiet(since);
  mustBeTheSame(arena);
  return result;
}

async function warmUp(arena: Arena, orders: number): Promise<void> {
  const load = { ...arena, connections: WARM_UP_CONNECTIONS, until: { orders } };
  const { accepted, refused } = await sendLoad(load);
  if (accepted === 0) throw new Error(`No order was accepted: ${JSON.stringify(refused)}`);
}
