// `npm run demo`: places orders on the running stack and tells their life as it happens, over HTTP, Kafka and mail.
import { listen } from "./events.ts";
import { createStage, findStack, type Stage } from "./stage.ts";
import { tellDeclined } from "./stories/declined.ts";
import { tellLateMoney } from "./stories/late-money.ts";
import { tellLostResponse } from "./stories/lost-response.ts";
import { tellPaid } from "./stories/paid.ts";
import { tellRefund } from "./stories/refund.ts";
import { tellThreeDSecure } from "./stories/threeds.ts";

interface Play {
  readonly title: string;
  readonly tell: (stage: Stage) => Promise<void>;
}

const PLAYS: ReadonlyMap<string, Play> = new Map([
  ["paid", { title: "An order that is paid", tell: tellPaid }],
  [
    "declined",
    { title: "A card that is declined, and the order paid with another one", tell: tellDeclined },
  ],
  [
    "threeds",
    { title: "A bank that asks its customer first (3-D Secure)", tell: tellThreeDSecure },
  ],
  ["refund", { title: "Money that is given back, in two parts", tell: tellRefund }],
  [
    "late-money",
    { title: "Money that comes when the order is cancelled already", tell: tellLateMoney },
  ],
  [
    "lost-response",
    { title: "Stripe takes the money, and its answer is lost", tell: tellLostResponse },
  ],
]);
const WITHOUT_A_NAME = ["paid", "declined"];

const names = process.argv.length > 2 ? process.argv.slice(2) : WITHOUT_A_NAME;
const plays = names.map((name) => {
  const play = PLAYS.get(name);
  if (play !== undefined) return play;
  console.error(
    `There is no story "${name}". Usage: npm run demo -- ${[...PLAYS.keys()].join("|")}`,
  );
  return process.exit(1);
});

const stack = await findStack();
await using ear = await listen(stack.kafka.brokers, process.env["WAYBILL_NAMESPACE"] ?? "");
for (const { title, tell } of plays) {
  console.log(`\n${title}:\n`);
  await tell(createStage(stack, ear));
}
console.log(
  `\nEvery order of Alice's: curl -s ${stack.gateway}/v1/orders -H "Authorization: Bearer $ALICE"\n`,
);
