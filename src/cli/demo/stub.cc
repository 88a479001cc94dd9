#include "continuo/cli/commands.h"
namespace continuo::cli {
Result<void> demo_shop(const Demo&) { return {}; }
Result<void> demo_github(const Demo&) { return {}; }
}
