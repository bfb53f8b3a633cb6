// Which tokens are believed, and what is said of the others.
import { generateKeyPair, SignJWT, type JWTPayload } from "jose";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Refusal } from "../refusal.ts";
import { openIssuer, type Issuer } from "./issuer.fixture.ts";
import { createTokenMinter } from "./minter.ts";
import { createTokenVerifier } from "./token.ts";

const verifierFor = (issuer: Issuer, audience = "payment") =>
  createTokenVerifier({ audience, ...issuer });

const refusal = (why: RegExp) =>
  expect.objectContaining({ code: "unauthenticated", message: expect.stringMatching(why) });

afterEach(() => {
  vi.useRealTimers();
});

describe("a token of the identity provider", () => {
  test("says which customer calls, and how to write to them", async () => {
    await using issuer = await openIssuer();
    const verifier = await verifierFor(issuer);

    const principal = await verifier.verify(
      await issuer.header({ sub: "c1", email: "a@example.org" }),
    );

    expect(principal).toEqual({ kind: "customer", id: "c1", email: "a@example.org" });
  });

  test("makes an operator of who has the role", async () => {
    await using issuer = await openIssuer();
    const verifier = await verifierFor(issuer);

    const principal = await verifier.verify(
      await issuer.header({ sub: "o1", roles: ["operator"] }),
    );

    expect(principal).toEqual({ kind: "operator", id: "o1" });
  });

  test("is not needed by an anonymous caller", async () => {
    await using issuer = await openIssuer();
    const verifier = await verifierFor(issuer);

    expect(await verifier.verify(null)).toEqual({ kind: "anonymous" });
  });

  test.each<[string, JWTPayload, RegExp]>([
    ["has expired", { exp: 1_000 }, /expired/],
    ["is meant for another shop", { aud: "elsewhere" }, /claim "aud"/],
    ["is another provider's", { iss: "https://evil.example" }, /claim "iss"/],
    ["is not valid yet", { nbf: 4_000_000_000 }, /claim "nbf"/],
    ["names nobody", { sub: "" }, /names nobody/],
    ["names somebody at too great length", { sub: "c".repeat(129) }, /128/],
    ["hides a control character in its sub", { sub: "c\u0000" }, /control/],
    ["never expires", { exp: undefined } as unknown as JWTPayload, /claim "exp"/],
    ["pretends to be a service's", { iss: "waybill", aud: "payment", sub: "order" }, /unknown key/],
  ])("that %s is refused", async (_, claims, why) => {
    await using issuer = await openIssuer();
    const verifier = await verifierFor(issuer);
    const header = await issuer.header({ sub: "c1", ...claims });

    await expect(verifier.verify(header)).rejects.toEqual(refusal(why));
  });

  test("that borrows a service's kid is refused by its signature", async () => {
    await using issuer = await openIssuer();
    const verifier = await verifierFor(issuer);
    const header = await issuer.header(
      { iss: "waybill", aud: "payment", sub: "order" },
      { kid: "order/1" },
    );

    await expect(verifier.verify(header)).rejects.toEqual(refusal(/signature is wrong/));
  });

  test.each([
    ["Bearer"],
    ["Basic YTpi"],
    ["Bearer a.b"],
    ["Bearer a.b.c"],
    [`Bearer ${"a".repeat(9_000)}.b.c`],
  ])("that is not one is refused: %.20s", async (header) => {
    await using issuer = await openIssuer();
    const verifier = await verifierFor(issuer);

    await expect(verifier.verify(header)).rejects.toBeInstanceOf(Refusal);
  });

  test("signed with a shared secret, or not at all, is refused", async () => {
    await using issuer = await openIssuer();
    const verifier = await verifierFor(issuer);
    const claims = {
      iss: issuer.userIssuer,
      aud: issuer.userAudience,
      sub: "c1",
      exp: 4_000_000_000,
    };
    const shared = await new SignJWT(claims)
      .setProtectedHeader({ alg: "HS256", kid: "user-1" })
      .sign(new TextEncoder().encode("a secret that both sides know, 32 bytes"));
    const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");

    await expect(verifier.verify(`Bearer ${shared}`)).rejects.toEqual(refusal(/algorithm/));
    await expect(
      verifier.verify(`Bearer ${encode({ alg: "none" })}.${encode(claims)}.`),
    ).rejects.toEqual(refusal(/not "Bearer" and a JWT/));
  });

  test("is forgotten when its key is withdrawn", async () => {
    await using issuer = await openIssuer();
    const verifier = await verifierFor(issuer);
    const header = await issuer.header({ sub: "c1" });
    await verifier.verify(header);

    await issuer.rotate();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 5_000 });

    await expect(verifier.verify(header)).rejects.toEqual(refusal(/unknown key/));
    expect(await verifier.verify(await issuer.header({ sub: "c1" }))).toMatchObject({ id: "c1" });
  });

  test("is not remembered beyond its end", async () => {
    await using issuer = await openIssuer();
    const verifier = await verifierFor(issuer);
    const header = await issuer.header({ sub: "c1" });
    await verifier.verify(header);

    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 400_000 });

    await expect(verifier.verify(header)).rejects.toEqual(refusal(/expired/));
  });
});

