// The Asio side of the thread that pushes. Included by few: Asio is slow to compile.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace continuo::delivery::webhook {

struct Loop {
  boost::asio::io_context context{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{context.get_executor()};
  /// Trusts what the machine trusts (SSL_CERT_FILE and SSL_CERT_DIR where they are set).
  boost::asio::ssl::context tls{boost::asio::ssl::context::tls_client};
};

}  // namespace continuo::delivery::webhook
