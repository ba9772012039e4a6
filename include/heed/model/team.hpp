#pragma once

#include <heed/tensor/eigen.hpp>
// In Eigen 5 the thread pool is a supported module.
#if __has_include(<Eigen/ThreadPool>)
#include <Eigen/ThreadPool>
#else
#include <unsupported/Eigen/CXX11/ThreadPool>
#endif

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <heed/tensor/shape.hpp>

namespace heed {

namespace detail {

/// Eigen's thread environment, except that it records a thread that cannot be started instead of
/// throwing. An exception in the constructor of Eigen's pool would leave it waiting forever for the
/// missing thread.
struct PoolEnvironment : Eigen::StlThreadEnvironment {
  class EnvThread {
   public:
    EnvThread(std::function<void()> work, std::string& failure) {
      try {
        thread_ = std::thread(std::move(work));
      } catch (const std::exception& error) {
        failure = error.what();
      }
    }
    ~EnvThread() {
      if (thread_.joinable()) thread_.join();
    }
    EnvThread(const EnvThread&) = delete;
    EnvThread& operator=(const EnvThread&) = delete;
    void OnCancel() {}

   private:
    std::thread thread_;
  };

  explicit PoolEnvironment(std::string& text) : failure(&text) {}

  EnvThread* CreateThread(std::function<void()> work) {
    return new EnvThread(std::move(work), *failure);
  }

  std::string* failure;  ///< the error of the last thread that could not be started
};

/// Part `i` of [0, size), divided into `parts` parts whose sizes differ by at most 1.
struct Part {
  Index first, count;

  Part(Index size, Index parts, Index i) : first(size / parts * i + (std::min)(i, size % parts)) {
    count = size / parts + (i < size % parts ? 1 : 0);
  }
};

}  // namespace detail

/// Threads that share work: the calling thread, and others that wait in a pool of Eigen. A team of
/// one starts no thread. Only one thread at a time may call `run`.
class Team {
 public:
  /// A larger number is refused, since it is certainly a mistake.
  static constexpr Index most_threads = 1024;

  /// Throws `OptionError` for fewer than one thread or more than `most_threads`, and `Error` if the
  /// system cannot start them.
  explicit Team(Index threads = 1) : threads_(threads) {
    check<OptionError>(1 <= threads && threads <= most_threads, "expected threads from 1 to ",
                       most_threads, ", got ", threads);
    if (threads > 1) crew_ = std::make_unique<Crew>(threads);
  }

  Index threads() const { return threads_; }

  /// Calls `f(shard)` for each shard in [0, shards), with at most `threads()` shards, and returns
  /// when all calls are done. Shard 0 runs on the calling thread, each other shard on any thread.
  /// If calls throw, the exception of the lowest shard is thrown again. Allocates nothing.
  template <class F>
  void run(Index shards, const F& f) {
    eigen_assert(0 < shards && shards <= threads_);
    if (shards == 1) return f(Index{0});
    crew_->call = [](const void* context, Index shard) {
      (*static_cast<const F*>(context))(shard);
    };
    crew_->context = &f;
    crew_->run(shards);
  }

 private:
  /// The data that the threads of a team use. Its address stays the same when the team is moved.
  struct Crew {
    using Pool = Eigen::ThreadPoolTempl<detail::PoolEnvironment>;

    explicit Crew(Index threads) {
      errors.resize(static_cast<std::size_t>(threads));
      std::string failure;
      pool =
          std::make_unique<Pool>(static_cast<int>(threads - 1), detail::PoolEnvironment(failure));
      if (failure.empty()) return;
      pool->Cancel();
      throw Error(join("cannot make ", threads - 1, " threads: ", failure));
    }

    void run(Index shards) {
      left.store(shards - 1, std::memory_order_relaxed);
      for (Index shard = 1; shard < shards; ++shard) {
        const auto worker = static_cast<int>(shard - 1);
        // The captures are small enough for std::function to store them without allocating.
        const auto task = [this, shard] {
          work(shard);
          if (left.fetch_sub(1, std::memory_order_acq_rel) == 1) left.notify_one();
        };
        static_assert(sizeof task <= 2 * sizeof(void*));
        pool->ScheduleWithHint(task, worker, worker + 1);
      }
      work(0);
      wait();
      const auto failed = std::find_if(errors.begin(), errors.end(), [](auto& e) { return !!e; });
      if (failed == errors.end()) return;
      const std::exception_ptr first = *failed;
      std::fill(errors.begin(), errors.end(), nullptr);
      std::rethrow_exception(first);
    }

    void work(Index shard) noexcept {
      try {
        call(context, shard);
      } catch (...) {
        errors[static_cast<std::size_t>(shard)] = std::current_exception();
      }
    }

    /// Shards have the same size and end at nearly the same time. To look for their end for a while
    /// takes less time than to sleep and be woken.
    void wait() const {
      constexpr int looks = 100;
      for (int look = 0; look < looks; ++look) {
        if (left.load(std::memory_order_acquire) == 0) return;
        std::this_thread::yield();
      }
      while (const Index now = left.load(std::memory_order_acquire)) left.wait(now);
    }

    void (*call)(const void*, Index) = nullptr;
    const void* context = nullptr;
    std::vector<std::exception_ptr> errors;  ///< of each shard in the current run
    std::atomic<Index> left = 0;             ///< the number of shards of the pool that are not done
    std::unique_ptr<Pool>
        pool;  ///< last, so that its threads end before the data they use is destroyed
  };

  Index threads_;
  std::unique_ptr<Crew> crew_;
};

}  // namespace heed
