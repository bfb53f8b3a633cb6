// Twilio's part of the sandbox: messages are taken, remembered and never sent.
// https://www.twilio.com/docs/messaging/api/message-resource
import type { FastifyInstance, FastifyRequest } from "fastify";
import { type Answer, jsonAnswer } from "./answer.ts";
import { type Faults, underFault } from "./faults.ts";
import { decodeForm, type Form, textOf } from "./form.ts";
import { bodyOf, send } from "./http.ts";
import { twilioSid } from "./id.ts";
import type { Collection, Journal } from "./journal.ts";
import { checkMessage, checkTwilioAuth, twilioRefusal, TwilioRefusal } from "./twilio-refusal.ts";

export interface Sms {
  readonly sid: string;
  readonly accountSid: string;
  readonly to: string;
  readonly from: string;
  readonly body: string;
  /** Milliseconds since 1970. */
  readonly time: number;
}

export interface TwilioParts {
  readonly messages: Collection<Sms>;
  readonly journal: Journal;
  readonly faults: Faults;
  readonly clock: () => number;
  readonly closing: AbortSignal;
}

const DEFAULT_PAGE_SIZE = 50;
const MAX_PAGE_SIZE = 1000;
/** Characters of one SMS in GSM-7. */
const SEGMENT_CHARACTERS = 160;

interface Call {
  readonly accountSid: string;
  readonly sid: string;
  readonly parameters: Form;
}
type Operation = (parts: TwilioParts, call: Call) => Answer;

export function twilioRoutes(app: FastifyInstance, parts: TwilioParts): void {
  const account = "/2010-04-01/Accounts/:accountSid";
  app.post(`${account}/Messages.json`, async (request, reply) =>
    send(reply, await answer(parts, request, createSms)),
  );
  app.get(`${account}/Messages.json`, async (request, reply) =>
    send(reply, await answer(parts, request, listSms)),
  );
  app.get(`${account}/Messages/:file`, async (request, reply) =>
    send(reply, await answer(parts, request, fetchSms)),
  );
  app.all("/2010-04-01/*", async ({ url }, reply) =>
    send(
      reply,
      new TwilioRefusal(404, 20404, `The requested resource ${url} was not found`).answer,
    ),
  );
}

async function answer(
  parts: TwilioParts,
  request: FastifyRequest,
  operation: Operation,
): Promise<Answer | "drop"> {
  const { accountSid, file = "" } = request.params as { accountSid: string; file?: string };
  const [path = "", query = ""] = request.url.split("?", 2);
  const text = request.method === "GET" ? query : bodyOf(request.body);
  const call = { accountSid, sid: file.replace(/\.json$/, ""), parameters: decodeForm(text) };
  const execute = (instead?: Answer): Answer => {
    const truth = operation(parts, call);
    return instead ?? truth;
  };
  try {
    checkTwilioAuth(request.headers.authorization, accountSid);
    return await underFault(
      parts.faults.strike({ stage: "request", provider: "twilio", path }),
      { refusal: twilioRefusal, execute },
      parts.closing,
    );
  } catch (error) {
    if (error instanceof TwilioRefusal) return error.answer;
    throw error;
  }
}

const createSms: Operation = (parts, { accountSid, parameters }) => {
  const to = textOf(parameters, "To") ?? "";
  const from = textOf(parameters, "From") ?? textOf(parameters, "MessagingServiceSid") ?? "";
  const body = textOf(parameters, "Body") ?? "";
  checkMessage(to, from, body);
  const sms: Sms = { sid: twilioSid("SM"), accountSid, to, from, body, time: parts.clock() };
  parts.journal.change(() => parts.messages.put(sms.sid, sms));
  return jsonAnswer(201, toMessage(sms, "queued"));
};

const fetchSms: Operation = (parts, { accountSid, sid }) => {
  const sms = parts.messages.get(sid);
  if (sms?.accountSid !== accountSid) {
    throw new TwilioRefusal(
      404,
      20404,
      `The requested resource ${pathOf(accountSid, sid)} was not found`,
    );
  }
  return jsonAnswer(200, toMessage(sms, "delivered"));
};

const listSms: Operation = (parts, { accountSid, parameters }) => {
  const size = Math.min(Number(textOf(parameters, "PageSize") ?? DEFAULT_PAGE_SIZE), MAX_PAGE_SIZE);
  const page = Number(textOf(parameters, "Page") ?? 0);
  const accepts = filterOf(parameters);
  const found = parts.messages
    .values()
    .filter((sms) => sms.accountSid === accountSid && accepts(sms))
    .toReversed();
  const uri = (number: number): string => {
    const query = new URLSearchParams({
      ...textsOf(parameters),
      PageSize: String(size),
      Page: String(number),
    });
    return `/2010-04-01/Accounts/${accountSid}/Messages.json?${query.toString()}`;
  };
  const start = page * size;
  return jsonAnswer(200, {
    messages: found.slice(start, start + size).map((sms) => toMessage(sms, "delivered")),
    page,
    page_size: size,
    start,
    end: Math.min(start + size, found.length) - 1,
    uri: uri(page),
    first_page_uri: uri(0),
    previous_page_uri: page > 0 ? uri(page - 1) : null,
    next_page_uri: start + size < found.length ? uri(page + 1) : null,
  });
};

const textsOf = (form: Form): Record<string, string> =>
  Object.fromEntries(
    Object.entries(form).flatMap(([name, value]) =>
      typeof value === "string" ? [[name, value]] : [],
    ),
  );

/** By To, From and the time of sending: `DateSent` a day, `DateSent>` and `DateSent<` its bounds. */
function filterOf(parameters: Form): (sms: Sms) => boolean {
  const to = textOf(parameters, "To");
  const from = textOf(parameters, "From");
  const day = textOf(parameters, "DateSent")?.slice(0, 10);
  const after = Date.parse(textOf(parameters, "DateSent>") ?? "");
  const before = Date.parse(textOf(parameters, "DateSent<") ?? "");
  return (sms) =>
    (to === undefined || sms.to === to) &&
    (from === undefined || sms.from === from) &&
    (day === undefined || new Date(sms.time).toISOString().startsWith(day)) &&
    !(sms.time < after) &&
    !(sms.time > before);
}

const pathOf = (accountSid: string, sid: string): string =>
  `/2010-04-01/Accounts/${accountSid}/Messages/${sid}.json`;

function toMessage(sms: Sms, status: "queued" | "delivered") {
  const time = new Date(sms.time).toUTCString().replace("GMT", "+0000");
  const uri = pathOf(sms.accountSid, sms.sid);
  return {
    sid: sms.sid,
    account_sid: sms.accountSid,
    api_version: "2010-04-01",
    body: sms.body,
    date_created: time,
    date_sent: status === "queued" ? null : time,
    date_updated: time,
    direction: "outbound-api",
    error_code: null,
    error_message: null,
    from: sms.from.startsWith("MG") ? null : sms.from,
    messaging_service_sid: sms.from.startsWith("MG") ? sms.from : null,
    num_media: "0",
    num_segments: String(Math.ceil(sms.body.length / SEGMENT_CHARACTERS)),
    price: null,
    price_unit: "USD",
    status,
    subresource_uris: { media: uri.replace(/\.json$/, "/Media.json") },
    to: sms.to,
    uri,
  };
}
