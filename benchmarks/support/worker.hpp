#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <fstream>
#include <functional>
#include <iostream>
#include <limits>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

/// A process that does the same work as others, so that compare.py can time them in turns. It reads
/// commands from stdin, a line each, and answers each with a line that begins with `ok` or `no`:
///
///     work NAME FILE SIZE...    makes ready to do NAME, on the arrays of FILE
///     result K                  runs K iterations, and says a number that all workers must agree on
///     time K                    runs K iterations, and says the seconds that one took
///     memory                    says the most memory that the process has held, in bytes
///
/// peers/worker.py is the same in Python. This header needs the standard library only, for it is
/// also libtorch's.
namespace worker {

using Sizes = std::vector<std::int64_t>;

struct Array {
  Sizes shape;
  std::vector<float> values;
};

/// As compare.py writes them: for each a line `NAME DIM...`, then its float32 values.
using Arrays = std::map<std::string, Array>;

inline Arrays read_arrays(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  Arrays arrays;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    Array& array = arrays[name];
    std::int64_t size = 1;
    for (std::int64_t dim = 0; words >> dim; size *= dim) array.shape.push_back(dim);
    array.values.resize(static_cast<std::size_t>(size));
    const auto bytes = static_cast<std::streamsize>(array.values.size() * sizeof(float));
    file.read(reinterpret_cast<char*>(array.values.data()), bytes);
    if (file.gcount() != bytes) throw std::runtime_error(path + " ends inside " + name);
  }
  return arrays;
}

/// Work that is ready to be done.
struct Job {
  std::function<void(std::int64_t)> run;       ///< so many iterations
  std::function<double(std::int64_t)> result;  ///< the same, and what came out
  std::string note = {};                       ///< how it is done, where there was a choice
};

/// Makes a job from sizes and arrays, which it may move from. Throws what should be answered with `no`.
using Jobs = std::map<std::string, std::function<Job(const Sizes&, Arrays)>>;

/// Linux counts it per program; getrusage would include what the parent held when it forked.
inline std::int64_t peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoll(line.substr(6)) * 1024;
  }
  throw std::runtime_error("this system does not say how much memory a process has held");
}

inline double seconds_of(const Job& job, std::int64_t iterations) {
  const auto start = std::chrono::steady_clock::now();
  job.run(iterations);
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  return taken.count() / static_cast<double>(iterations);
}

inline std::string answer(const std::string& line, const Jobs& jobs, Job& job) {
  std::istringstream words(line);
  std::ostringstream out;
  out.precision(std::numeric_limits<double>::max_digits10);
  std::string command, name, file;
  words >> command;
  if (command == "work") {
    Sizes sizes;
    words >> name >> file;
    for (std::int64_t size = 0; words >> size;) sizes.push_back(size);
    const auto known = jobs.find(name);
    if (known == jobs.end()) throw std::runtime_error("not measured here");
    job = {};
    job = known->second(sizes, read_arrays(file));
    out << job.note;
  } else if (command == "memory") {
    out << peak_memory();
  } else {
    std::int64_t iterations = 0;
    words >> iterations;
    if (!job.run || iterations < 1) throw std::runtime_error("cannot do: " + line);
    out << (command == "time" ? seconds_of(job, iterations) : job.result(iterations));
  }
  return out.str();
}

/// Answers until stdin ends. `about` is the first line: what this is, with its version.
inline int serve(const std::string& about, const Jobs& jobs) {
  std::cout << "ok " << about << std::endl;
  Job job;
  for (std::string line; std::getline(std::cin, line);) {
    try {
      const std::string said = answer(line, jobs, job);
      std::cout << "ok " << said << std::endl;
    } catch (const std::exception& error) {
      const std::string reason = error.what();
      std::cout << "no " << reason.substr(0, reason.find('\n')) << std::endl;
    }
  }
  return 0;
}

}  // namespace worker
