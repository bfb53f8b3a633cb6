// `npm run demo`: places orders on the running stack and tells their life as it happens, over HTTP, Kafka and mail.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { StackFile } from "../stack/stack-file.ts";
import { listen, type Heard } from "./events.ts";
import { createStory, eventually, type Story } from "./story.ts";

interface PlacedOrder {
  readonly order: { readonly id: string; readonly number: string; readonly status: string };
  readonly payment: { readonly status: string; readonly declineCode?: string };
}

interface Inbox {
  readonly emails: readonly {
    readonly to: string;
    readonly subject: string;
    readonly text: string;
  }[];
}

const home = process.env["WAYBILL_HOME"] ?? ".waybill";
const final = new Set(["ORDER_STATUS_PAID", "ORDER_STATUS_FAILED"]);

async function findStack(): Promise<StackFile> {
  try {
    const stack = JSON.parse(readFileSync(join(home, "stack.json"), "utf8")) as StackFile;
    await fetch(`${stack.gateway}/v1/products`);
    return stack;
  } catch {
    console.error(`No stack is running in ${home}/. Start it in another terminal: npm start`);
    return process.exit(1);
  }
}

async function call<T>(stack: StackFile, path: string, body?: object): Promise<T> {
  const response = await fetch(stack.gateway + path, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${stack.tokens.alice}`, "content-type": "application/json" },
    ...(body && { body: JSON.stringify(body) }),
  });
  const answer = await response.text();
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${answer}`);
  return JSON.parse(answer) as T;
}

/** Orders two sets of cups with the payment method, and tells what becomes of the order. */
async function tellOrder(
  stack: StackFile,
  paymentMethod: string,
  hearEvents: (heard: (event: Heard) => void) => void,
): Promise<void> {
  const story = createStory();
  const request = { items: [{ sku: "espresso-cups", quantity: 2 }], paymentMethod };
  const events: Heard[] = [];
  hearEvents((event) => events.push(event));
  story.tell("client", `POST /v1/orders ${JSON.stringify(request)}`);
  const { order, payment } = await call<PlacedOrder>(stack, "/v1/orders", request);

  const told = (event: Heard) => event.key === order.id;
  tellNew(story, events.splice(0).filter(told));
  story.tell("order", `${order.number} is ${order.status}; its payment is ${payment.status}`);
  await eventually("the order was not paid or refused", async () => {
    tellNew(story, events.splice(0).filter(told));
    const now = await call<PlacedOrder>(stack, `/v1/orders/${order.id}`);
    if (!final.has(now.order.status)) return false;
    story.tell(
      "order",
      `GET /v1/orders/${order.id} → ${now.order.status}${now.payment.declineCode ? ` (${now.payment.declineCode})` : ""}`,
    );
    return true;
  });
  await tellMails(stack, story, order.number);
  await eventually("the two notification.sent were not heard", () => {
    const fresh = events.splice(0).filter(told);
    tellNew(story, fresh);
    return Promise.resolve(story.count("notification.sent") >= 2);
  });
}

function tellNew(story: Story, events: readonly Heard[]): void {
  for (const { topic, partition, offset, type, summary, at } of events) {
    story.tell("kafka", `${topic} ${partition}@${offset}: ${type}, ${summary}`, { at, kind: type });
  }
}

async function tellMails(stack: StackFile, story: Story, number: string): Promise<void> {
  if (stack.sandbox === null) return story.tell("mail", "went out through Resend itself");
  const { url } = stack.sandbox;
  await eventually("the two mails did not come", async () => {
    const inbox = (await (await fetch(`${url}/_/inbox`)).json()) as Inbox;
    const mails = inbox.emails.filter((mail) => mail.subject.includes(number));
    if (mails.length < 2) return false;
    for (const mail of mails) story.tell("mail", `to ${mail.to}: "${mail.subject}"`);
    return true;
  });
}

const stack = await findStack();
await using ear = await listen(stack.kafka.brokers, process.env["WAYBILL_NAMESPACE"] ?? "");
console.log("\nAn order that is paid:\n");
await tellOrder(stack, "pm_card_visa", ear.onEvent);
console.log("\nAn order whose card is declined:\n");
await tellOrder(stack, "pm_card_chargeDeclined", ear.onEvent);
console.log(
  "\nEvery order of Alice's: curl -s " +
    stack.gateway +
    '/v1/orders -H "Authorization: Bearer $ALICE"\n',
);