describe("a service's own token", () => {
  test("names the service, and the customer for whom it acts", async () => {
    await using issuer = await openIssuer();
    const verifier = await verifierFor(issuer);
    const minter = await createTokenMinter({
      service: "order",
      privateKey: issuer.privateKeyOf("order"),
    });

    const alone = await verifier.verify(`Bearer ${await minter.mint("payment")}`);
    const forCustomer = await verifier.verify(`Bearer ${await minter.mint("payment", "c1")}`);

    expect(alone).toEqual({ kind: "service", id: "order" });
    expect(forCustomer).toEqual({ kind: "service", id: "order", onBehalfOf: "c1" });
  });

  test("is good for the service that it was made for, and no other", async () => {
    await using issuer = await openIssuer();
    const verifier = await verifierFor(issuer, "notification");
    const minter = await createTokenMinter({
      service: "order",
      privateKey: issuer.privateKeyOf("order"),
    });

    await expect(verifier.verify(`Bearer ${await minter.mint("payment")}`)).rejects.toEqual(
      refusal(/claim "aud"/),
    );
  });

  test("is made again before it ends, and not before", async () => {
    await using issuer = await openIssuer();
    const minter = await createTokenMinter({
      service: "order",
      privateKey: issuer.privateKeyOf("order"),
    });

    const first = await minter.mint("payment");
    const again = await minter.mint("payment");
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 45_000 });
    const later = await minter.mint("payment");

    expect(again).toBe(first);
    expect(later).not.toBe(first);
  });

  test("cannot be made with another service's key", async () => {
    await using issuer = await openIssuer();
    const { privateKey } = await generateKeyPair("EdDSA");
    const verifier = await verifierFor(issuer);
    const forged = await new SignJWT({
      iss: "waybill",
      aud: "payment",
      sub: "notification",
      exp: 4_000_000_000,
    })
      .setProtectedHeader({ alg: "EdDSA", kid: "order/1" })
      .sign(privateKey);

    const minting = createTokenMinter({
      service: "order",
      privateKey: issuer.privateKeyOf("payment"),
    });

    await expect(minting).rejects.toThrow(/its kid is "payment\/1"/);
    await expect(verifier.verify(`Bearer ${forged}`)).rejects.toBeInstanceOf(Refusal);
  });
});

test("an identity provider cannot sign under the services' name", async () => {
  await using issuer = await openIssuer();

  const creating = createTokenVerifier({ audience: "order", ...issuer, userIssuer: "waybill" });

  await expect(creating).rejects.toThrow(/must not be "waybill"/);
});

test("keys that cannot be fetched are no reason to call a token bad", async () => {
  await using issuer = await openIssuer();
  const verifier = await createTokenVerifier({
    audience: "order",
    ...issuer,
    userKeys: "http://127.0.0.1:1/jwks",
  });

  const verifying = verifier.verify(await issuer.header({ sub: "c1" }));

  await expect(verifying).rejects.toMatchObject({ code: "ERR_KEYS_UNAVAILABLE" });
});
