// npm run fuzz: requests by chance against a stack of its own, until the time is over.
import { parseArgs } from "node:util";
import fc from "fast-check";
import { findBackends } from "../../dev/backends/find.ts";
import { SetupProblem } from "../../dev/backends/problem.ts";
import { endEverything } from "../../dev/process/reaper-link.ts";
import { openFolder, openStack } from "../harness/stack.ts";
import type { Place } from "../harness/place.ts";
import { casesOf } from "./cases.ts";
import { complaint, inWords } from "./judge.ts";
import { caseWith, wrongsOf } from "./random.ts";
import { changesOf, openRows, type Rows } from "./rows.ts";
import { everyWay, storedBy, tryAll, tryOver } from "./run.ts";
import { closeGrpc, WAYS, type Way } from "./send.ts";
import { openTargets, type Target } from "./targets.ts";

const USAGE = `npm run fuzz -- [--seconds N] [--seed N]
  --seconds  of requests by chance, after those of every field's known wrong values (60)
  --seed     of a run that is to be repeated; else a new one is drawn and printed`;
const INTERRUPTED = 130;
const SEED_LIMIT = 2 ** 31;
/** How long one RPC is tried before the next one's turn, in seconds; then its orders and payments are new ones. */
const TURN_SECONDS = 3;
/** What somebody else does to the rows at the same moment does not happen so often in a row. */
const LOOKS = 4;
/** With one of these the services would speak to the real providers. */
const PROVIDER_KEYS = ["STRIPE_SECRET_KEY", "RESEND_API_KEY", "TWILIO_AUTH_TOKEN"];

class UsageError extends Error {}

interface Score {
  passed: number;
  failed: number;
}

const say = (line: string): void => console.error(line);

function readOptions(args: readonly string[]) {
  const text = { type: "string" } as const;
  try {
    const { values } = parseArgs({ args: [...args], options: { seconds: text, seed: text } });
    return {
      seconds: wholeNumber("seconds", values.seconds, 60),
      seed: wholeNumber("seed", values.seed, Math.floor(Math.random() * SEED_LIMIT)),
    };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function wholeNumber(name: string, text: string | undefined, fallback: number): number {
  const value = text === undefined ? fallback : Number(text);
  if (Number.isInteger(value) && value >= 0) return value;
  throw new UsageError(`--${name} is "${text}": it must be a whole number from 0.`);
}

/** Every known wrong value of every field, as `npm test` has them. */
async function tryKnown(place: Place, rows: Rows, score: Score): Promise<void> {
  for (const target of await openTargets(place)) {
    const { tried, complaints } = await tryAll(everyWay(casesOf(target)));
    const refused = tried.filter(({ told }) => told.code === "invalid_argument");
    const stored = await storedBy(rows, refused);
    for (const line of [...complaints, ...stored]) say(line);
    score.failed += complaints.length + stored.length;
    score.passed += tried.length - complaints.length;
    say(`${target.method.name}: ${tried.length} requests with known wrong values`);
  }
}

/** One RPC's turn. The smallest failing request is told. */
async function tryRandom(target: Target, rows: Rows, seed: number, score: Score): Promise<void> {
  const property = fc.asyncProperty(wrongsOf(target), async (wrongs) => {
    for (const way of Object.keys(WAYS) as Way[]) {
      await mustBeAnswered(target, wrongs, { way, rows });
      score.passed += 1;
    }
  });
  const result = await fc.check(property, {
    seed,
    numRuns: 1_000_000,
    interruptAfterTimeLimit: TURN_SECONDS * 1000,
  });
  if (!result.failed || result.counterexample === null) return;
  score.failed += 1;
  const why = result.errorInstance instanceof Error ? result.errorInstance.message : "";
  say(`seed ${seed}, the smallest failing request:\n${why}`);
}

async function mustBeAnswered(
  target: Target,
  wrongs: Parameters<typeof caseWith>[1],
  { way, rows }: { readonly way: Way; readonly rows: Rows },
): Promise<void> {
  const one = caseWith(target, wrongs);
  for (let look = 1; ; look += 1) {
    const before = await rows.count();
    const told = await tryOver(one, way);
    if (told === undefined) return;
    const why = complaint(one, way, told);
    if (why !== undefined) throw new Error(inWords(one, way, told, why));
    if (told.code !== "invalid_argument") return;
    const changes = changesOf(before, await rows.count());
    if (changes.length === 0) return;
    if (look === LOOKS)
      throw new Error(inWords(one, way, told, `refused, and stored ${changes.join(", ")}`));
    await rows.atRest();
  }
}

async function fuzz(o: { readonly seconds: number; readonly seed: number }): Promise<Score> {
  const score: Score = { passed: 0, failed: 0 };
  await using parts = new AsyncDisposableStack();
  const folder = parts.use(openFolder());
  const found = parts.use(await findBackends({ home: folder.path, say, copyUnreachable: true }));
  const { postgres, kafka } = found;
  const areGiven = postgres.kind === "given" || kafka.kind === "given";
  const servers = { postgresUrl: postgres.url, brokers: [...kafka.brokers], areGiven };
  const { place } = parts.use(await openStack(servers));
  const rows = parts.use(await openRows(place));
  parts.defer(closeGrpc);
  await tryKnown(place, rows, score);
  const until = performance.now() + o.seconds * 1000;
  for (let turn = 0; performance.now() < until;) {
    for (const target of await openTargets(place)) {
      if (performance.now() >= until) break;
      await tryRandom(target, rows, (o.seed + turn) % SEED_LIMIT, score);
      turn += 1;
    }
    say(`${score.passed} passed so far, ${score.failed} failed`);
  }
  return score;
}

/** Resolves when somebody wants it to end before it is done. */
const interrupted = (): Promise<undefined> =>
  new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      process.on(signal, () => resolve(undefined));
  });

try {
  const options = readOptions(process.argv.slice(2));
  for (const key of PROVIDER_KEYS) Reflect.deleteProperty(process.env, key);
  for (const limit of ["RATE_LIMIT_PER_PRINCIPAL", "RATE_LIMIT_PER_ADDRESS"])
    process.env[limit] = "1000000";
  console.log(`seed ${options.seed}`);
  const running = fuzz(options);
  const score = await Promise.race([running, interrupted()]);
  if (score === undefined) {
    running.catch(() => undefined); // that it fails now is nobody's concern
    await endEverything();
    process.exit(INTERRUPTED);
  }
  console.log(`seed ${options.seed}`);
  console.log(`fuzz: ${score.passed} passed, ${score.failed} failed`);
  process.exit(score.failed === 0 && score.passed > 0 ? 0 : 1);
} catch (error) {
  if (error instanceof UsageError) console.error(`${error.message}\n\n${USAGE}`);
  else console.error(error instanceof SetupProblem ? `\n${error.message}` : error);
  process.exit(1);
}
