#include "continuo/wire/http/openapi.h"

#include <string>

#include "continuo/wire/http/openapi_healing.h"

namespace continuo::wire::http {
namespace {

constexpr std::string_view opening = R"json({
"openapi": "3.1.0",
"info": {
  "title": "Continuo", "version": ")json" CONTINUO_VERSION R"json(",
  "description": "An event backbone: one durable log, every event-driven pattern a view over it. What is)json"
                                     R"json( acknowledged is on the disk.",
  "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}
},
"servers": [{"url": "/"}],
)json";

constexpr std::string_view topics = R"json(
"/v1/topics": {
  "get": {"operationId": "list_topics", "tags": ["topics"], "summary": "All topics",
    "responses": {"200": {"description": "Definitions", "content": {"application/json": {"schema": {"type": "object",
      "properties": {"topics": {"type": "array", "items": {"$ref": "#/components/schemas/Topic"}}}}}}},
      "default": {"$ref": "#/components/responses/Problem"}}}
},
"/v1/topics/{topic}": {
  "parameters": [{"$ref": "#/components/parameters/topic"}],
  "put": {"operationId": "put_topic", "tags": ["topics"], "summary": "Create a topic",
    "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/TopicSettings"}}}},
    "responses": {
      "201": {"description": "Created", "content": {"application/json": {"schema": {
          "$ref": "#/components/schemas/Topic"}}}},
      "200": {"description": "There already, with the same settings",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Topic"}}}},
      "default": {"$ref": "#/components/responses/Problem"}}},
  "patch": {"operationId": "change_topic", "tags": ["topics"],
      "summary": "Change what is named; null takes a limit away; partitions can only become more",
    "requestBody": {"required": true,
      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/TopicSettings"}}}},
    "responses": {"200": {"description": "As it is from now on",
      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Topic"}}}},
      "default": {"$ref": "#/components/responses/Problem"}}},
  "get": {"operationId": "get_topic", "tags": ["topics"], "summary": "Definition and partitions",
    "responses": {"200": {"description": "How it stands",
      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/TopicState"}}}},
      "default": {"$ref": "#/components/responses/Problem"}}},
  "delete": {"operationId": "delete_topic", "tags": ["topics"], "summary": "Remove a topic and its records",
    "responses": {"204": {"description": "Removed"}, "default": {"$ref": "#/components/responses/Problem"}}}
},
"/v1/topics/{topic}/trim": {
  "parameters": [{"$ref": "#/components/parameters/topic"}],
  "post": {"operationId": "trim_topic", "tags": ["topics"],
      "summary": "Delete the records of a partition before an offset",
    "requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object",
        "additionalProperties": false,
      "required": ["partition", "before"], "properties": {"partition": {"type": "integer", "minimum": 0},
        "before": {"$ref": "#/components/schemas/Offset"}}}}}},
    "responses": {"200": {"description": "The partition afterwards",
      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Partition"}}}},
      "default": {"$ref": "#/components/responses/Problem"}}}
},
"/v1/topics/{topic}/skip": {
  "parameters": [{"$ref": "#/components/parameters/topic"}],
  "post": {"operationId": "skip_damaged", "tags": ["topics"],
      "summary": "Have readers pass over damaged records; refused while reading `from` works",
    "requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object",
        "additionalProperties": false, "required": ["partition", "from", "next", "reason"], "properties": {
        "partition": {"type": "integer", "minimum": 0}, "from": {"$ref": "#/components/schemas/Offset"},
        "next": {"$ref": "#/components/schemas/Offset"}, "reason": {"type": "string", "maxLength": 1000}}}}}},
    "responses": {"204": {"description": "They are passed over, and the log says why"},
      "default": {"$ref": "#/components/responses/Problem"}}}
},
)json";

constexpr std::string_view events =
    R"json(
