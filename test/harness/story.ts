// What the timeline of a Payment service alone says, read from its table.
import { expect } from "vitest";
import { eventually } from "./eventually.ts";
import type { PaymentRoom } from "./payment-room.ts";

export interface Line {
  readonly type: string;
  readonly text: string;
  readonly visibility: string;
}

export const storyOf = (room: PaymentRoom, orderId: string): Promise<Line[]> =>
  room.query<Line>(
    "select type, text, visibility from timeline_entries where order_id = $1 order by id",
    [orderId],
  );

/** The lines of these types, as soon as they say this, and nothing else. */
export const tells = (
  room: PaymentRoom,
  orderId: string,
  types: RegExp,
  texts: readonly (string | RegExp)[],
): Promise<Line[]> =>
  eventually(async () => {
    const told = (await storyOf(room, orderId)).filter(({ type }) => types.test(type));
    expect(told.map(({ text }) => text)).toEqual(
      texts.map((text) => (typeof text === "string" ? text : expect.stringMatching(text))),
    );
    return told;
  });
