#include "continuo/wire/http/openapi_healing.h"

namespace continuo::wire::http {
namespace {

constexpr std::string_view paths = R"json(
"/v1/subscriptions/{subscription}/seek": {
  "parameters": [{"$ref": "#/components/parameters/subscription"}],
  "post": {"operationId": "seek", "tags": ["subscriptions"],
      "summary": "Go on elsewhere; refused while keys are parked, unless it says what becomes of them",
    "requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object",
      "additionalProperties": false, "required": ["to"], "properties": {
      "to": {"type": "string", "description": "earliest, latest, a time, or a position that publishing answered"},
      "parked": {"enum": ["keep", "discard"]},
      "by": {"$ref": "#/components/schemas/By"}, "reason": {"$ref": "#/components/schemas/Reason"}}}}}},
    "responses": {"200": {"description": "Leases of before are lost", "content": {"application/json": {"schema": {
      "type": "object", "properties": {"epoch": {"type": "integer"}}}}}},
      "default": {"$ref": "#/components/responses/Problem"}}}
},
"/v1/subscriptions/{subscription}/parked": {
  "parameters": [{"$ref": "#/components/parameters/subscription"}],
  "get": {"operationId": "list_parked", "tags": ["healing"], "summary": "Keys that wait for a decision",
    "parameters": [{"name": "key", "in": "query", "schema": {"type": "string"}},
      {"name": "fingerprint", "in": "query", "schema": {"type": "string"}},
      {"name": "type", "in": "query", "schema": {"type": "string"}, "description": "Of the failed event"},
      {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}},
      {"name": "after", "in": "query", "schema": {"type": "string"}, "description": "`next` of the page before"}],
    "responses": {"200": {"description": "Parked keys", "content": {"application/json": {"schema": {"type": "object",
      "properties": {"keys": {"type": "array", "items": {"$ref": "#/components/schemas/ParkedKey"}},
      "next": {"type": "string"}}}}}},
      "default": {"$ref": "#/components/responses/Problem"}}}
},
"/v1/subscriptions/{subscription}/parked/{key}/retry": {
  "parameters": [{"$ref": "#/components/parameters/subscription"}, {"$ref": "#/components/parameters/key"}],
  "post": {"operationId": "retry_parked", "tags": ["healing"], "summary": "Deliver the failed event again",
    "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Asked"}}}},
    "responses": {"200": {"description": "Done"}, "default": {"$ref": "#/components/responses/Problem"}}}
},
"/v1/subscriptions/{subscription}/parked/{key}/skip": {
  "parameters": [{"$ref": "#/components/parameters/subscription"}, {"$ref": "#/components/parameters/key"}],
  "post": {"operationId": "skip_parked", "tags": ["healing"], "summary": "Pass over the failed event",
    "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Asked"}}}},
    "responses": {"200": {"description": "Done"}, "default": {"$ref": "#/components/responses/Problem"}}}
},
"/v1/subscriptions/{subscription}/parked/{key}/cancel": {
  "parameters": [{"$ref": "#/components/parameters/subscription"}, {"$ref": "#/components/parameters/key"}],
  "post": {"operationId": "cancel_parked", "tags": ["healing"],
      "summary": "Pass over the failed event and all that waits behind it",
    "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Asked"}}}},
    "responses": {"200": {"description": "How many events", "content": {"application/json": {"schema": {
      "type": "object", "properties": {"events": {"type": "integer"}}}}}},
      "default": {"$ref": "#/components/responses/Problem"}}}
},
"/v1/subscriptions/{subscription}/parked/{key}/edit": {
  "parameters": [{"$ref": "#/components/parameters/subscription"}, {"$ref": "#/components/parameters/key"}],
  "post": {"operationId": "edit_parked", "tags": ["healing"],
      "summary": "Another event in the place of the failed one, for this subscription alone",
    "requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object",
      "additionalProperties": false, "required": ["event"], "properties": {
      "event": {"$ref": "#/components/schemas/Event"},
      "release": {"type": "boolean", "default": true, "description": "The key drains"},
      "by": {"$ref": "#/components/schemas/By"}, "reason": {"$ref": "#/components/schemas/Reason"}}}}}},
    "responses": {"200": {"description": "Done"}, "default": {"$ref": "#/components/responses/Problem"}}}
},
"/v1/subscriptions/{subscription}/parked/release": {
  "parameters": [{"$ref": "#/components/parameters/subscription"}],
  "post": {"operationId": "release_parked", "tags": ["healing"], "summary": "Release many parked keys, as a job",
    "requestBody": {"content": {"application/json": {"schema": {"type": "object", "additionalProperties": false,
      "properties": {"fingerprint": {"type": "string"}, "type": {"type": "string"},
      "after": {"type": "string", "format": "date-time", "description": "Parked then or later"},
      "before": {"type": "string", "format": "date-time"},
      "rate": {"type": "string", "pattern": "^[0-9]+/[sm]$", "description": "Keys a second or minute"},
      "stop_at_relapse": {"type": "boolean", "default": true}, "dry_run": {"type": "boolean", "default": false},
      "by": {"$ref": "#/components/schemas/By"}, "reason": {"$ref": "#/components/schemas/Reason"}}}}}},
    "responses": {
      "202": {"description": "Under way", "content": {"application/json": {"schema": {
          "$ref": "#/components/schemas/Release"}}}},
      "200": {"description": "A dry run: how many it would be", "content": {"application/json": {"schema": {
          "$ref": "#/components/schemas/Release"}}}},
      "default": {"$ref": "#/components/responses/Problem"}}},
  "get": {"operationId": "get_release", "tags": ["healing"], "summary": "The last release, and how far it is",
    "responses": {"200": {"description": "The release; state `none`: there was none",
      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Release"}}}},
      "default": {"$ref": "#/components/responses/Problem"}}},
  "delete": {"operationId": "stop_release", "tags": ["healing"], "summary": "Stop the release under way",
    "responses": {"200": {"description": "How far it came",
      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Release"}}}},
      "default": {"$ref": "#/components/responses/Problem"}}}
},
)json";

constexpr std::string_view schemas = R"json(
  "By": {"type": "string", "maxLength": 200, "description": "Who asks for it; told with the change"},
  "Reason": {"type": "string", "maxLength": 4096},
  "Asked": {"type": "object", "additionalProperties": false, "properties": {
    "by": {"$ref": "#/components/schemas/By"}, "reason": {"$ref": "#/components/schemas/Reason"}}},
  "StormGuard": {"type": "object", "additionalProperties": false, "required": ["keys"],
    "description": "So many keys that fail alike so soon pause the subscription, until one that is tried succeeds",
    "properties": {
    "keys": {"type": "integer", "minimum": 2, "maximum": 10000},
    "within": {"$ref": "#/components/schemas/Duration"}, "probe": {"$ref": "#/components/schemas/Duration"}}},
  "Repair": {"type": "object", "additionalProperties": false, "required": ["patch"],
    "anyOf": [{"required": ["error"]}, {"required": ["event"]}], "properties": {
    "name": {"$ref": "#/components/schemas/Name"},
    "error": {"type": "object", "minProperties": 1,
      "description": "A pattern on the failure: code, message, fingerprint, attempts"},
    "event": {"$ref": "#/components/schemas/Pattern"},
    "patch": {"$ref": "#/components/schemas/JsonPatch"}}},
  "JsonPatch": {"type": "array", "minItems": 1, "maxItems": 64,
    "description": "RFC 6902, for the structured event; id, source and specversion stay", "items": {"type": "object",
    "required": ["op", "path"], "properties": {
    "op": {"enum": ["add", "remove", "replace", "move", "copy", "test"]}, "path": {"type": "string"},
    "from": {"type": "string"}, "value": true}}},
  "ParkedKey": {"type": "object", "properties": {"key": {"type": ["string", "null"]}, "id": {"type": "string"},
    "state": {"enum": ["parked", "repairing", "draining"]}, "topic": {"type": "string"},
    "partition": {"type": "integer"}, "offset": {"$ref": "#/components/schemas/Offset"},
    "head": {"type": "object", "properties": {
      "event": {"anyOf": [{"$ref": "#/components/schemas/Event"}, {"type": "null"}]},
      "event_bytes": {"type": "integer", "description": "Of an event too large for this list"},
      "error": {"type": "object", "properties": {"code": {"type": "string"}, "message": {"type": "string"}}},
      "fingerprint": {"type": "string", "description": "The same for failures that are alike"},
      "attempts": {"type": "integer"}, "repairs": {"type": "integer"}, "edited": {"type": "boolean"}}},
    "waiting": {"type": "integer", "description": "Events behind the head"},
    "repair_by": {"enum": ["declared", "workflow", "person"]},
    "since": {"type": "string", "format": "date-time"}}},
  "RepairDelivery": {"type": "object", "properties": {"lease": {"type": "string"},
    "parked": {"$ref": "#/components/schemas/ParkedKey"}}},
  "RepairSettled": {"type": "object", "additionalProperties": false, "required": ["lease"], "properties": {
    "lease": {"type": "string"}, "reason": {"$ref": "#/components/schemas/Reason"}}},
  "SettleRepairs": {"type": "object", "additionalProperties": false, "description": "At most 1,000 in all",
    "properties": {
    "repaired": {"type": "array", "items": {"type": "object", "additionalProperties": false,
      "required": ["lease", "event"], "properties": {"lease": {"type": "string"},
      "event": {"$ref": "#/components/schemas/Event"}, "reason": {"$ref": "#/components/schemas/Reason"}}}},
    "needs_person": {"type": "array", "items": {"$ref": "#/components/schemas/RepairSettled"}},
    "skip": {"type": "array", "items": {"$ref": "#/components/schemas/RepairSettled"}},
    "by": {"$ref": "#/components/schemas/By"}}},
  "Release": {"type": "object", "properties": {"release": {"type": "integer"},
    "state": {"enum": ["running", "done", "relapsed", "cancelled", "none"]},
    "matching": {"type": "integer"}, "released": {"type": "integer"}, "relapsed": {"type": "integer"},
    "stop_at_relapse": {"type": "boolean"}, "rate": {"type": "string"}, "fingerprint": {"type": "string"},
    "type": {"type": "string"}, "after": {"type": "string", "format": "date-time"},
    "before": {"type": "string", "format": "date-time"}, "by": {"type": "string"}, "reason": {"type": "string"},
    "started": {"type": "string", "format": "date-time"}}}
)json";

}  // namespace

std::string_view healing_paths() { return paths; }
std::string_view healing_schemas() { return schemas; }

}  // namespace continuo::wire::http