"/v1/topics/{topic}/events": {
  "parameters": [{"$ref": "#/components/parameters/topic"}],
  "post": {"operationId": "publish", "tags": ["events"], "summary": "Publish events",
    "description": "One request is one atomic commit, except application/x-ndjson, which commits in chunks)json"
    R"json( and answers a line for each. Binary mode: attributes as ce-* headers, any other Content-Type,)json"
    R"json( data as the body. Bodies may be compressed with gzip.",
    "parameters": [
      {"name": "wait_for", "in": "query", "schema": {"enum": ["reply"]},
        "description": "Of one event: answered with the event that answers it"},
      {"name": "timeout", "in": "query", "schema": {"$ref": "#/components/schemas/Duration"},
        "description": "How long to wait for it; default 5s, at most 60s"}],
    "requestBody": {"required": true, "content": {
      "application/cloudevents+json": {"schema": {"$ref": "#/components/schemas/Event"}},
      "application/cloudevents-batch+json": {"schema": {"type": "array", "items": {
          "$ref": "#/components/schemas/Event"}}},
      "application/x-ndjson": {"schema": {"type": "string", "description": "One structured event a line"}},
      "*/*": {"schema": {"description": "The data of an event in binary mode"}}}},
    "responses": {
      "201": {"description": "On the disk", "content": {"application/json": {"schema": {
          "$ref": "#/components/schemas/Published"}}}},
      "200": {"description": "wait_for=reply: the reply. application/x-ndjson: a line for each chunk, and)json"
    R"json( one with `error` last if a line was refused",
        "content": {"application/x-ndjson": {"schema": {"$ref": "#/components/schemas/Chunk"}}}},
      "default": {"$ref": "#/components/responses/Problem"}}},
  "get": {"operationId": "read", "tags": ["events"], "summary": "Read events, or follow them live",
    "description": "With Accept: text/event-stream a live tail of server-sent events: `id` is the resume)json"
    R"json( point (Last-Event-ID), `data` the structured event; a comment every 15 s.",
    "parameters": [
      {"name": "partition", "in": "query", "schema": {"type": "integer", "minimum": 0},
          "description": "Absent: all, in order within each"},
      {"name": "from", "in": "query", "schema": {"type": "string"},
        "description": "earliest, latest, a time, a value of Continuo-Next, or with `partition` an offset.)json"
    R"json( Default: earliest; of a live tail: latest"},
      {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 10000},
        "description": "Events; default 500, of a live tail: no limit"},
      {"name": "wait", "in": "query", "schema": {"$ref": "#/components/schemas/Duration"},
        "description": "How long to wait for the first event; at most 60s"},
      {"name": "correlation", "in": "query", "schema": {"type": "string"},
          "description": "Only events with this correlationid"},
      {"name": "filter", "in": "query", "content": {"application/json": {"schema": {
          "$ref": "#/components/schemas/Pattern"}}}, "description": "Only events that match this pattern"},
      {"name": "Last-Event-ID", "in": "header", "schema": {"type": "string"},
          "description": "Of a live tail: goes before `from`"}],
    "responses": {"200": {"description": "Events",
      "headers": {"Continuo-Next": {"schema": {"type": "string"}, "description": "The next `from`"}},
      "content": {
        "application/cloudevents-batch+json": {"schema": {"type": "array", "items": {
            "$ref": "#/components/schemas/Event"}}},
        "text/event-stream": {"schema": {"type": "string"}}}},
      "default": {"$ref": "#/components/responses/Problem"}}}
},
)json";

