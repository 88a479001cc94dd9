// One request under way, as handlers see it: what was asked, and how to answer. The session behind it owns socket and
// buffers.
//
// A handler is called on the session's I/O thread when the request is complete and must answer exactly once, now or
// later on the same thread; until then request() stays valid. Answers that come later hold the exchange by shared_ptr;
// when the client has gone meanwhile they go nowhere.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "continuo/base/errors.h"
#include "continuo/base/time.h"
#include "continuo/node/requests.h"
#include "continuo/wire/http/answer.h"
#include "continuo/wire/http/head.h"
#include "continuo/wire/http/routes.h"

namespace continuo::serve {

class IoThread;

/// What goes on between a request and the end of its answer, where that is more than one question to the node. All
/// calls on the session's thread. The session drops it when the answer is complete (answer, refuse, finish: touch
/// nothing after them) or the client goes.
class Activity {
 public:
  virtual ~Activity() = default;
  /// Partitions of the watched topic have new records.
  virtual void news() {}
  /// The socket took all that was sent.
  virtual void drained() {}
  /// A few times a second.
  virtual void tick(Micros) {}
  /// Decoded bytes of the body were appended to Exchange::decoded(); `last`: that was all of it.
  virtual void body(bool last) { (void)last; }
  /// More of the body would only pile up.
  virtual bool has_enough() const { return false; }
  /// The server stops: come to an end soon.
  virtual void stopping() {}
};

class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  virtual ~Exchange() = default;

  virtual IoThread& thread() = 0;
  virtual const wire::http::Request& request() const = 0;
  virtual const wire::http::Match& match() const = 0;
  /// True once nobody waits for the answer any more.
  virtual bool gone() const = 0;

  /// The whole answer. `extra`: header lines, each with its \r\n.
  virtual void answer(int status, std::string_view content_type, std::string_view body,
                      std::string_view extra = {}) = 0;
  /// A problem document; `more` is put inside it as it is (",\"name\":value").
  virtual void refuse(const Error& error, std::string_view more = {}) = 0;

  /// An answer in pieces: begin, any number of send, finish. send() buffers; drained() of the activity says when all
  /// was taken.
  virtual void begin(int status, std::string_view content_type, std::string_view extra = {}) = 0;
  virtual bool begun() const = 0;
  virtual void send(std::string_view piece) = 0;
  /// `broken`: the connection is closed so that the client sees that something is missing.
  virtual void finish(bool broken = false) = 0;
  virtual std::size_t unsent() const = 0;

  /// Gives the exchange its activity; it lives until the answer's end.
  virtual void set_activity(std::unique_ptr<Activity> activity) = 0;
  virtual Activity* activity() = 0;
  /// Activity::news is called when the topic gets records, until the answer's end.
  virtual void watch(TopicId topic) = 0;
  /// What the body holds, chunks joined and inflated; used up at the front by who reads it. Only where the body is not
  /// read as a whole.
  virtual std::string& decoded() = 0;
  /// More of the body can come.
  virtual void want_body() = 0;

  void answer_json(std::string_view body, int status = 200) { answer(status, wire::http::json_type, body); }
};

/// Answers the request, or starts what will. Defined in dispatch.cc.
void handle(Exchange& exchange);

}  // namespace continuo::serve
