#include <fmt/format.h>
#include <lmdb.h>

#include <cerrno>

#include "continuo/log/state_store.h"

namespace continuo::log {
namespace {

// Address space only: the file grows with what is in it.
constexpr std::size_t map_bytes = 64ull << 30;

std::unexpected<Error> lmdb_error(std::string_view act, int error) {
  const bool full = error == ENOSPC || error == MDB_MAP_FULL;
  return fail(full ? Code::disk_full : Code::io_error, fmt::format("{}: {}", act, mdb_strerror(error)), "state");
}

MDB_val value_of(std::string_view bytes) { return {bytes.size(), const_cast<char*>(bytes.data())}; }
std::string_view view_of(const MDB_val& value) { return {static_cast<const char*>(value.mv_data), value.mv_size}; }

class LmdbStore final : public StateStore {
 public:
  ~LmdbStore() override { mdb_env_close(env_); }

  Result<void> open(const std::string& folder) {
    if (const int error = mdb_env_create(&env_); error != 0) return lmdb_error("create", error);
    mdb_env_set_mapsize(env_, map_bytes);
    if (const int error = mdb_env_open(env_, folder.c_str(), MDB_NOTLS, 0600); error != 0)
      return lmdb_error("open", error);
    MDB_txn* txn = nullptr;
    if (const int error = mdb_txn_begin(env_, nullptr, 0, &txn); error != 0) return lmdb_error("begin", error);
    if (const int error = mdb_dbi_open(txn, nullptr, 0, &table_); error != 0) {
      mdb_txn_abort(txn);
      return lmdb_error("open table", error);
    }
    if (const int error = mdb_txn_commit(txn); error != 0) return lmdb_error("commit", error);
    return {};
  }

  Result<void> load(const std::function<Result<void>(std::string_view, std::string_view)>& visit) override {
    MDB_txn* txn = nullptr;
    if (const int error = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn); error != 0) return lmdb_error("begin", error);
    MDB_cursor* cursor = nullptr;
    int error = mdb_cursor_open(txn, table_, &cursor);
    Result<void> visited;
    MDB_val key, value;
    while (error == 0 && visited) {
      error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
      if (error == 0) visited = visit(view_of(key), view_of(value));
    }
    if (cursor != nullptr) mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    if (!visited) return visited;
    if (error != MDB_NOTFOUND) return lmdb_error("read", error);
    return {};
  }

  Result<void> commit(const std::vector<StoreChange>& changes) override {
    MDB_txn* txn = nullptr;
    if (const int error = mdb_txn_begin(env_, nullptr, 0, &txn); error != 0) return lmdb_error("begin", error);
    for (const StoreChange& change : changes)
      if (const int error = apply(txn, change); error != 0) {
        mdb_txn_abort(txn);
        return lmdb_error("write", error);
      }
    if (const int error = mdb_txn_commit(txn); error != 0) return lmdb_error("commit", error);
    return {};
  }

 private:
  int apply(MDB_txn* txn, const StoreChange& change) {
    MDB_val key = value_of(change.key);
    if (!change.value) {
      const int error = mdb_del(txn, table_, &key, nullptr);
      return error == MDB_NOTFOUND ? 0 : error;
    }
    MDB_val value = value_of(*change.value);
    return mdb_put(txn, table_, &key, &value, 0);
  }

  MDB_env* env_ = nullptr;
  MDB_dbi table_ = 0;
};

}  // namespace

Result<std::unique_ptr<StateStore>> open_lmdb_store(const std::string& native_folder) {
  auto store = std::make_unique<LmdbStore>();
  if (auto opened = store->open(native_folder); !opened) return pass(opened);
  return store;
}

}  // namespace continuo::log