constexpr std::string_view subscriptions = R"json(
"/v1/subscriptions": {
  "get": {"operationId": "list_subscriptions", "tags": ["subscriptions"], "summary": "All subscriptions",
    "responses": {"200": {"description": "Definitions", "content": {"application/json": {"schema": {"type": "object",
      "properties": {"subscriptions": {"type": "array", "items": {"$ref": "#/components/schemas/Subscription"}}}}}}},
      "default": {"$ref": "#/components/responses/Problem"}}}
},
"/v1/subscriptions/{subscription}": {
  "parameters": [{"$ref": "#/components/parameters/subscription"}],
  "put": {"operationId": "put_subscription", "tags": ["subscriptions"], "summary": "Create a subscription",
    "requestBody": {"required": true, "content": {"application/json": {"schema": {
        "$ref": "#/components/schemas/SubscriptionSettings"}}}},
    "responses": {
      "201": {"description": "Created", "content": {"application/json": {"schema": {
          "$ref": "#/components/schemas/Subscription"}}}},
      "200": {"description": "There already, with the same settings",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Subscription"}}}},
      "default": {"$ref": "#/components/responses/Problem"}}},
  "patch": {"operationId": "change_subscription", "tags": ["subscriptions"],
      "summary": "Change what is named; a filter from where the subscription stands; null takes away",
    "requestBody": {"required": true, "content": {"application/json": {"schema": {
        "$ref": "#/components/schemas/SubscriptionChange"}}}},
    "responses": {"200": {"description": "As it is now, and the first offset of each partition the filter decides",
      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ChangedSubscription"}}}},
      "default": {"$ref": "#/components/responses/Problem"}}},
  "get": {"operationId": "get_subscription", "tags": ["subscriptions"], "summary": "Definition and state",
    "responses": {"200": {"description": "How it stands",
      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/SubscriptionState"}}}},
      "default": {"$ref": "#/components/responses/Problem"}}},
  "delete": {"operationId": "delete_subscription", "tags": ["subscriptions"], "summary": "Remove a subscription",
    "responses": {"204": {"description": "Removed"}, "default": {"$ref": "#/components/responses/Problem"}}}
},
"/v1/subscriptions/{subscription}/pause": {
  "parameters": [{"$ref": "#/components/parameters/subscription"}],
  "post": {"operationId": "pause", "tags": ["subscriptions"], "summary": "Deliver nothing more",
    "responses": {"200": {"$ref": "#/components/responses/Paused"}, "default": {
        "$ref": "#/components/responses/Problem"}}}
},
"/v1/subscriptions/{subscription}/resume": {
  "parameters": [{"$ref": "#/components/parameters/subscription"}],
  "post": {"operationId": "resume", "tags": ["subscriptions"], "summary": "Deliver again",
    "responses": {"200": {"$ref": "#/components/responses/Paused"}, "default": {
        "$ref": "#/components/responses/Problem"}}}
},
"/v1/subscriptions/{subscription}/receive": {
  "parameters": [{"$ref": "#/components/parameters/subscription"}],
  "post": {"operationId": "receive", "tags": ["subscriptions"], "summary": "Lease events",
    "parameters": [{"$ref": "#/components/parameters/role"}],
    "requestBody": {"content": {"application/json": {"schema": {"type": "object", "additionalProperties": false,
        "properties": {
      "max": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 1},
      "wait": {"$ref": "#/components/schemas/Duration"}, "lease": {"$ref": "#/components/schemas/Duration"}}}}}},
    "responses": {"200": {"description": "In order for each key; may be empty",
      "content": {"application/json": {"schema": {"type": "object", "properties": {"deliveries": {"type": "array",
        "items": {"$ref": "#/components/schemas/Delivery"}}, "repairs": {"type": "array",
        "description": "With role=repair, and instead", "items": {"$ref": "#/components/schemas/RepairDelivery"}}}}}}},
      "default": {"$ref": "#/components/responses/Problem"}}}
},
"/v1/subscriptions/{subscription}/settle": {
  "parameters": [{"$ref": "#/components/parameters/subscription"}],
  "post": {"operationId": "settle", "tags": ["subscriptions"],
      "summary": "Acknowledge, give back, extend, and publish, in one commit",
    "parameters": [{"$ref": "#/components/parameters/role"}],
    "requestBody": {"required": true, "content": {"application/json": {"schema": {"anyOf": [
        {"$ref": "#/components/schemas/Settle"}, {"$ref": "#/components/schemas/SettleRepairs"}]}}}},
    "responses": {"200": {"description": "What was settled",
      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Settled"}}}},
      "default": {"$ref": "#/components/responses/Problem"}}}
},
)json";

constexpr std::string_view groups = R"json(
"/v1/groups": {
  "get": {"operationId": "list_groups", "tags": ["groups"], "summary": "Kafka's consumer groups, by name",
    "parameters": [
      {"name": "after", "in": "query", "schema": {"type": "string"}, "description": "The `next` of the list before"},
      {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}}],
    "responses": {"200": {"description": "Groups; with `next` while there are more",
      "content": {"application/json": {"schema": {"type": "object", "required": ["groups"], "properties": {
        "groups": {"type": "array", "items": {"$ref": "#/components/schemas/GroupSummary"}},
        "next": {"type": "string"}}}}}},
      "default": {"$ref": "#/components/responses/Problem"}}}
},
"/v1/groups/{group}": {
  "parameters": [{"$ref": "#/components/parameters/group"}],
  "get": {"operationId": "get_group", "tags": ["groups"], "summary": "Members, committed offsets, lag",
    "responses": {"200": {"description": "How it stands",
      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Group"}}}},
      "default": {"$ref": "#/components/responses/Problem"}}},
  "delete": {"operationId": "delete_group", "tags": ["groups"],
    "summary": "Remove an empty group and its committed offsets",
    "responses": {"204": {"description": "Removed"}, "default": {"$ref": "#/components/responses/Problem"}}}
},
"/v1/groups/{group}/offsets": {
  "parameters": [{"$ref": "#/components/parameters/group"}],
  "post": {"operationId": "reset_offsets", "tags": ["groups"],
    "summary": "Set the committed offsets of an empty group, or of one that is not there yet",
    "requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object",
      "additionalProperties": false, "required": ["topic", "to"], "properties": {
        "topic": {"$ref": "#/components/schemas/Name"},
        "partition": {"type": "integer", "minimum": 0, "description": "Absent: all of the topic"},
        "to": {"type": "string", "description": "earliest, latest, an offset, or a time (RFC 3339)"},
        "dry_run": {"type": "boolean", "default": false}}}}}},
    "responses": {"200": {"description": "What is committed now, or would be",
      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/OffsetsReset"}}}},
      "default": {"$ref": "#/components/responses/Problem"}}}
},
)json";

