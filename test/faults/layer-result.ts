// What a fault of the event layer alone gives back, in the words of the suite.
import type { FaultResult } from "./fault.ts";
import type { Finding, Wrong } from "./layer/judge.ts";
import type { LayerServers } from "./layer/world.ts";
import type { Rig } from "./rig.ts";

/** The rig's own servers, Kafka by way of its proxy. */
export const serversOf = (rig: Rig): LayerServers => ({
  postgresUrl: rig.postgres.url,
  brokers: rig.kafka.brokers,
});

const KINDS: ReadonlySet<Wrong> = new Set(["lost", "doubled", "reordered"]);

export interface LayerRun extends Pick<FaultResult, "injected" | "measured"> {
  readonly findings: readonly Finding[];
  /** How many facts were committed. */
  readonly happened: number;
  readonly again: number;
  readonly restMs: number;
}

export function layerResult(run: LayerRun): FaultResult {
  const of = (kind: Wrong) =>
    run.findings.filter(({ wrong }) => wrong === kind).map(({ what }) => what);
  const others = run.findings.filter(({ wrong }) => !KINDS.has(wrong));
  return {
    accepted: run.happened,
    refused: {},
    injected: run.injected,
    lost: of("lost"),
    doubled: of("doubled"),
    reordered: of("reordered"),
    wrong: others.map(({ wrong, what }) => `${wrong}: ${what}`),
    redelivered: run.again,
    recoverSeconds: run.restMs / 1000,
    measured: run.measured,
  };
}
