#include "continuo/delivery/webhook/receiver_test.h"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "continuo/base/errors.h"
#include "continuo/record/media_type.h"

namespace continuo::delivery::webhook {

bool Peer::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = tls_ != nullptr ? SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()))
                                      : ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::string Peer::receive() {
  std::string bytes(64 * 1024, '\0');
  const auto got = tls_ != nullptr ? SSL_read(tls_, bytes.data(), static_cast<int>(bytes.size()))
                                   : ::recv(socket_, bytes.data(), bytes.size(), 0);
  bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return bytes;
}

void Peer::wait(std::chrono::milliseconds time) const {
  const auto end = std::chrono::steady_clock::now() + time;
  while (!stopping_ && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
}

void Peer::reset() {
  const linger at_once{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  closed_ = true;
}

std::string Request::header(std::string_view name) const {
  std::string_view rest = head;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find("\r\n"));
    rest.remove_prefix(std::min(rest.size(), line.size() + 2));
    const auto colon = line.find(": ");
    if (colon != std::string_view::npos && record::equal_ignoring_case(line.substr(0, colon), name))
      return std::string{line.substr(colon + 2)};
  }
  return {};
}

Receiver::Receiver(bool tls) {
  std::signal(SIGPIPE, SIG_IGN);
  answer([](Peer& peer, const Request&) { peer.send("HTTP/1.1 204 No Content\r\n\r\n"); });
  if (tls) make_certificate();
  listen();
  acceptor_ = std::jthread{[this] { accept(); }};
}

Receiver::~Receiver() {
  stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::scoped_lock lock{mutex_};
    for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
  }
  threads_.clear();
  for (const int socket : sockets_) ::close(socket);
  ::close(listener_);
  if (tls_ != nullptr) SSL_CTX_free(tls_);
}

std::string Receiver::url(std::string_view path) const {
  const std::string host = tls_ != nullptr ? "https://localhost:" : "http://127.0.0.1:";
  return host + std::to_string(port_) + std::string{path};
}

void Receiver::answer(Answer answer) {
  const std::scoped_lock lock{mutex_};
  answer_ = std::move(answer);
}

std::vector<Request> Receiver::requests() const {
  const std::scoped_lock lock{mutex_};
  return requests_;
}

void Receiver::make_certificate() {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3'600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3'600);
  X509_set_pubkey(certificate, key);
  X509_NAME* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("receiver"), -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  X509_EXTENSION* alternative = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:localhost");
  X509_add_ext(certificate, alternative, -1);
  X509_EXTENSION_free(alternative);
  X509_sign(certificate, key, EVP_sha256());
  BIO* text = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(text, certificate);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(text, &bytes);
  certificate_.assign(bytes, static_cast<std::size_t>(size));
  BIO_free(text);
  tls_ = SSL_CTX_new(TLS_server_method());
  CHECK(SSL_CTX_use_certificate(tls_, certificate) == 1 && SSL_CTX_use_PrivateKey(tls_, key) == 1);
  X509_free(certificate);
  EVP_PKEY_free(key);
}

void Receiver::listen() {
  listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  CHECK(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0 && ::listen(listener_, 512) == 0);
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
}

void Receiver::accept() {
  while (!stopping_) {
    const int socket = ::accept(listener_, nullptr, nullptr);
    if (socket < 0) return;
    const std::scoped_lock lock{mutex_};
    const int number = ++connections_;
    sockets_.push_back(socket);
    threads_.emplace_back([this, socket, number] { serve(socket, number); });
  }
}

void Receiver::serve(int socket, int number) {
  SSL* tls = tls_ != nullptr ? SSL_new(tls_) : nullptr;
  if (tls != nullptr) SSL_set_fd(tls, socket);
  if (tls == nullptr || SSL_accept(tls) == 1) {
    Peer peer{socket, tls, stopping_};
    converse(peer, number);
  }
  if (tls != nullptr) SSL_free(tls);
  const std::scoped_lock lock{mutex_};
  std::erase(sockets_, socket);
  ::close(socket);
}

void Receiver::converse(Peer& peer, int number) {
  std::string bytes;
  while (!stopping_ && !peer.closed()) {
    std::size_t end = std::string::npos;
    while ((end = bytes.find("\r\n\r\n")) == std::string::npos) {
      const std::string more = peer.receive();
      if (more.empty()) return;
      bytes += more;
    }
    Request request{bytes.substr(0, end + 2), {}, number};
    bytes.erase(0, end + 4);
    const std::size_t length = std::stoul(request.header("content-length"));
    while (bytes.size() < length) {
      const std::string more = peer.receive();
      if (more.empty()) return;
      bytes += more;
    }
    request.body = bytes.substr(0, length);
    bytes.erase(0, length);
    Answer answer;
    {
      const std::scoped_lock lock{mutex_};
      requests_.push_back(request);
      answer = answer_;
    }
    const std::size_t now = ++now_;
    for (std::size_t most = most_; now > most && !most_.compare_exchange_weak(most, now);) {
    }
    answer(peer, request);
    --now_;
  }
}

}  // namespace continuo::delivery::webhook
