// Says whether the promises were kept: nothing lost, nothing twice, nothing out of order. Knows no database and no broker.
import type { Facts, Findings, Verdict } from "./facts.ts";
import { judgeMails } from "./oracle-mails.ts";
import { judgeMoney } from "./oracle-money.ts";
import { judgeOrders } from "./oracle-orders.ts";
import { judgeInboxes, judgeTopics } from "./oracle-topics.ts";

/** To be asked when everything has come to rest. */
export function judge(facts: Facts): Verdict {
  const found: Findings = { lost: [], doubled: [], reordered: [], wrong: [], redelivered: 0 };
  judgeTopics(facts, found);
  judgeInboxes(facts, found);
  judgeOrders(facts, found);
  judgeMoney(facts, found);
  judgeMails(facts, found);
  for (const [table, rows] of Object.entries(facts.left)) {
    if (rows > 0) found.wrong.push(`${table}: ${rows} rows are left`);
  }
  return found;
}
