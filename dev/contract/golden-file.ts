// Golden bytes: events as released versions wrote them, kept for ever as text, so that code of any language can be held against them.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { JsonValue } from "@bufbuild/protobuf";
import type { Fullness } from "./sample.ts";

const FOLDER = new URL("../../contract/golden/", import.meta.url);

export interface GoldenFile {
  /** The message of the event's topic: "waybill.order.v1.OrderEvent". */
  readonly message: string;
  /** The oldest first. */
  readonly samples: readonly GoldenSample[];
}

export interface GoldenSample {
  readonly holds: Fullness;
  /** A record's value, in base64. */
  readonly bytes: string;
  /** What the version that wrote it reads in it, as ProtoJSON. */
  readonly reads: JsonValue;
}

/** The golden bytes of every event that has some, by its name: "order.created". */
export function readGolden(): Map<string, GoldenFile> {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));
  return new Map(
    names.map((name) => {
      const file: GoldenFile = JSON.parse(readFileSync(new URL(name, FOLDER), "utf8"));
      return [name.replace(/\.json$/, ""), file];
    }),
  );
}

export function writeGolden(event: string, file: GoldenFile): void {
  writeFileSync(new URL(`${event}.json`, FOLDER), `${JSON.stringify(file, null, 2)}\n`);
}
