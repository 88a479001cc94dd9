#include "continuo/wire/http/answer.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>

#include "continuo/record/cloudevents.h"

namespace continuo::wire::http {
namespace {

void write_line(std::string_view name, std::string_view value, std::string& out) {
  out.append(name).append(": ").append(value).append("\r\n");
}

void write_status_line(int status, std::string& out) {
  out += "HTTP/1.1 ";
  write_number(static_cast<std::uint64_t>(status), out);
  out.append(" ").append(reason(status)).append("\r\n");
}

void write_shared(const AnswerHead& head, std::string& out) {
  write_status_line(head.status, out);
  if (!head.date.empty()) write_line("Date", head.date, out);
  if (!head.content_type.empty()) write_line("Content-Type", head.content_type, out);
  out += head.extra;
  if (head.close)
    out += "Connection: close\r\n";
  else if (head.keep_alive_1_0)
    out += "Connection: keep-alive\r\n";
}

void write_member(std::string_view name, std::string_view value, std::string& out) {
  if (value.empty()) return;
  out.append(",\"").append(name).append("\":");
  record::write_json_string(value, out);
}

}  // namespace

std::string_view DateText::at(WallTime now) {
  using namespace std::chrono;
  const std::int64_t second = now.ms / 1000;
  if (second == second_) return text_;
  second_ = second;
  const sys_seconds time{seconds{second}};
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  constexpr std::string_view weekdays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::string_view months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  text_ = fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", weekdays[weekday{day}.c_encoding()],
                      static_cast<unsigned>(date.day()), months[static_cast<unsigned>(date.month()) - 1],
                      static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
                      clock.seconds().count());
  return text_;
}

std::string_view reason(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 204: return "No Content";
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 507: return "Insufficient Storage";
    default: return "Status";
  }
}

void write_head(const AnswerHead& head, std::uint64_t content_length, std::string& out) {
  write_shared(head, out);
  if (head.status != 204) {
    out += "Content-Length: ";
    write_number(content_length, out);
    out += "\r\n";
  }
  out += "\r\n";
}

void write_streaming_head(const AnswerHead& head, bool chunked, std::string& out) {
  write_shared(head, out);
  if (chunked) out += "Transfer-Encoding: chunked\r\n";
  out += "\r\n";
}

void write_chunk(std::string_view piece, std::string& out) {
  if (piece.empty()) return;
  char size[16];
  const auto end = std::to_chars(size, size + sizeof size, piece.size(), 16).ptr;
  out.append(size, end).append("\r\n").append(piece).append("\r\n");
}

void write_problem(const Error& error, std::string& out, std::string_view more) {
  const CodeInfo& entry = info(error.code);
  out.append("{\"type\":\"/errors/").append(entry.name).append("\"");
  write_member("title", entry.title, out);
  out += ",\"status\":";
  write_number(static_cast<std::uint64_t>(entry.http_status), out);
  write_member("code", entry.name, out);
  write_member("detail", error.detail, out);
  write_member("at", error.at, out);
  write_member("hint", error.hint.empty() ? entry.mend : std::string_view(error.hint), out);
  out.append(more).append("}");
}

std::string retry_after(const Error& error) {
  const int status = info(error.code).http_status;
  if (status != 429 && status != 503) return {};
  return fmt::format("Retry-After: {}\r\n", error.retry_after_s > 0 ? error.retry_after_s : 1);
}

void write_server_sent_event(std::string_view id, std::string_view data, std::string& out) {
  out.append("id: ").append(id).append("\ndata: ");
  for (std::size_t at = 0;;) {
    const std::size_t end = data.find_first_of("\r\n", at);
    out.append(data.substr(at, end - at));
    if (end == std::string_view::npos) break;
    out += "\ndata: ";
    at = end + (data.substr(end, 2) == "\r\n" ? 2 : 1);
  }
  out += "\n\n";
}

void write_number(std::uint64_t number, std::string& out) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

}  // namespace continuo::wire::http
