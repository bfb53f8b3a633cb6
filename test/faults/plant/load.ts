// Loaded into a process before its program (--import): plants what the environment orders into the modules as they are read.
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import { edited } from "./edit.ts";
import { PLANT_SETTING, tell, type PlantOrders } from "./orders.ts";
import { editsOf } from "./plants.ts";
import { createSoil } from "./soil.ts";

const ROOT = new URL("../../../", import.meta.url);

const setting = process.env[PLANT_SETTING];
if (setting === undefined) throw new Error(`${PLANT_SETTING} does not say what to plant.`);
const orders = JSON.parse(setting) as PlantOrders;

Reflect.set(globalThis, "soil", createSoil(orders));

const byFile = Map.groupBy(
  orders.plants.flatMap((plant) => editsOf(plant).map((edit) => ({ ...edit, plant }))),
  ({ file }) => new URL(file, ROOT).href,
);

registerHooks({
  load(url, context, nextLoad) {
    const edits = byFile.get(url);
    if (edits === undefined) return nextLoad(url, context);
    const source = edited(readFileSync(fileURLToPath(url), "utf8"), edits);
    for (const plant of new Set(edits.map((edit) => edit.plant)))
      tell(orders.report, { kind: "planted", plant, pid: process.pid });
    return { format: "module-typescript", source, shortCircuit: true };
  },
});
