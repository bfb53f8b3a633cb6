// Who is asking: the four kinds of caller, and which rows a read may show them.
import { Refusal } from "../refusal.ts";

export type Principal =
  | { readonly kind: "anonymous" }
  | { readonly kind: "customer"; readonly id: string; readonly email?: string }
  | { readonly kind: "operator"; readonly id: string; readonly email?: string }
  | {
      readonly kind: "service";
      /** The service's name: "order". */
      readonly id: string;
      /** The ID of the customer for whom the service acts; without one it acts for itself. */
      readonly onBehalfOf?: string;
    };

export const anonymous: Principal = { kind: "anonymous" };

/**
 * The customer to whose rows a read is confined; undefined means all rows: an operator, or a service that acts for
 * itself. An anonymous caller is refused with `unauthenticated`, so that no read forgets to ask.
 */
export function customerScope(principal: Principal): string | undefined {
  switch (principal.kind) {
    case "customer":
      return principal.id;
    case "operator":
      return undefined;
    case "service":
      return principal.onBehalfOf;
    case "anonymous":
      throw new Refusal("unauthenticated", "This call needs a bearer token.");
    default:
      return principal satisfies never;
  }
}
