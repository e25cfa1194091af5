// SPDX-License-Identifier: Apache-2.0
#pragma once
//! One file of a simulated disk: what a reader sees, what is safe, and every sector between the
//! two. Owned by its SimDisk and whoever has it open, under the disk's mutex. It knows no name and
//! no VFS.

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/sim/random.hpp"

namespace synod::sim {

//! What a disk writes whole or not at all, bytes.
inline constexpr std::size_t kSectorBytes = 512;
//! Older contents kept of a sector that was written several times without a sync, one of which a
//! power cut may leave; beyond, one in the middle is forgotten.
inline constexpr std::size_t kOlderContents = 3;

class SimFile {
  public:
    [[nodiscard]] std::uint64_t size() const { return bytes_.size(); }
    //! Copies what is there to `into`; the rest of it becomes zero. How many bytes were there.
    std::size_t read(std::uint64_t offset, std::span<std::uint8_t> into) const;
    //! Writes at `offset`; a gap before it becomes zero.
    void write(std::uint64_t offset, ByteView bytes);
    //! Cuts or extends with zeros.
    void resize(std::uint64_t size);
    //! Everything written so far survives a power cut, but for sectors of a failed sync that were
    //! not written again.
    void sync();
    //! A sync that failed: as on Linux, the system holds these sectors for clean from now on and no
    //! later sync of the same content brings them to the disk.
    void fail_sync();
    //! What a power cut leaves: of each sector that wasn't safe any of the contents that it had
    //! since it was, of the size any between the safe and the last one.
    void lose_unsynced(Random& random);
    //! Turns one bit, as a decaying medium does; false beyond the end.
    bool flip_bit(std::uint64_t offset, unsigned bit);

  private:
    using Sector = std::array<std::uint8_t, kSectorBytes>;
    struct Unsafe {
        //! Oldest first; the first is the safe one unless that is zeros, beyond the safe size.
        std::vector<Sector> older;
        bool was_beyond = false;
        bool sync_failed = false;
    };
    [[nodiscard]] Sector sector(std::uint64_t index) const;
    void remember(std::uint64_t index);

    Bytes bytes_;
    std::uint64_t safe_size_ = 0;
    std::map<std::uint64_t, Unsafe> unsafe_;
};

}  // namespace synod::sim
