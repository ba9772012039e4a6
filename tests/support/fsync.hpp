#pragma once

#include <functional>

namespace heed::testing {

/// What stands between heed and the disk: is called for each fsync, with whether it is of a folder, and
/// returns an error, or 0 to have it done. fsync.cpp defines the function that heed calls.
inline std::function<int(bool is_folder)> on_fsync;  // NOLINT: a test sets it

}  // namespace heed::testing
