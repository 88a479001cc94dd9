// Reads from a JSON text the values of wanted paths, front to back, and no further than the last of them.
//
// What it takes for what, whatever other paths are wanted beside:
// - Arrays are flattened, in arrays too: scalars are values of the path, objects go on with it. The elements of an
// array
//   at a node below which something is wanted are contexts of their own: what array consistency is about.
// - A name with dots in it counts as several names.
// - In one context, the first time a name comes decides what it is. Scalar or array: it is ignored from then on.
//   Object: further objects of the name are added to it, by the same rule; all else is ignored.
// - A scalar that is no JSON is no value; nor is a number or a name that the end of the text cuts. Where the text's
// structure breaks, or arrays of arrays are nested deeper than
//   512, what stands before counts. Of the inside of what nobody wants only strings and the number of brackets are
//   looked at, so a break there may go unnoticed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/record/decimal.h"
#include "continuo/routing/path_tree.h"
#include "continuo/routing/pattern.h"

namespace continuo::routing {

using ContextId = std::uint32_t;

/// The event as a whole is context 0; each element of an array where it matters is one, numbered as they come, so
/// behind the one it is in.
struct Context {
  ContextId parent = 0;
  std::uint32_t array = 0;  ///< the array's number: elements of one array have the same
  NodeId node = 0;          ///< whose value the array is
};

struct FoundValue {
  PathId path = 0;
  ContextId context = 0;
  Value value;
  double number = record::not_known;  ///< what number_of gives, where that is known already
};

/// What was read of one event; views into its text and into `decoded`.
struct ReadEvent {
  std::vector<FoundValue> values;
  std::vector<Context> contexts{1};
  std::vector<PathId> objects;  ///< wanted paths that are objects
  std::uint32_t arrays = 0;     ///< numbers given
  std::string decoded;          ///< strings that had escapes; its memory does not move while a text is read
  bool broken = false;
  void clear();
};

/// Keeps buffers between calls: one for each thread. The tree outlives it.
class JsonReader {
 public:
  explicit JsonReader(const PathTree& tree);
  /// Reads one value as what stands at `node`; adds to `event`. Nothing behind `json` is read.
  void read(std::string_view json, NodeId node, ReadEvent& event);

 private:
  enum class Kind : std::uint8_t { unseen, scalar, object, array };
  // What the current context knows of a node; of another context: nothing yet.
  struct Seen {
    std::uint64_t context = 0;  // its stamp
    std::uint32_t left = 0;     // parts not yet decided
    Kind kind = Kind::unseen;
  };
  enum class Went { on, done, broken };  // done: nothing is left to find here; the text is somewhere inside

  char here() const { return json_.data()[at_]; }
  Seen& seen(NodeId node) {
    Seen& at = seen_[node];
    if (at.context != stamp_) at = {stamp_, tree_.node(node).parts(), Kind::unseen};
    return at;
  }
  bool become_object(NodeId node, Seen& at);
  Went value(NodeId node, Seen& at);
  Went object(NodeId node, Seen& at);
  Went members(NodeId node, Seen& at);
  Went member(NodeId node, Seen& at);
  Went child(Seen& at, NodeId child);
  Went dotted(NodeId node, Seen& at, std::string_view names);
  Went array(NodeId node);
  Went element(NodeId node, std::uint32_t number);
  Went element_in_context(NodeId node, std::uint32_t number);
  Went scalar(PathId path);
  Went skip_value();
  Went leave(std::size_t open);
  struct Name {
    std::string_view text;
    std::uint64_t head = 0;  // see PathTree::child
    bool has_dots = false;
  };
  std::size_t unwanted_name_end(NodeId node) const;
  bool to_value(std::size_t name_end);
  bool name(Name& name);
  bool decode_name(std::size_t begin, std::size_t& end, Name& name);
  void found(PathId path, Value::Type type, std::string_view text, double number = record::not_known);

  const PathTree& tree_;
  std::vector<Seen> seen_;
  std::uint64_t stamps_ = 0;  // given
  std::uint64_t stamp_ = 0;   // of the context that is being read
  std::string_view json_;
  std::size_t at_ = 0;
  std::size_t open_ = 0;    // brackets that "done" leaves open
  std::size_t inside_ = 0;  // objects and arrays that are being read
  std::size_t arrays_ = 0;  // of them, arrays
  ContextId context_ = 0;
  ReadEvent* event_ = nullptr;
  std::string name_;  // a decoded name
};

}  // namespace continuo::routing
