#include "continuo/cli/settings_file.h"

#include <yaml-cpp/yaml.h>

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "continuo/cli/nearest.h"

namespace continuo::cli {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

const Setting* find(const std::string& name) {
  for (const Setting& setting : all_settings())
    if (setting.name == name) return &setting;
  return nullptr;
}

std::unexpected<Error> unknown(const std::string& name, const std::string& place) {
  std::vector<std::string> names;
  for (const Setting& setting : all_settings()) names.push_back(setting.name);
  const std::string close = nearest(name, names);
  return fail(
      Code::unknown_field, fmt::format("there is no setting '{}'", name), place,
      close.empty() ? fmt::format("one of: {}", fmt::join(names, ", ")) : fmt::format("did you mean '{}'?", close));
}

Result<void> take(const YAML::Node& root, const std::string& path) {
  if (root.IsNull()) return {};
  if (!root.IsMap()) return fail(Code::bad_setting, "a settings file holds lines `name: value`", path);
  for (const auto& member : root) {
    const auto name = member.first.as<std::string>();
    const std::string place = fmt::format("{}, line {}", path, member.first.Mark().line + 1);
    const Setting* setting = find(name);
    if (!setting) return unknown(name, place);
    if (!member.second.IsScalar()) return fail(Code::bad_setting, fmt::format("'{}' takes one value", name), place);
    setenv(setting->environment.c_str(), member.second.as<std::string>().c_str(), 0);
  }
  return {};
}

}  // namespace

const std::vector<Setting>& all_settings() {
  static const std::vector<Setting> settings{{"server", "CONTINUO_SERVER"},
                                             {"output", "CONTINUO_OUTPUT"},
                                             {"data", "CONTINUO_DATA"},
                                             {"http", "CONTINUO_HTTP"},
                                             {"kafka", "CONTINUO_KAFKA"},
                                             {"kafka-advertised", "CONTINUO_KAFKA_ADVERTISED"},
                                             {"threads", "CONTINUO_THREADS"},
                                             {"journal-size", "CONTINUO_JOURNAL_SIZE"},
                                             {"page-cache", "CONTINUO_PAGE_CACHE"},
                                             {"no-auto-create", "CONTINUO_NO_AUTO_CREATE"},
                                             {"allow-private-webhooks", "CONTINUO_ALLOW_PRIVATE_WEBHOOKS"},
                                             {"i-accept-insecure", "CONTINUO_I_ACCEPT_INSECURE"}};
  return settings;
}

std::string user_folder(const std::string& what) {
  if (const std::string given = environment(("XDG_" + what + "_HOME").c_str()); !given.empty()) return given;
  const std::string home = environment("HOME");
  if (home.empty() || home == "/nonexistent") return std::filesystem::temp_directory_path().string();
  if (what == "DATA") return home + "/.local/share";
  return what == "CACHE" ? home + "/.cache" : home + "/.config";
}

Result<void> load_settings(std::string path) {
  if (path.empty()) path = environment("CONTINUO_CONFIG");
  const bool named = !path.empty();
  if (!named) path = user_folder("CONFIG") + "/continuo/config.yaml";
  std::error_code ignored;
  if (!named && !std::filesystem::exists(path, ignored)) return {};
  try {
    return take(YAML::LoadFile(path), path);
  } catch (const YAML::BadFile&) {
    return fail(Code::io_error, fmt::format("the settings file '{}' cannot be read", path), path, "check its name");
  } catch (const YAML::Exception& broken) {
    return fail(Code::bad_setting, broken.msg, fmt::format("{}, line {}", path, broken.mark.line + 1));
  }
}

}  // namespace continuo::cli
