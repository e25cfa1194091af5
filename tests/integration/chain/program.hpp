// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Runs the built `synod` as a child process and keeps what it printed; a folder of its own for each
//! test. One thread; the test owns both.

#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace synod::testing {

inline std::filesystem::path program() {
    return std::filesystem::path(SYNOD_BINARY_DIR) / "bin" / "synod";
}

struct Ran {
    int code = -1;       //!< exit code; -1 when it didn't exit by itself
    std::string output;  //!< standard output and error, as they came
};

//! `arguments` as a shell reads them.
inline Ran run(const std::string& arguments) {
    Ran out;
    std::FILE* pipe = ::popen((program().string() + " " + arguments + " 2>&1").c_str(), "r");
    if (pipe == nullptr) {
        return out;
    }
    char piece[4096];
    for (std::size_t n = 0; (n = std::fread(piece, 1, sizeof piece, pipe)) > 0;) {
        out.output.append(piece, n);
    }
    const int status = ::pclose(pipe);
    out.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return out;
}

class Folder {
  public:
    Folder() {
        auto name = (std::filesystem::temp_directory_path() / "synod-chain-XXXXXX").string();
        path_ = ::mkdtemp(name.data()) == nullptr ? std::filesystem::path() : std::filesystem::path(name);
    }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    [[nodiscard]] std::string operator/(const std::string& name) const { return (path_ / name).string(); }

  private:
    std::filesystem::path path_;
};

inline std::string read_file(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_file(const std::string& file, const std::string& text) {
    std::ofstream(file, std::ios::binary) << text;
}

//! The line of `text` that starts with `start`; empty when there is none.
inline std::string line_of(const std::string& text, const std::string& start) {
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        if (text.compare(at, start.size(), start) == 0) {
            return text.substr(at, end - at);
        }
        at = end + 1;
    }
    return {};
}

}  // namespace synod::testing