constexpr std::string_view patterns = R"json(
"/v1/patterns/explain": {
  "post": {"operationId": "explain", "tags": ["patterns"],
      "summary": "Why an event matches a pattern, or the filters of subscriptions, or why not",
    "requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object",
      "additionalProperties": false, "required": ["event"], "properties": {
        "pattern": {"$ref": "#/components/schemas/Pattern"},
        "topic": {"$ref": "#/components/schemas/Name"},
        "subscriptions": {"type": "boolean", "default": false},
        "event": {"oneOf": [{"$ref": "#/components/schemas/Event"},
          {"type": "object", "additionalProperties": false, "required": ["topic", "partition", "offset"],
            "properties": {"topic": {"$ref": "#/components/schemas/Name"}, "partition": {"type": "integer",
              "minimum": 0}, "offset": {"$ref": "#/components/schemas/Offset"}}}]}}}}}},
    "responses": {"200": {"description": "Of a pattern `matches` and `because`, else `subscriptions`",
      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Explanation"}}}},
      "default": {"$ref": "#/components/responses/Problem"}}}
},
)json";

constexpr std::string_view node = R"json(
"/v1/node": {"get": {"operationId": "node", "tags": ["node"], "summary": "Version, limits, durability",
  "responses": {"200": {"description": "The node", "content": {"application/json": {"schema": {
      "type": "object"}}}}}}},
"/livez": {"get": {"operationId": "livez", "tags": ["node"], "summary": "The loop turns",
  "responses": {"200": {"description": "Live", "content": {"application/json": {"schema": {"type": "object"}}}}}}},
"/readyz": {"get": {"operationId": "readyz", "tags": ["node"], "summary": "Recovered and listening",
  "responses": {"200": {"description": "Ready", "content": {"application/json": {"schema": {"type": "object"}}}},
    "default": {"$ref": "#/components/responses/Problem"}}}},
"/metrics": {"get": {"operationId": "metrics", "tags": ["node"], "summary": "Prometheus metrics",
  "responses": {"200": {"description": "Text format 0.0.4", "content": {"text/plain": {"schema": {
      "type": "string"}}}}}}},
"/openapi.json": {"get": {"operationId": "openapi", "tags": ["node"], "summary": "This document",
  "responses": {"200": {"description": "OpenAPI 3.1", "content": {"application/json": {"schema": {
      "type": "object"}}}}}}},
"/errors/{code}": {"parameters": [{"name": "code", "in": "path", "required": true, "schema": {"type": "string"}}],
  "get": {"operationId": "error_page", "tags": ["node"], "summary": "What an error code means and how to mend it",
    "responses": {"200": {"description": "JSON, or text with Accept: text/plain",
      "content": {"application/json": {"schema": {"type": "object"}}, "text/plain": {"schema": {"type": "string"}}}},
      "default": {"$ref": "#/components/responses/Problem"}}}}
)json";

