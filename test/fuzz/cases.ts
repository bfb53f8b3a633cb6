// The requests that are tried: each is a right one with one thing wrong.
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

export const casesOf = (target: Target): Case[] =>
  spotsOf(target.method.input).flatMap((spot) => {
    const { sample } = target;
    const good = sample();
    const place = `${target.method.name} ${placeOf(spot)}`;
    const names = namesOf(spot);
    const make = (what: string, text: string | undefined, more: readonly string[] = []): Case[] =>
      text === undefined
        ? []
        : [{ target, what: `${place}: ${what}`, names: [...names, ...more], text }];
    return [
      ...valuesAt(spot, at(good, spot.path)).flatMap(({ what, raw }) =>
        make(what, textWith(sample(), spot, raw)),
      ),
      ...make("missing", textWithout(sample(), spot)),
      ...make("given twice", textTwice(sample(), spot)),
      ...make("beside an unknown field", textBeside(sample(), spot, NO_FIELD), [NO_FIELD]),
    ];
  });
