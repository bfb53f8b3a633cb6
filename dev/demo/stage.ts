// What every story of the demo needs: the running stack, its people, and an order's life told as it happens.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { StackFile } from "../stack/stack-file.ts";
import type { Ear, Heard } from "./events.ts";
import { createStory, eventually, type Story } from "./story.ts";

/** What the gateway's JSON says of an order, as far as the stories need it. */
export interface Shown {
  readonly order: { readonly id: string; readonly number: string; readonly status: string };
  readonly payment: {
    readonly id: string;
    readonly status: string;
    readonly declineCode?: string;
    readonly refunds?: readonly { readonly status: string }[];
  };
}

interface Mail {
  readonly to: string;
  readonly subject: string;
}

/** What the sandbox's Stripe has of a payment; sums in Stripe's units. */
export interface Ledger {
  readonly id: string;
  readonly status: string;
  readonly charges: number;
  readonly charged: number;
  readonly refunded: number;
}

export interface Stage {
  readonly stack: StackFile;
  readonly story: Story;
  /** Alice's words to the gateway: GET, or POST where there is a body. @throws unless the answer is 200 */
  say<T>(path: string, body?: object): Promise<T>;
  /** The operator's. */
  operate<T>(path: string, body?: object): Promise<T>;
  /** The sandbox's own API: the customer's browser and the faults. */
  atSandbox<T>(path: string, body?: object): Promise<T>;
  /** Alice orders two sets of cups. What is heard of this order from now on is told. */
  order(paymentMethod: string): Promise<Shown>;
  /** Tells events until the order has one of the statuses. */
  becomes(...statuses: readonly string[]): Promise<Shown>;
  /** Tells events until GetOrder shows it so; throws with what was not so when that takes too long. */
  until(otherwise: string, isSo: (now: Shown) => boolean): Promise<Shown>;
  /** What Stripe has of the order, which is told too. */
  ledger(): Promise<readonly Ledger[]>;
  /** Tells events until mails with these words in their subjects have come. */
  mails(...subjects: readonly string[]): Promise<void>;
}

const home = process.env["WAYBILL_HOME"] ?? ".waybill";

export async function findStack(): Promise<StackFile> {
  try {
    const stack = JSON.parse(readFileSync(join(home, "stack.json"), "utf8")) as StackFile;
    await fetch(`${stack.gateway}/v1/products`);
    return stack;
  } catch {
    console.error(`No stack is running in ${home}/. Start it in another terminal: npm start`);
    return process.exit(1);
  }
}

export function createStage(stack: StackFile, ear: Ear): Stage {
  const story = createStory();
  const heard: Heard[] = [];
  let orderId = "";
  ear.onEvent((event) => heard.push(event));

  const say = <T>(path: string, body?: object) =>
    ask<T>(stack.gateway + path, stack.tokens.alice, body);
  const atSandbox = <T>(path: string, body?: object) => ask<T>(sandboxOf(stack) + path, "", body);
  const tellNew = () => {
    for (const event of heard.splice(0)) if (event.key === orderId) tellEvent(story, event);
  };
  const until = async (otherwise: string, isSo: (now: Shown) => boolean): Promise<Shown> => {
    let now: Shown | undefined;
    await eventually(otherwise, async () => {
      tellNew();
      now = await say<Shown>(`/v1/orders/${orderId}`);
      return isSo(now);
    });
    if (now === undefined) throw new Error(otherwise);
    tellNew();
    const { order, payment } = now;
    story.tell("order", `GET /v1/orders/… → ${order.status}, its payment is ${wordsOf(payment)}`);
    return now;
  };

  return {
    stack,
    story,
    say,
    atSandbox,
    operate: (path, body) => ask(stack.gateway + path, stack.tokens.operator, body),
    order: async (paymentMethod) => {
      const request = {
        items: [{ sku: "espresso-cups", quantity: 2 }],
        ...(paymentMethod !== "" && { paymentMethod }),
      };
      story.tell("client", `POST /v1/orders ${JSON.stringify(request)}`);
      const shown = await say<Shown>("/v1/orders", request);
      const { order, payment } = shown;
      orderId = order.id;
      story.tell("order", `${order.number} is ${order.status}, its payment is ${wordsOf(payment)}`);
      return shown;
    },
    becomes: (...statuses) =>
      until(`the order did not become ${statuses.join(" or ")}`, ({ order }) =>
        statuses.includes(order.status),
      ),
    until,
    ledger: async () => {
      const path = `/_/payments?order_id=${orderId}`;
      const { payments } = await atSandbox<{ payments: readonly Ledger[] }>(path);
      for (const { id, status, charges, charged, refunded } of payments)
        story.tell(
          "stripe",
          `${id} is ${status}: ${charges} charge(s), ${charged} charged, ${refunded} refunded`,
        );
      return payments;
    },
    mails: async (...subjects) => {
      if (stack.sandbox === null) return story.tell("mail", "went out through Resend itself");
      const { order } = await say<Shown>(`/v1/orders/${orderId}`);
      await eventually(`no mail "${subjects.join('", "')}" came`, async () => {
        tellNew();
        const { emails } = await atSandbox<{ emails: readonly Mail[] }>("/_/inbox");
        const ours = emails.filter(({ subject }) => subject.includes(order.number));
        const found = subjects.map((words) => ours.find(({ subject }) => subject.includes(words)));
        if (found.includes(undefined)) return false;
        for (const mail of found) story.tell("mail", `to ${mail?.to}: "${mail?.subject}"`);
        return true;
      });
    },
  };
}

function sandboxOf({ sandbox }: StackFile): string {
  if (sandbox !== null) return sandbox.url;
  console.error("This story needs the sandbox of the providers; this stack has the real ones.");
  return process.exit(1);
}

async function ask<T>(url: string, token: string, body?: object): Promise<T> {
  const response = await fetch(url, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      "content-type": "application/json",
      ...(token !== "" && { authorization: `Bearer ${token}` }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const answer = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${answer}`);
  return JSON.parse(answer) as T;
}

const wordsOf = ({ status, declineCode }: Shown["payment"]): string =>
  declineCode ? `${status} (${declineCode})` : status;

function tellEvent(story: Story, { topic, partition, offset, type, summary, at }: Heard): void {
  story.tell("kafka", `${topic} ${partition}@${offset}: ${type}, ${summary}`, { at });
}
