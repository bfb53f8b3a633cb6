// Who makes the call that a handler is working on.
import { createContextKey, type HandlerContext } from "@connectrpc/connect";
import { anonymous, type Principal } from "../access/principal.ts";

export const principalKey = createContextKey<Principal>(anonymous, {
  description: "who makes this call",
});

/** The verified caller of a handler's call; the contract has let it in already. */
export const principalOf = (context: Pick<HandlerContext, "values">): Principal =>
  context.values.get(principalKey);
