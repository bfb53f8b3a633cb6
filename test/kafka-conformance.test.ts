// The promise: the services' client of Kafka keeps the promises of the event ports, also while the broker does not.
import { describeConformance } from "./conformance/conformance.ts";
import { kafkajs } from "./conformance/kafka-adapter.ts";

describeConformance("Kafka, through kafkajs", kafkajs);
