// The walls between the rooms. Each rule says why; `npm run check` fails where one is broken.
const deny = (name, comment, from, to) => ({ name, comment, severity: "error", from, to });
const room = (library, path) =>
  deny(
    `one-room-for-${library}`,
    `Only ${path} may import it.`,
    { path: "^src", pathNot: path },
    { path: `^node_modules/${library}/` },
  );
const services = "^src/(order|payment|notification|gateway)/";
const sql = "((schema|store)\\.ts$|^src/platform/(database|events)/)";
const test = "\\.test\\.ts$";

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    deny(
      "services-meet-in-the-contract",
      "A service knows another only by the messages in gen/.",
      { path: services },
      { path: services, pathNot: "^src/$1/" },
    ),
    deny(
      "platform-knows-no-service",
      "The platform serves every service, so it names none.",
      { path: "^src/platform/", pathNot: test },
      {
        path: [
          services,
          "^gen/(?!google/|grpc/|health/|buf/|waybill/(event|timeline|access|input)/)",
        ],
      },
    ),
    deny(
      "rules-are-pure",
      "The rules of a service read nothing and write nothing.",
      {
        path: "^src/(order|payment|notification)/(order|price|money|number|payment|refund|dispute|failure|schedule|template|delivery)\\.ts$",
      },
      {
        pathNot: [
          "^gen/",
          "^src/platform/refusal\\.ts$",
          "^src/(order|payment|notification)/(order|price|money|number|payment|refund|dispute|failure|schedule|template|delivery)\\.ts$",
          "^node_modules/@bufbuild/protobuf/",
        ],
      },
    ),
    deny(
      "events-could-be-lifted-out",
      "The event layer could be a package: it knows the contract's options and nothing of the rest.",
      { path: "^src/platform/events/", pathNot: test },
      {
        path: ["^src/", "^gen/"],
        pathNot: ["^src/platform/events/", "^gen/(google|waybill/event)/"],
      },
    ),
    deny(
      "transcoder-could-be-lifted-out",
      "The transcoder could be a package: it knows descriptors and nothing of the rest.",
      { path: "^src/gateway/transcoder/", pathNot: test },
      { path: ["^src/", "^gen/"], pathNot: ["^src/gateway/transcoder/", "^gen/google/"] },
    ),
    deny(
      "src-stands-alone",
      "What runs in production needs nothing of the workshop.",
      { path: "^src/", pathNot: test },
      { path: "^(dev|cli|test|bench)/" },
    ),
    deny(
      "cli-is-a-client",
      "It speaks to services by the contract, as any other client could.",
      { path: "^cli/" },
      { path: "^(src|dev|test|bench)/" },
    ),
    deny("nothing-imports-main", "A main is only started.", {}, { path: "/main\\.ts$" }),
    deny("no-circle", "A circle has no beginning.", {}, { circular: true }),
    deny("no-orphan", "It is unused.", { orphan: true, path: "^src", pathNot: test }, {}),
    room("drizzle-orm", sql),
    room("postgres", sql),
    room("kafkajs", "^src/platform/events/kafka\\.ts$"),
    room("fastify", "^src/(platform/rpc|gateway)/"),
    room("stripe", "^src/payment/stripe/"),
    room("resend", "^src/notification/resend\\.ts$"),
    room("twilio", "^src/notification/twilio\\.ts$"),
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    moduleSystems: ["es6"],
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "types"] },
  },
};
