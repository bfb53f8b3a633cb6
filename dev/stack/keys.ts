// The keys of a local stack: one that signs for its users, and one per service. Made at the first start.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from "jose";

export const ISSUER = "https://local.waybill.example";
export const AUDIENCE = "waybill";
const ALGORITHM = "EdDSA";
const TOKEN_LIFETIME = "30 days";
/** The services that call others in their own name. */
const CALLERS = ["order", "payment", "notification"] as const;
const USER_KEY = "users/1";

export interface Keys {
  /** JWKS file with the public key of the users' issuer. */
  readonly users: string;
  /** JWKS file with the public keys of the services. */
  readonly services: string;
  /** Path of the private JWK of a service. */
  readonly serviceKey: (service: string) => string;
  /** What the sandbox signs its webhooks with. */
  readonly webhookSecret: string;
  readonly tokens: Tokens;
}

/** Bearer tokens for those who try the stack. */
export interface Tokens {
  readonly alice: string;
  readonly bob: string;
  readonly operator: string;
}

/** Reads the keys of this folder, making those that are missing, and mints new tokens. */
export async function openKeys(folder: string): Promise<Keys> {
  const users = join(folder, "users.jwks.json");
  const services = join(folder, "services.jwks.json");
  const serviceKey = (service: string) => join(folder, `${service}.jwk.json`);
  const userKey = await privateKey(serviceKey("users"), USER_KEY);
  writeSecret(users, { keys: [publicPart(userKey)] });
  const serviceKeys = await Promise.all(
    CALLERS.map((service) => privateKey(serviceKey(service), `${service}/1`)),
  );
  writeSecret(services, { keys: serviceKeys.map(publicPart) });
  return {
    users,
    services,
    serviceKey,
    webhookSecret: rememberedSecret(join(folder, "webhook-secret")),
    tokens: await mintTokens(userKey),
  };
}

async function mintTokens(key: JWK): Promise<Tokens> {
  const signing = await importJWK(key, ALGORITHM);
  const mint = (subject: string, claims: Record<string, unknown>) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: ALGORITHM, kid: USER_KEY })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setSubject(subject)
      .setIssuedAt()
      .setExpirationTime(TOKEN_LIFETIME)
      .sign(signing);
  return {
    alice: await mint("alice", { email: "alice@example.com" }),
    bob: await mint("bob", { email: "bob@example.com" }),
    operator: await mint("operator", { email: "operator@example.com", roles: ["operator"] }),
  };
}

async function privateKey(file: string, kid: string): Promise<JWK> {
  if (existsSync(file)) {
    const key: JWK = JSON.parse(readFileSync(file, "utf8"));
    return key;
  }
  const pair = await generateKeyPair(ALGORITHM, { extractable: true });
  const key = { ...(await exportJWK(pair.privateKey)), alg: ALGORITHM, use: "sig", kid };
  writeSecret(file, key);
  return key;
}

function publicPart(key: JWK): JWK {
  const { d: _secret, ...shown } = key;
  return shown;
}

function rememberedSecret(file: string): string {
  if (existsSync(file)) return readFileSync(file, "utf8").trim();
  const secret = `whsec_${randomBytes(24).toString("base64url")}`;
  writeFileSync(file, `${secret}\n`, { mode: 0o600 });
  return secret;
}

function writeSecret(file: string, value: unknown): void {
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
}
