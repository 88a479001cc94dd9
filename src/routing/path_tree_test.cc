#include "continuo/routing/path_tree.h"

#include <gtest/gtest.h>

namespace continuo::routing {
namespace {

TEST(PathTree, FindsNamesStepByStepAndAsAWhole) {
  PathTree tree;
  const PathId amount = tree.add("data.amount");
  const PathId long_name = tree.add("data.a_name_of_more_than_eight_bytes");
  const PathId other_long_name = tree.add("data.a_name_of_more_than_eight_bytez");
  EXPECT_EQ(tree.add("data.amount"), amount);
  tree.finish();
  const NodeId data = tree.child(PathTree::root, "data");
  ASSERT_NE(data, no_node);
  EXPECT_EQ(tree.node(data).path, no_path);
  EXPECT_EQ(tree.node(data).children, 3u);
  EXPECT_EQ(tree.node(tree.child(data, "amount")).path, amount);
  EXPECT_EQ(tree.node(tree.descendant(PathTree::root, "data.a_name_of_more_than_eight_bytes")).path, long_name);
  EXPECT_EQ(tree.node(tree.child(data, "a_name_of_more_than_eight_bytez")).path, other_long_name);
  EXPECT_EQ(tree.child(data, "amoun"), no_node);
  EXPECT_EQ(tree.child(tree.child(data, "amount"), "x"), no_node);
  EXPECT_EQ(tree.descendant(PathTree::root, "data.amount.x"), no_node);
  EXPECT_EQ(tree.name_of(tree.node_of(amount)), "data.amount");
}

TEST(PathTree, APathMayEndWhereAnotherGoesOnAndNamesMayBeEmpty) {
  PathTree tree;
  const PathId outer = tree.add("a"), inner = tree.add("a."), innermost = tree.add("a..b");
  tree.finish();
  EXPECT_EQ(tree.node(tree.descendant(PathTree::root, "a")).path, outer);
  EXPECT_EQ(tree.node(tree.descendant(PathTree::root, "a.")).path, inner);
  EXPECT_EQ(tree.node(tree.descendant(PathTree::root, "a..b")).path, innermost);
  EXPECT_EQ(tree.node(tree.node_of(outer)).parts(), 2u);
}

TEST(PathTree, HoldsManyNamesThatBeginAlike) {
  PathTree tree;
  for (int i = 0; i < 5'000; ++i) tree.add("the_same_beginning_" + std::to_string(i));
  tree.finish();
  for (int i = 0; i < 5'000; ++i) {
    const std::string name = "the_same_beginning_" + std::to_string(i);
    EXPECT_EQ(tree.node(tree.child(PathTree::root, name)).path, static_cast<PathId>(i));
  }
}

}  // namespace
}  // namespace continuo::routing
