// The requests that are tried: each is a right one with one thing wrong.
import { byteCasesOf } from "./bytes.ts";
import type { Case } from "./judge.ts";
import { at, spotsOf, textBeside, textTwice, textWith, textWithout, type Spot } from "./spots.ts";
import type { Target } from "./targets.ts";
import { valuesAt } from "./values.ts";

/** A field that no message has. */
const NO_FIELD = "noSuchField";

export const placeOf = ({ path }: Spot): string =>
  path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`))
    .join("")
    .slice(1);

/** The field's name in both spellings; the request's own fields too, where the whole of it is at fault. */
export const namesOf = (spot: Spot): string[] =>
  [spot.field.name, spot.field.jsonName].concat(
    spot.path.filter((step) => typeof step === "string"),
  );

export function casesOf(target: Target): Case[] {
  const good = target.sample();
  const cases: Case[] = [];
  for (const spot of spotsOf(target.method.input)) {
    const add = (what: string, text: string | undefined, more: readonly string[] = []) => {
      if (text === undefined) return;
      const names = namesOf(spot).concat(more);
      cases.push({ target, what: `${target.method.name} ${placeOf(spot)}: ${what}`, names, text });
    };
    for (const { what, raw } of valuesAt(spot, at(good, spot.path)))
      add(what, textWith(target.sample(), spot, raw));
    add("missing", textWithout(target.sample(), spot));
    add("given twice", textTwice(target.sample(), spot));
    add("beside an unknown field", textBeside(target.sample(), spot, NO_FIELD), [NO_FIELD]);
  }
  return cases.concat(byteCasesOf(target));
}
