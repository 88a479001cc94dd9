#include "continuo/cli/commands.h"
namespace continuo::cli {
Result<Exit> demo_github(const Demo&) { return Exit::ok; }
}
