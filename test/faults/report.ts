// The scorecard: a table for people, what exactly was wrong, and the last line.
import { figure, table } from "../../bench/table.ts";
import { findingsOf, type Measured } from "./fault.ts";
import type { FaultRun } from "./suite.ts";

export function report(runs: readonly FaultRun[], seed: number): string {
  const rows = runs.map((run) => [
    `${run.passed ? "pass" : "FAIL"} ${run.id} ${run.title}`,
    `${run.rate}/s`,
    run.result?.injected ?? "–",
    run.result?.accepted ?? "–",
    run.result === undefined ? "–" : sum(Object.values(run.result.refused)),
    run.result?.lost.length ?? "–",
    run.result?.doubled.length ?? "–",
    run.result?.reordered.length ?? "–",
    run.result?.redelivered ?? "–",
    figure(run.result?.recoverSeconds),
  ]);
  const head = ["fault", "load", "injected", "accepted", "refused", "lost", "doubled"];
  return [
    table([...head, "reordered", "redelivered", "s to recover"], rows),
    "redelivered: records that a topic holds twice, which the inbox is there for; doubled: effects that happened twice",
    ...runs.flatMap(details),
    `seed ${seed}`,
    summary(runs),
  ].join("\n");
}

function details(run: FaultRun): string[] {
  const measured = run.result?.measured.map(inWords) ?? [];
  const refused = Object.entries(run.result?.refused ?? {}).map(
    ([told, count]) => `${count} refused: ${told}`,
  );
  const lines = [...measured, ...refused].map((line) => `  ${run.id} ${line}`);
  const wrong = run.result === undefined ? [run.broken ?? ""] : findingsOf(run.result);
  return [...lines, ...wrong.map((line) => `  ${run.id} ${line}`)];
}

function inWords({ what, value, unit, aim }: Measured): string {
  const aimed =
    aim === undefined ? "" : `, ${value > aim ? "OVER the aim of" : "aim"} ${aim} ${unit}`;
  return `${what}: ${figure(value)} ${unit}${aimed}`;
}

/** `faults: N passed, N failed; lost N, doubled N, reordered N` */
export function summary(runs: readonly FaultRun[]): string {
  const passed = runs.filter((run) => run.passed).length;
  const count = (kind: "lost" | "doubled" | "reordered") =>
    sum(runs.map((run) => run.result?.[kind].length ?? 0));
  return `faults: ${passed} passed, ${runs.length - passed} failed; lost ${count("lost")}, doubled ${count("doubled")}, reordered ${count("reordered")}`;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, each) => all + each, 0);
