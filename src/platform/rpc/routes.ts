// What every service serves beside its own RPCs, and the order of what is done around each call.
import { createRegistry, type DescFile } from "@bufbuild/protobuf";
import * as wkt from "@bufbuild/protobuf/wkt";
import { file_buf_validate_validate } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import type { ConnectRouter, ConnectRouterOptions } from "@connectrpc/connect";
import { createValidateInterceptor } from "@connectrpc/validate";
import { file_google_rpc_error_details } from "../../../gen/google/rpc/error_details_pb.js";
import { assertAccessStated } from "../access/permit.ts";
import type { TokenVerifier } from "../access/token.ts";
import type { Log } from "../log.ts";
import type { Outliving } from "../outlive.ts";
import { authenticate } from "./authentication.ts";
import { logCalls } from "./call-log.ts";
import { keepDeadline } from "./deadline.ts";
import { mapErrors, type ErrorOptions } from "./errors.ts";
import { healthRoutes } from "./health.ts";
import { createInputValidator } from "./input.ts";
import { readingJsonStrictly } from "./json-input.ts";
import { WRITE_LIMIT_BYTES } from "./limits.ts";
import { readStreams, tellMalformed } from "./malformed.ts";
import { reflectionRoutes } from "./reflection.ts";
import { traceCalls } from "./tracing.ts";

/** The longest deadline that a caller may name, in milliseconds: an hour, for streams that are watched. */
const TIMEOUT_LIMIT_MS = 3_600_000;

export interface RouteParts extends ErrorOptions {
  readonly routes: (router: ConnectRouter) => void;
  readonly verifier: TokenVerifier;
  readonly log: Log;
  readonly ready: () => Promise<boolean>;
  readonly calls: Outliving;
  readonly stopping: AbortSignal;
  readonly readMaxBytes: number;
}

/** With these types known, the details of an error are readable in JSON, not base64 alone. */
const detailTypes = createRegistry(file_google_rpc_error_details, file_buf_validate_validate);

/** From the outermost in: everything inside mapErrors may throw what it likes, and the log tells the code that the caller got. */
export const routerOptions = (parts: RouteParts): ConnectRouterOptions => ({
  interceptors: [
    traceCalls,
    logCalls(parts.log),
    mapErrors(parts.log, parts),
    keepDeadline(parts),
    authenticate(parts.verifier),
    readStreams,
    createValidateInterceptor({ validator: createInputValidator() }),
  ],
  readMaxBytes: parts.readMaxBytes,
  writeMaxBytes: WRITE_LIMIT_BYTES,
  maxTimeoutMs: TIMEOUT_LIMIT_MS,
  jsonOptions: { registry: detailTypes },
});

/** Told by reflection whether or not a served file imports them: errors carry them, and clients unpack Any with them. */
const SHARED_FILES: readonly DescFile[] = [
  file_google_rpc_error_details,
  file_buf_validate_validate,
  wkt.file_google_protobuf_any,
  wkt.file_google_protobuf_empty,
  wkt.file_google_protobuf_field_mask,
  wkt.file_google_protobuf_struct,
  wkt.file_google_protobuf_timestamp,
  wkt.file_google_protobuf_wrappers,
];

/** The service's own RPCs, each of which must say who may call it, then health and reflection, which are public. */
export const allRoutes =
  (parts: RouteParts) =>
  (router: ConnectRouter): void => {
    parts.routes(readingJsonStrictly(router, { registry: detailTypes }));
    tellMalformed(router.handlers);
    const own = [...router.handlers];
    assertAccessStated(own.map((handler) => handler.method));
    const ownNames = [...new Set(own.map((handler) => handler.service.typeName))];

    const open = { interceptors: [traceCalls, mapErrors(parts.log, parts)] };
    const { ready, stopping, log } = parts;
    healthRoutes({ ready, stopping, log, services: () => ownNames }, open)(router);
    reflectionRoutes(
      {
        services: () => [...new Set(router.handlers.map((handler) => handler.service.typeName))],
        files: () => [...router.handlers.map((handler) => handler.service.file), ...SHARED_FILES],
      },
      open,
    )(router);
  };
