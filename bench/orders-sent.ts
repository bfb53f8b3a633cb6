// The orders that the benchmark sends, and the customers in whose name it does.
import { readFile } from "node:fs/promises";
import { importJWK, type JWK, SignJWT } from "jose";
import { AUDIENCE, ISSUER } from "../dev/stack/keys.ts";

/** So many that no cache of one customer's tokens flatters the figures. */
const CUSTOMERS = 100;
const TOKEN_LIFETIME = "2h";
const ALGORITHM = "EdDSA";

export interface OrderRequest {
  readonly method: "POST";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const BODY = JSON.stringify({
  items: [
    { sku: "coffee-beans-1kg", quantity: 1 },
    { sku: "espresso-cups", quantity: 2 },
  ],
  paymentMethod: "pm_card_visa",
});

/** One request for each customer; the gateway gives each call an ID of its own. `userKey`: path of a private JWK. */
export async function orderRequests(userKey: string): Promise<OrderRequest[]> {
  const jwk = JSON.parse(await readFile(userKey, "utf8")) as JWK;
  const key = await importJWK(jwk, ALGORITHM);
  const sign = (customer: string) =>
    new SignJWT({ email: `${customer}@example.com` })
      .setProtectedHeader({ alg: ALGORITHM, kid: jwk.kid ?? "" })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setSubject(customer)
      .setIssuedAt()
      .setExpirationTime(TOKEN_LIFETIME)
      .sign(key);
  const tokens = await Promise.all(
    Array.from({ length: CUSTOMERS }, (_, number) => sign(`bench-${number}`)),
  );
  return tokens.map((token) => ({
    method: "POST",
    path: "/v1/orders",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: BODY,
  }));
}
