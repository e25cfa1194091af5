// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What the families share: the options, a temporary folder, and one forged chain that is made when
//! first asked for. Main thread.

#include <memory>
#include <optional>

#include "core/app/bench/bench.hpp"
#include "core/app/runtime.hpp"

namespace synod::app::bench {

//! The chain of the budgets: 5 authorities, blocks of 600 bytes (one transaction of 137 bytes beside 463
//! of header, signatures, counts and length), a finality record every 30th block.
inline constexpr std::uint32_t kAuthorities = 5;
inline constexpr std::uint32_t kTransactions = 1;
inline constexpr std::uint32_t kTransactionBytes = 137;
inline constexpr std::uint64_t kSeed = 1;

struct BenchChain {
    std::filesystem::path dir;
    std::uint64_t height = 0;

    [[nodiscard]] std::filesystem::path genesis() const { return dir / "genesis.yaml"; }
    [[nodiscard]] std::filesystem::path store() const { return dir / "chain"; }
    [[nodiscard]] std::filesystem::path key(unsigned authority) const {
        return dir / ("authority-" + std::to_string(authority) + ".key");
    }
};

//! A folder of its own that goes away with this object.
class TemporaryFolder {
  public:
    //! Under `parent`, or the system's folder for such when it is empty. Errors: bench.folder.
    static Result<TemporaryFolder> make(const std::filesystem::path& parent);
    TemporaryFolder(TemporaryFolder&& other) noexcept;
    TemporaryFolder& operator=(TemporaryFolder&&) = delete;
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder();
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    explicit TemporaryFolder(std::filesystem::path path) : path_(std::move(path)) {}
    std::filesystem::path path_;
};

class Workspace {
  public:
    Workspace(Options options, TemporaryFolder folder);

    [[nodiscard]] const Options& options() const { return options_; }
    //! `blocks` of the options, or what the family takes by default.
    [[nodiscard]] std::uint64_t blocks(std::uint64_t usual) const {
        return options_.blocks != 0 ? options_.blocks : usual;
    }
    //! A path in the temporary folder that nobody had before.
    std::filesystem::path fresh(const std::string& name);
    //! At least `blocks` high; a longer one replaces a shorter one. Errors: forge.*, plugin.*, store.*.
    Result<BenchChain> chain(std::uint64_t blocks);
    //! Another one of exactly so many blocks, the same as the first ones of that. Errors: the same.
    Result<BenchChain> forge(std::uint64_t blocks);
    //! Only the genesis file of that chain. Errors: forge.*.
    Result<std::filesystem::path> genesis();
    //! Consensus and one validation plugin on the genesis above. `workers` 0: one a core.
    //! Errors: those of offline_runtime.
    Result<std::unique_ptr<Runtime>> runtime(const std::string& validation, const std::string& isa = {},
                                             unsigned workers = 0);
    //! The same with the backend and instruction set of the options.
    Result<std::unique_ptr<Runtime>> runtime() { return runtime(options_.backend, options_.isa); }
    //! Says on standard error what is done now.
    static void say(const std::string& line);

  private:
    Options options_;
    TemporaryFolder folder_;
    std::optional<BenchChain> chain_;
    std::filesystem::path genesis_;
    unsigned made_ = 0;
};

}  // namespace synod::app::bench
