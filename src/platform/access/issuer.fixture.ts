// For tests: an identity provider and the keys of two services, in files of a folder that goes away afterwards.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from "jose";

export interface Issuer extends AsyncDisposable {
  readonly userKeys: string;
  readonly serviceKeys: string;
  readonly userIssuer: string;
  readonly userAudience: string;
  /** The path of a service's private JWK: "order" and "payment" have one. */
  privateKeyOf(service: string): string;
  /** An Authorization header of the identity provider; claims and signer as told. */
  header(claims: JWTPayload, o?: { readonly kid?: string }): Promise<string>;
  /** Gives the identity provider another key in place of the present one. */
  rotate(): Promise<void>;
}

const LIFETIME_S = 300;

async function makeKey(kid: string) {
  const { publicKey, privateKey } = await generateKeyPair("EdDSA", { extractable: true });
  const named = { kid, alg: "EdDSA", use: "sig" };
  return {
    privateKey,
    publicJwk: { ...(await exportJWK(publicKey)), ...named },
    privateJwk: { ...(await exportJWK(privateKey)), ...named },
  };
}

export async function openIssuer(): Promise<Issuer> {
  const folder = await mkdtemp(join(tmpdir(), "waybill-keys-"));
  const write = async (name: string, content: unknown): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, JSON.stringify(content));
    return path;
  };
  const services = { order: await makeKey("order/1"), payment: await makeKey("payment/1") };
  const privateKeys = new Map<string, string>();
  for (const [name, key] of Object.entries(services)) {
    privateKeys.set(name, await write(`${name}.jwk.json`, key.privateJwk));
  }
  let user = await makeKey("user-1");
  const userIssuer = "https://id.example";
  const userAudience = "shop";
  return {
    userIssuer,
    userAudience,
    userKeys: await write("users.jwks.json", { keys: [user.publicJwk] }),
    serviceKeys: await write("services.jwks.json", {
      keys: Object.values(services).map((key) => key.publicJwk),
    }),
    privateKeyOf(service) {
      const path = privateKeys.get(service);
      if (path === undefined) throw new Error(`no key for ${service}`);
      return path;
    },
    async header(claims, o = {}) {
      const nowS = Math.floor(Date.now() / 1_000);
      const defaults = { iss: userIssuer, aud: userAudience, exp: nowS + LIFETIME_S };
      const token = await new SignJWT({ ...defaults, ...claims })
        .setProtectedHeader({ alg: "EdDSA", kid: o.kid ?? user.publicJwk.kid })
        .sign(user.privateKey);
      return `Bearer ${token}`;
    },
    async rotate() {
      user = await makeKey("user-22");
      await write("users.jwks.json", { keys: [user.publicJwk] });
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}
