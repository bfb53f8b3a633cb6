// What happens outside Stripe's API: the customer pays in a browser, passes 3-D Secure, the bank decides.
import type { FastifyInstance } from "fastify";
import type { Answer } from "./answer.ts";
import { bodyOf, send } from "./http.ts";
import { escape } from "./inbox-page.ts";
import type { Journal } from "./journal.ts";
import { type Books, confirmPayment, type Operation, settlePayment } from "./stripe/operations.ts";
import { badParameter, StripeRefusal } from "./stripe/refusal.ts";

/** The customer's browser, in which any redirect ends. */
const BROWSER_URL = "https://example.com/back";

export interface CustomerParts {
  readonly books: Books;
  readonly journal: Journal;
}

/**
 * - `POST /_/pay/:id` with `{"payment_method": "pm_card_visa"}` pays as the customer's browser would.
 * - `POST /_/3ds/:id/succeed` or `/fail` ends 3-D Secure (and a bank debit); `GET /_/3ds/:id` is a page that asks.
 */
export function customerRoutes(app: FastifyInstance, parts: CustomerParts): void {
  app.post<{ Params: { id: string } }>("/_/pay/:id", async (request, reply) => {
    const given = () => methodOf(bodyOf(request.body));
    return send(reply, act(parts, request.params.id, given, confirmPayment));
  });
  for (const outcome of ["succeed", "fail"] as const) {
    app.post<{ Params: { id: string } }>(`/_/3ds/:id/${outcome}`, async (request, reply) => {
      const ended = act(parts, request.params.id, () => ({}), settlePayment(outcome));
      const back = parts.books.ledger.payment(request.params.id)?.returnUrl;
      const fromPage =
        request.headers["content-type"]?.startsWith("application/x-www-form-urlencoded") ?? false;
      return fromPage && back ? reply.redirect(back, 303) : send(reply, ended);
    });
  }
  app.get<{ Params: { id: string } }>("/_/3ds/:id", async (request, reply) =>
    reply.type("text/html; charset=utf-8").send(threeDsPage(request.params.id)),
  );
}

function act(
  parts: CustomerParts,
  id: string,
  parameters: () => Record<string, string>,
  operation: Operation,
): Answer {
  try {
    const call = {
      parameters: parameters(),
      id,
      source: { requestId: null, idempotencyKey: null },
    };
    return parts.journal.change(() => operation(parts.books, call));
  } catch (error) {
    if (error instanceof StripeRefusal) return error.answer;
    throw error;
  }
}

function methodOf(body: string): Record<string, string> {
  const wrong = badParameter(
    "payment_method",
    "parameter_missing",
    'Send {"payment_method": "pm_card_visa"}.',
  );
  try {
    const fields = JSON.parse(body) as { payment_method?: unknown } | null;
    if (typeof fields?.payment_method !== "string") throw wrong;
    return { payment_method: fields.payment_method, return_url: BROWSER_URL };
  } catch (error) {
    throw error instanceof SyntaxError ? wrong : error;
  }
}

const threeDsPage = (id: string): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>3-D Secure</title></head>
<body><h1>Is it you who pays ${escape(id)}?</h1>
<form method="post" action="/_/3ds/${escape(encodeURIComponent(id))}/succeed"><button>Yes</button></form>
<form method="post" action="/_/3ds/${escape(encodeURIComponent(id))}/fail"><button>No</button></form>
</body></html>
`;
