"""Retry topics, as Spring's @RetryableTopic makes them: who fails goes to the next topic, and at last to the one of
dead letters. These are mended and published again."""

import json
import time

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from payments import DELIVERIES, IDLE_S, RETRY_MS, Failure, mend

RETRIES = [f"payments-retry-{number}" for number in range(DELIVERIES - 1)]
PARTITIONS = 4


class Kafka:
    mechanism = f"{len(RETRIES)} retry topics and one of dead letters"

    def __init__(self, port):
        self.servers = {"bootstrap.servers": f"127.0.0.1:{port}", "log_level": 0}
        topics = [NewTopic(name, PARTITIONS, 1) for name in ("payments", *RETRIES, "payments-dlt")]
        admin = AdminClient(self.servers)
        for made in admin.create_topics(topics).values():
            made.result(30)
        self.producer = Producer({**self.servers, "enable.idempotence": True, "linger.ms": 0})
        # A consumer each for the topic and its retries, as Spring has a listener container each.
        self.consumers = [self.consumer(topic) for topic in ("payments", *RETRIES)]
        self.dead = self.consumer("payments-dlt")

    def consumer(self, topic):
        consumer = Consumer({**self.servers, "group.id": "bank", "enable.auto.commit": False})
        consumer.assign([TopicPartition(topic, number, 0) for number in range(PARTITIONS)])
        return consumer

    def publish(self, events, topic="payments"):
        for event in events:
            self.producer.produce(topic, json.dumps(event), event["key"])
        self.producer.flush()

    def work(self, bank):
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < IDLE_S:
            for step, consumer in enumerate(self.consumers):
                for message in consumer.consume(20, 0.02):
                    quiet_since = time.monotonic()
                    self.take(bank, step, message)

    def take(self, bank, step, message):
        if message.error():
            raise RuntimeError(message.error())
        if step > 0:
            wait = message.timestamp()[1] / 1000 + RETRY_MS / 1000 - time.time()
            time.sleep(max(0.0, wait))
        event = json.loads(message.value())
        try:
            bank.handle(event)
        except Failure:
            self.publish([event], (*RETRIES, "payments-dlt")[step])
        self.consumers[step].commit(message, asynchronous=False)

    def letters(self):
        while messages := self.dead.consume(100, IDLE_S):
            yield from messages

    def failed(self):
        ends = [self.dead.get_watermark_offsets(TopicPartition("payments-dlt", number)) for number in range(PARTITIONS)]
        return sum(end - begin for begin, end in ends)

    def repair(self):
        for message in self.letters():
            self.publish([mend(json.loads(message.value()))])
            self.dead.commit(message, asynchronous=False)

    def close(self):
        for consumer in (*self.consumers, self.dead):
            consumer.close()
