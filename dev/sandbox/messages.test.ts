// Mails and SMS through the real Resend and Twilio SDKs.
import { describe, expect, it } from "vitest";
import { accountSid, openSandbox } from "./with-sandbox.ts";

const mail = {
  from: "Waybill <orders@waybill.example>",
  to: "alice@example.com",
  subject: "Thank you <3",
  text: "Your order",
  html: "<p>Your order</p>",
};
const key = { idempotencyKey: "order-created/1" };
const sms = { to: "+4915112345678", from: "+15005550006", body: "Paid. Thank you!" };

describe("a mail", () => {
  it("sent twice under one key is one mail", async () => {
    await using sandbox = await openSandbox();

    const first = await sandbox.resend.emails.send(mail, key);
    const second = await sandbox.resend.emails.send(mail, key);

    expect(first.error).toBeNull();
    expect(second.data?.id).toBe(first.data?.id);
    expect(await sandbox.get("/_/inbox")).toMatchObject({
      emails: [
        {
          to: "alice@example.com",
          subject: mail.subject,
          text: mail.text,
          html: mail.html,
          idempotencyKey: key.idempotencyKey,
        },
      ],
    });
    const { data } = await sandbox.resend.emails.get(first.data?.id ?? "");
    expect(data).toMatchObject({ to: ["alice@example.com"], last_event: "delivered" });
  });

  it("under the key of another is refused", async () => {
    await using sandbox = await openSandbox();
    await sandbox.resend.emails.send(mail, key);

    const { error } = await sandbox.resend.emails.send({ ...mail, subject: "Other" }, key);

    expect(error).toMatchObject({ statusCode: 409, name: "invalid_idempotent_request" });
  });

  it.each(["execute_then_drop", "execute_then_500"])("survives %s by its key", async (fault) => {
    await using sandbox = await openSandbox();
    await sandbox.post("/_/faults", { provider: "resend", fault });

    const lost = await sandbox.resend.emails.send(mail, key);
    const repeated = await sandbox.resend.emails.send(mail, key);

    expect(lost.error).not.toBeNull();
    expect(repeated.error).toBeNull();
    expect(await sandbox.get("/_/inbox")).toMatchObject({ emails: [{ subject: mail.subject }] });
  });

  it.each([
    ["no subject", { ...mail, subject: undefined as never }, "missing_required_field"],
    ["an address that is none", { ...mail, to: "alice" }, "validation_error"],
  ])("with %s is refused", async (_why, bad, name) => {
    await using sandbox = await openSandbox();

    const { error } = await sandbox.resend.emails.send(bad);

    expect(error).toMatchObject({ statusCode: 422, name });
    expect(await sandbox.get("/_/inbox")).toEqual({ emails: [], sms: [] });
  });

  it("is slowed down by a rate limit", async () => {
    await using sandbox = await openSandbox();
    await sandbox.post("/_/faults", { provider: "resend", fault: "status", status: 429 });

    const { error, headers } = await sandbox.resend.emails.send(mail, key);

    expect(error).toMatchObject({ statusCode: 429, name: "rate_limit_exceeded" });
    expect(headers?.["retry-after"]).toBe("1");
  });
});

describe("an SMS", () => {
  it("is taken and can be read again", async () => {
    await using sandbox = await openSandbox();

    const message = await sandbox.twilio.messages.create(sms);

    expect(message).toMatchObject({ status: "queued", accountSid, errorCode: null });
    expect((await sandbox.twilio.messages(message.sid).fetch()).status).toBe("delivered");
    const since = new Date(Date.now() - 60_000);
    const listed = await sandbox.twilio.messages.list({ to: sms.to, dateSentAfter: since });
    expect(listed.map(({ sid }) => sid)).toEqual([message.sid]);
    expect(await sandbox.twilio.messages.list({ to: "+4915100000000" })).toEqual([]);
    expect(await sandbox.get("/_/inbox")).toMatchObject({ sms: [{ to: sms.to, body: sms.body }] });
  });

  it.each([
    ["+15005550001", 21211],
    ["12345", 21211],
    ["+15005550004", 21610],
    ["+15005550009", 21614],
  ])("to %s is refused with %i", async (to, code) => {
    await using sandbox = await openSandbox();

    await expect(sandbox.twilio.messages.create({ ...sms, to })).rejects.toMatchObject({
      status: 400,
      code,
    });
  });

  it("sent twice is two messages: Twilio knows no keys", async () => {
    await using sandbox = await openSandbox();
    await sandbox.post("/_/faults", { provider: "twilio", fault: "execute_then_drop" });

    await expect(sandbox.twilio.messages.create(sms)).rejects.toThrow();
    await sandbox.twilio.messages.create(sms);

    expect(await sandbox.twilio.messages.list({ to: sms.to })).toHaveLength(2);
  });

  it("of a stranger is refused", async () => {
    await using sandbox = await openSandbox();
    const path = `/2010-04-01/Accounts/${accountSid}/Messages.json`;

    expect((await sandbox.post(path)).body).toMatchObject({ code: 20003, status: 401 });
  });
});
