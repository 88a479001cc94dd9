#include "continuo/wire/http/inflate.h"

#include <zlib.h>

#include <algorithm>

namespace continuo::wire::http {

struct Inflater::State {
  z_stream stream{};
  std::uint64_t taken = 0;
  std::uint64_t given = 0;
  bool at_end = false;
  bool pending = false;
};

namespace {
constexpr int gzip_only = 16 + MAX_WBITS;  // zlib's way to say: a gzip header, and nothing else

Error not_gzip(const z_stream& stream) {
  return {Code::bad_request, std::string("the body is not gzip: ") + (stream.msg ? stream.msg : "broken stream"),
          "Content-Encoding", "send the body as gzip(1) makes it, or without Content-Encoding"};
}
}  // namespace

Inflater::Inflater() : state_(std::make_unique<State>()) {
  CHECK(inflateInit2(&state_->stream, gzip_only) == Z_OK, "zlib has no memory");
}

Inflater::~Inflater() { inflateEnd(&state_->stream); }

bool Inflater::at_end() const { return state_->at_end; }
bool Inflater::pending() const { return state_->pending; }

Result<std::size_t> Inflater::inflate(std::string_view raw, std::size_t room, std::string& out) {
  z_stream& stream = state_->stream;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(raw.data()));
  stream.avail_in = static_cast<uInt>(std::min<std::size_t>(raw.size(), 1u << 30));
  std::size_t left = room;
  state_->pending = false;
  while (left > 0 && (stream.avail_in > 0 || !state_->at_end)) {
    if (state_->at_end) {
      inflateReset(&stream);
      state_->at_end = false;
    }
    const std::size_t piece = std::min<std::size_t>(left, 64 * 1024);
    const std::size_t before = out.size();
    out.resize(before + piece);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream.avail_out = static_cast<uInt>(piece);
    const uInt in_before = stream.avail_in;
    const int outcome = ::inflate(&stream, Z_NO_FLUSH);
    const std::size_t made = piece - stream.avail_out;
    out.resize(before + made);
    left -= made;
    state_->given += made;
    state_->taken += in_before - stream.avail_in;
    if (outcome != Z_OK && outcome != Z_STREAM_END && outcome != Z_BUF_ERROR) return std::unexpected(not_gzip(stream));
    if (state_->given > ratio_free && state_->given / max_ratio > state_->taken)
      return fail(Code::too_large, "the body inflates to more than 250 times its size", "Content-Encoding",
                  "send it without compression, in smaller requests");
    if (outcome == Z_STREAM_END) state_->at_end = true;
    state_->pending = !state_->at_end && stream.avail_out == 0;
    if (made == 0 && stream.avail_in == 0) break;
  }
  return raw.size() - stream.avail_in;
}

}  // namespace continuo::wire::http
