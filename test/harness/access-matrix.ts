// What each caller of an RPC must hear: by the access option of the contract, and by what a test says of the RPC.
import { type DescMethod, getOption, type JsonObject } from "@bufbuild/protobuf";
import { access } from "../../gen/waybill/access/v1/options_pb.js";
import type { Caller } from "./callers.ts";

/** What an RPC does to those whom its access option admits and whose row it is not. */
type ToStrangers =
  /** The row is theirs or it is NOT_FOUND. */
  | "hidden"
  /** They get their own rows, without the ones of others. */
  | "own_rows"
  /** They asked for rows of others, and get an empty list. */
  | "empty"
  /** It makes something new, which is the caller's. */
  | "new_row"
  /** It is the same for everyone. */
  | "same"
  /** A service that acts for somebody else than the row's customer is refused. */
  | "refused";

export interface Sample {
  readonly request: () => JsonObject;
  readonly toStrangers: ToStrangers;
  /** What those hear whom the RPC admits, where there is nothing for it to act on. Default: "ok". */
  readonly toAdmitted?: "not_found" | "failed_precondition";
  /** What the answer shows to those whose row it is, and to nobody else. */
  readonly shows?: () => string;
}

/** What the contract says about this caller of this RPC. */
export function expectedCode(
  method: DescMethod,
  caller: Caller,
  sample: Sample | undefined,
): string {
  const rule = getOption(method, access);
  if (rule.public) return "ok";
  const { kind, service } = caller;
  if (kind === "anonymous") return "unauthenticated";
  const admitted = kind === "service" ? rule.services.includes(service ?? "") : rule[kind];
  if (!admitted) return "permission_denied";
  const { toStrangers, toAdmitted = "ok" } = sample ?? {};
  if (caller.owns) return toAdmitted;
  if (toStrangers === "hidden") return "not_found";
  return toStrangers === "refused" ? "permission_denied" : "ok";
}
