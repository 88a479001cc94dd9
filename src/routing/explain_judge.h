// Whether one event matches one pattern, from the definition, and what each field has to do with it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "continuo/routing/explain_event.h"
#include "continuo/routing/explain_together.h"

namespace continuo::routing {

/// A value that passed a condition of a field.
struct Met {
  ContextId context = 0;
  Value value;
  const Condition* condition = nullptr;
};

/// What became of a field by itself.
struct Verdict {
  bool holds = false;
  const Condition* absent = nullptr;  ///< it holds because the field is not there
  std::vector<Met> met;
};

/// A field that had to hold, and in which element of arrays it did.
struct ChosenField {
  const Field* field = nullptr;
  ContextId context = 0;
};

class Judge {
 public:
  /// `held`: the fields that hold, when somebody else found out. Not all values are put to the tests then.
  Judge(const Pattern& pattern, const EventOfPattern& event, std::optional<std::set<const Field*>> held);

  /// All fields hold by themselves, and of each choice a group.
  bool holds() { return holds(pattern_.root()); }
  bool holds(const Group& group);
  const Verdict& verdict(const Field& field);

  enum class Answer : std::uint8_t { yes, no, too_long };
  /// Whether what holds by itself also holds together. Yes: `fields` are all that had to hold.
  Answer together(std::vector<ChosenField>& fields);
  /// The fields of the first groups that hold, wherever they do.
  std::vector<ChosenField> wherever();
  /// Of the first groups that hold: the fields that cannot join the ones before them.
  std::vector<const Field*> not_together();

 private:
  Verdict judge(const Field& field);
  bool take(const Group& group, std::size_t choice);
  bool choose(std::size_t choice);
  bool place();
  void first_fields(const Group& group, std::vector<const Field*>& out);
  bool holds_as_a_whole(const Field& field);
  FieldPlaces places_of(const Field& field);

  const Pattern& pattern_;
  const EventOfPattern& event_;
  const std::optional<std::set<const Field*>> held_;
  std::map<const Field*, Verdict> verdicts_;
  std::map<const Group*, bool> groups_;
  Together together_;
  std::vector<const Field*> taken_;
  std::vector<const std::vector<Group>*> choices_;
  std::vector<ContextId> contexts_;  // of the fields that were taken last
};

}  // namespace continuo::routing
