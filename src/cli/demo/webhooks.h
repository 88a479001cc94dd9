// Real webhook payloads: the examples of the npm package @octokit/webhooks-examples, as events.
#pragma once

#include <string>
#include <vector>

#include "continuo/base/errors.h"
#include "continuo/client/event.h"

namespace continuo::cli {

/// The path of the package's api.github.com/index.json: fetched with `npm pack` into the cache folder, if it is not
/// there yet. Errors: unsupported (there is no npm), connection_failed (npm could not fetch it). Main thread only.
Result<std::string> fetch_webhooks();

/// The examples in that file, in its order, with their text as it stands there: type com.github.EVENT.ACTION, subject
/// (the key) the repository's full name - or whose event it is -, id EVENT.NUMBER. Errors: io_error, bad_json.
Result<std::vector<client::Event>> read_webhooks(const std::string& path);

}  // namespace continuo::cli
