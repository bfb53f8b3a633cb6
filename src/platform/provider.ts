// Guards the base URL of a provider: one environment variable must not send live keys somewhere else.
import type { SettingsReader } from "./config.ts";

/** The override of a provider's base URL, if any. It is refused in production and with keys that are not test keys. */
export function readProviderBaseUrl(
  read: SettingsReader,
  name: string,
  isTestKey: boolean,
): string | undefined {
  const url = read.optionalText(name);
  if (url === undefined) return undefined;
  if (read.optionalText("NODE_ENV") === "production") {
    read.problem(
      `${name} is set and NODE_ENV is production: unset ${name}, the provider's own address is used.`,
    );
  } else if (!isTestKey) {
    read.problem(
      `${name} is set and the provider's key is not a test key: unset ${name}, or use a test key.`,
    );
  } else if (!URL.canParse(url)) {
    read.problem(`${name} is "${url}": it must be a URL, http://host:port.`);
  }
  return url;
}
