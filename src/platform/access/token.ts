// Whose token it is: verifies those of customers, operators and services.
import { decodeJwt, errors, jwtVerify, type JWTPayload, type JWTVerifyResult } from "jose";
import { Refusal } from "../refusal.ts";
import { KeysUnavailable, openKeys, type PublicKeys } from "./keys.ts";
import { SERVICE_ISSUER } from "./minter.ts";
import { anonymous, type Principal } from "./principal.ts";
import { createRecent } from "./recent.ts";

export { createTokenMinter, type TokenMinter } from "./minter.ts";

/** The signatures that are believed; never "none", never a shared secret. */
const USER_ALGORITHMS = ["EdDSA", "ES256", "RS256"];
const SERVICE_ALGORITHMS = ["EdDSA"];
/** How far clocks may be apart, in seconds. */
const CLOCK_TOLERANCE_S = 30;
/** The longest Authorization header that is looked at, in characters. */
const AUTHORIZATION_LIMIT = 8_192;
/** How many verified tokens are remembered, which saves checking a signature again. */
const REMEMBERED_TOKENS = 1_000;
/** The longest that a verified token is remembered, in milliseconds, lest a withdrawn key be believed for long. */
const REMEMBER_MS = 300_000;

/** Says whose token a call carries. */
export interface TokenVerifier {
  /**
   * The principal of an Authorization header; null is the anonymous one. Throws a Refusal with `unauthenticated` for a
   * token that is malformed, forged, expired or meant for someone else, and KeysUnavailable where that cannot be told.
   */
  verify(authorization: string | null): Promise<Principal>;
}

export interface TokenVerifierOptions {
  /** The name of the service that verifies, which service tokens must be meant for: "order", or "gateway". */
  readonly audience: string;
  /** The identity provider's JWKS: a file's path or an http(s) URL. */
  readonly userKeys: string;
  readonly userIssuer: string;
  readonly userAudience: string;
  /** The JWKS of Waybill's services: a file's path or an http(s) URL. */
  readonly serviceKeys: string;
}

const USER_ID = /^\P{Cc}{1,128}$/u;

interface Verified {
  readonly principal: Principal;
  readonly untilMs: number;
}

/** Throws where a key file cannot be read, or where the identity provider would sign as Waybill's services do. */
export async function createTokenVerifier(o: TokenVerifierOptions): Promise<TokenVerifier> {
  if (o.userIssuer === SERVICE_ISSUER) {
    throw new Error(
      `The identity provider's issuer must not be "${SERVICE_ISSUER}": services sign as it.`,
    );
  }
  const [userKeys, serviceKeys] = await Promise.all([
    openKeys(o.userKeys),
    openKeys(o.serviceKeys),
  ]);
  const verified = createRecent<Verified>(REMEMBERED_TOKENS);

  const check = async (token: string): Promise<Verified> => {
    // Which keys count is chosen by the issuer that the token names; the signature then proves it.
    const ofService = issuerOf(token) === SERVICE_ISSUER;
    const result = ofService
      ? await verifySignature(token, serviceKeys, SERVICE_ALGORITHMS, [SERVICE_ISSUER, o.audience])
      : await verifySignature(token, userKeys, USER_ALGORITHMS, [o.userIssuer, o.userAudience]);
    const principal = ofService ? serviceOf(result) : userOf(result.payload);
    const untilMs = Math.min((result.payload.exp ?? 0) * 1_000, Date.now() + REMEMBER_MS);
    return { principal, untilMs };
  };

  return {
    async verify(authorization) {
      if (authorization === null) return anonymous;
      const token = bearerOf(authorization);
      const refreshed = await Promise.all([userKeys.refresh(), serviceKeys.refresh()]);
      if (refreshed.includes(true)) verified.clear();
      const known = verified.get(token);
      if (known && Date.now() < known.untilMs) return known.principal;
      const fresh = await check(token);
      verified.set(token, fresh);
      return fresh.principal;
    },
  };
}

const refuse = (message: string): Refusal => new Refusal("unauthenticated", message);

function bearerOf(authorization: string): string {
  const match =
    authorization.length <= AUTHORIZATION_LIMIT
      ? /^Bearer +([\w-]+\.[\w-]+\.[\w-]+) *$/i.exec(authorization)
      : null;
  if (!match?.[1]) throw refuse('The Authorization header is not "Bearer" and a JWT.');
  return match[1];
}

function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    throw refuse("The token is malformed.");
  }
}

async function verifySignature(
  token: string,
  keys: PublicKeys,
  algorithms: string[],
  [issuer, audience]: [issuer: string, audience: string],
): Promise<JWTVerifyResult> {
  try {
    return await jwtVerify(token, keys.find, {
      algorithms,
      issuer,
      audience,
      clockTolerance: CLOCK_TOLERANCE_S,
      requiredClaims: ["exp", "sub"],
    });
  } catch (error) {
    throw refusalOf(error);
  }
}

/** What jose found, told so that a caller can act on it. What is not the token's fault is passed on as it is. */
function refusalOf(error: unknown): unknown {
  if (error instanceof KeysUnavailable || !(error instanceof errors.JOSEError)) return error;
  if (error instanceof errors.JWTExpired) return refuse("The token has expired.");
  if (error instanceof errors.JWTClaimValidationFailed) {
    return refuse(
      `The token is not for this service: its claim "${error.claim}" is missing or wrong.`,
    );
  }
  if (error instanceof errors.JOSEAlgNotAllowed)
    return refuse("The token is signed with an algorithm that is not allowed.");
  if (error instanceof errors.JWKSNoMatchingKey)
    return refuse("The token is signed with an unknown key.");
  if (error instanceof errors.JWSSignatureVerificationFailed)
    return refuse("The token's signature is wrong.");
  return refuse("The token is malformed.");
}

const textOf = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

function userOf(payload: JWTPayload): Principal {
  const id = textOf(payload.sub);
  if (id === undefined) throw refuse("The token names nobody: its sub is empty.");
  // The contract's rule for a customer's ID: an order of a longer one could be taken, but never paid.
  if (!USER_ID.test(id))
    throw refuse("The token's sub is longer than 128 characters, or holds control characters.");
  const email = textOf(payload["email"]);
  const roles = payload["roles"];
  const kind = Array.isArray(roles) && roles.includes("operator") ? "operator" : "customer";
  return { kind, id, ...(email === undefined ? {} : { email }) };
}

/** The kid says whose key it is, "order/2026": no service can speak as another with its own key. */
function serviceOf({ payload, protectedHeader }: JWTVerifyResult): Principal {
  const id = textOf(payload.sub);
  const kid = protectedHeader.kid ?? "";
  if (id === undefined || !kid.startsWith(`${id}/`) || id.includes("/")) {
    throw refuse("The service token is signed with another service's key.");
  }
  const onBehalfOf = textOf(payload["on_behalf_of"]);
  return { kind: "service", id, ...(onBehalfOf === undefined ? {} : { onBehalfOf }) };
}
