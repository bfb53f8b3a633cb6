// What is planted into a process and what it reports: handed over in one variable of its environment, answered in one file.
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import type { PlantName } from "./plants.ts";

/** The variable; its value is PlantOrders as JSON. */
export const PLANT_SETTING = "WAYBILL_TEST_PLANT";

/** How the broker's connection behaves, in chances from 0 to 1 per batch. */
export interface SendWeather {
  readonly twice: number;
  readonly failsBefore: number;
  /** The batch is written, the sender is told otherwise. */
  readonly failsAfter: number;
  /** Milliseconds, at most. */
  readonly delayMs: number;
}

export interface Variant {
  readonly plants: readonly PlantName[];
  /** Seam to how many passings it takes until the process kills itself there. */
  readonly strikes?: Readonly<Record<string, number>>;
  /** As soon as there is a file of this name, nobody dies any more. */
  readonly calm?: string;
  readonly weather?: SendWeather;
  /** The database that code reaches on a connection of its own. */
  readonly elsewhere?: string;
  /** Of the dice of the weather. */
  readonly seed: number;
  /** Lines of JSON are appended here. */
  readonly report: string;
}

export interface PlantOrders {
  /** By name. The one without a name is for the modules that the program asks for without a variant. */
  readonly variants: Readonly<Record<string, Variant>>;
}

export type Report =
  /** A plant is in its module. */
  | { readonly kind: "planted"; readonly plant: string; readonly pid: number }
  /** The process killed itself at a seam. */
  | {
      readonly kind: "strike";
      readonly seam: string;
      readonly count: number;
      readonly eventIds: readonly string[];
      readonly pid: number;
    }
  | { readonly kind: "timed"; readonly ms: number; readonly pid: number }
  /** Records that the weather made the broker have once more. */
  | { readonly kind: "again"; readonly count: number; readonly pid: number };

const LOADER = new URL("load.ts", import.meta.url).href;

/** The environment that brings the plants into a process of Node, on top of the options that it has anyway. */
export const planted = (orders: PlantOrders, nodeOptions = ""): Record<string, string> => ({
  NODE_OPTIONS: `${nodeOptions} --import=${LOADER}`.trim(),
  [PLANT_SETTING]: JSON.stringify(orders),
});

export const tell = (file: string, report: Report): void =>
  appendFileSync(file, `${JSON.stringify(report)}\n`);

export function readReports(file: string): Report[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Report);
}
