// The first thing that runs on a new clone: needs no package, and so little of Node that an old one can say it is old.
const OLDEST_NODE = 18;
const major = Number(process.versions.node.split(".")[0]);

if (major < OLDEST_NODE) {
  console.error(
    `Waybill needs Node ${OLDEST_NODE} or newer to install itself; this is ${process.version}. See https://nodejs.org.`,
  );
  process.exit(1);
}

void import("./bootstrap/run.mjs").then(({ run }) => run(process.argv.slice(2)));