constexpr std::string_view components = R"json(
"parameters": {
  "topic": {"name": "topic", "in": "path", "required": true, "schema": {"$ref": "#/components/schemas/Name"}},
  "subscription": {"name": "subscription", "in": "path", "required": true, "schema": {
      "$ref": "#/components/schemas/Name"}},
  "queue": {"name": "queue", "in": "path", "required": true, "schema": {"$ref": "#/components/schemas/Name"}},
  "group": {"name": "group", "in": "path", "required": true, "schema": {"type": "string"},
    "description": "Any bytes, percent-encoded"},
  "key": {"name": "key", "in": "path", "required": true, "schema": {"type": "string"},
    "description": "The key's text, or the `id` the list of parked keys gives"},
  "role": {"name": "role", "in": "query", "schema": {"enum": ["consumer", "repair"], "default": "consumer"},
    "description": "repair: the failed heads of parked keys, for who repairs them"}
},
"responses": {
  "Problem": {"description": "RFC 9457. Overload: 429 or 503 with Retry-After. A refused request changes nothing.",
    "headers": {"Retry-After": {"schema": {"type": "integer"}}},
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}},
  "Paused": {"description": "How it is now", "content": {"application/json": {"schema": {"type": "object",
    "properties": {"paused": {"type": "boolean"}}}}}}
},
"schemas": {
  "Name": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,200}$"},
  "Duration": {"type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$"},
  "Size": {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^[0-9]+([KMGT]i?B|kB|B)?$"}]},
  "Offset": {"type": "string", "pattern": "^[0-9]+$"},
  "Problem": {"type": "object", "required": ["type", "title", "status", "code"], "properties": {
    "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"}, "code": {
        "type": "string"},
    "detail": {"type": "string"}, "at": {"type": "string"}, "hint": {"type": "string"}}},
  "Event": {"type": "object", "description": "A CloudEvent 1.0 in the JSON format", "required": ["specversion",
      "id", "source", "type"],
    "properties": {"specversion": {"const": "1.0"}, "id": {"type": "string"}, "source": {"type": "string"},
        "type": {"type": "string"},
      "subject": {"type": "string"}, "time": {"type": "string", "format": "date-time"}, "datacontenttype": {
          "type": "string"},
      "dataschema": {"type": "string"}, "data": true, "data_base64": {"type": "string"}, "partitionkey": {
          "type": "string"},
      "correlationid": {"type": "string"}, "causationid": {"type": "string"}, "traceparent": {"type": "string"},
      "partition": {"type": "string"}, "offset": {"type": "string"}}},
  "TopicSettings": {"type": "object", "additionalProperties": false, "properties": {
    "partitions": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 1},
    "retention": {"type": ["object", "null"], "additionalProperties": false, "properties": {
      "time": {"oneOf": [{"$ref": "#/components/schemas/Duration"}, {"type": "null"}]},
      "bytes": {"oneOf": [{"$ref": "#/components/schemas/Size"}, {"type": "null"}]}}},
    "cleanup": {"enum": ["delete"], "default": "delete"},
    "dedup_window": {"$ref": "#/components/schemas/Duration"},
    "max_batch": {"$ref": "#/components/schemas/Size"},
    "timestamps": {"enum": ["created", "appended"], "default": "created"},
    "segment": {"oneOf": [{"$ref": "#/components/schemas/Size"}, {"type": "null"}]}}},
  "Topic": {"type": "object", "properties": {"name": {"$ref": "#/components/schemas/Name"}, "partitions": {
      "type": "integer"},
    "retention": {"type": "object"}, "cleanup": {"type": "string"}, "dedup_window": {
        "$ref": "#/components/schemas/Duration"},
    "max_batch": {"type": "integer"}, "timestamps": {"type": "string"}, "segment": {"type": "integer"}}},
  "Partition": {"type": "object", "properties": {"partition": {"type": "integer"}, "first": {
      "$ref": "#/components/schemas/Offset"},
    "next": {"$ref": "#/components/schemas/Offset"}, "bytes": {"type": "integer"}}},
  "TopicState": {"type": "object", "properties": {"name": {"$ref": "#/components/schemas/Name"}, "durable": {
      "type": "boolean"},
    "created": {"type": "string", "format": "date-time"}, "retention": {"type": "object"}, "cleanup": {
        "type": "string"},
    "dedup_window": {"$ref": "#/components/schemas/Duration"},
    "max_batch": {"type": "integer"}, "timestamps": {"type": "string"}, "segment": {"type": "integer"},
    "partitions": {"type": "array", "items": {"$ref": "#/components/schemas/Partition"}}}},
  "Places": {"type": "array", "items": {"type": "object", "properties": {"partition": {"type": "integer"},
    "offset": {"$ref": "#/components/schemas/Offset"}, "duplicate": {"type": "boolean"}}}},
  "Published": {"type": "object", "properties": {"durable": {"type": "boolean"}, "position": {"type": "string"},
    "events": {"$ref": "#/components/schemas/Places"}}},
  "Chunk": {"type": "object", "properties": {"durable": {"type": "boolean"},
    "lines": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2}, "events": {
        "type": "integer"},
    "duplicates": {"type": "integer"}, "position": {"type": "string"}, "error": {
        "$ref": "#/components/schemas/Problem"}}},
  "Pattern": {"type": "object", "description": "An event pattern, at most 64 KiB: see docs/patterns.md",
    "minProperties": 1},
  "Because": {"type": "array", "items": {"type": "object", "properties": {"at": {"type": "string"}, "reason": {
      "type": "string"}, "wanted": true, "found": true}}},
  "Explanation": {"type": "object", "properties": {"matches": {"type": "boolean"}, "because": {
      "$ref": "#/components/schemas/Because"},
    "subscriptions": {"type": "array", "items": {"type": "object", "properties": {"name": {
        "$ref": "#/components/schemas/Name"}, "matches": {"type": "boolean"}, "because": {
        "$ref": "#/components/schemas/Because"}}}},
    "complete": {"type": "boolean"}}},
  "RetrySteps": {"type": "object", "properties": {"attempts": {"type": "integer", "minimum": 1, "maximum": 1000},
    "backoff": {"enum": ["fixed", "linear", "exponential", "listed"], "default": "fixed"},
    "base": {"$ref": "#/components/schemas/Duration"}, "max": {"$ref": "#/components/schemas/Duration"},
    "jitter": {"type": "boolean", "default": false}, "delay": {"$ref": "#/components/schemas/Duration"},
    "delays": {"type": "array", "maxItems": 32, "items": {"$ref": "#/components/schemas/Duration"}}}},
  "SubscriptionSettings": {"type": "object", "additionalProperties": false, "required": ["topics"], "properties": {
    "topics": {"type": "array", "minItems": 1, "maxItems": 100, "items": {"$ref": "#/components/schemas/Name"}},
    "filter": {"oneOf": [{"$ref": "#/components/schemas/Pattern"}, {"type": "null"}]},
    "from": {"anyOf": [{"enum": ["earliest", "latest"]}, {"type": "string", "format": "date-time"}],
      "default": "latest"},
    "order_by": {"enum": ["key", "none"], "default": "key"},
    "concurrency": {"type": "integer", "minimum": 1, "maximum": 100000, "default": 1024},
    "lease": {"$ref": "#/components/schemas/Duration"},
    "retry": {"allOf": [{"$ref": "#/components/schemas/RetrySteps"}, {"type": "object", "properties": {
      "rules": {"type": "array", "maxItems": 32, "items": {"allOf": [{"$ref": "#/components/schemas/RetrySteps"}, {
        "type": "object", "required": ["codes"], "properties": {"codes": {"type": "array", "minItems": 1,
          "maxItems": 32, "items": {"type": "string"}}}}]}}}}]},
    "on_failure": {"enum": ["park", "drop", "dead_letter"], "default": "park"},
    "dead_letter": {"$ref": "#/components/schemas/Name",
      "description": "The topic of what is given up, with on_failure dead_letter, and only then"},
    "ttl": {"$ref": "#/components/schemas/Duration",
      "description": "An event that waited so long is passed over, and that is told"},
    "expires": {"$ref": "#/components/schemas/Duration",
      "description": "Unused for so long the subscription is deleted; at least 1m"},
    "storm": {"$ref": "#/components/schemas/StormGuard"},
    "repairs": {"type": ["array", "null"], "maxItems": 32, "items": {"$ref": "#/components/schemas/Repair"},
      "description": "The first that fits a failed event repairs it; 24 KiB together"},
    "target": {"$ref": "#/components/schemas/Target"}}},
  "SubscriptionChange": {"type": "object", "additionalProperties": false, "properties": {
    "filter": {"oneOf": [{"$ref": "#/components/schemas/Pattern"}, {"type": "null"}]},
    "concurrency": {"type": "integer", "minimum": 1, "maximum": 100000},
    "lease": {"$ref": "#/components/schemas/Duration"}, "retry": {"$ref": "#/components/schemas/RetrySteps"},
    "on_failure": {"enum": ["park", "drop", "dead_letter"]}, "dead_letter": {"$ref": "#/components/schemas/Name"},
    "ttl": {"oneOf": [{"$ref": "#/components/schemas/Duration"}, {"type": "null"}]},
    "expires": {"oneOf": [{"$ref": "#/components/schemas/Duration"}, {"type": "null"}]},
    "storm": {"oneOf": [{"$ref": "#/components/schemas/StormGuard"}, {"type": "null"}]},
    "repairs": {"type": ["array", "null"], "maxItems": 32, "items": {"$ref": "#/components/schemas/Repair"}},
    "target": {"$ref": "#/components/schemas/Target"},
    "parked": {"enum": ["keep"], "description": "Without it parked keys stand in the way of another filter"}}},
  "Target": {"type": "object", "additionalProperties": false, "minProperties": 1, "maxProperties": 1,
    "description": "Who gets the events: see docs/webhooks.md", "properties": {
    "pull": {"type": "object", "maxProperties": 0},
    "webhook": {"type": "object", "additionalProperties": false, "required": ["url"], "properties": {
      "url": {"type": "string", "format": "uri", "maxLength": 2048},
      "mode": {"enum": ["binary", "structured"], "default": "binary"},
      "secret": {"type": "string", "description": "whsec_ and base64, or 16 to 256 bytes; shown as ***"},
      "concurrency": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 8},
      "rate": {"type": "string", "pattern": "^[1-9][0-9]*/[smh]$"},
      "timeout": {"$ref": "#/components/schemas/Duration"},
      "headers": {"type": "object", "maxProperties": 8, "additionalProperties": {"type": "string"}}}},
    "topic": {"type": "object", "additionalProperties": false, "required": ["name"], "properties": {
      "name": {"$ref": "#/components/schemas/Name"}}}}},
  "Subscription": {"type": "object", "properties": {"name": {"$ref": "#/components/schemas/Name"}, "topics": {
      "type": "array"}, "filter": {"$ref": "#/components/schemas/Pattern"},
    "from": {"type": "string"}, "order_by": {"type": "string"}, "concurrency": {"type": "integer"}, "lease": {
        "type": "string"},
    "retry": {"type": "object"}, "on_failure": {"type": "string"}, "dead_letter": {"type": "string"},
    "ttl": {"type": "string"}, "expires": {"type": "string"}, "storm": {"type": "object"},
    "repairs": {"type": "array", "items": {"$ref": "#/components/schemas/Repair"}}, "target": {"type": "object"},
    "paused": {"type": "boolean"}}},
  "ChangedSubscription": {"allOf": [{"$ref": "#/components/schemas/Subscription"}, {"type": "object", "properties": {
    "filtered_from": {"type": "array", "items": {"type": "object", "properties": {"topic": {"type": "string"},
      "partition": {"type": "integer"}, "offset": {"$ref": "#/components/schemas/Offset"}}}}}}]},
  "SubscriptionState": {"allOf": [{"$ref": "#/components/schemas/Subscription"}, {"type": "object", "properties": {
    "lag": {"type": "integer"}, "oldest": {"type": "string", "format": "date-time"}, "leased": {"type": "integer"},
    "delayed": {"type": "integer"}, "parked_keys": {"type": "integer"}, "parked_events": {"type": "integer"},
    "matched": {"type": "integer", "description": "Events taken since the server was started"},
    "in_storm": {"type": "object", "properties": {"fingerprint": {"type": "string"},
      "since": {"type": "string", "format": "date-time"}, "probes": {"type": "integer"}}},
    "release": {"$ref": "#/components/schemas/Release"},
    "healing": {"type": "object", "additionalProperties": {"type": "integer"}, "properties": {
        "time_to_repair": {"$ref": "#/components/schemas/Duration"}},
      "description": "What became of failed events since the server was started; `time_to_repair`: mean time from)json"
                                        R"json( being parked until the key was drained"}}}]},
  "Delivery": {"type": "object", "properties": {"lease": {"type": "string"}, "attempt": {"type": "integer"},
      "topic": {"type": "string"},
    "event": {"$ref": "#/components/schemas/Event"}}},
  "Settle": {"type": "object", "additionalProperties": false, "properties": {
    "ack": {"type": "array", "items": {"type": "string"}},
    "nack": {"type": "array", "items": {"type": "object", "additionalProperties": false, "required": ["lease"],
        "properties": {
      "lease": {"type": "string"}, "delay": {"$ref": "#/components/schemas/Duration"},
      "error": {"type": "object", "additionalProperties": false, "properties": {"code": {"type": "string"},
          "message": {"type": "string"}}}}}},
    "extend": {"type": "array", "items": {"type": "object", "additionalProperties": false, "required": ["lease",
        "by"],
      "properties": {"lease": {"type": "string"}, "by": {"$ref": "#/components/schemas/Duration"}}}},
    "publish": {"type": "array", "items": {"type": "object", "additionalProperties": false, "required": ["topic",
        "event"],
      "properties": {"topic": {"$ref": "#/components/schemas/Name"}, "event": {
          "$ref": "#/components/schemas/Event"}}}}}},
  "Settled": {"type": "object", "properties": {"settled": {"type": "integer"},
    "refused": {"type": "array", "items": {"type": "object", "properties": {"lease": {"type": "string"}, "code": {
        "type": "string"}}}},
    "events": {"$ref": "#/components/schemas/Places"}}},
  "Lag": {"type": ["integer", "null"], "minimum": 0, "description": "null: nothing was committed"},
  "GroupSummary": {"type": "object", "properties": {"name": {"type": "string"}, "path": {"type": "string"},
    "state": {"enum": ["Empty", "PreparingRebalance", "CompletingRebalance", "Stable"]},
    "protocol_type": {"type": "string"}, "members": {"type": "integer"},
    "topics": {"type": "array", "items": {"$ref": "#/components/schemas/Name"}},
    "lag": {"$ref": "#/components/schemas/Lag"}}},
  "Group": {"type": "object", "properties": {"name": {"type": "string"}, "path": {"type": "string"},
    "state": {"enum": ["Empty", "PreparingRebalance", "CompletingRebalance", "Stable"]},
    "protocol_type": {"type": "string"}, "protocol": {"type": ["string", "null"]}, "generation": {"type": "integer"},
    "leader": {"type": ["string", "null"]}, "lag": {"$ref": "#/components/schemas/Lag"},
    "members": {"type": "array", "items": {"$ref": "#/components/schemas/GroupMember"}},
    "partitions": {"type": "array", "items": {"$ref": "#/components/schemas/GroupPartition"}}}},
  "GroupMember": {"type": "object", "properties": {"id": {"type": "string"},
    "instance_id": {"type": ["string", "null"]}, "client_id": {"type": "string"}, "host": {"type": "string"},
    "assigned": {"type": "array", "items": {"type": "object", "properties": {
      "topic": {"$ref": "#/components/schemas/Name"},
      "partitions": {"type": "array", "items": {"type": "integer"}}}}}}},
  "GroupPartition": {"type": "object", "properties": {"topic": {"$ref": "#/components/schemas/Name"},
    "partition": {"type": "integer"},
    "committed": {"anyOf": [{"$ref": "#/components/schemas/Offset"}, {"type": "null"}]},
    "metadata": {"type": ["string", "null"]}, "next": {"$ref": "#/components/schemas/Offset"},
    "lag": {"$ref": "#/components/schemas/Lag"}, "member": {"type": ["string", "null"]}}},
  "OffsetsReset": {"type": "object", "properties": {"name": {"type": "string"},
    "topic": {"$ref": "#/components/schemas/Name"}, "dry_run": {"type": "boolean"},
    "partitions": {"type": "array", "items": {"type": "object", "properties": {"partition": {"type": "integer"},
      "before": {"anyOf": [{"$ref": "#/components/schemas/Offset"}, {"type": "null"}]},
      "committed": {"$ref": "#/components/schemas/Offset"}, "next": {"$ref": "#/components/schemas/Offset"},
      "lag": {"type": "integer"}}}}}},
)json";

std::string assemble() {
  std::string text(opening);
  text += "\"paths\": {";
  text.append(topics)
      .append(events)
      .append(subscriptions)
      .append(openapi_queues())
      .append(healing_paths())
      .append(groups)
      .append(patterns)
      .append(node);
  text += "},\n\"components\": {";
  text.append(components).append(openapi_queue_schemas()).append(healing_schemas()).append("}\n");
  text += "}\n}\n";
  return text;
}

}  // namespace

std::string_view openapi_document() {
  static const std::string document = assemble();
  return document;
}

}  // namespace continuo::wire::http
