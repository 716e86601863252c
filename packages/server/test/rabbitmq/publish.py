"""A producer in another language, which does not know Pregon: publishes to an exchange.

Usage: publish.py HOST PORT EXCHANGE
"""

import json
import sys

import pika

host, port, exchange = sys.argv[1:]
connection = pika.BlockingConnection(pika.ConnectionParameters(host, int(port)))
channel = connection.channel()
channel.basic_publish(exchange, "user.42.created", json.dumps({"id": 42, "name": "Zoë"}).encode())
channel.basic_publish(
    exchange,
    "user.42.renamed",
    json.dumps({"id": 42, "name": "Zoé"}).encode(),
    pika.BasicProperties(content_type="application/json", type="UserWasRenamed", message_id="renamed-1", app_id="crm"),
)
channel.basic_publish(
    exchange,
    "user.42.deleted",
    b"",
    pika.BasicProperties(
        headers={
            "cloudEvents:specversion": "1.0",
            "cloudEvents:id": "deleted-1",
            "cloudEvents:source": "/crm",
            "cloudEvents:type": "UserWasDeleted",
        }
    ),
)
connection.close()
