#include "continuo/wire/http/openapi.h"

namespace continuo::wire::http {
namespace {

constexpr std::string_view paths = R"json(
"/v1/queues": {
  "get": {"operationId": "list_queues", "tags": ["queues"], "summary": "All queues, and how they stand",
    "responses": {"200": {"description": "Queues", "content": {"application/json": {"schema": {"type": "object",
      "properties": {"queues": {"type": "array", "items": {"$ref": "#/components/schemas/QueueState"}}}}}}},
      "default": {"$ref": "#/components/responses/Problem"}}}
},
"/v1/queues/{queue}": {
  "parameters": [{"$ref": "#/components/parameters/queue"}],
  "put": {"operationId": "put_queue", "tags": ["queues"],
      "summary": "Create a queue: a topic, its one subscription, and the queue of its dead letters, in one commit",
    "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/QueueSettings"}}}},
    "responses": {
      "201": {"description": "Created", "content": {"application/json": {"schema": {
          "$ref": "#/components/schemas/Queue"}}}},
      "200": {"description": "There already, with the same settings",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Queue"}}}},
      "default": {"$ref": "#/components/responses/Problem"}}},
  "patch": {"operationId": "change_queue", "tags": ["queues"],
      "summary": "Other settings, in one commit; what is leased or parked stays so, and `fifo` as it is",
    "requestBody": {"required": true, "content": {"application/json": {"schema": {
        "$ref": "#/components/schemas/QueueChange"}}}},
    "responses": {"200": {"description": "The queue as it is now",
      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Queue"}}}},
      "default": {"$ref": "#/components/responses/Problem"}}},
  "get": {"operationId": "get_queue", "tags": ["queues"], "summary": "Definition and state",
    "responses": {"200": {"description": "How it stands",
      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/QueueState"}}}},
      "default": {"$ref": "#/components/responses/Problem"}}},
  "delete": {"operationId": "delete_queue", "tags": ["queues"], "summary": "Remove a queue and its messages",
    "responses": {"204": {"description": "Removed"}, "default": {"$ref": "#/components/responses/Problem"}}}
},
"/v1/queues/{queue}/messages": {
  "parameters": [{"$ref": "#/components/parameters/queue"}],
  "post": {"operationId": "send_messages", "tags": ["queues"], "summary": "Send messages, in one commit",
    "requestBody": {"required": true, "content": {
      "application/json": {"schema": {"oneOf": [{"$ref": "#/components/schemas/Message"},
        {"type": "object", "additionalProperties": false, "required": ["messages"], "properties": {
          "messages": {"type": "array", "items": {"$ref": "#/components/schemas/Message"}}}},
        {"$ref": "#/components/schemas/Event"}]}},
      "application/cloudevents+json": {"schema": {"$ref": "#/components/schemas/Event"}},
      "application/cloudevents-batch+json": {"schema": {"type": "array", "items": {
          "$ref": "#/components/schemas/Event"}}},
      "*/*": {"schema": {"description": "The data of an event in binary mode"}}}},
    "responses": {"201": {"description": "On the disk", "content": {"application/json": {"schema": {"type": "object",
      "properties": {"durable": {"type": "boolean"}, "messages": {"type": "array", "items": {"type": "object",
        "properties": {"id": {"type": "string"}, "partition": {"type": "integer"},
          "offset": {"$ref": "#/components/schemas/Offset"}, "duplicate": {"type": "boolean"}}}}}}}}},
      "default": {"$ref": "#/components/responses/Problem"}}}
},
"/v1/queues/{queue}/receive": {
  "parameters": [{"$ref": "#/components/parameters/queue"}],
  "post": {"operationId": "receive_messages", "tags": ["queues"], "summary": "Lease messages",
    "requestBody": {"content": {"application/json": {"schema": {"type": "object", "additionalProperties": false,
        "properties": {
      "max": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 1},
      "wait": {"$ref": "#/components/schemas/Duration"}, "lease": {"$ref": "#/components/schemas/Duration"}}}}}},
    "responses": {"200": {"description": "In order within each group; may be empty",
      "content": {"application/json": {"schema": {"type": "object", "properties": {"deliveries": {"type": "array",
        "items": {"$ref": "#/components/schemas/Delivery"}}}}}}},
      "default": {"$ref": "#/components/responses/Problem"}}}
},
"/v1/queues/{queue}/settle": {
  "parameters": [{"$ref": "#/components/parameters/queue"}],
  "post": {"operationId": "settle_messages", "tags": ["queues"],
      "summary": "Acknowledge, give back, extend, and publish, in one commit",
    "requestBody": {"required": true, "content": {"application/json": {"schema": {
        "$ref": "#/components/schemas/Settle"}}}},
    "responses": {"200": {"description": "What was settled",
      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Settled"}}}},
      "default": {"$ref": "#/components/responses/Problem"}}}
},
"/v1/queues/{queue}/peek": {
  "parameters": [{"$ref": "#/components/parameters/queue"}],
  "post": {"operationId": "peek_queue", "tags": ["queues"], "summary": "Look at messages without taking them",
    "requestBody": {"content": {"application/json": {"schema": {"type": "object", "additionalProperties": false,
        "properties": {"max": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 10},
          "from": {"type": "string", "description": "The `next` of the peek before"}}}}}},
    "responses": {"200": {"description": "In the order of the log; with `next` where there is more",
      "content": {"application/json": {"schema": {"type": "object", "properties": {"next": {"type": "string"},
        "messages": {"type": "array", "items": {"type": "object", "properties": {
          "state": {"enum": ["waiting", "leased", "delayed", "parked"]}, "attempts": {"type": "integer"},
          "event": {"$ref": "#/components/schemas/Event"}}}}}}}}},
      "default": {"$ref": "#/components/responses/Problem"}}}
},
"/v1/queues/{queue}/purge": {
  "parameters": [{"$ref": "#/components/parameters/queue"}],
  "post": {"operationId": "purge_queue", "tags": ["queues"],
      "summary": "Drop all messages that nobody has leased and no repair waits for",
    "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Asked"}}}},
    "responses": {"200": {"description": "How many", "content": {"application/json": {"schema": {"type": "object",
      "properties": {"purged": {"type": "integer"}}}}}},
      "default": {"$ref": "#/components/responses/Problem"}}}
},
"/v1/queues/{queue}/redrive": {
  "parameters": [{"$ref": "#/components/parameters/queue"}],
  "post": {"operationId": "redrive_queue", "tags": ["queues"], "summary": "Move dead letters back into the queue",
    "description": "Each in one commit with its acknowledgement; order is not promised. A request moves for)json"
                                   R"json( 20 s at most and says what is left.",
    "requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object",
      "additionalProperties": false, "required": ["from"], "properties": {
        "from": {"$ref": "#/components/schemas/Name"}, "max": {"type": "integer", "minimum": 1},
        "rate": {"type": "string", "pattern": "^[0-9]+/s$"},
        "by": {"type": "string", "maxLength": 200}, "reason": {"type": "string", "maxLength": 4096}}}}}},
    "responses": {"200": {"description": "What was moved", "content": {"application/json": {"schema": {
      "type": "object", "properties": {"moved": {"type": "integer"}, "left": {"type": "integer"}}}}}},
      "default": {"$ref": "#/components/responses/Problem"}}}
},
)json";

