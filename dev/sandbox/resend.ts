// Resend's part of the sandbox: mails are taken, remembered and never sent. https://resend.com/docs/api-reference/emails
import type { FastifyInstance, FastifyRequest } from "fastify";
import { randomUUID } from "node:crypto";
import type { CreateEmailResponseSuccess, GetEmailResponseSuccess } from "resend";
import { type Answer, jsonAnswer } from "./answer.ts";
import { type Faults, underFault } from "./faults.ts";
import { bodyOf, send } from "./http.ts";
import type { IdempotencyKeys, SavedAnswer } from "./idempotency.ts";
import type { Collection, Journal } from "./journal.ts";
import { type Mail, readMail } from "./mail.ts";
import { checkResendKey, resendRefusal, ResendRefusal } from "./resend-refusal.ts";

/** https://resend.com/docs/dashboard/emails/idempotency-keys */
const MAX_KEY_CHARACTERS = 256;
const ENDPOINT = "/emails";

export interface ResendParts {
  readonly mails: Collection<Mail>;
  readonly journal: Journal;
  readonly keys: IdempotencyKeys;
  readonly faults: Faults;
  readonly clock: () => number;
  readonly closing: AbortSignal;
}

export function resendRoutes(app: FastifyInstance, parts: ResendParts): void {
  app.post(ENDPOINT, async (request, reply) => send(reply, await answer(parts, request, sendMail)));
  app.get(`${ENDPOINT}/:id`, async (request, reply) =>
    send(reply, await answer(parts, request, retrieveMail)),
  );
}

type Operation = (
  parts: ResendParts,
  request: FastifyRequest,
) => Answer | "drop" | Promise<Answer | "drop">;

async function answer(
  parts: ResendParts,
  request: FastifyRequest,
  operation: Operation,
): Promise<Answer | "drop"> {
  try {
    checkResendKey(request.headers.authorization);
    return await operation(parts, request);
  } catch (error) {
    if (error instanceof ResendRefusal) return error.answer;
    throw error;
  }
}

const retrieveMail: Operation = (parts, request) => {
  const { id } = request.params as { id: string };
  const work = {
    refusal: resendRefusal,
    execute: () => {
      const mail = parts.mails.get(id);
      if (mail === undefined) throw new ResendRefusal(404, "not_found", "Email not found");
      return jsonAnswer(200, toEmail(mail));
    },
  };
  return underFault(parts.faults.strike(requestOf(`${ENDPOINT}/${id}`)), work, parts.closing);
};

const sendMail: Operation = async (parts, request) => {
  const body = bodyOf(request.body);
  const key = keyOf(request);
  const verdict =
    key === undefined ? ({ kind: "first" } as const) : parts.keys.verdict(key, ENDPOINT, body);
  if (verdict.kind === "in_use") {
    const message = "Same idempotency key used while original request is still in progress.";
    throw new ResendRefusal(409, "concurrent_idempotent_requests", message);
  }
  if (verdict.kind === "mismatch") {
    const message = "Same idempotency key used with a different request payload.";
    throw new ResendRefusal(409, "invalid_idempotent_request", message);
  }
  using _held = key === undefined ? undefined : parts.keys.hold(key);
  const work = {
    refusal: resendRefusal,
    execute: (instead?: Answer) => {
      const truth = verdict.kind === "replay" ? replayOf(verdict.saved) : take(parts, body, key);
      return instead ?? truth;
    },
  };
  return await underFault(parts.faults.strike(requestOf(ENDPOINT)), work, parts.closing);
};

/** Takes the mail and saves the answer under the key as one change. Only what was taken is saved. */
function take(parts: ResendParts, body: string, key: string | undefined): Answer {
  const mail = readMail(body, {
    id: randomUUID(),
    idempotencyKey: key ?? null,
    time: parts.clock(),
  });
  const taken = jsonAnswer(200, { id: mail.id } satisfies CreateEmailResponseSuccess);
  return parts.journal.change(() => {
    parts.mails.put(mail.id, mail);
    if (key !== undefined)
      parts.keys.save(key, { endpoint: ENDPOINT, parameters: body, requestId: mail.id }, taken);
    return taken;
  });
}

const replayOf = (saved: SavedAnswer): Answer => ({ status: saved.status, body: saved.body });

function keyOf(request: FastifyRequest): string | undefined {
  const key = request.headers["idempotency-key"];
  if (typeof key !== "string") return undefined;
  if (key.length >= 1 && key.length <= MAX_KEY_CHARACTERS) return key;
  const message = `The idempotency key must be between 1 and ${MAX_KEY_CHARACTERS} characters.`;
  throw new ResendRefusal(400, "invalid_idempotency_key", message);
}

const toEmail = (mail: Mail): GetEmailResponseSuccess => ({
  object: "email",
  id: mail.id,
  message_id: `<${mail.id}@sandbox>`,
  to: [...mail.to],
  from: mail.from,
  created_at: new Date(mail.time).toISOString(),
  subject: mail.subject,
  html: mail.html,
  text: mail.text,
  bcc: [...mail.bcc],
  cc: [...mail.cc],
  reply_to: [...mail.replyTo],
  tags: [...mail.tags],
  last_event: mail.to.some((address) => address.includes("bounced@resend.dev"))
    ? "bounced"
    : "delivered",
  scheduled_at: null,
});

/** A request, as far as faults are concerned. */
const requestOf = (path: string) => ({ stage: "request", provider: "resend", path }) as const;
