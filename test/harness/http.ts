// JSON over plain HTTP, as curl speaks it.
import { type DescMessage, fromJson, type JsonValue, type MessageShape } from "@bufbuild/protobuf";

const ANSWER_WITHIN_MS = 15_000;

export interface Question {
  readonly method?: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A text or bytes go as they are, anything else as JSON. */
  readonly body?: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body read as JSON; undefined where it is none. */
  readonly json: JsonValue | undefined;
}

/** The method is POST where there is a body, else GET. @throws where no answer comes */
export async function ask(url: string, question: Question = {}): Promise<Answer> {
  const { token, headers, body } = question;
  const response = await fetch(url, {
    method: question.method ?? (body === undefined ? "GET" : "POST"),
    headers: {
      ...(body !== undefined && { "content-type": "application/json" }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body !== undefined && { body: bytesOf(body) }),
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: jsonOf(text) };
}

/** The message in a good answer. @throws with the whole body when it is a bad one */
export function messageOf<S extends DescMessage>(schema: S, answer: Answer): MessageShape<S> {
  if (answer.status !== 200 || answer.json === undefined) {
    throw new Error(`answered ${answer.status}: ${answer.text}`);
  }
  return fromJson(schema, answer.json);
}

function bytesOf(body: unknown): string | Uint8Array<ArrayBuffer> {
  if (typeof body === "string") return body;
  return body instanceof Uint8Array ? new Uint8Array(body) : JSON.stringify(body);
}

function jsonOf(text: string): JsonValue | undefined {
  try {
    const value: JsonValue = JSON.parse(text);
    return value;
  } catch {
    return undefined; // a plain text, or nothing
  }
}
