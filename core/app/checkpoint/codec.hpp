// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Contents to a format plugin's bytes and back. Every function runs on the strand of the plugin's
//! instance. What the plugin makes of records is not trusted: what comes back is checked by the
//! content root, which core computes.

#include <functional>

#include "core/app/checkpoint/files.hpp"
#include "core/host/registry.hpp"

namespace synod::app {

//! Gives the content root. `write` gets the bytes in order. Errors: plugin.*, what `write` answers,
//! those of checkpoint::write_records.
Result<Hash> encode_checkpoint(host::Instance& format, const checkpoint::Contents& contents,
                               const std::function<Result<void>(ByteView)>& write);

//! Reads a file whose content root then holds. Errors: plugin.*, checkpoint.damaged (the format
//! says that the bytes are), checkpoint.other_format, those of checkpoint::Assembler and of the
//! reader.
Result<checkpoint::Assembler::Finished> decode_checkpoint(host::Instance& format,
                                                          const std::filesystem::path& file);

}  // namespace synod::app
