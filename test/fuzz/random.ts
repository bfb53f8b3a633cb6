// Requests by chance: a right one with up to three things wrong, which a seed repeats and which shrink to what it takes to fail.
import fc from "fast-check";
import { placeOf, namesOf } from "./cases.ts";
import type { Case } from "./judge.ts";
import { at, spotsOf, textWith } from "./spots.ts";
import type { Target } from "./targets.ts";
import { valuesAt } from "./values.ts";

const MOST_WRONGS = 3;
const UNIT = ["binary", "grapheme", "grapheme-composite"] as const;

/** JSON texts of every kind. */
const anything: fc.Arbitrary<string> = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.stringify(value)),
  ...UNIT.map((unit) => fc.string({ unit, maxLength: 300 }).map((text) => JSON.stringify(text))),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map((number) => `"${number}"`),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => JSON.stringify(number)),
  fc
    .date({ min: new Date(-1e14), max: new Date(4e14), noInvalidDate: true })
    .map((date) => JSON.stringify(date)),
);

/** The wrongs of one request: places, and what is put there. */
export type Wrongs = readonly (readonly [spot: number, raw: string])[];

export function wrongsOf(target: Target): fc.Arbitrary<Wrongs> {
  const good = target.sample();
  const wrong = fc.oneof(
    ...spotsOf(target.method.input).map((spot, index) => {
      const known = valuesAt(spot, at(good, spot.path)).map(({ raw }) => raw);
      const raw = fc.oneof({ weight: 3, arbitrary: anything }, fc.constantFrom(...known));
      return raw.map((text): readonly [number, string] => [index, text]);
    }),
  );
  return fc.uniqueArray(wrong, {
    minLength: 1,
    maxLength: MOST_WRONGS,
    selector: ([spot]) => spot,
  });
}

/** The request with these wrongs; of two at the same place, or one within the other, the later one stays. */
export function caseWith(target: Target, wrongs: Wrongs): Case {
  const spots = spotsOf(target.method.input);
  let text = JSON.stringify(target.sample());
  const names: string[] = [];
  const places: string[] = [];
  for (const [index, raw] of wrongs) {
    const spot = spots[index];
    const json = parsedObject(text);
    if (spot === undefined || json === undefined) continue;
    text = textWith(json, spot, raw);
    names.push(...namesOf(spot));
    places.push(placeOf(spot));
  }
  return { target, what: `${target.method.name} ${places.join(" and ")}`, names, text };
}

/** What is no JSON any more, after a wrong that breaks it, takes no further one. */
function parsedObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    JSON.stringify(value);
    return value as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
