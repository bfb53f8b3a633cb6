// Loaded into a process before its program (--import): plants what the environment orders into the modules as they are read.
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import { edited } from "./edit.ts";
import { PLANT_SETTING, tell, type PlantOrders, type Variant } from "./orders.ts";
import { editsOf } from "./plants.ts";
import { createSoil } from "./soil.ts";

const ROOT = new URL("../../../", import.meta.url);
const SRC = new URL("src/", ROOT).href;
/** `import("…/backbone.ts?variant=x")` gets a copy of all our modules behind it, with the plants of that variant. */
const VARIANT = /\?variant=(.+)$/;

const setting = process.env[PLANT_SETTING];
if (setting === undefined) throw new Error(`${PLANT_SETTING} does not say what to plant.`);
const orders = JSON.parse(setting) as PlantOrders;

const variants = new Map(Object.entries(orders.variants).map(([name, one]) => [name, grow(one)]));
Reflect.set(globalThis, "soils", new Map([...variants].map(([name, { soil }]) => [name, soil])));

function grow(variant: Variant) {
  const edits = variant.plants.flatMap((plant) =>
    editsOf(plant).map(({ file, anchor, by }) => ({ file, anchor, by, plant })),
  );
  return {
    report: variant.report,
    soil: createSoil(variant),
    byFile: Map.groupBy(edits, ({ file }) => new URL(file, ROOT).href),
  };
}

registerHooks({
  resolve(specifier, context, nextResolve) {
    const found = nextResolve(specifier, context);
    const variant = VARIANT.exec(context.parentURL ?? "")?.[0];
    if (variant === undefined || !found.url.startsWith(SRC) || VARIANT.test(found.url))
      return found;
    return { ...found, url: found.url + variant };
  },
  load(url, context, nextLoad) {
    const name = VARIANT.exec(url)?.[1] ?? "";
    const variant = variants.get(name);
    const edits = variant?.byFile.get(url.replace(VARIANT, ""));
    if (variant === undefined || edits === undefined) return nextLoad(url, context);
    const source = edited(readFileSync(fileURLToPath(url), "utf8"), edits);
    for (const plant of new Set(edits.map((edit) => edit.plant)))
      tell(variant.report, { kind: "planted", plant, pid: process.pid });
    return {
      format: "module-typescript",
      source: source.replaceAll(
        "globalThis.soil.",
        `globalThis.soils.get(${JSON.stringify(name)}).`,
      ),
      shortCircuit: true,
    };
  },
});
