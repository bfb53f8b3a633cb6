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
  const wait = (otherwise: string, isSo: () => Promise<boolean>) =>
    eventually(otherwise, () => {
      for (const event of heard.splice(0)) if (event.key === orderId) tellEvent(story, event);
      return isSo();
    });
  const until = async (otherwise: string, isSo: (now: Shown) => boolean): Promise<Shown> => {
    const look = () => say<Shown>(`/v1/orders/${orderId}`);
    let now = await look();
    await wait(otherwise, async () => isSo((now = await look())));
    story.tell("order", `GET /v1/orders/… → ${now.order.status}, its payment is ${wordsOf(now)}`);
    return now;
  };

  return {
    stack,
    story,
    say,
    atSandbox,
    until,
    operate: (path, body) => ask(stack.gateway + path, stack.tokens.operator, body),
    order: async (paymentMethod) => {
      const request = newOrder(paymentMethod);
      story.tell("client", `POST /v1/orders ${JSON.stringify(request)}`);
      const shown = await say<Shown>("/v1/orders", request);
      const { order } = shown;
      orderId = order.id;
      story.tell("order", `${order.number} is ${order.status}, its payment is ${wordsOf(shown)}`);
      return shown;
    },
    becomes: (...statuses) =>
      until(`the order did not become ${statuses.join(" or ")}`, ({ order }) =>
        statuses.includes(order.status),
      ),
    ledger: async () => {
      const path = `/_/payments?order_id=${orderId}`;
      const { payments } = await atSandbox<{ payments: readonly Ledger[] }>(path);
      for (const entry of payments) tellLedger(story, entry);
      return payments;
    },
    mails: async (...subjects) => {
      const { order } = await say<Shown>(`/v1/orders/${orderId}`);
      await wait(`no mail "${subjects.join('", "')}" came`, async () => {
        const { emails } = await atSandbox<{ emails: readonly Mail[] }>("/_/inbox");
        const found = mailsOf(emails, order.number, subjects);
        if (found.length < subjects.length) return false;
        for (const { to, subject } of found) story.tell("mail", `to ${to}: "${subject}"`);
        return true;
      });
    },
  };
}

const newOrder = (paymentMethod: string) => ({
  items: [{ sku: "espresso-cups", quantity: 2 }],
  paymentMethod,
});

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

/** The first mail of the order for each of the words. */
function mailsOf(mails: readonly Mail[], number: string, subjects: readonly string[]): Mail[] {
  const ours = mails.filter(({ subject }) => subject.includes(number));
  return subjects.flatMap((words) => ours.find(({ subject }) => subject.includes(words)) ?? []);
}

const wordsOf = ({ payment: { status, declineCode } }: Shown): string =>
  declineCode ? `${status} (${declineCode})` : status;

function tellLedger(story: Story, { id, status, charges, charged, refunded }: Ledger): void {
  story.tell(
    "stripe",
    `${id} is ${status}: ${charges} charge(s), ${charged} charged, ${refunded} refunded`,
  );
}

function tellEvent(story: Story, { topic, partition, offset, type, summary, at }: Heard): void {
  story.tell("kafka", `${topic} ${partition}@${offset}: ${type}, ${summary}`, { at });
}
