// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What commands share that ask a running node. Main thread.

#include <boost/json.hpp>
#include <string>

#include "core/base/result.hpp"

namespace synod::app {

//! The data folder of a manifest, or `where` itself if it is a folder. Errors: config.*.
Result<std::string> data_dir_of(const std::string& where);

//! One method of the node whose manifest or data folder is `where`. Errors: config.*, control.*, the method's own.
Result<boost::json::value> ask_node(const std::string& where, const char* method, const boost::json::object& params);

}  // namespace synod::app
