// Tries cases: each over each way, many at a time; then looks whether those that were refused stored anything.
import { setTimeout as pause } from "node:timers/promises";
import { complaint, inWords, type Case } from "./judge.ts";
import { changesOf, type Rows } from "./rows.ts";
import { overGrpc, WAYS, type Told, type Way } from "./send.ts";

const AT_A_TIME = 12;
/** The gateway lets so many requests through in a second; who is over it comes again. */
const LIMITED_PAUSE_MS = 300;
const LIMITED_TRIES = 20;

interface Planned {
  readonly one: Case;
  readonly way: Way;
}

export interface Tried extends Planned {
  readonly told: Told;
}

export interface Outcome {
  readonly tried: readonly Tried[];
  readonly complaints: readonly string[];
}

export async function tryOver(one: Case, way: Way): Promise<Told | undefined> {
  for (let tries = 0; ; tries += 1) {
    const told = await (one.bytes === undefined
      ? WAYS[way](one.target, one.text)
      : overGrpc(one.target, one.bytes));
    const limited =
      told?.code === "resource_exhausted" && told.text.includes("requests in a second");
    if (!limited || tries === LIMITED_TRIES) return told;
    await pause(LIMITED_PAUSE_MS);
  }
}

const ALL_WAYS = Object.keys(WAYS) as Way[];

/** Each case over each way. */
export const everyWay = (cases: readonly Case[]): Planned[] =>
  cases.flatMap((one) =>
    one.bytes ? [{ one, way: "gRPC" }] : ALL_WAYS.map((way) => ({ one, way })),
  );

/** Each case over one way, the ways in turn: each field has some of its values tried over each. */
export const inTurn = (cases: readonly Case[]): Planned[] =>
  cases.map((one, index) => ({
    one,
    way: (one.bytes ? undefined : ALL_WAYS[index % ALL_WAYS.length]) ?? "gRPC",
  }));

export async function tryAll(all: readonly Planned[]): Promise<Outcome> {
  const tried: Tried[] = [];
  const complaints: string[] = [];
  await atOnce(all, async ({ one, way }) => {
    try {
      const told = await tryOver(one, way);
      if (told === undefined) return;
      tried.push({ one, way, told });
      const why = complaint(one, way, told);
      if (why !== undefined) complaints.push(inWords(one, way, told, why));
    } catch (error) {
      complaints.push(inWords(one, way, undefined, String(error)));
    }
  });
  return { tried, complaints };
}

/** Sends once more what was refused: what it stored, by halves down to the request that did it. */
export async function storedBy(rows: Rows, refused: readonly Tried[]): Promise<string[]> {
  const before = await rows.atRest();
  await atOnce(refused, ({ one, way }) => tryOver(one, way));
  const changes = changesOf(before, await rows.atRest());
  if (changes.length === 0) return [];
  const [only, ...others] = refused;
  if (only === undefined) return [];
  if (others.length === 0)
    return [inWords(only.one, only.way, only.told, `refused, and stored ${changes.join(", ")}`)];
  const middle = Math.ceil(refused.length / 2);
  // Where neither half does it again, it was somebody else's doing.
  return [
    ...(await storedBy(rows, refused.slice(0, middle))),
    ...(await storedBy(rows, refused.slice(middle))),
  ];
}

async function atOnce<T>(all: readonly T[], work: (one: T) => Promise<unknown>): Promise<void> {
  const left = all.values();
  const worker = async () => {
    for (const one of left) await work(one);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
}
