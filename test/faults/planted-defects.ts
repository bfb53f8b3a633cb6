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

/** What of these cases is not as it should be: a defect that stayed hidden, or a finding where there is none. */
export async function whatIsHidden(
  servers: LayerServers,
  cases: readonly Case[],
  seed: number,
): Promise<string[]> {
  const wrong: string[] = [];
  for (let at = 0; at < cases.length; at += AT_ONCE) {
    const found = await tryCases(servers, cases.slice(at, at + AT_ONCE), seed);
    for (const [one, findings] of found) wrong.push(...verdictOn(one, findings));
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
