// Compiles the HTTP rules of RPCs into bindings: everything about a route that can be known before a request.
import {
  type DescField,
  type DescMessage,
  type DescMethod,
  type DescMethodUnary,
  type DescService,
  getOption,
  hasOption,
} from "@bufbuild/protobuf";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { http } from "../../../gen/google/api/annotations_pb.js";
import type { HttpRule } from "../../../gen/google/api/http_pb.js";
import { HttpRuleError } from "./error.ts";
import { type FieldPath, fieldNamed, resolveField } from "./field-path.ts";
import { type Template, type Variable, parseTemplate } from "./template.ts";
import { type TextReader, textReader } from "./text-value.ts";

export interface BoundVariable extends Variable {
  readonly path: FieldPath;
  readonly read: TextReader;
}

export type Body =
  | { readonly kind: "none" }
  | { readonly kind: "whole" }
  | { readonly kind: "field"; readonly field: DescField };

/** One HTTP method and path template that calls one RPC. */
export interface Binding {
  readonly method: DescMethodUnary;
  /** "waybill.order.v1.OrderService/GetOrder" */
  readonly rpc: string;
  readonly httpMethod: string;
  readonly template: Template;
  readonly variables: readonly BoundVariable[];
  readonly body: Body;
  /** The field of the response that is the HTTP body; undefined for the whole response. */
  readonly responseField: DescField | undefined;
}

/**
 * All bindings of a service's unary RPCs, additional ones too; an RPC without an HTTP rule has none.
 * @throws {HttpRuleError} naming the RPC, when a rule cannot be served.
 */
export function bindingsOf(service: DescService): Binding[] {
  return service.methods.flatMap((method) => {
    // A stream is served by the RPC protocols alone.
    if (!hasOption(method, http) || !isUnary(method)) return [];
    const rpc = `${service.typeName}/${method.name}`;
    try {
      const rule = getOption(method, http);
      return [rule, ...rule.additionalBindings].map((each) => compile(each, method, rpc));
    } catch (error) {
      if (!(error instanceof HttpRuleError)) throw error;
      throw new HttpRuleError(`${rpc}: ${error.message}`, { cause: error });
    }
  });
}

/** Copies of http.proto that packages ship may predate field 12; what they do not know is kept as unknown. */
function responseBodyOf(rule: HttpRule & { readonly responseBody?: string }): string {
  if (rule.responseBody !== undefined) return rule.responseBody;
  const unknown = rule.$unknown?.findLast((field) => field.no === 12);
  return unknown === undefined ? "" : new BinaryReader(unknown.data).string();
}

function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === "unary";
}

function compile(rule: HttpRule, method: DescMethodUnary, rpc: string): Binding {
  const { httpMethod, path } = patternOf(rule);
  const nested = rule.additionalBindings.some((inner) => inner.additionalBindings.length > 0);
  if (nested) throw new HttpRuleError("an additional binding has additional bindings of its own");
  const template = parseTemplate(path);
  const responseBody = responseBodyOf(rule);
  return {
    method,
    rpc,
    httpMethod,
    template,
    variables: template.variables.map((variable) => bindVariable(variable, method.input)),
    body: bodyOf(rule, method.input),
    responseField:
      responseBody === "" ? undefined : requireField(method.output, responseBody, "response_body"),
  };
}

function patternOf(rule: HttpRule): { httpMethod: string; path: string } {
  const { pattern } = rule;
  if (pattern.case === undefined) throw new HttpRuleError("the HTTP rule has no pattern");
  if (pattern.case !== "custom")
    return { httpMethod: pattern.case.toUpperCase(), path: pattern.value };
  const { kind, path } = pattern.value;
  if (!/^(?:\*|[A-Za-z][\w-]*)$/.test(kind)) {
    throw new HttpRuleError(`the custom HTTP method ${JSON.stringify(kind)} is malformed`);
  }
  return { httpMethod: kind, path };
}

function bindVariable(variable: Variable, input: DescMessage): BoundVariable {
  const path = resolveField(input, variable.field);
  if (path === undefined) {
    throw new HttpRuleError(
      `the path variable ${variable.field} is not a field of ${input.typeName}`,
    );
  }
  const read = textReader(path.leaf);
  if (read === undefined || path.leaf.fieldKind === "list") {
    throw new HttpRuleError(`the path variable ${variable.field} is not a single value`);
  }
  return { ...variable, path, read };
}

function bodyOf(rule: HttpRule, input: DescMessage): Body {
  if (rule.body === "") return { kind: "none" };
  if (rule.body === "*") return { kind: "whole" };
  return { kind: "field", field: requireField(input, rule.body, "body") };
}

function requireField(message: DescMessage, name: string, what: string): DescField {
  const field = fieldNamed(message, name);
  if (field !== undefined) return field;
  throw new HttpRuleError(`${what} ${JSON.stringify(name)} is not a field of ${message.typeName}`);
}
