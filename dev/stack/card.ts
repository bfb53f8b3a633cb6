// What the launcher prints when everything is up.
import type { StackFile } from "./stack-file.ts";

/** Addresses, tokens, and a line to try. */
export function card(stack: StackFile, stackFile: string): string {
  const order =
    '{"items":[{"sku":"coffee-beans-1kg","quantity":2}],"paymentMethod":"pm_card_visa"}';
  const inbox = stack.sandbox
    ? [
        `  inbox         ${stack.sandbox.url}/   (mails and texts that the sandbox took in)`,
        `  stripe        ${stack.sandbox.url}/_/stripe   (the sandbox's: pay, approve, refund, dispute, order faults)`,
      ]
    : [];
  return [
    "",
    "Waybill is running.",
    "",
    `  gateway       ${stack.gateway}`,
    ...inbox,
    `  order         ${stack.services.order.url}`,
    `  payment       ${stack.services.payment.url}`,
    `  notification  ${stack.services.notification.url}`,
    `  kafka         ${stack.kafka.brokers.join(", ")}`,
    `  all of it     ${stackFile}`,
    "",
    "Tokens (good for 30 days), to paste into a shell:",
    "",
    `ALICE=${stack.tokens.alice}`,
    `BOB=${stack.tokens.bob}`,
    `OPERATOR=${stack.tokens.operator}`,
    "",
    "Order something, and look at it:",
    "",
    `curl -s ${stack.gateway}/v1/orders -H "Authorization: Bearer $ALICE" -H 'Content-Type: application/json' -d '${order}'`,
    `curl -s ${stack.gateway}/v1/orders -H "Authorization: Bearer $ALICE"`,
    "",
    "Ctrl-C stops it. The data is kept; `npm start -- --fresh` begins anew.",
    "",
  ].join("\n");
}