constexpr std::string_view schemas = R"json(
  "QueueSettings": {"type": "object", "additionalProperties": false, "properties": {
    "fifo": {"type": "boolean", "default": false}, "lease": {"$ref": "#/components/schemas/Duration"},
    "max_receives": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 5},
    "on_failure": {"enum": ["dead_letter", "park", "drop"], "description": "Of a fifo queue: park, else dead_letter"},
    "dead_letter": {"$ref": "#/components/schemas/Name"}, "retention": {"$ref": "#/components/schemas/Duration"},
    "retry": {"type": "object"}, "dedup_window": {"$ref": "#/components/schemas/Duration"},
    "partitions": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 1},
    "concurrency": {"type": "integer", "minimum": 1, "maximum": 100000}}},
  "QueueChange": {"type": "object", "additionalProperties": false, "minProperties": 1,
    "description": "What is left out stays; `fifo` can only be what it is", "properties": {
    "fifo": {"type": "boolean"}, "lease": {"$ref": "#/components/schemas/Duration"},
    "max_receives": {"type": "integer", "minimum": 1, "maximum": 1000},
    "on_failure": {"enum": ["dead_letter", "park", "drop"]}, "dead_letter": {"$ref": "#/components/schemas/Name"},
    "retention": {"oneOf": [{"$ref": "#/components/schemas/Duration"}, {"type": "null"}]},
    "retry": {"type": "object"}, "dedup_window": {"$ref": "#/components/schemas/Duration"},
    "partitions": {"type": "integer", "minimum": 1, "maximum": 1000, "description": "More, and not of a fifo queue"},
    "concurrency": {"type": "integer", "minimum": 1, "maximum": 100000}}},
  "Queue": {"type": "object", "properties": {"name": {"$ref": "#/components/schemas/Name"},
    "fifo": {"type": "boolean"}, "lease": {"$ref": "#/components/schemas/Duration"},
    "max_receives": {"type": "integer"}, "on_failure": {"type": "string"}, "dead_letter": {"type": "string"},
    "retention": {"$ref": "#/components/schemas/Duration"}, "retry": {"type": "object"},
    "dedup_window": {"$ref": "#/components/schemas/Duration"}, "partitions": {"type": "integer"},
    "concurrency": {"type": "integer"}, "paused": {"type": "boolean"}}},
  "QueueState": {"allOf": [{"$ref": "#/components/schemas/Queue"}, {"type": "object", "properties": {
    "waiting": {"type": "integer"}, "leased": {"type": "integer"}, "delayed": {"type": "integer"},
    "parked": {"type": "integer"}, "dead": {"type": "integer"}, "oldest": {"type": "string", "format": "date-time"},
    "oldest_age": {"$ref": "#/components/schemas/Duration"}}}]},
  "Message": {"type": "object", "additionalProperties": false, "description": "`event`, or `data` alone",
    "properties": {"event": {"$ref": "#/components/schemas/Event"}, "data": true,
      "delay": {"$ref": "#/components/schemas/Duration"}, "not_before": {"type": "string", "format": "date-time"},
      "ttl": {"$ref": "#/components/schemas/Duration"}, "expire_at": {"type": "string", "format": "date-time"},
      "group": {"type": "string"}, "dedup_id": {"type": "string", "maxLength": 1024}}},
)json";

}  // namespace

std::string_view openapi_queues() { return paths; }
std::string_view openapi_queue_schemas() { return schemas; }

}  // namespace continuo::wire::http
