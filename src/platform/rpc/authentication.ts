// Who calls, proven by the token, and whether the contract lets them.
import type { Interceptor } from "@connectrpc/connect";
import { permit } from "../access/permit.ts";
import type { TokenVerifier } from "../access/token.ts";
import { principalKey } from "./principal.ts";

/** Verifies the token, also a needless one on a public RPC: a caller should know that its token is bad. */
export const authenticate =
  (verifier: TokenVerifier): Interceptor =>
  (next) =>
  async (request) => {
    const principal = await verifier.verify(request.header.get("authorization"));
    request.contextValues.set(principalKey, principal);
    permit(request.method, principal);
    return next(request);
  };
