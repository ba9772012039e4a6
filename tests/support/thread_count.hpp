#pragma once

#include <chrono>
#include <filesystem>
#include <iterator>
#include <thread>

namespace heed::testing {

/// How many threads this process has; 0 where the system does not say. A thread that has been joined
/// may still be on its way out, so this waits until the number has stood for a while.
inline int thread_count() {
  int count = -1;
  for (int same = 0; same < 5;) {
    std::error_code error;
    const std::filesystem::directory_iterator tasks("/proc/self/task", error);
    if (error) return 0;
    const auto now = static_cast<int>(std::distance(begin(tasks), end(tasks)));
    same = now == count ? same + 1 : 0;
    count = now;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return count;
}

}  // namespace heed::testing
