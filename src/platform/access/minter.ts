// The short-lived tokens with which a service calls another.
import { readFile } from "node:fs/promises";
import { importJWK, SignJWT, type JWK } from "jose";
import { createRecent } from "./recent.ts";

/** The `iss` of the tokens that Waybill's services sign themselves. */
export const SERVICE_ISSUER = "waybill";
/** How long a service token is good for, in seconds. */
const LIFETIME_S = 60;
/** How long before its end a token is no longer handed out, in milliseconds: longer than the calls that carry it. */
const SPARE_MS = 20_000;
/** How many tokens are remembered, one for each audience and customer. */
const REMEMBERED_TOKENS = 1_000;

/** Makes the tokens with which this service calls others. */
export interface TokenMinter {
  /** A token for the service named `audience`; `onBehalfOf` is the ID of the customer for whom this service acts. */
  mint(audience: string, onBehalfOf?: string): Promise<string>;
}

/** Throws where the private JWK cannot be read, is not EdDSA, or is another service's. */
export async function createTokenMinter(o: {
  readonly service: string;
  /** The path of this service's private JWK; its kid is "<service>/…". */
  readonly privateKey: string;
}): Promise<TokenMinter> {
  const jwk = JSON.parse(await readFile(o.privateKey, "utf8")) as JWK;
  const kid = jwk.kid ?? "";
  if (!kid.startsWith(`${o.service}/`)) {
    throw new Error(`The key in ${o.privateKey} is not of "${o.service}": its kid is "${kid}".`);
  }
  const key = await importJWK(jwk, "EdDSA");
  const minted = createRecent<{ readonly token: string; readonly untilMs: number }>(
    REMEMBERED_TOKENS,
  );
  return {
    async mint(audience, onBehalfOf) {
      const name = `${audience} ${onBehalfOf ?? ""}`;
      const known = minted.get(name);
      if (known && Date.now() < known.untilMs) return known.token;
      const nowS = Math.floor(Date.now() / 1_000);
      const token = await new SignJWT(onBehalfOf === undefined ? {} : { on_behalf_of: onBehalfOf })
        .setProtectedHeader({ alg: "EdDSA", kid, typ: "JWT" })
        .setIssuer(SERVICE_ISSUER)
        .setAudience(audience)
        .setSubject(o.service)
        .setIssuedAt(nowS)
        .setExpirationTime(nowS + LIFETIME_S)
        .sign(key);
      minted.set(name, { token, untilMs: (nowS + LIFETIME_S) * 1_000 - SPARE_MS });
      return token;
    },
  };
}
