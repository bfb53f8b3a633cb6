// What the contract says about who may call an RPC: the option waybill.access.v1.access, read and enforced.
import { getOption, hasOption, type DescMethod } from "@bufbuild/protobuf";
import { access, type Access } from "../../../gen/waybill/access/v1/options_pb.js";
import { Refusal } from "../refusal.ts";
import type { Principal } from "./principal.ts";

const nameOf = (method: DescMethod): string => `${method.parent.typeName}/${method.name}`;

const admitsNobody = (rule: Access): boolean =>
  !rule.public && !rule.customer && !rule.operator && rule.services.length === 0;

/** Throws an Error that names every RPC whose contract does not say who may call it: such a service must not start. */
export function assertAccessStated(methods: Iterable<DescMethod>): void {
  const silent = [...methods].filter(
    (method) => !hasOption(method, access) || admitsNobody(getOption(method, access)),
  );
  if (silent.length === 0) return;
  throw new Error(
    `The contract does not say who may call ${silent.map(nameOf).join(", ")}: ` +
      "each RPC needs the option (waybill.access.v1.access).",
  );
}

function admits(rule: Access, principal: Principal): boolean {
  if (rule.public) return true;
  switch (principal.kind) {
    case "customer":
      return rule.customer;
    case "operator":
      return rule.operator;
    case "service":
      return rule.services.includes(principal.id);
    case "anonymous":
      return false;
    default:
      return principal satisfies never;
  }
}

/** Refuses a caller that the RPC's access option does not admit: `unauthenticated` without a token, else `permission_denied`. */
export function permit(method: DescMethod, principal: Principal): void {
  if (admits(getOption(method, access), principal)) return;
  if (principal.kind === "anonymous") {
    throw new Refusal("unauthenticated", `${nameOf(method)} needs a bearer token.`);
  }
  const who =
    principal.kind === "service" ? `The service "${principal.id}"` : `A ${principal.kind}`;
  throw new Refusal("permission_denied", `${who} may not call ${nameOf(method)}.`);
}
