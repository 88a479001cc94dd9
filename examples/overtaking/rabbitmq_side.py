"""A quorum queue with a delivery limit and a dead-letter exchange; dead letters are mended and published again."""

import json

import pika
from payments import DELIVERIES, IDLE_S, Failure, mend


class RabbitMQ:
    mechanism = "quorum queue, delivery limit, dead-letter exchange"

    def __init__(self, port):
        self.connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port))
        self.channel = self.connection.channel()
        self.channel.confirm_delivery()
        self.channel.basic_qos(prefetch_count=20)
        self.channel.exchange_declare("dead", "fanout", durable=True)
        self.declare("payments", {"x-delivery-limit": DELIVERIES - 1, "x-dead-letter-exchange": "dead",
                                  "x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"})
        self.declare("payments.dead", {})
        self.channel.queue_bind("payments.dead", "dead")

    def declare(self, queue, arguments):
        self.channel.queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum", **arguments})

    def publish(self, events):
        for event in events:
            self.channel.basic_publish("", "payments", json.dumps(event), pika.BasicProperties(delivery_mode=2))

    def each(self, queue):
        """Deliveries of a queue until it is quiet."""
        for method, properties, body in self.channel.consume(queue, inactivity_timeout=IDLE_S):
            if method is None:
                break
            yield method.delivery_tag, json.loads(body)
        self.channel.cancel()

    def work(self, bank):
        for tag, event in self.each("payments"):
            try:
                bank.handle(event)
                self.channel.basic_ack(tag)
            except Failure:
                self.channel.basic_nack(tag, requeue=True)

    def failed(self):
        return self.channel.queue_declare("payments.dead", passive=True).method.message_count

    def repair(self):
        for tag, event in self.each("payments.dead"):
            self.publish([mend(event)])
            self.channel.basic_ack(tag)

    def close(self):
        self.connection.close()
