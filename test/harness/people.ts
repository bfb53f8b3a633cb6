// The callers of a stack under test, with tokens that its services believe, or that they must not.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { importJWK, type JWK, type JWTPayload, SignJWT } from "jose";
import { createTokenMinter } from "../../src/platform/access/minter.ts";
import { AUDIENCE, ISSUER } from "../../dev/stack/keys.ts";
import type { Place } from "./place.ts";

const LIFETIME_S = 300;

export interface Person {
  readonly id: string;
  readonly email: string;
  /** A bearer token. */
  readonly token: string;
}

/** Somebody whom no other test knows: what happens to them is this test's doing. */
export async function newCustomer(place: Place, claims: JWTPayload = {}): Promise<Person> {
  const id = `customer-${randomBytes(6).toString("hex")}`;
  const email = `${id}@example.com`;
  return { id, email, token: await userToken(place, { sub: id, email, ...claims }) };
}

/** A number in E.164 form that no other test texts. */
export function newPhoneNumber(): string {
  return `+4915${String(randomBytes(6).readUIntBE(0, 6) % 1e9).padStart(9, "0")}`;
}

/** A token of the identity provider, good for five minutes unless the claims say otherwise. */
export function userToken(place: Place, claims: JWTPayload): Promise<string> {
  return signed(readKey(place, "users"), userClaims(claims));
}

/** What the identity provider puts into a token, and the claims in place of it. */
export function userClaims(claims: JWTPayload): JWTPayload {
  const now = Math.floor(Date.now() / 1000);
  return { iss: ISSUER, aud: AUDIENCE, iat: now, exp: now + LIFETIME_S, ...claims };
}

/** A token signed with the key, whatever it claims. */
export async function signed(key: JWK, claims: JWTPayload): Promise<string> {
  const header = { alg: key.alg ?? "EdDSA", ...(key.kid !== undefined && { kid: key.kid }) };
  return await new SignJWT(claims)
    .setProtectedHeader(header)
    .sign(await importJWK(key, key.alg ?? "EdDSA"));
}

/** The private key of "users", "order", "payment" or "notification". */
export function readKey(place: Place, name: string): JWK {
  const key: JWK = JSON.parse(readFileSync(keyFile(place, name), "utf8"));
  return key;
}

/** A token with which one service calls another, as the services make them. */
export async function serviceToken(
  place: Place,
  service: string,
  audience: string,
  onBehalfOf?: string,
): Promise<string> {
  const minter = await createTokenMinter({ service, privateKey: keyFile(place, service) });
  return await minter.mint(audience, onBehalfOf);
}

/** What Stripe, which the sandbox stands in for, signs its webhooks with. */
export function webhookSecret(place: Place): string {
  return readFileSync(join(place.home, "keys", "webhook-secret"), "utf8").trim();
}

const keyFile = (place: Place, name: string) => join(place.home, "keys", `${name}.jwk.json`);
