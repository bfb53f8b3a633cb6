// D: the proof of the proof. Each defect, planted into the event layer, must show; without any, nothing may.
import type { Fault, FaultResult } from "./fault.ts";
import { serversOf } from "./layer-result.ts";
import type { Finding } from "./layer/judge.ts";
import { NONE, SHOWS, tryCases, type Case } from "./layer/defects.ts";
import type { LayerServers } from "./layer/world.ts";
import { DEFECT_NAMES } from "./plant/plants.ts";

/** Worlds in one process. */
const AT_ONCE = 7;
const SEED_LIMIT = 2 ** 31;

/** Some defects need luck to show: so often they are given another chance of it. */
const TRIES = 3;

/** What of these cases is not as it should be: a defect that stayed hidden, or a finding where there is none. */
export async function whatIsHidden(
  servers: LayerServers,
  cases: readonly Case[],
  seed: number,
): Promise<string[]> {
  const wrong: string[] = [];
  let left = cases;
  for (let tried = 1; left.length > 0 && tried <= TRIES; tried += 1) {
    const hidden = new Map<Case, readonly string[]>();
    for (let at = 0; at < left.length; at += AT_ONCE) {
      const found = await tryCases(servers, left.slice(at, at + AT_ONCE), seed + tried);
      for (const [one, findings] of found) hidden.set(one, verdictOn(one, findings));
    }
    const isLast = tried === TRIES;
    for (const [one, verdict] of hidden) if (one === NONE || isLast) wrong.push(...verdict);
    left = left.filter((one) => one !== NONE && (hidden.get(one)?.length ?? 0) > 0);
  }
  return wrong;
}

function verdictOn(one: Case, findings: readonly Finding[]): string[] {
  if (one === NONE) return findings.map(({ wrong, what }) => `without a defect: ${wrong}: ${what}`);
  const seen = new Set(findings.map(({ wrong }) => wrong));
  return SHOWS[one]
    .filter((wrong) => !seen.has(wrong))
    .map((wrong) => `${one} is planted, and nothing was ${wrong}`);
}

export const plantedDefects: Fault = {
  id: "D",
  title: `each of ${DEFECT_NAMES.length} planted defects shows`,
  async run(rig, o): Promise<FaultResult> {
    const seed = o.random.branch("defects").between(1, SEED_LIMIT);
    const cases = [NONE, ...DEFECT_NAMES] as const;
    const wrong = await whatIsHidden(serversOf(rig), cases, seed);
    return {
      accepted: cases.length,
      refused: {},
      injected: DEFECT_NAMES.join(", "),
      lost: [],
      doubled: [],
      reordered: [],
      wrong,
      redelivered: 0,
      recoverSeconds: 0,
      measured: [],
    };
  },
};
