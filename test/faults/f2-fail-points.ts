// F2: processes die on purpose at the seams: after the acknowledge and before the delete, after the effect and before the
// commit, after the commit and before the offset. First the event layer alone, so often that chance has no say; then services.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { openFolder } from "../harness/stack.ts";
import type { Fault, FaultOptions, FaultResult } from "./fault.ts";
import { layerResult, serversOf } from "./layer-result.ts";
import { SEAMS, strikeSeams } from "./layer/seams.ts";
import { planted, readReports } from "./plant/orders.ts";
import { openRig } from "./rig.ts";
import { underLoad } from "./under-load.ts";

/** At the suite's usual 60 s: 100 at each seam. */
const STRIKES_PER_S = 100 / 60;
const STRUCK_WITHIN_MS = 15 * 60_000;
/** A service passes so many times before it dies there: it has to get something done between two deaths. */
const DUE_IN_SERVICES = 25;
const SEED_LIMIT = 2 ** 31;

export const failPoints: Fault = {
  id: "F2",
  title: "die at the seams, 100 times in 60 s",
  async run(rig, o) {
    const seed = o.random.branch("seams").between(1, SEED_LIMIT);
    const struck = await strikeSeams(serversOf(rig), {
      strikes: Math.ceil(o.seconds * STRIKES_PER_S),
      withinMs: STRUCK_WITHIN_MS,
      seed,
    });
    const injected = SEAMS.map((seam) => `${struck.strikes[seam]} ${seam}`).join(", ");
    o.say(`the event layer died of ${injected}; now services`);
    const layer = layerResult({ ...struck, injected, measured: [] });
    const services = await inServices(o, seed);
    return {
      accepted: services.accepted,
      refused: services.refused,
      injected: `${injected}; services: ${services.injected}`,
      lost: [...layer.lost, ...services.lost],
      doubled: [...layer.doubled, ...services.doubled],
      reordered: [...layer.reordered, ...services.reordered],
      wrong: [...layer.wrong, ...services.wrong],
      redelivered: layer.redelivered + services.redelivered,
      recoverSeconds: services.recoverSeconds,
      measured: [
        { what: "events beside the orders", value: layer.accepted, unit: "" },
        ...services.measured,
      ],
    };
  },
};

/** A rig of its own: what is planted is in every process from its start. */
async function inServices(o: FaultOptions, seed: number): Promise<FaultResult> {
  using folder = openFolder();
  const report = join(folder.path, "report");
  const calm = join(folder.path, "calm");
  const strikes = Object.fromEntries(SEAMS.map((seam) => [seam, DUE_IN_SERVICES]));
  const variants = { "": { plants: [...SEAMS], strikes, calm, report, seed } };
  await using rig = await openRig({ say: o.say, env: planted({ variants }) });
  return await underLoad(rig, o, async ({ left }) => {
    while (left() > 0) await pause(Math.min(left(), 1_000));
    writeFileSync(calm, "");
    const deaths = readReports(report).filter(({ kind }) => kind === "strike").length;
    const wrong = deaths === 0 ? ["no service died at a seam"] : [];
    return { injected: `${deaths} deaths`, wrong };
  });
}
