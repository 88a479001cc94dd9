// The settings file: YAML, one `name: value` a line, under the environment in weight.
//
//   server: http://10.0.0.5:8080
//   data: /var/lib/continuo
#pragma once

#include <string>
#include <vector>

#include "continuo/base/errors.h"

namespace continuo::cli {

/// One setting that may stand in the file, and the variable of the environment that wins over it.
struct Setting {
  std::string name;         ///< "journal-size"
  std::string environment;  ///< "CONTINUO_JOURNAL_SIZE"
};
/// All there are.
const std::vector<Setting>& all_settings();

/// Puts what the file says into the environment, where the environment does not say it already. Which file: `path`,
/// else CONTINUO_CONFIG, else continuo/config.yaml in XDG_CONFIG_HOME or ~/.config when it is there. Errors: io_error
/// (a file that was named cannot be read), unknown_field (with the line and the nearest name), bad_setting. Call before
/// any thread is made.
Result<void> load_settings(std::string path);

/// XDG_`what`_HOME, else the folder below HOME that stands for it; the temporary folder when there is no HOME. "DATA",
/// "CACHE", "CONFIG".
std::string user_folder(const std::string& what);

}  // namespace continuo::cli
