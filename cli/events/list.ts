// What the lists have in common: every service is asked, and the rows come out as one table or one document.
import { toJson, type DescMessage, type JsonObject, type MessageShape } from "@bufbuild/protobuf";
import { table } from "../table.ts";
import { readCount } from "../usage.ts";
import {
  allPages,
  askAll,
  text,
  type Admin,
  type Call,
  type Outcome,
  type Page,
} from "./command.ts";

const DEFAULT_LIMIT = 200;

export const LIST_OPTIONS = { limit: { type: "string" } } as const;

export interface List<S extends DescMessage> {
  readonly schema: S;
  /** In the JSON document. */
  readonly name: string;
  readonly head: readonly string[];
  readonly empty: string;
  page(
    admin: Admin,
    o: { readonly pageToken: string; readonly pageSize: number },
  ): Promise<Page<MessageShape<S>>>;
  row(message: MessageShape<S>): readonly string[];
}

export async function showList<S extends DescMessage>(call: Call, list: List<S>): Promise<Outcome> {
  const limit = readCount("limit", text(call.values, "limit") ?? String(DEFAULT_LIMIT));
  const { answers, problems } = await askAll(call.targets, (admin) =>
    allPages<MessageShape<S>>(limit, (pageToken, pageSize) =>
      list.page(admin, { pageToken, pageSize }),
    ),
  );
  const rows = answers.flatMap(({ service, answer }) =>
    answer.rows.map((message) => ({ service, message })),
  );
  const more = answers.filter(({ answer }) => answer.more).map(({ service }) => service);
  const lines = [
    table(
      ["service", ...list.head],
      rows.map(({ service, message }) => [service, ...list.row(message)]),
      list.empty,
    ),
    ...more.map((service) => `${service} has more than these ${limit}: --limit shows more`),
  ];
  return {
    text: lines.join("\n"),
    json: {
      [list.name]: rows.map(({ service, message }) => named(service, list.schema, message)),
      truncated: more,
    },
    problems,
  };
}

/** The message in ProtoJSON, with the service that it is of. */
export const named = <S extends DescMessage>(
  service: string,
  schema: S,
  message: MessageShape<S>,
): JsonObject => ({ service, ...(toJson(schema, message) as JsonObject) });
