// The banks of the sandbox: what they do some time later, by themselves, by the sandbox's clock.
import type { Journal } from "../journal.ts";
import type { Due } from "./records.ts";
import type { Books, Operation } from "./operation.ts";
import { settlePayment } from "./payment-operations.ts";
import { moveRefundTo } from "./refund-operations.ts";

/** How often the banks look at what is due. */
const LOOK_INTERVAL_MS = 100;

const acts: Readonly<Record<Due["act"], Operation>> = {
  pay_debit: settlePayment("succeed"),
  refuse_debit: settlePayment("fail"),
  complete_refund: moveRefundTo("succeed"),
  fail_refund: moveRefundTo("fail"),
};

export interface BankParts {
  readonly books: Books;
  readonly journal: Journal;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** Works until it is disposed of. What somebody did by hand meanwhile stays as it is: a bank's act is then refused. */
export function openBanks(parts: BankParts): Disposable {
  const timer = setInterval(() => workOff(parts), LOOK_INTERVAL_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Does all that is due by now, each in one change of the journal. */
export function workOff({ books, journal, clock }: BankParts): void {
  const actOnce = (): boolean =>
    journal.change(() => {
      const due = books.ledger.takeDue(clock());
      if (due === undefined) return false;
      const source = { requestId: null, idempotencyKey: null };
      acts[due.act](books, { parameters: {}, id: due.objectId, source });
      return true;
    });
  while (actOnce());
}
